"""What must hold between the keys of a `format: lm_eval` block."""


def problems(block):
    """See emergence.ingest.readers."""
    if "models" in block or "models_file" in block:
        return []
    allowed = "the family and scale of each model, here or in `models_file`; scripts/describe_benchmark.py lists the models"
    return [(("models",), "this key is missing", allowed)]
