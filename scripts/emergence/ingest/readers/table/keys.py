"""What must hold between the keys of a `format: table` block: every field given once, and the header where there is one."""

import re

from emergence.io.documents import nearest

# The fields that make a score; a table must give them one way or another.
REQUIRED = ("task", "metric", "model_family", "model", "scale", "score")

# What `models` and `models_file` can give instead of the file.
OF_MODELS = ("model_family", "scale")

IN_HEADER = ("task", "subtask", "metric", "model_family", "model", "scale", "shots")

# Letters in the header of a score column; longer ones are columns of something else.
LONGEST_HEADER = 500

_FIELD = re.compile(r"\{([a-z_]+)\}")


def header_pattern(block):
    """The regular expression of a wide table's score columns, with a group a field; None for a long table."""
    if block["layout"] == "long":
        return None
    # the odd pieces are the names of fields
    pieces = _FIELD.split(block["header"])
    body = {"shots": r"-?\d+"}
    fields = "".join(
        f"(?P<{piece}>{body.get(piece, '.+')})" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)
    )
    # there are as many ways to split a header as it is long, to the power of the fields
    return re.compile(rf"(?=.{{1,{LONGEST_HEADER}}}\Z){fields}", re.DOTALL)


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
    fields = _FIELD.findall(block.get("header", ""))
    found += [
        (("header",), f"the field `{field}`", ", ".join(IN_HEADER) + nearest(field, IN_HEADER))
        for field in dict.fromkeys(fields)
        if field not in IN_HEADER
    ]
    if wide and "score" in block["columns"]:
        found.append((("columns", "score"), "a column of scores", "none in a wide table, whose scores stand under `header`"))
    given = set()
    for key, names in {"columns": block["columns"], "header": fields, "constants": block.get("constants", {})}.items():
        for field in names:
            if field in given:
                path = (key,) if key == "header" else (key, field)
                found.append((path, f"the field `{field}` again", "each field once, in `columns`, `header` or `constants`"))
            given.add(field)
    known = {*given, *(["score"] if wide else []), *(OF_MODELS if "models" in block or "models_file" in block else [])}
    for field in REQUIRED:
        if field not in known:
            where = "a column" if field == "score" else "it in `columns`, `header` or `constants`"
            where += ", or in `models` or `models_file`" if field in OF_MODELS else ""
            found.append((("columns", field), "this field is given nowhere", where))
    for key in ("values", "multiply"):
        for field in block.get(key, {}):
            if field not in {*block["columns"], *fields, *(["score"] if wide else [])}:
                found.append(((key, field), "a field that no column gives", "fields of `columns` and `header`"))
    return found
