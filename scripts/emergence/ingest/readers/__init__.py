"""Readers: one folder per format, turning the files of a benchmark block into rows of the score table.

A format is a folder with two files: `schema.yaml`, the keys that its blocks add to the common ones, and `reader.py` with a
function

    read(block, account) -> Rows

which reads the files of the block, tells the account of every file and of everything that it leaves out, and returns the rest.
What is common to all formats (numbers, ranges, metric names, models, repeated keys) is checked afterwards, in
emergence.ingest.pipeline.

A format whose schema says `x-shards: true` can be read one part of the tasks at a time, in as many jobs as `--set-scatter`
allows. Its function is read(block, account, part=None), where part is (number of the part from 1, how many there are).

Where the keys of a format depend on one another, which a schema cannot say, a third file, `keys.py`, has a function

    problems(block) -> list of (path of the key within the block, what was found, what is allowed)

It is asked before any job starts, so it imports nothing heavy.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    reader = importlib.import_module(f"emergence.ingest.readers.{block['format']}.reader")
    return reader.read(block, account) if part is None else reader.read(block, account, part)


def key_problems(block):
    """What is wrong between the keys of a block, each of which its schema allows; see the text of this package."""
    name = f"emergence.ingest.readers.{block['format']}.keys"
    return importlib.import_module(name).problems(block) if importlib.util.find_spec(name) else []
