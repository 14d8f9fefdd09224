"""What must hold between the keys of a `format: lm_eval` block."""

from emergence.ingest.names import pattern_problems


def problems(block):
    """See emergence.ingest.readers."""
    pattern = block.get("model_from", "")
    says_all = "{step}" in pattern or ("{family}" in pattern and ("{scale}" in pattern or block["scale_from"] == "parameters"))
    found = pattern_problems(block)
    if "models" in block or "models_file" in block or says_all:
        return found
    allowed = "the family and scale of each model, here or in `models_file`; scripts/describe_benchmark.py lists the models"
    return [*found, (("models",), "this key is missing", allowed)]
