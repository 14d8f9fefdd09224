"""What must hold between the keys of a `format: bigbench` block."""

from emergence.ingest import trees


def problems(block):
    """See emergence.ingest.readers."""
    given = [f"`{key}`" for key in ("directory", "git") if key in block]
    if len(given) == 1:
        return []
    return [((), " and ".join(given) or "neither `directory` nor `git`", "`directory` or `git`, and only one of them")]


def fingerprint(block, part=None):
    """See emergence.ingest.readers: names, sizes and times of the files in the block's folder, or in a shard's part of it."""
    return trees.fingerprint(trees.find(block["directory"], part)) if "directory" in block else None
