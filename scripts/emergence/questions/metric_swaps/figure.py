"""The same outputs under two metrics."""

from emergence.questions import figures


def draw(given):
    """See emergence.questions."""
    # a swap may lead to a metric that the other answers leave out
    curves, swaps, compared = (given.table(name) for name in ("curves", "metric_swaps", "swap_comparisons"))
    return {
        "metric_swaps": figures.metric_swaps(curves, swaps, given.catalogue, given.block["scale_label"]),
        "swap_comparisons": figures.swap_comparisons(swaps, compared, given.catalogue),
    }
