"""What changing the metric, on the same outputs, does to the sharpness."""

import pandas as pd

from emergence.curves import frames, metric_pairs
from emergence.statistics import paired_comparison


def compute(given):
    """See emergence.questions."""
    # swaps are between all metrics, also those that the other answers leave out
    curves = frames.chosen(given.table("curves"), given.block["answers_over"]["entries"])
    swaps = metric_pairs.swaps(curves, given.catalogue)
    settings = {"resamples": given.study["resamples"], "seed": given.study["seed"], "confidence": given.study["confidence_level"]}
    compared = swap_comparisons(swaps, given.catalogue, given.study["emergence"]["relative_threshold"], **settings)
    return {"metric_swaps": swaps, "swap_comparisons": compared}


def swap_comparisons(metric_swaps, catalogue, relative_threshold, **settings):
    """All swaps of a pair of metrics together, and of a pair of kinds of metric; see paired_comparison.compare_pairs.

    Pairs of one kind are left out of the comparison of kinds: there is nothing to compare. Pairs that answer the question of the
    paper come first: from a discontinuous or nonlinear metric to a continuous or linear one (`contrast`), then those with the most
    pairs of curves.
    """
    table = metric_swaps.copy()
    for side in "ab":
        table[f"kind_{side}"] = table[f"metric_{side}"].map(catalogue["kind"])
    parts = []
    for grouping, rows in (("metric", table), ("kind", table[table["kind_a"] != table["kind_b"]])):
        by = [f"{grouping}_a", f"{grouping}_b"]
        compared = paired_comparison.compare_pairs(rows, relative_threshold, by=by, **settings)
        if len(compared):
            compared = compared.rename(columns={by[0]: "name_a", by[1]: "name_b"})
            pairs = zip(compared["name_a"], compared["name_b"], strict=True)
            is_contrast = metrics_contrast if grouping == "metric" else kinds_contrast
            compared["contrast"] = [is_contrast(a, b, catalogue) for a, b in pairs]
            order = ["contrast", "n_compared", "name_a", "name_b"]
            parts.append(compared.sort_values(order, ascending=[False, False, True, True]).assign(grouping=grouping))
    if not parts:
        return pd.DataFrame(columns=["grouping", "name_a", "name_b", "contrast", "status"])
    return pd.concat(parts, ignore_index=True)


def metrics_contrast(name_a, name_b, catalogue):
    """Whether the first metric is discontinuous or nonlinear, and the second continuous or linear in the same respect."""
    a, b = catalogue.loc[name_a], catalogue.loc[name_b]
    return (a["continuous"] is False and b["continuous"] is True) or (a["linear"] is False and b["linear"] is True)


def kinds_contrast(kind_a, kind_b, catalogue):
    """The same for kinds of metric."""
    return (kind_a, kind_b) in {("discontinuous", "nonlinear"), ("discontinuous", "linear"), ("nonlinear", "linear")}
