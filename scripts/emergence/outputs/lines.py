"""Files of JSON lines, read in pieces: decoded into declared types as fast as there is, and line by line where that fails."""

import hashlib
import json

import msgspec

from emergence.io.errors import InputError, told

# A longer line is not read: it would be held in memory several times over.
LONGEST_LINE = 64 * 2**20

_PIECE = 2**22

_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


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
        """The records, some thousands at a time: yields (list of records, list or range of their line numbers).

        Raises InputError where the file cannot be read at all.
        """
        digest, n_bytes, n_before = hashlib.sha256(), 0, 0
        for piece, n_lines in self._whole_lines(digest):
            n_bytes += len(piece)
            yield self._decoded(piece, n_before, n_lines)
            n_before += n_lines
        self.account.digested(self.path, self._n_bytes, digest.hexdigest())

    def _whole_lines(self, digest):
        """Pieces of the file that end where a line does, and how many lines they have; a line that is too long is left empty."""
        self._n_bytes = 0
        kept, is_first = b"", True
        try:
            with open(self.path, "rb") as file:
                while more := file.read(_PIECE):
                    digest.update(more)
                    self._n_bytes += len(more)
                    if is_first:
                        is_first = False
                        if more[:2] in _BOMS:
                            allowed = "JSON lines in UTF-8; convert the file"
                            raise InputError(told(self.path, f"text in {_BOMS[more[:2]]}", allowed))
                        more = more.removeprefix(b"\xef\xbb\xbf")
                    head, newline, tail = more.rpartition(b"\n")
                    if newline:
                        piece = kept + head + newline
                        yield piece, piece.count(b"\n")
                        kept = tail
                    elif len(kept) <= LONGEST_LINE:
                        kept += tail
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from None
        if kept:
            yield kept, 1

    def _decoded(self, piece, n_before, n_lines):
        if len(piece) <= LONGEST_LINE:
            try:
                records = self._decoder.decode_lines(piece)
                if len(records) == n_lines:
                    return records, range(n_before + 1, n_before + n_lines + 1)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass
        records, numbers = [], []
        for number, line in enumerate(piece.split(b"\n"), start=n_before + 1):
            if line and not line.isspace():
                record = self._one(line, number, number == n_before + n_lines and not piece.endswith(b"\n"))
                if record is not None:
                    records.append(record)
                    numbers.append(number)
        return records, numbers

    def _one(self, line, number, is_unfinished):
        """One line, or None where it cannot be used, of which the account is told."""
        where = f"{self.path}: line {number}"
        if len(line) > LONGEST_LINE:
            found, allowed = "a line of more than 64 MiB", "lines of at most 64 MiB"
            self.account.refuse_file(self.path, 1, "a line of more than 64 MiB", told(where, found, allowed))
            return None
        try:
            return self._decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
        try:
            return convert(parsed(line), self.kind)
        except msgspec.ValidationError as error:
            self.account.refuse_file(
                self.path, 1, "a line of another form", told(where, str(error), "a line as the format has it")
            )
        except (ValueError, RecursionError) as error:
            reason = "the last line is cut off" if is_unfinished else "not valid JSON"
            allowed = "a whole JSON object on every line"
            self.account.refuse_file(self.path, 1, reason, told(where, f"{reason}: {error}", allowed))
        return None


def parsed(text):
    """A JSON document by Python's own reader, which takes the NaN and Infinity that Python's writer makes. Raises ValueError."""
    document = json.loads(text)
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
