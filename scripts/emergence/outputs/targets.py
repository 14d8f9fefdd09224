"""Right answers in the forms in which files have them, as a list of texts."""

import ast
import json

# The word by which a dictionary of right answers names their texts, as that of SQuAD does.
_TEXTS = "text"


def answers(target, is_cell=False):
    """The right answers that a target stands for.

    Parameters
    ----------
    target : str, int, float, list, dict or None
        As a file has it. A number is a text, to the letter of JSON: 3 and 3.0 are two answers, for which there is numeric match.
        A dictionary must have its texts under `text`. A list of texts, or such a dictionary, may itself be written as text, as
        Python's `str` writes it.
    is_cell : bool
        Whether it is the cell of a table, in which a list of texts may also be written as JSON.

    Returns
    -------
    list of str, or None
        Empty where there is no target, which NaN says, too; None where the answers cannot be told.
    bool
        Whether they were written as one text.
    """
    is_written = False
    if isinstance(target, str):
        found = _written(target, is_cell)
        if found is None:
            return [target], False
        target, is_written = found, True
    if isinstance(target, dict):
        target = target.get(_TEXTS, False)
        if not isinstance(target, (list, str)):
            return None, False
    # NaN is how a number is missing
    if target is None or target != target:
        return [], False
    texts = [_text(item) for item in (target if isinstance(target, list) else [target])]
    return (None if None in texts else list(dict.fromkeys(texts))), is_written


def _text(item):
    if isinstance(item, str):
        return item
    return json.dumps(item) if type(item) in (int, float) else None


def _written(text, is_cell):
    """The list of texts, or the dictionary, that a text is the writing of; None for any other text, such as a list of numbers."""
    if text[:1] not in ("[", "{") or text[-1:] not in ("]", "}") or not {"'", '"'} & set(text[:2]):
        return None
    found = literal(text)
    if repr(found) != text:
        found = _json(text) if is_cell else None
    if isinstance(found, dict) and _TEXTS in found:
        return found
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else None


def literal(text):
    """What a Python literal stands for; the text itself where it is not one."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _json(text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def gold(target, choices, n_choices):
    """The positions of the right choices, or None where they are not among the choices.

    Parameters
    ----------
    target : str, int, float, bool, list or None
        A position from 0 (3, 3.0 and "3" are the same), the text of a choice, or a list of positions, also written as text.
    choices : list of str
        The texts of the choices; empty where they are not known. A text that is itself a whole number is a position, as in the
        harness.
    n_choices : int

    Returns
    -------
    tuple of int, or None
    """
    if isinstance(target, str) and target[:1] in ("[", "(") and target not in choices:
        target = literal(target)
    if isinstance(target, (list, tuple)):
        found = [_position(item, choices, n_choices) for item in target]
        return tuple(dict.fromkeys(found)) if found and None not in found else None
    found = _position(target, choices, n_choices)
    return None if found is None else (found,)


def _position(item, choices, n_choices):
    if isinstance(item, str) and not (item.strip().removesuffix(".0").isdecimal() and item.isascii()):
        found = [i for i, text in enumerate(choices) if text == item]
        # in the harness, the text of a choice follows a delimiter in the request
        found = found or [i for i, text in enumerate(choices) if text.strip() == item.strip()]
        return found[0] if len(found) == 1 else None
    if not isinstance(item, (str, int, float)):
        return None
    try:
        number = float(item)
    except OverflowError:
        return None
    return int(number) if number.is_integer() and 0 <= number < n_choices else None
