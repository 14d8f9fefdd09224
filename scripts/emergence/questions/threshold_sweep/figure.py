"""Shares below thresholds, and their emergence scores."""

from emergence.questions import cut_curves


def draw(given):
    """See emergence.questions."""
    table = given.table("threshold_sweep").rename(columns={"shares": "scores"})
    panel = table["task"] + ": " + table["value"]
    return {
        "threshold_sweep": cut_curves.draw(
            table.assign(panel=panel, drawn=table["emergence_score_resolved"], of_whole=table["emergence_score_of_mean"]),
            cut="threshold",
            cut_label="threshold",
            score_label="share of examples",
            scale_label=given.block["scale_label"],
        )
    }
