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

It is asked before any job starts, so it imports nothing heavy. The same module may have a function

    fingerprint(block, part) -> text

for what the reader finds in folders: another text as soon as something has changed there that the reader would read.
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

    frame: one row per score, with columns of the score table (whichever the files give) and `file`, the file each came from.
        Numbers may still be text. The index is 0..n-1. Names given as a categorical column are taken to the letter; others are
        stripped of surrounding space.
    place: place(i, field) says in words where the field of row i is in its file.
    """

    frame: pd.DataFrame
    place: Callable[[int, str], str]


def _module(block, name):
    """A module of the block's format, or None where the format has no such module."""
    full = f"emergence.ingest.readers.{block['format']}.{name}"
    return importlib.import_module(full) if importlib.util.find_spec(full) else None


def module_path(block):
    """Return the path of the block's reader below the repository."""
    return f"scripts/emergence/ingest/readers/{block['format']}/reader.py"


def read(block, account, part=None):
    """Return the rows of a benchmark block, or of one part of its tasks, by the reader of its format."""
    reader = _module(block, "reader")
    return reader.read(block, account) if part is None else reader.read(block, account, part)


def key_problems(block):
    """Return what is wrong between the keys of a block, each of which its schema allows; see the text of this package."""
    keys = _module(block, "keys")
    return keys.problems(block) if keys else []


def fingerprint(block, part=None):
    """Return the state of the folders that the block's reader looks through, as text; None where it looks through none."""
    keys = _module(block, "keys")
    return keys.fingerprint(block, part) if hasattr(keys, "fingerprint") else None
