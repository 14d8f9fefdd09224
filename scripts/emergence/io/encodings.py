"""Encodings of text files: what a file says of its own, and what it may be where it says nothing."""

import codecs

# UTF-32 first: its mark begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Bytes at the beginning by which a file without a mark is judged.
_START = 4096


def marked(start):
    """Return the encoding that a byte order mark says, in Python's words; None where a text begins without one.

    Parameters
    ----------
    start : bytes
        The first bytes of the text; four are enough.
    """
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def is_text_encoding(name):
    """Return whether a name is that of an encoding of texts, such as `windows-1252`, and not of something else or of nothing."""
    try:
        # a codec such as `base64` is found, too, and makes no text; ASCII text has to survive
        return "a,1".encode(name).decode(name) == "a,1"
    except (LookupError, ValueError):
        return False


def likely(content):
    """Return the encoding that a text which is not UTF-8 may have: a guess, to be checked by a person.

    Parameters
    ----------
    content : bytes
        The text, or its beginning.
    """
    nulls = [content[offset:_START:2].count(0) for offset in (0, 1)]
    if any(nulls):
        return "utf-16-be" if nulls[0] > nulls[1] else "utf-16-le"
    try:
        content.decode("windows-1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "windows-1252"


def not_utf8(content):
    """Return the first line that is not UTF-8, or has null characters as UTF-16 without a mark has.

    Parameters
    ----------
    content : iterable of bytes
        The lines of a file, with their ends.

    Returns
    -------
    (int, bytes) or None
        The number of the line from 1 and its bytes; None where there is none.
    """
    for number, line in enumerate(content, start=1):
        if b"\0" in line:
            return number, line
        try:
            line.decode()
        except UnicodeDecodeError:
            return number, line
    return None


def excerpt(line, name, width=40):
    """Return the part of a line around its first letter beyond ASCII, read in an encoding that may be wrong.

    Parameters
    ----------
    line : bytes
    name : str
        The encoding.
    width : int
        How many letters at most.
    """
    text = line.decode(name, "replace").strip("\r\n\0\ufffd")
    first = next((place for place, letter in enumerate(text) if not letter.isascii()), 0)
    start = max(0, first - width // 2)
    return text[start : start + width]


def is_utf8_beyond_ascii(content):
    """Return whether a text is UTF-8 and has letters beyond ASCII, so that it can hardly be of another encoding.

    Parameters
    ----------
    content : iterable of bytes
        The lines of a file.
    """
    is_beyond = False
    for line in content:
        if not line.isascii():
            is_beyond = True
            try:
                line.decode()
            except UnicodeDecodeError:
                return False
    return is_beyond
