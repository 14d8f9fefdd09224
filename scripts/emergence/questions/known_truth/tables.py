"""Measured curves beside the truth."""

from emergence.outputs import known_truth


def compute(given):
    """See emergence.questions."""
    return {"known_truth": known_truth.compare(given.table("curves"), given.catalogue, given.block)}
