"""Numbers as people write them in tables: `1.3B`, `70,000,000`, `55.1 ± 1.2`, `71%`, `−0.52`, `0,55`.

Only what can mean one thing is understood; anything else stays text, to be refused by name.
"""

import re
import typing

import numpy as np
import pandas as pd

from emergence.ingest.names import UNITS

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_MINUS = "\u2212\u2012\u2013\u2010\u2011"
# spaces between groups of digits, among them narrow and unbreakable ones, and the Swiss apostrophe
_SPACES = " \u00a0\u2009\u202f'\u2019"
# `55.1 ± 1.2`, `55.1 (1.2)`; not `86.4 (5)`, which may be a number of shots or a rank
_AFTER = re.compile(r"(.*?)\s*(?:(?:±|\+/-|\+-|\\pm)\s*(.*)|\(\s*(\d*[.,]\d+\s*%?)\s*\))\Z", re.DOTALL)
_UNIT = re.compile(r"\s*(k|m|b|t|thousand|million|billion|trillion|mn|bn)\.?(\s*param(eter)?s?\.?)?\Z", re.IGNORECASE)
_WORDS = {"thousand": "k", "million": "m", "mn": "m", "billion": "b", "bn": "b", "trillion": "t"}
# bold, underlined and slanted numbers of LaTeX and of web pages
_PRINT = re.compile(
    r"\\(?:textbf|textit|underline|emph|mathbf)\{([^{}]*)\}|<(?:b|u|i|em|strong)>([^<>]*)</(?:b|u|i|em|strong)>", re.IGNORECASE
)
# of Markdown, and the marks of footnotes
_BEFORE, _BEHIND = "*_", "*_\u2217\u22c6†‡§¶ "
# BigScience's `7b1` is 7.1 billion
_AROUND_UNIT = re.compile(r"(\d+)b(\d)\Z", re.IGNORECASE)
# `82.0 (7/8)`: how many of how many, after the score
_COUNTED = re.compile(r"(?<=[\d%])\s*\(\s*\d+\s*/\s*\d+\s*\)\Z")
# what programs and people write where there is no number; NaN may be the score of a run that failed
_NO_NUMBER = {"n/a", "na", "n.a.", "#n/a", "#nv", "#n/d", "#na", "<na>", "null", "none"}
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\Z", re.IGNORECASE)


# letters in a cell with a number; longer ones are something else, and patterns would take long to say so
_LONGEST = 100
_UNIT_AFTER = "a unit after the number, as in `1.3B`"
_MARKED = "a mark before or after the number, as of bold print or of a footnote; what it says of the score is not read"
_OF_HOW_MANY = "a number of examples after the score, as in `82.0 (7/8)`; it is not read"
AFTER_SCORE = "another number after the score, behind `±` or in brackets"


class Cell(typing.NamedTuple):
    """A cell as a number. value: None for a dash or the like, which says that there is none. error: the number after it, or None."""

    value: float | None
    error: float | None = None
    is_percent: bool = False
    has_unit: bool = False
    kind: str = ""


def understood(text, field, decimal):
    """What a cell means that is not a plain number, or None where that is not certain.

    text: the cell. field: of the score table. decimal: the decimal sign of the table, `.` or `,`, or None where nothing tells it.
    """
    text = text.strip().strip("\u00a0\u202f")
    if len(text) > _LONGEST:
        return None
    if text and not text.strip(_DASHES):
        return Cell(None, kind="a dash in place of a number")
    if text.lower() in _NO_NUMBER:
        return Cell(None, kind="a word such as `n/a` in place of a number")
    plain = _undecorated(text)
    kind, error, is_percent = _MARKED if plain != text else "", None, False
    text = plain
    if field == "score" and (found := _COUNTED.search(text)):
        text, kind = text[: found.start()], _OF_HOW_MANY
    if field == "score" and (found := _AFTER.match(text)):
        text, after = _undecorated(found[1]), (found[2] or found[3] or "").strip()
        kind = AFTER_SCORE
        is_percent = after.endswith("%")
        error = _number(after.rstrip("% "), decimal)
        if error is None or error < 0:
            return None
    if field == "scale" and (found := _AROUND_UNIT.match(text)):
        return Cell(float(f"{found[1]}.{found[2]}") * UNITS["b"], has_unit=True, kind=_UNIT_AFTER)
    if field in ("score", "stderr", "chance") and text.endswith("%"):
        text, is_percent, kind = text[:-1].rstrip(), True, kind or "`%` after the number"
    unit = _UNIT.search(text) if field in ("scale", "n_examples") else None
    if unit:
        text = text[: unit.start()]
        kind = kind or _UNIT_AFTER
    value = _number(text, decimal)
    if value is None:
        return None
    kind = kind or ("a typographic minus" if text[0] in _MINUS else "separators in the number")
    factor = UNITS[_WORDS.get(unit[1].lower(), unit[1].lower())] if unit else 1.0
    return Cell(value * factor, error, is_percent, bool(unit), kind)


def _undecorated(text):
    """A cell without bold print and without the marks of footnotes; what is left need not be a number."""
    text = text.rstrip(_BEHIND)
    if found := _PRINT.fullmatch(text):
        text = (found[1] or found[2] or "").strip().rstrip(_BEHIND)
    return text.lstrip(_BEFORE)


def _number(text, decimal):
    """A number with a typographic minus, a decimal comma or separated groups of digits, or None."""
    sign = -1.0 if text[:1] and text[0] in _MINUS + "-" else 1.0
    body = text[1:].lstrip() if text[:1] and text[0] in _MINUS + "-+" else text
    space = rf"[{_SPACES}]"
    if re.fullmatch(rf"\d{{1,3}}({space}\d{{3}})+([.,]\d+)?", body):
        body = re.sub(space, "", body)
    comma, point = body.count(","), body.count(".")
    if comma and point:
        # the later of the two is the decimal sign, and the earlier must stand between groups of three
        grouping, sign_of_parts = (",", ".") if body.rfind(".") > body.rfind(",") else (".", ",")
        if decimal not in (None, sign_of_parts) or not re.fullmatch(rf"\d{{1,3}}(\{grouping}\d{{3}})+\{sign_of_parts}\d+", body):
            return None
        body = body.replace(grouping, "").replace(sign_of_parts, ".")
    elif comma:
        grouped = re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+", body)
        if comma > 1 or decimal == ".":
            if not grouped or decimal == ",":
                return None
            body = body.replace(",", "")
        elif decimal == ",":
            body = body.replace(",", ".")
        else:
            return None
    elif point and decimal == ",":
        if not re.fullmatch(r"[1-9]\d{0,2}(\.\d{3})+", body):
            return None
        body = body.replace(".", "")
    elif point > 1:
        if decimal == "." or not re.fullmatch(r"[1-9]\d{0,2}(\.\d{3}){2,}", body):
            return None
        body = body.replace(".", "")
    return sign * float(body) if _PLAIN.fullmatch(body) else None


def decimal_sign(texts):
    """The decimal sign of a table by its cells that should be numbers: `,`, `.`, or None where nothing tells it, or both are met.

    `1,300` tells nothing; `0,55` and `1.300.000` tell the comma, `0.55` and `1,300,000` the point.
    """
    found = set()
    for text in texts:
        if len(text) > _LONGEST:
            continue
        body = _UNIT.sub("", _first_number(_undecorated(text.strip())).strip().strip("%").strip()).lstrip("+" + _DASHES).strip()
        body = re.sub(r"e[+-]?\d+\Z", "", body, flags=re.IGNORECASE)
        if "," in body and "." in body:
            found.add("." if body.rfind(".") > body.rfind(",") else ",")
        elif re.fullmatch(r"\d+,\d+", body):
            if not re.fullmatch(r"[1-9]\d{0,2},\d{3}", body):
                found.add(",")
        elif re.fullmatch(r"[1-9]\d{0,2}(,\d{3}){2,}", body):
            found.add(".")
        elif re.fullmatch(r"[1-9]\d{0,2}(\.\d{3}){2,}", body):
            found.add(",")
        elif re.fullmatch(r"\d*\.\d+", body) and not re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", body):
            found.add(".")
    return found.pop() if len(found) == 1 else None


def _first_number(text):
    """What is before `±` or brackets."""
    found = _AFTER.match(text)
    return found[1] if found else text


def odd_cells(cells):
    """Which cells of a text column are neither blank nor plain numbers: (n,) bool."""
    text = cells.fillna("").str.strip()
    return (
        (text != "") & pd.to_numeric(text, errors="coerce").isna() & ~text.str.lower().isin(["nan", "inf", "-inf"])
    ).to_numpy()


def read_column(cells, field, decimal, is_allowed):
    """A text column with what is understood as numbers.

    is_allowed(cell): whether the block can take a cell of that kind. Returns the column as objects (numbers for what was
    understood, an empty text for dashes), (n,) bool for those with `%`, (n,) numbers after the scores (NaN where there is none), and
    {kind: (number of cells, the first)}.
    """
    odd = np.flatnonzero(odd_cells(cells) if decimal != "," else (cells.fillna("").str.strip() != "").to_numpy())
    percent, errors, kinds = np.zeros(len(cells), dtype=bool), np.full(len(cells), np.nan), {}
    column = cells.astype(object).to_numpy(copy=True)
    codes, distinct = pd.factorize(column[odd])
    for code, text in enumerate(distinct):
        cell = understood(str(text), field, decimal)
        if cell is None or not is_allowed(cell):
            continue
        here = odd[codes == code]
        column[here] = "" if cell.value is None else cell.value
        percent[here] = cell.is_percent
        errors[here] = np.nan if cell.error is None else cell.error
        if cell.kind and not (decimal == "," and cell.kind == "separators in the number"):
            n, first = kinds.get(cell.kind, (0, text))
            kinds[cell.kind] = (n + len(here), first)
    return pd.Series(column, index=cells.index, dtype=object), percent, errors, kinds
