"""What must hold between the keys of a `format: bigbench_logs` block: nothing that the schema does not say."""

from emergence.ingest import trees
from emergence.ingest.readers.bigbench_logs import PREFIX


def problems(block):
    """See emergence.ingest.readers."""
    return []


def fingerprint(block, part=None):
    """See emergence.ingest.readers: names, sizes and times of the full logs in the block's folder, or in a shard's part of it."""
    return trees.fingerprint(trees.find(block["directory"], part, PREFIX))
