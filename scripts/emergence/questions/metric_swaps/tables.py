"""What changing the metric, on the same outputs, does to the sharpness."""

import pandas as pd

from emergence.curves import frames, metric_pairs
from emergence.statistics import paired_comparison


def compute(given):
    """See emergence.questions."""
    # swaps are between all metrics, also those that the other answers leave out
    curves = frames.chosen(given.table("curves"), given.block["answers_over"]["entries"])
    swaps = metric_pairs.swaps(curves, given.catalogue)
    settings = {"resamples": given.study["resamples"], "seed": given.study["seed"], "level": given.study["confidence_level"]}
    compared = swap_comparisons(swaps, given.catalogue, given.study["emergence"]["threshold"], **settings)
    return {"metric_swaps": swaps, "swap_comparisons": compared}


def swap_comparisons(metric_swaps, catalogue, threshold, resamples, seed, level):
    """All swaps of a pair of metrics together, and of a pair of kinds of metric; see paired_comparison.compare_pairs.

    Pairs of one kind are left out of the comparison of kinds: there is nothing to compare.
    """
    table = metric_swaps.copy()
    for side in "ab":
        table[f"emergence_score_{side}"] = frames.with_infinite(table[f"emergence_score_{side}"], table[f"status_{side}"])
        table[f"kind_{side}"] = table[f"metric_{side}"].map(catalogue["kind"])
    parts = []
    for grouping, rows in (("metric", table), ("kind", table[table["kind_a"] != table["kind_b"]])):
        by = [f"{grouping}_a", f"{grouping}_b"]
        compared = paired_comparison.compare_pairs(rows, threshold, resamples=resamples, seed=seed, confidence=level, by=by)
        if len(compared):
            parts.append(compared.rename(columns={by[0]: "name_a", by[1]: "name_b"}).assign(grouping=grouping))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["grouping", "name_a", "name_b", "status"])
