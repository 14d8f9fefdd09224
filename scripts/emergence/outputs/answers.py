"""The answer in an output, and its tokens: decided once, before every metric."""

import re

import numpy as np
import regex

from emergence.io.errors import InputError, mistake

TARGET = "target"

# The words of ROUGE, of texts in lower case.
PLAIN_WORDS = "[a-z0-9]+"

# These cannot take long.
_SPLIT = {"words": str.split, "digits": re.compile(r"\d").findall, PLAIN_WORDS: re.compile(PLAIN_WORDS).findall}

# How many seconds a regular expression may take for one text: some take longer than a life on a text of a hundred characters.
LIMIT = 10.0


def extract(outputs, specification, longest_target=None):
    """The answers in a list of outputs.

    In this order: the output ends before the first of the texts `stop`; `regex` takes the first match, of it the first group
    where it has one; `strip` removes white space at both ends; `cut` leaves so many characters, or with `target` as many as the
    example's longest target has.

    Parameters
    ----------
    outputs : list of str
    specification : dict
        `strip` (bool), `stop` (list of str), `regex` (str), `cut` (int or "target"); each may be missing.
    longest_target : (n,) array of int, optional
        Characters of the longest target of each output, for `cut: target`.

    Returns
    -------
    answers : list of str
    n_without : int
        Outputs in which `regex` finds nothing; their answer is empty.

    Raises
    ------
    InputError
        Where `regex` takes longer than LIMIT for one output.
    """
    answers, n_without = list(outputs), 0
    for stop in specification.get("stop") or ():
        answers = [answer.split(stop, 1)[0] for answer in answers]
    if specification.get("regex"):
        pattern = regex.compile(specification["regex"])
        matches = [_within_limit(pattern, pattern.search, answer, "answer.regex") for answer in answers]
        n_without = sum(match is None for match in matches)
        answers = ["" if match is None else match[min(1, pattern.groups)] or "" for match in matches]
    if specification.get("strip"):
        answers = [answer.strip() for answer in answers]
    cut = specification.get("cut")
    if cut == TARGET:
        answers = [answer[:length] for answer, length in zip(answers, longest_target, strict=True)]
    elif cut is not None:
        answers = [answer[:cut] for answer in answers]
    return answers, n_without


def _within_limit(pattern, method, text, key):
    """What a method of a regular expression finds in a text. Raises InputError where it takes longer than LIMIT."""
    try:
        return method(text, timeout=LIMIT)
    except TimeoutError:
        found = f"`{pattern.pattern}`, which takes more than {LIMIT:g} s for a text of {len(text):,} characters: {text[:60]!r}"
        allowed = "a regular expression without repeats of repeats, such as `(a+)+`"
        raise InputError(mistake(f"the key `{key}` of a block", found, allowed)) from None


def described(specification, tokens):
    """How answers are taken from outputs and what a token is, as a sentence for the report."""
    steps = []
    if specification.get("stop"):
        steps.append("end before " + " or ".join(repr(stop) for stop in specification["stop"]))
    if specification.get("regex"):
        steps.append(f"are the first match of `{specification['regex']}`")
    if specification.get("strip"):
        steps.append("lose the white space at both ends")
    if specification.get("cut") is not None:
        length = "the length of the target" if specification["cut"] == TARGET else f"{specification['cut']:,} characters"
        steps.append(f"are cut to {length}")
    taken = "Answers are the outputs as they are" if not steps else "Answers " + ", ".join(steps)
    return f"{taken}; a token is {_token(tokens)}."


def _token(tokens):
    names = {"characters": "a character", "words": "a word between white space", "digits": "a digit"}
    return names.get(tokens, f"a match of `{tokens}`")


def encode(texts, tokens):
    """Texts as texts with one code point per token, so that edit distances in characters are edit distances in tokens.

    texts: list of lists of str that share one vocabulary. tokens: `characters`, `words`, `digits` or a regular expression.
    Returns lists of str of the same lengths. Raises InputError where the regular expression takes longer than LIMIT for one text.
    """
    if tokens == "characters":
        return texts
    vocabulary, seen = {}, {}
    split = _SPLIT.get(tokens) or _limited_split(tokens)

    def code(text):
        if text not in seen:
            # the code points of surrogates are left out: they are no characters
            numbers = [vocabulary.setdefault(token, len(vocabulary)) for token in split(text)]
            seen[text] = "".join(chr(number if number < 0xD800 else number + 0x800) for number in numbers)
        return seen[text]

    return [[code(text) for text in part] for part in texts]


def _limited_split(tokens):
    pattern = regex.compile(tokens)
    return lambda text: _within_limit(pattern, pattern.findall, text, "tokens")


def code_points(texts):
    """All characters of a list of texts end to end, and where each text starts: (total,) uint32, (n + 1,) int64."""
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return points, np.concatenate([[0], np.cumsum(lengths)])
