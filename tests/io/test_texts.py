"""Names from the data are shown so that they act on nothing, and can be seen and read."""

import pytest

from emergence.io.errors import InputError, mistake
from emergence.io.texts import printable, shortened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, with {braces} and $signs$", None),
        ("名前 Ünï", None),
        ("می\u200cخواهم", None),
        ("👩\u200d💻", None),
        ("x\ny\r\tz", "x\\ny\\r\\tz"),
        ("\x1b[2J\x9b1m", "\\x1b[2J\\x9b1m"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("\u200b", "\\u200b"),
        ("a\u2028b\x00", "a\\u2028b\\x00"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_acts_or_cannot_be_seen_is_an_escape(text, expected):
    assert printable(text) == (text if expected is None else expected)


def test_shortened():
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdef", 5) == "abcd…"
    assert shortened("abc def", 5) == "abc…"


def test_a_message_fits_a_terminal_whatever_is_in_it():
    long = mistake("file.csv: row 1", "x\n\x1b[2J" + "y" * 100_000, "a number")
    text = str(InputError([long] * 1000 + ["lines\n" * 1000]))
    assert text.startswith("file.csv: row 1\n    found: x\\n\\x1b[2Jyyy")
    assert "…\n    allowed: a number\n" in text
    assert text.endswith("... and 981 more like these.")
    assert max(map(len, text.splitlines())) == InputError.WIDTH
    assert len(str(InputError("lines\n" * 1000)).splitlines()) == InputError.LINES + 1
