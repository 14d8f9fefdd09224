"""How sharp the curves of each metric are, and the sharpest ones."""

from emergence.curves import frames
from emergence.questions import figures


def draw(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    threshold, most = given.study["emergence"]["threshold"], given.study["figures"]["sharpest_curves"]
    return {
        "emergence_by_metric": figures.emergence_by_metric(curves, given.table("emergence_by_metric"), threshold),
        "emergence_thresholds": figures.emergence_thresholds(given.table("emergence_thresholds")),
        "sharpest_curves": figures.sharpest_curves(curves, given.catalogue, given.block["scale_label"], most),
    }
