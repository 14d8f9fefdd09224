"""The share of examples below a threshold, for every threshold."""

from emergence.outputs import rescoring, threshold_sweep


def compute(given):
    """See emergence.questions."""
    return {"threshold_sweep": threshold_sweep.sweep(rescoring.tasks(given.path("outputs")), given.catalogue)}
