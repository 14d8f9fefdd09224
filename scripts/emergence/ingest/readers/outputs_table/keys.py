"""What must hold between the keys of a `format: outputs_table` block: every field given once, and enough of them for some output."""

from emergence.ingest.readers.table.keys import encoding_problems

OF_MODELS = ("model_family", "scale")


def problems(block):
    """See emergence.ingest.readers."""
    columns, constants = block["columns"], block.get("constants", {})
    found = encoding_problems(block)
    for field in constants:
        if field in columns:
            found.append((("constants", field), f"the field `{field}` again", "each field once, in `columns` or `constants`"))
    given = {*columns, *constants, *(OF_MODELS if "models" in block or "models_file" in block else [])}
    for field in ("task", "model", "model_family", "scale"):
        if field not in given:
            where = "it in `columns`" + ("" if field == "model" else " or `constants`")
            where += ", or in `models` or `models_file`" if field in OF_MODELS else ""
            found.append((("columns", field), "this field is given nowhere", where))
    if not {"output", "log_probs"} & given:
        found.append(
            (("columns",), "neither `output` nor `log_probs`", "`output` for texts, `log_probs` for choices and log-likelihoods")
        )
    if {"output", "log_probs"} <= given and "kind" not in given:
        found.append((("columns", "kind"), "both `output` and `log_probs`, and no `kind`", "`kind` in `columns` or `constants`"))
    if "output" in given and "targets" not in given:
        found.append((("columns", "targets"), "`output` without `targets`", "a column with the right answers"))
    if {"gold", "credits"} <= given:
        found.append((("columns", "gold"), "both `gold` and `credits`", "one of them"))
    if {"gold", "credits"} & given and "log_probs" not in given:
        found.append((("columns", "log_probs"), "this field is given nowhere", "a column with a log-probability for each choice"))
    if "scale" in block.get("multiply", {}) and "scale" not in columns:
        found.append((("multiply", "scale"), "a field that no column gives", "fields of `columns`"))
    return found
