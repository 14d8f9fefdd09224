"""The ingest account: what became of everything that was read, and the files it was read from."""

import contextlib
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from emergence.io import contents
from emergence.io.errors import InputError, mistake


class Account:
    """Counts what is read, kept, merged, empty, refused, renamed, noted and ignored, by file and reason.

    on_error: with `stop`, refused rows are collected and stop() raises them all; with `skip` they are counted and left out.
    """

    def __init__(self, on_error="stop"):
        self.on_error = on_error
        self._counts = {}
        self._problems = []
        self._files = []

    def file(self, path, content):
        """Note a file that was read, with its size and digest. content: its bytes, the same that were parsed."""
        self._files.append((str(path), len(content), hashlib.sha256(content).hexdigest()))

    def digested(self, path, n_bytes, sha256):
        """Note a file that was read in pieces, with the digest of the very bytes that were parsed."""
        self._files.append((str(path), n_bytes, sha256))

    @contextlib.contextmanager
    def reading(self, path):
        """Note a file that is parsed from the disk, as those are that memory need not hold, with its size and digest.

        Raises InputError where the file is not the same before and after: nobody could tell which content was parsed.
        """
        digest = contents.digest(path)
        n_bytes = Path(path).stat().st_size
        yield
        if contents.digest(path) != digest:
            found, allowed = "another content than when reading began", "a file that nobody writes to; run again when it is whole"
            raise InputError(mistake(path, found, allowed))
        self._files.append((str(path), n_bytes, digest))

    def count(self, file, outcome, n, reason="", example=""):
        """Add n scores (or columns) of a file to an outcome; the first example is kept."""
        self.count_each([str(file)], outcome, [int(n)], reason, example)

    def count_each(self, files, outcome, counts, reason="", example=""):
        """Add scores of many files to an outcome: counts[i] of files[i]; the first example of each is kept."""
        for file, n in zip(files, counts, strict=True):
            key = (file, outcome, reason)
            before, first = self._counts.get(key, (0, example))
            self._counts[key] = (before + n, first or example)

    def count_rows(self, rows, chosen, outcome, reason="", example=""):
        """Count the chosen rows of a reader's frame (boolean Series) by file."""
        files = rows.frame["file"].astype("category").array
        counts = np.bincount(files.codes[np.asarray(chosen, dtype=bool)], minlength=len(files.categories))
        met = np.flatnonzero(counts)
        self.count_each(files.categories[met].tolist(), outcome, counts[met].tolist(), reason, example)

    def refuse(self, rows, bad, reason, describe):
        """Refuse the bad rows (boolean Series) and return the rows that are left.

        describe(i): the whole message for row i: where, what was found, what is allowed.
        """
        positions = np.asarray(bad, dtype=bool).nonzero()[0]
        if len(positions) == 0:
            return rows
        shown = [describe(position) for position in positions[: InputError.SHOWN]]
        self._problems += shown + [""] * (len(positions) - len(shown))
        self.count_rows(rows, bad, "refused", reason, " ".join(shown[0].split()))
        return without(rows, bad)

    def refuse_file(self, file, n, reason, message):
        """Refuse a file, or a part of one, before it comes to rows. n: how many scores it holds; 1 where nobody can tell."""
        self.count(file, "read", n)
        self.count(file, "refused", n, reason, " ".join(message.split()))
        self._problems.append(message)

    def refuse_unreadable(self, file, error):
        """Refuse a file of which nothing can be read; the others go on. error: the InputError that says why."""
        self.count(file, "read", 1)
        self.count(file, "refused", 1, "the file cannot be read", " ".join(error.problems[0].split()))
        self._problems += error.problems

    def readable(self, files, read):
        """What `read` makes of each file; those it raises InputError for are refused, and the others go on. Yields."""
        for file in files:
            try:
                found = read(file)
            except InputError as error:
                self.refuse_unreadable(file, error)
            else:
                yield found

    def add_problem(self, message):
        """Note a mistake whose rows the caller counts and leaves out itself."""
        self._problems.append(message)

    @property
    def n_problems(self):
        """How many mistakes have been noted."""
        return len(self._problems)

    def stop(self):
        """Raise InputError with everything refused so far, if the block says `on_error: stop`."""
        if self.on_error == "stop" and self._problems:
            # messages are made only for the rows that are shown; the others are counted
            raise InputError(sorted(self._problems, key=lambda problem: problem == ""))

    def frame(self):
        """The account as a table, sorted; see workflow/schemas/tables.yaml."""
        records = [
            (file, outcome, reason or None, n, example or None)
            for (file, outcome, reason), (n, example) in sorted(self._counts.items())
        ]
        return pd.DataFrame(records, columns=["file", "outcome", "reason", "n", "example"])

    def inputs(self):
        """The files that were read, as a table."""
        return pd.DataFrame(sorted(self._files), columns=["file", "n_bytes", "sha256"])


def without(rows, left_out):
    """The rows of a reader without some of them; places still point to where they were."""
    left_out = np.asarray(left_out, dtype=bool)
    if not left_out.any():
        return rows
    kept = (~left_out).nonzero()[0]
    place = rows.place
    return type(rows)(rows.frame.iloc[kept].reset_index(drop=True), lambda i, field: place(kept[i], field))


def in_words(account):
    """What became of everything that was read, for a log: "30 read, 28 kept, 2 left out". account: the table."""
    counts = account.groupby("outcome")["n"].sum()
    outcomes = ("read", "kept", "merged", "empty", "left_out", "refused")
    return ", ".join(f"{counts[outcome]:,} {outcome.replace('_', ' ')}" for outcome in outcomes if counts.get(outcome))
