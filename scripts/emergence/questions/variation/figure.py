"""Shares of the variation in sharpness."""

from emergence.questions import figures


def draw(given):
    """See emergence.questions."""
    return {"variation": figures.variation(given.table("variation"))}
