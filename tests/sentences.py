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


def of_markdown(text):
    """The prose of a page in Markdown: one line per paragraph, list item, heading and table cell, without code and addresses."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(?:#+ (.*)|<!--.*-->)$", r"\n\1\n", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("**", "")
    blocks = []
    for block in re.split(r"\n\s*\n", text):
        if re.match(r"\n*(?: {4}|\t)", block):
            continue
        block = re.sub(r"\n\s*(?![-*|]\s|\d+\. |\|)", " ", block)
        blocks.append(re.sub(r"^\s*(?:[-*]|\d+\.) ", "", block, flags=re.MULTILINE))
    return re.sub(r"(?<!\\)\|", "\n", "\n".join(blocks))
