"""Names from the data as text that can be shown: in messages, on a terminal, in figures and in the report."""

import re

# Characters that act on a terminal, end a line, turn the direction of writing around, or cannot be seen, and half surrogate
# pairs, which cannot be written. The joiners U+200C and U+200D stay: words of some languages and some emoji are made with them.
_UNSEEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\ud800-\\udfff\\U000e0000-\\U000e0fff]"
)


def printable(text):
    r"""A text on one line, with an escape such as `\x1b` for each character that cannot be seen or acts on what is around it."""
    text = str(text)
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def shortened(text, width):
    """A text in at most `width` characters; the end of a longer one is an ellipsis."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
