"""Readers: one module a format, turning the files of a benchmark block into rows of the score table.

A format is two files in this folder: `<format>.schema.yaml`, the keys that its blocks add to the common ones, and `<format>.py`
with a function

    read(block, account) -> Rows

which reads the files of the block, tells the account of every file and of everything that it leaves out, and returns the rest.
What is common to all formats (numbers, ranges, metric names, repeated keys) is checked afterwards, in emergence.ingestion.

A format whose schema says `x-shards: true` can be read one part of the tasks at a time, in as many jobs as `--set-scatter`
allows. Its function is read(block, account, part=None), where part is (number of the part from 1, how many there are).
"""

import dataclasses
import importlib
from collections.abc import Callable

import pandas as pd


@dataclasses.dataclass
class Rows:
    """What a reader found.

    frame: one row a score, with columns of the score table (whichever the files give) and `file`, the file each came from.
        Numbers may still be text. The index is 0..n-1. Names given as a categorical column are taken to the letter; others are
        stripped of surrounding space.
    place: place(i, field) says in words where the field of row i stands in its file.
    """

    frame: pd.DataFrame
    place: Callable[[int, str], str]


def read(block, account, part=None):
    """The rows of a benchmark block, or of one part of its tasks, by the reader of its format."""
    reader = importlib.import_module(f"emergence.readers.{block['format']}")
    return reader.read(block, account) if part is None else reader.read(block, account, part)
