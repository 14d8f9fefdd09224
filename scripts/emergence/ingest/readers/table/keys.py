"""What must hold between the keys of a `format: table` block: every field given once, and the header where there is one."""

import itertools
import re
from collections import Counter

from emergence.ingest.names import pattern_problems
from emergence.ingest.readers.table import expressions
from emergence.io import encodings
from emergence.io.documents import nearest

# The fields that make a score; a table must give them one way or another.
REQUIRED = ("task", "metric", "model_family", "model", "scale", "score")

# What `models` and `models_file` can give instead of the file.
OF_MODELS = ("model_family", "scale")

IN_HEADER = ("task", "subtask", "metric", "model_family", "model", "scale", "shots")

# Letters in the header of a score column; longer ones are columns of something else.
LONGEST_HEADER = 500

# `{metric}`, or `{metric=acc_norm}` for the field with that text only
_FIELD = re.compile(r"\{([a-z_]+)(?:=([^{}]+))?\}")


def header_patterns(block, key="header"):
    """The regular expressions of a wide table's score columns, with a group for each field, in order; none for a long table."""
    if block["layout"] == "long" or key not in block:
        return []
    return [_expression(pattern) for pattern in listed(block[key])]


def listed(patterns):
    """A pattern or a list of them as a list."""
    return [patterns] if isinstance(patterns, str) else list(patterns)


def fields_of(pattern):
    """The fields of a pattern, in order."""
    return [found[1] for found in _FIELD.finditer(pattern)]


def _expression(pattern):
    parts, end = [], 0
    for found in _FIELD.finditer(pattern):
        field, text = found.groups()
        body = re.escape(text) if text else r"-?\d+" if field == "shots" else ".+"
        parts += [re.escape(pattern[end : found.start()]), f"(?P<{field}>{body})"]
        end = found.end()
    fields = "".join(parts) + re.escape(pattern[end:])
    # there are as many ways to split a header as it is long, to the power of the fields
    return re.compile(rf"(?=.{{1,{LONGEST_HEADER}}}\Z){fields}", re.DOTALL)


def encoding_problems(block):
    """What is wrong with `encoding`; see emergence.ingest.readers."""
    if "encoding" not in block or encodings.is_text_encoding(block["encoding"]):
        return []
    allowed = "an encoding that Python knows, such as windows-1252, latin-1, utf-16-le, gb18030, shift_jis"
    return [(("encoding",), f"`{block['encoding']}`", allowed)]


def problems(block):
    """See emergence.ingest.readers."""
    wide = block["layout"] == "wide"
    found = []
    if wide and "header" not in block:
        found.append(
            (("header",), "this key is missing", "a pattern such as `{task}_{shots}_{metric}`, since the layout is wide")
        )
    if not wide and "header" in block:
        found.append((("header",), "a pattern, with `layout: long`", "`header` for wide tables only"))
    headers = {key: listed(block.get(key, [])) for key in ("header", "stderr_header")}
    if not wide and "stderr_header" in block:
        found.append((("stderr_header",), "a pattern, with `layout: long`", "`stderr_header` for wide tables only"))
    of_patterns = {key: [fields_of(pattern) for pattern in patterns] for key, patterns in headers.items()}
    for key, lists in of_patterns.items():
        for fields in lists:
            for field, n in Counter(fields).items():
                if field not in IN_HEADER:
                    found.append(((key,), f"the field `{field}`", ", ".join(IN_HEADER) + nearest(field, IN_HEADER)))
                elif n > 1:
                    found.append(((key,), f"the field `{field}` again", "each field once in a pattern"))
    fields = list(dict.fromkeys(field for fields in of_patterns["header"] for field in fields))
    if "stderr_header" in block and {*itertools.chain(*of_patterns["stderr_header"])} - set(fields):
        found.append((("stderr_header",), "a field that `header` does not have", "the fields of `header`"))
    if wide and "score" in block["columns"]:
        found.append((("columns", "score"), "a column of scores", "none in a wide table, whose scores are found by `header`"))
    in_path = {{"family": "model_family"}.get(field, field) for field in fields_of(block.get("model_from", ""))}
    found += pattern_problems(block)
    if {"model_family", "scale"} <= in_path and "model" not in block["columns"] and "model" not in block.get("constants", {}):
        in_path.add("model")
    given, constants = set(), dict(block.get("constants", {}))
    # what some patterns of headers give and others do not, a constant may complete
    partial = [field for field in fields if not all(field in of_one for of_one in of_patterns["header"])]
    completed = {field for field in partial if constants.pop(field, None) is not None}
    places = {"columns": block["columns"], "header": fields, "constants": constants, "model_from": in_path & set(IN_HEADER)}
    for key, names in places.items():
        for field in names:
            if field in given:
                path = (key,) if key in ("header", "model_from") else (key, field)
                allowed = "each field once, in `columns`, `header`, `constants` or `model_from`"
                found.append((path, f"the field `{field}` again", allowed))
            given.add(field)
    for field in partial:
        if field in REQUIRED and field not in completed:
            found.append(
                (("header",), f"patterns with and without the field `{field}`", "it in all of them, or in `constants`, too")
            )
    if "scale_from" in block:
        if "scale" in given:
            found.append((("scale_from",), "the field `scale` again", "each field once"))
        try:
            expressions.columns_of(block["scale_from"])
        except expressions.ExpressionError:
            found.append((("scale_from",), f"`{block['scale_from']}`", expressions.ALLOWED))
        given.add("scale")
    if "step" in block["columns"] or "step" in in_path or ("model" in constants and "scale" in given):
        given |= {"model_family", "scale"}
    if block.get("plus_minus") == "stderr" and ("stderr" in block["columns"] or "stderr_header" in block):
        found.append(
            (("plus_minus",), "standard errors from two places", "one of `plus_minus`, `columns.stderr`, `stderr_header`")
        )
    if block.get("repeated_runs") == "latest" and "date" not in block["columns"]:
        found.append(
            (("columns", "date"), "this field is given nowhere", "the column with the dates, since `repeated_runs` is `latest`")
        )
    found += encoding_problems(block)
    if len(block.get("separator", ",")) > 1:
        found.append((("separator",), f"`{block['separator']}`", "one character"))
    if block.get("decimal") == block.get("separator", ";") == ",":
        found.append((("decimal",), "`,`, which separates the cells", "two different characters"))
    known = {*given, *(["score"] if wide else []), *(OF_MODELS if "models" in block or "models_file" in block else [])}
    for field in REQUIRED:
        if field not in known:
            where = "a column" if field == "score" else "it in `columns`, `header`, `constants` or `model_from`"
            where += ", or in `models` or `models_file`" if field in OF_MODELS else ""
            found.append((("columns", field), "this field is given nowhere", where))
    for number, field in enumerate(block.get("fill_down", [])):
        if field not in block["columns"]:
            found.append((("fill_down", number), f"the field `{field}`", "fields of `columns`"))
    for key in ("values", "multiply"):
        for field in block.get(key, {}):
            of_errors = ["stderr"] if "stderr_header" in block else []
            computed = ["scale"] if "scale_from" in block else []
            if field not in {*block["columns"], *fields, *computed, *of_errors, *(["score"] if wide else [])}:
                found.append(((key, field), "a field that no column gives", "fields of `columns` and `header`"))
    return found
