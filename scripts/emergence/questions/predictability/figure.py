"""Errors of each predictor on the hidden largest scales."""

from emergence.questions import figures


def draw(given):
    """See emergence.questions."""
    return {"predictability": figures.predictability(given.table("predictability"), given.catalogue)}
