"""Which sizes are shown: the emergence score of a curve over every choice of a few of its sizes.

Published figures often show three to five models of a family that has more. E depends on which: whoever picks the sizes can often
have either of two metrics look the sharper one. The subsets of a curve are all there are, or a sample where there are many.
"""

import itertools
import math

import numpy as np
import pandas as pd

from emergence.curves import metric_pairs, sharpness
from emergence.statistics.random_streams import random_stream
from emergence.statuses import DIFFERENT_MEMBERS, FUNCTION_OF_OTHER

N_SHOWN = 4
MOST_SUBSETS = 5000

# Two scores nearer to one another than this share are equal but for rounding.
_EQUAL = 1e-9

# Subsets of curves in memory at one time, and in a processor's cache.
_AT_ONCE, _IN_CACHE = 500_000, 2**14

MEASURES = ("share_a_sharper", "share_b_sharper", "ratio_low", "ratio_median", "ratio_high")


def subsets(n_sizes, n_shown, seed):
    """Which sizes are shown: all subsets where there are at most MOST_SUBSETS, else so many of them, drawn at random.

    The draw depends on the seed and on the two numbers alone, so curves of equally many sizes are cut in the same ways.

    Parameters
    ----------
    n_sizes : int
        Sizes of a curve.
    n_shown : int
        Sizes of a subset, at most n_sizes.
    seed : int

    Returns
    -------
    chosen : (subsets, n_shown) ndarray of int
        Positions of the sizes, increasing. Drawn subsets may repeat.
    is_sampled : bool
    """
    if math.comb(n_sizes, n_shown) <= MOST_SUBSETS:
        return np.array(list(itertools.combinations(range(n_sizes), n_shown)), dtype=np.int64).reshape(-1, n_shown), False
    order = random_stream(seed, "shown sizes", f"{n_shown} of {n_sizes}").random((MOST_SUBSETS, n_sizes))
    return np.sort(np.argpartition(order, n_shown - 1, axis=1)[:, :n_shown], axis=1), True


def magnitudes(scores, chosen):
    """|E| of curves over each subset of sizes: infinite where no finite E exists, 0 where all scores shown are equal.

    Parameters
    ----------
    scores : (curves, n_sizes) ndarray
        Oriented, in the order of the sizes.
    chosen : (subsets, n_shown) ndarray
        As `subsets` returns it.

    Returns
    -------
    (curves, subsets) ndarray
    """
    found = np.empty((len(scores), len(chosen)))
    step = max(1, _IN_CACHE // max(1, len(chosen)))
    for start in range(0, len(scores), step):
        # the subsets lie side by side, so that what is done with their sizes is done with many subsets at a time
        shown = np.moveaxis(scores[start : start + step][:, chosen.T], 1, -1)
        found[start : start + step] = sharpness.magnitude(shown)
    found[np.isnan(found)] = np.inf
    return found


def compare(a, b):
    """Which of two metrics is the sharper one over the subsets, and by how much.

    Parameters
    ----------
    a, b : (curves, subsets) ndarray
        |E| under each metric, as `magnitudes` returns it.

    Returns
    -------
    dict of str to (curves,) ndarray
        `share_a_sharper`, `share_b_sharper`: shares of the subsets; in the rest both are equally sharp. `ratio_low`,
        `ratio_median`, `ratio_high`: the ratio a / b over the subsets in which both are finite and above 0; NaN where there are
        none.
    """
    # an infinite score is equal to another and above every finite one
    with np.errstate(invalid="ignore"):
        is_a, is_b = a > b * (1 + _EQUAL), b > a * (1 + _EQUAL)
    has_ratio = np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0)
    ratio = np.divide(a, b, out=np.full(a.shape, np.nan), where=has_ratio)
    known = np.sort(ratio, axis=1)
    n = has_ratio.sum(axis=1)
    row = np.arange(len(a))
    # what is not known sorts last
    middle = (known[row, np.maximum(n - 1, 0) // 2] + known[row, np.minimum(n // 2, a.shape[1] - 1)]) / 2
    return {
        "share_a_sharper": is_a.mean(axis=1),
        "share_b_sharper": is_b.mean(axis=1),
        "ratio_low": known[:, 0],
        "ratio_median": np.where(n > 0, middle, np.nan),
        "ratio_high": known[row, np.maximum(n - 1, 0)],
    }


def by_curve(curves, swaps, catalogue, seed, n_shown=N_SHOWN):
    """For every pair of metrics on the same outputs: over the subsets of n_shown sizes, how often is each the sharper one?

    Pairs of curves that share at most n_shown sizes have nothing to choose from and are left out, as are metrics of which one is a
    linear function of the other, and averages over different members.

    Parameters
    ----------
    curves : frame of curves
    swaps : frame of metric_pairs.swaps, of the same curves
    catalogue : frame of metric_catalogue.load
    seed : int
    n_shown : int

    Returns
    -------
    DataFrame
        The table `shown_sizes`, in the order of `metric_swaps`.
    """
    table, a, b = metric_pairs.pairs(curves, catalogue)
    # the swaps are in the same order
    is_same = ~swaps["status"].isin([DIFFERENT_MEMBERS, FUNCTION_OF_OTHER]).to_numpy(dtype=bool)
    table, a, b = table[is_same].reset_index(drop=True), a[is_same], b[is_same]
    table["n_scales"], table["n_shown"], table["n_subsets"], table["is_sampled"] = 0, n_shown, 0, False
    table[list(MEASURES)] = np.nan
    for rows, y_a, y_b in metric_pairs.on_shared_scales(curves, catalogue, a, b):
        n_scales = y_a.shape[1]
        if n_scales <= n_shown:
            continue
        chosen, is_sampled = subsets(n_scales, n_shown, seed)
        parts = []
        # a curve is in as many pairs as it has other metrics beside it: each curve is measured once per block of pairs
        step = max(1, _AT_ONCE // len(chosen))
        for start in range(0, len(rows), step):
            both = np.concatenate([y_a[start : start + step], y_b[start : start + step]])
            distinct, number = np.unique(both, axis=0, return_inverse=True)
            of_a, of_b = np.split(magnitudes(distinct, chosen)[number.reshape(-1)], 2)
            parts.append(pd.DataFrame(compare(of_a, of_b)))
        table.loc[rows, list(MEASURES)] = pd.concat(parts)[list(MEASURES)].to_numpy()
        table.loc[rows, "n_scales"], table.loc[rows, "n_subsets"] = n_scales, len(chosen)
        table.loc[rows, "is_sampled"] = is_sampled
    return table[table["n_subsets"] > 0].reset_index(drop=True)


def by_pair(table):
    """The table `shown_sizes` summed up for each pair of metrics: one row per pair, those with the most curves first.

    Columns: n_curves; n_open, the curves for which some choice of sizes makes either metric the sharper one; the mean shares of
    subsets; the lowest and the highest ratio, and the median over curves of their median ratios.
    """
    columns = ["n_curves", "n_open", "share_a_sharper", "share_b_sharper", "ratio_low", "ratio_median", "ratio_high"]
    if table.empty:
        return pd.DataFrame(columns=["metric_a", "metric_b", *columns])
    is_open = (table["share_a_sharper"] > 0) & (table["share_b_sharper"] > 0)
    found = (
        table.assign(n_open=is_open)
        .groupby(["metric_a", "metric_b"], sort=True)
        .agg(
            n_curves=("n_open", "size"),
            n_open=("n_open", "sum"),
            share_a_sharper=("share_a_sharper", "mean"),
            share_b_sharper=("share_b_sharper", "mean"),
            ratio_low=("ratio_low", "min"),
            ratio_median=("ratio_median", "median"),
            ratio_high=("ratio_high", "max"),
        )
        .reset_index()
    )
    return found.sort_values(["n_curves", "metric_a", "metric_b"], ascending=[False, True, True], ignore_index=True)
