"""Files of JSON lines, read in pieces: decoded into declared types as fast as there is, and line by line where that fails."""

import hashlib
import json

import msgspec
import numpy as np

from emergence.io import encodings
from emergence.io.errors import InputError, mistake

# A longer line is not read: it would be held in memory several times over.
LONGEST_LINE = 64 * 2**20

# What is read at once: small enough to stay in the processor's own memory while it is hashed, counted and decoded.
_PIECE = 2**18

# How many records are handed over at once.
_RECORDS = 10_000


# Of these, only whole files are read.
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


class Lines:
    """The records of a file of JSON lines.

    Parameters
    ----------
    path : str or Path
    kind : type
        A msgspec type that each line is decoded into; numbers and truth values may be in quotes.
    account : emergence.ingest.accounts.Account
        It is told of the file, and of every line that cannot be read.
    """

    def __init__(self, path, kind, account):
        self.path, self.account, self.kind = str(path), account, kind
        self._decoder = msgspec.json.Decoder(kind, strict=False)

    def pieces(self):
        """The records, some thousands at a time: yields (list of records, list of their line numbers)."""
        try:
            yield from self._pieces()
        except InputError as error:
            self.account.refuse_file(self.path, 1, "the file cannot be read", str(error))

    def _pieces(self):
        digest = hashlib.sha256()
        self._n_bytes = n_before = 0
        is_blank, records, numbers = True, [], []
        for piece, n_lines in self._whole_lines(digest):
            is_blank = is_blank and bytes(piece).isspace()
            more, of_more = self._decoded(piece, n_before, n_lines)
            records += more
            numbers += of_more
            n_before += n_lines
            if len(records) >= _RECORDS:
                yield records, numbers
                records, numbers = [], []
        if records:
            yield records, numbers
        if is_blank:
            self.account.count(self.path, "ignored", 1, "a file without a sample", self.path)
        self.account.digested(self.path, self._n_bytes, digest.hexdigest())

    def _whole_lines(self, digest):
        """Pieces of the file that end where a line does, and how many lines they have.

        A piece is valid until the next one is asked for. A line that is too long comes cut off, still longer than may be.
        """
        buffer = bytearray(2 * _PIECE)
        n_kept = 0
        try:
            with open(self.path, "rb", buffering=0) as file:
                while True:
                    if n_kept + _PIECE > len(buffer):
                        # a new one: what looks at the old one may still be alive
                        buffer = buffer + bytes(len(buffer))
                    with memoryview(buffer) as view:
                        n_read = file.readinto(view[n_kept : n_kept + _PIECE])
                        digest.update(view[n_kept : n_kept + n_read])
                    if not n_read:
                        break
                    if not self._n_bytes:
                        self._blank_mark(buffer)
                    self._n_bytes += n_read
                    n_filled = n_kept + n_read
                    end = buffer.rfind(b"\n", n_kept, n_filled) + 1
                    if end:
                        with memoryview(buffer) as view:
                            yield view[:end], _n_lines(view[n_kept:end])
                        buffer[: n_filled - end] = buffer[end:n_filled]
                        n_kept = n_filled - end
                    else:
                        # what is beyond the longest line is read, and not kept
                        n_kept = n_filled if n_kept <= LONGEST_LINE else n_kept
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from None
        if n_kept:
            with memoryview(buffer) as view:
                yield view[:n_kept], 1

    def _blank_mark(self, buffer):
        """Put spaces in place of UTF-8's byte order mark at the beginning of a file. Raises InputError where it is another's."""
        encoding = encodings.marked(bytes(buffer[:4]))
        if encoding == "utf-8-sig":
            buffer[:3] = b"   "
        elif encoding:
            raise InputError(mistake(self.path, f"text in {encoding.upper()}", "JSON lines in UTF-8; convert the file"))

    def _decoded(self, piece, n_before, n_lines):
        if len(piece) <= LONGEST_LINE:
            try:
                records = self._decoder.decode_lines(piece)
                if len(records) == n_lines:
                    return records, range(n_before + 1, n_before + n_lines + 1)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass
        records, numbers = [], []
        written = bytes(piece)
        for number, line in enumerate(written.split(b"\n"), start=n_before + 1):
            if line and not line.isspace():
                record = self._one(line, number, number == n_before + n_lines and not written.endswith(b"\n"))
                if record is not None:
                    records.append(record)
                    numbers.append(number)
        return records, numbers

    def _one(self, line, number, is_unfinished):
        """One line, or None where it cannot be used, of which the account is told."""
        where = f"{self.path}: line {number}"
        if len(line) > LONGEST_LINE:
            found, allowed = "a line of more than 64 MiB", "lines of at most 64 MiB"
            self.account.refuse_file(self.path, 1, "a line of more than 64 MiB", mistake(where, found, allowed))
            return None
        try:
            return self._decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
        try:
            return convert(parsed(line), self.kind)
        except msgspec.ValidationError as error:
            self.account.refuse_file(
                self.path, 1, "a line of another form", mistake(where, str(error), "a line as the format has it")
            )
        except (ValueError, RecursionError) as error:
            reason = "the last line is cut off" if is_unfinished else "not valid JSON"
            allowed = "a whole JSON object on every line"
            self.account.refuse_file(self.path, 1, reason, mistake(where, f"{reason}: {error}", allowed))
        return None


def whole(files, endings, account):
    """The files of some that end as they should; packed ones are refused, others are counted as ignored."""
    kept = [file for file in files if file.endswith(endings)]
    for file in files:
        if file.endswith(_PACKED):
            account.refuse_file(
                file, 1, "a packed file", mistake(file, "a packed file", f"the file itself ({' or '.join(endings)})")
            )
        elif not file.endswith(endings):
            account.count(file, "ignored", 1, f"its name does not end in {' or '.join(endings)}")
    return kept


def _n_lines(written):
    """How many lines end in some bytes. NumPy counts four times as fast as `bytes.count`, which looks for one after the other."""
    return int(np.count_nonzero(np.frombuffer(written, dtype=np.uint8) == ord("\n")))


def parsed(text):
    """A JSON document by Python's own reader, which takes the NaN and Infinity that Python's writer makes. Raises ValueError."""
    # from bytes, Python's reader takes half surrogate pairs, too
    document = json.loads(text.decode())
    if b"\\u" in text:
        # half a surrogate pair is no character and cannot be written again
        json.dumps(document, ensure_ascii=False).encode()
    return document


def convert(document, kind):
    """A parsed document as a msgspec type; numbers and truth values may be in quotes. Raises msgspec.ValidationError."""
    try:
        return msgspec.convert(document, kind, strict=False)
    except OverflowError:
        raise msgspec.ValidationError("a number that no computer number can hold") from None
