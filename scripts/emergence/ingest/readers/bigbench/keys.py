"""What must hold between the keys of a `format: bigbench` block."""


def problems(block):
    """See emergence.ingest.readers."""
    given = [f"`{key}`" for key in ("directory", "git") if key in block]
    if len(given) == 1:
        return []
    return [((), " and ".join(given) or "neither `directory` nor `git`", "`directory` or `git`, and only one of them")]
