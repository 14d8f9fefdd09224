"""Test examples that there are against those that it takes."""

from emergence.questions import figures


def draw(given):
    """See emergence.questions."""
    return {"resolution": figures.resolution(given.table("examples_needed"))}
