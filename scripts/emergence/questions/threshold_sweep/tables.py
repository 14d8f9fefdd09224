"""The share of examples below a threshold, for every threshold."""

from emergence.outputs import threshold_sweep


def compute(given):
    """See emergence.questions."""
    return {"threshold_sweep": threshold_sweep.sweep(given.table("outputs"), given.catalogue)}
