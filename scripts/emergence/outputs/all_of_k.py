"""All of K right: what a metric would say that counts a group of K test examples as right only if every one of them is.

After Figure 10 of Schaeffer, Miranda & Koyejo (2023), who group test images at random. The expectation over every way to choose K of
the n examples is known in closed form, so there is no noise of grouping.
"""

import numpy as np
import pandas as pd

from emergence.curves import frames, sharpness
from emergence.io import tables
from emergence.statuses import TOO_FEW_SCALES

GROUP_SIZES = (1, 2, 3, 5, 10, 20, 50)


def all_right(n_right, n_examples, group_size):
    """Probability that K examples drawn without replacement are all right: C(right, K) / C(n, K).

    Parameters
    ----------
    n_right : (...) array_like
        Examples that are right. Where partial credit makes it no whole number, the same product of falling factors is taken.
    n_examples : (...) array_like
        All examples, at least `group_size`.
    group_size : int

    Returns
    -------
    (...) ndarray
        Exactly 0 where fewer than `group_size` are right.
    """
    n_right, n_examples = np.broadcast_arrays(np.asarray(n_right, dtype=float), np.asarray(n_examples, dtype=float))
    chance = np.ones(n_right.shape)
    for place in range(group_size):
        chance = chance * np.maximum(n_right - place, 0) / (n_examples - place)
    return chance


def by_group_size(scores, catalogue, group_sizes=GROUP_SIZES):
    """The emergence score of every curve of right answers when K of them have to be right together.

    Only scores under a metric that counts each example as right or wrong, of which the number of test examples is known; and only
    for K up to the smallest number along a curve. Models of one scale are averaged after their groups are formed.

    Parameters
    ----------
    scores : DataFrame
        The table `scores`.
    catalogue : frame of metric_catalogue.load
    group_sizes : sequence of int

    Returns
    -------
    DataFrame
        The table `all_of_k`, one row per curve and K.
    """
    key = list(frames.KEY)
    columns = [*key, "group_size", "n_scales", "scales", "scores", "status", "emergence_score"]
    # a share of wrong answers says nothing about K right ones
    counts = scores["metric"].astype("str").map(catalogue["proportion"] & catalogue["higher_is_better"]).fillna(False)
    n_examples = scores["n_examples"].to_numpy(dtype=float, na_value=np.nan)
    # a mean over subtasks is not a count
    is_mean = scores["aggregate"].fillna(False).to_numpy(dtype=bool) if "aggregate" in scores else False
    counted = scores[counts.to_numpy(dtype=bool) & np.isfinite(n_examples) & ~np.asarray(is_mean)].reset_index(drop=True)
    parts = []
    for group_size in group_sizes if len(counted) else ():
        n = counted["n_examples"].to_numpy(dtype=float)
        right = counted["score"].to_numpy(dtype=float) * n
        # where there are too few examples the denominator is 0 or below; such curves are dropped below
        grouped = frames.from_scores(counted.assign(score=all_right(right, np.maximum(n, group_size), group_size)), catalogue)
        fewest = np.array([along.min() for along in grouped["n_examples"]])
        grouped = grouped[fewest >= group_size].reset_index(drop=True)
        # expected shares have no resolution: they are not counted on a test set
        grouped = grouped.assign(group_size=group_size, status=TOO_FEW_SCALES, emergence_score=np.nan)
        for batch in frames.batches(grouped):
            if batch.oriented.shape[1] >= sharpness.MIN_SCALES:
                grouped.loc[batch.positions, "status"] = sharpness.status(batch.oriented)
                grouped.loc[batch.positions, "emergence_score"] = sharpness.emergence_score(batch.oriented)
        parts.append(grouped)
    if not sum(map(len, parts)):
        return pd.DataFrame(columns=columns)
    table = pd.concat(parts, ignore_index=True)[columns]
    return table.iloc[np.argsort(tables.key_positions(table, [*key, "group_size"]), kind="stable")].reset_index(drop=True)
