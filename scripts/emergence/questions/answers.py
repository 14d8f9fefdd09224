"""What the answers of all questions are made with: numbers in words.

Every number comes from a table. The terminal summary and the report print the same sentences.
"""

import dataclasses

# What would make the size of the noise known: the number of examples says it of a share of right answers only.
KNOWN_NOISE = (
    "Shares of right answers need the number of test examples (`n_examples`) for that, other metrics a standard error (`stderr`)."
)


@dataclasses.dataclass(frozen=True)
class Answer:
    """A question and what this run answers, in plain sentences.

    `text` has paragraphs where a line ends. `short` is the one line of the terminal summary, left out where it is empty. `cell` is
    what the first table of the report has room for: numbers and at most a few words; where it is empty, the beginning of `short`.
    `table` is a frame to show below the text, with the columns {column: header} of `columns`, for what no file holds.
    """

    question: str
    text: str
    short: str
    table: object = None
    columns: dict = dataclasses.field(default_factory=dict)
    cell: str = ""


def percent(share):
    return f"{100 * share:.1f} %"


def p_text(value):
    """A p- or q-value as a reader wants it: `= 0.18`, `= 4.8e-05`."""
    if value == 0:
        return "< 1e-300"
    return f"= {value:.2g}" if value >= 1e-4 else f"= {value:.1e}"


def plural(count, noun, many=None):
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def agree(one, many, count, total=None):
    """The verb that fits so many, of so many: `1 of 3 curves is`, `0 of 1 curve is`, `2 of 3 curves are`."""
    return one if 1 in (count, total) else many


def listed(items):
    """`a, b and c`."""
    items = [str(item) for item in items]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
