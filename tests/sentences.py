"""How long the sentences of a text are."""

import re

MOST_WORDS = 25


def too_long(text):
    """The sentences of a text with more words than a reader takes in at once.

    A sentence ends at a full stop, question mark or exclamation mark before white space, or at the end of a line. A word is what
    stands between white space, so numbers and signs count, too.
    """
    sentences = re.split(r"(?<=[.?!])\s+|\n", text.replace("et al. ", "et al.\N{NO-BREAK SPACE}"))
    return [sentence for sentence in sentences if len(sentence.split()) > MOST_WORDS]
