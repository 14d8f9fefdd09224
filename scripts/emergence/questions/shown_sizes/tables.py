"""How the sharper of two metrics depends on which scales are shown."""

from emergence.curves import frames, shown_sizes


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), given.block["answers_over"]["entries"])
    table = shown_sizes.by_curve(curves, given.table("metric_swaps"), given.catalogue, given.study["seed"])
    return {"shown_sizes": table, "shown_sizes_by_pair": shown_sizes.by_pair(table)}
