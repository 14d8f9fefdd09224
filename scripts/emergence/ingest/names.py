"""What names of models and paths of files say: sizes, steps of training, and signs that a parameter count is not the size."""

import math
import re
import unicodedata
from pathlib import PurePath

UNITS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}

# `160m`, `1.3B`, `6,7b`; not the `8x7b` of a mixture of experts, whose size is not the product, and not the `4bit` of `7b-4bit`
_SIZE = re.compile(r"(?<![A-Za-z0-9.,])(\d+(?:\.\d+)?)[ _]?([kmbt])(?![A-Za-z0-9])", re.IGNORECASE)
# BigScience's `7b1` is 7.1 billion
_SIZE_AROUND_UNIT = re.compile(r"(?<![A-Za-z0-9.,])(\d+)b(\d)(?![A-Za-z0-9.,])", re.IGNORECASE)
_STEP = re.compile(r"(?:^|[^A-Za-z])(?:global_?step|step|checkpoint|ckpt|iter(?:ation)?)[-_]?(\d+)(?![\dA-Za-z])", re.IGNORECASE)

_TOKENS = re.compile(r"[-_]?(tok(en)?s?[-_]?\d+(\.\d+)?[kmbt]|\d+(\.\d+)?[kmbt][-_]?tok(en)?s?)(?![A-Za-z0-9])", re.IGNORECASE)

_AVERAGE = re.compile(
    r"((macro|micro|weighted|total|grand|leaderboard)_)?(average|avg|mean|overall|aggregate)(_(score|acc|accuracy|all|\d+))*|"
    r".*_(average|avg(_[a-z]{1,3})?)|durchschnitt|mittelwert|gesamt(durchschnitt)?|moyenne(_generale)?|promedio|gemiddelde"
)

# Packed weights are counted as fewer parameters than they stand for; an adapter's may be counted alone.
_QUANTISED = re.compile(
    r"(?<![A-Za-z])(gptq|awq|gguf|ggml|bnb|nf4|exl2|hqq|aqlm|[2348]-?bits?|int[48]|fp[48]|w[48]a\d+|q[2-8]_[k0-9])(?![A-Za-z])",
    re.IGNORECASE,
)
_LOADED = re.compile(
    r"(load_in_[48]bit|gptq|autogptq|awq|gguf_file|quantization|bnb_4bit_quant_type)[\"']?\s*[=:]\s*[\"']?(?!False|None|null|0)\w",
    re.IGNORECASE,
)
_ADAPTER = re.compile(r"(peft|delta)[\"']?\s*[=:]\s*[\"']?(?!False|None|null)\w|(?<![A-Za-z])q?lora(?![A-Za-z])", re.IGNORECASE)

# A recorded count may leave out embeddings, or name them; beyond this factor it is another model's.
_DOUBTFUL = 1.6

_FIELD = re.compile(r"\{([a-z]+)\}|(\*\*/?)|(\*)|(\?)")
_BODY = {"model": "[^/]+?", "family": "[^/]+?", "scale": r"\d+(?:[.,]\d+)?(?:e[+-]?\d+)?[kKmMbBtT]?", "step": r"\d+"}
PATH_FIELDS = tuple(_BODY)


def plain_name(name):
    """A name for comparison: small letters without accents, `_` for anything else, and without what is in brackets."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\(.*?\)", "", letters)).strip("_")


def is_average(name):
    """Whether the name of a column or a task says that it averages others."""
    return bool(_AVERAGE.fullmatch(plain_name(name)))


def size_in_name(name):
    """The number of parameters that a name says, or None where it says none, or several."""
    # `step1000-tokens4B` says how many tokens were seen
    name = _TOKENS.sub("", name)
    sizes = [(float(number), unit.lower()) for number, unit in _SIZE.findall(name)]
    # `4k` is the length of a context where it is a power of two, and beside `7b` anything in thousands is not the size
    is_large = any(unit != "k" for _, unit in sizes)
    sizes = [(number, unit) for number, unit in sizes if unit != "k" or not (is_large or math.log2(number or 1).is_integer())]
    found = {number * UNITS[unit] for number, unit in sizes}
    found |= {float(f"{whole}.{part}") * UNITS["b"] for whole, part in _SIZE_AROUND_UNIT.findall(name)}
    # `1.4b-tokens` beside a size: only one of the two can be the model's
    return found.pop() if len(found) == 1 else None


def step_in_name(name):
    """The step of training that the name of a checkpoint says, or None."""
    found = _STEP.findall(name)
    return int(found[-1]) if found else None


def doubt(name, arguments, n_parameters):
    """Why a recorded number of parameters may not be the size of a model; an empty text where nothing speaks against it.

    name: of the model. arguments: of its loader, as text. n_parameters: as the file records it.
    """
    reasons = []
    if _QUANTISED.search(name) or _LOADED.search(arguments):
        reasons.append("the model is quantised, and packed weights are counted as fewer")
    if _ADAPTER.search(f"{name} {arguments}"):
        reasons.append("the model is an adapter on another")
    size = size_in_name(name)
    if size and n_parameters and abs(math.log(n_parameters / size)) > math.log(_DOUBTFUL):
        reasons.append(f"the name says {size:.3g}")
    return "; ".join(reasons)


def path_pattern(pattern):
    """The regular expression of a `model_from` pattern, which must fit the end of a path: whole folders, and the file.

    `{model}`, `{family}`, `{scale}` and `{step}` are fields; `*` and `?` stay within one name, `**` goes over folders.
    """
    parts, end = [], 0
    seen = set()
    for found in _FIELD.finditer(pattern):
        parts.append(re.escape(pattern[end : found.start()]))
        field, deep, star, _ = found.groups()
        if field in seen:
            # the same field again must be the same text
            parts.append(f"(?P={field})")
        elif field:
            parts.append(f"(?P<{field}>{_BODY.get(field, '[^/]+?')})")
            seen.add(field)
        else:
            parts.append((".*" if deep == "**" else "(?:.*/)?") if deep else "[^/]*" if star else "[^/]")
        end = found.end()
    parts.append(re.escape(pattern[end:]))
    # a number is taken whole: `step{step}*` is not step 1 of step 143000
    body = "".join(parts).replace(r"(?P<step>\d+)", r"(?P<step>(?<!\d)\d+(?!\d))")
    return re.compile(rf"(?:.*/)?{body}\Z", re.DOTALL)


def path_fields(pattern, file):
    """{field: text} that a `model_from` pattern finds in the path of a file, or None where it does not fit."""
    found = path_pattern(pattern).match(PurePath(file).as_posix())
    fields = found.groupdict() if found else None
    if fields and {"family", "scale"} <= set(fields):
        # without a name of its own, a model is its family's at its scale
        fields.setdefault("model", f"{fields['family']}-{fields['scale']}")
    return fields


def pattern_problems(block):
    """What is wrong with `model_from`; see emergence.ingest.readers."""
    if "model_from" not in block:
        return []
    fields = [found.group(1) for found in _FIELD.finditer(block["model_from"]) if found.group(1)]
    allowed = ", ".join(f"{{{field}}}" for field in PATH_FIELDS)
    problems = [
        (("model_from",), f"the field `{{{field}}}`", allowed) for field in dict.fromkeys(fields) if field not in PATH_FIELDS
    ]
    if not fields:
        problems.append((("model_from",), "a pattern without a field", allowed))
    return problems


def number_with_unit(text):
    """`160m`, `1.3B` or `3e9` as a number, or None."""
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)([kmbt]?)", text, re.IGNORECASE)
    return float(found[1].replace(",", ".")) * UNITS.get(found[2].lower(), 1.0) if found else None


def without_step(name):
    """A name without the step of training that it says, and the tokens seen by then."""
    return _TOKENS.sub("", _STEP.sub("", name))


def suggested_pattern(base, files):
    """A `model_from` pattern for files below a folder, by what differs between their paths; None where nothing does.

    base: the folder, whose own name is the model where no folder below differs. files: paths below it.
    """
    base = PurePath(base)
    if not all(len(PurePath(file).parts) > len(base.parts) for file in files):
        return None
    paths = [(base.name, *PurePath(file).relative_to(base).parts) for file in files]
    if len({len(path) for path in paths}) != 1:
        return None
    columns = list(zip(*paths, strict=True))
    steps = next((i for i, found in enumerate(columns) if len({step_in_name(name) for name in found} - {None}) > 1), None)
    # what is left of the name of a checkpoint can tell runs apart: `160m-step1000`
    bare = [[without_step(name) if i == steps else name for name in found] for i, found in enumerate(columns)]
    folders = range(len(columns) - 1)
    model = next((i for i in folders if len(set(bare[i])) > 1 or (i == steps and len(set(bare[i])) > 1)), None)
    if model is None and steps is not None:
        # in a name such as `160m-step1000.json` what is left tells runs apart, unless it differs from file to file, as dates do
        is_in_name = steps == len(columns) - 1 and 1 < len(set(bare[steps])) < len(files)
        model = steps if is_in_name else max(0, steps - 1)
    if model is None and len(set(columns[-1])) == len(files) > 1:
        return "{model}" + PurePath(files[0]).suffix
    if model is None:
        return None
    parts = []
    for i in range(model, len(columns)):
        is_last = i == len(columns) - 1
        suffix = PurePath(columns[i][0]).suffix if is_last else ""
        if i == steps:
            parts.append(_step_pattern(columns[i], is_last, suffix, i == model))
        elif i == model:
            parts.append("{model}")
        else:
            parts.append(columns[i][0] if len(set(columns[i])) == 1 and not is_last else f"*{suffix}")
    return "/".join(parts)


def _step_pattern(found, is_last, suffix, is_model):
    """The pattern of one part of a path that says the step, `step{step}` or `{model}-step{step}`."""
    name = next(name for name in found if step_in_name(name) is not None)
    match = list(_STEP.finditer(name))[-1]
    start, end = match.start(1), match.end(1)
    before = re.search(r"(?:global_?)?[A-Za-z]+[-_]?\Z", name[:start])[0]
    head = name[: start - len(before)]
    if is_model and head:
        head = "{model}" + head[len(head.rstrip("-_.")) :]
    elif head:
        head = "*"
    after = name[end:]
    if is_last and after != suffix:
        after = f"{after[0]}*{suffix}"
    elif after and not is_last:
        after = "*"
    return head + before + "{step}" + after
