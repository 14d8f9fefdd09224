"""Does changing the metric remove it? Pairs of curves of two metrics on the same model outputs."""

import numpy as np
import pandas as pd
from scipy import stats

from emergence.statistics.false_discovery import q_values
from emergence.statistics.random_streams import random_stream

OK = "ok"
NO_PAIRS = "no_defined_pairs"
ONE_TASK = "one_task"

_BLOCK = 256


def mcnemar_p_value(only_a, only_b):
    """Exact two-sided McNemar test: binomial test of the discordant pairs against one half. No discordant pair gives 1."""
    discordant = only_a + only_b
    return float(stats.binomtest(only_a, discordant, 0.5).pvalue) if discordant else 1.0


def _weighted_median(ordered, weight):
    """Median of `ordered` (n, ascending) with whole-number weights (b, n): the middle of the expanded list. Returns (b,)."""
    cumulative = weight.cumsum(axis=1, dtype=np.int32)
    total = cumulative[:, -1]
    # the sums only grow, so each middle is found by bisection
    below = [np.searchsorted(row, (n - 1) // 2, side="right") for row, n in zip(cumulative, total, strict=True)]
    above = [np.searchsorted(row, n // 2, side="right") for row, n in zip(cumulative, total, strict=True)]
    return (ordered[below] + ordered[above]) / 2


def clustered_interval(difference, cluster, *, resamples, seed, key, confidence=0.95):
    """Percentile intervals of the mean and the median of differences, from resampling whole clusters (tasks).

    difference: (n,) finite. cluster: (n,) labels. Each resample draws as many clusters as there are, with replacement, and keeps
    all their differences (Davison & Hinkley 1997, section 3.8). key: string that names the comparison; the random stream depends
    on (seed, key) only, and the result does not depend on the order of the rows.

    Returns (mean_low, mean_high, median_low, median_high), all NaN with fewer than two clusters.
    """
    difference = np.asarray(difference, dtype=float)
    codes, names = pd.factorize(np.asarray(cluster, dtype=object), sort=True)
    n_clusters = len(names)
    if n_clusters < 2:
        return (np.nan,) * 4
    draw = random_stream(seed, "swap", key)
    order = np.lexsort((codes, difference))
    ordered, ordered_codes = difference[order], codes[order]
    sums = np.bincount(ordered_codes, weights=ordered, minlength=n_clusters)
    sizes = np.bincount(ordered_codes, minlength=n_clusters)
    means, medians = np.empty(resamples), np.empty(resamples)
    for start in range(0, resamples, _BLOCK):
        drawn = slice(start, min(start + _BLOCK, resamples))
        n = drawn.stop - drawn.start
        times = draw.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=n).astype(np.int32)
        means[drawn] = (times @ sums) / (times @ sizes)
        medians[drawn] = _weighted_median(ordered, times[:, ordered_codes])
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    return (*np.quantile(means, tails), *np.quantile(medians, tails))


def compare_pairs(pairs, threshold, *, resamples, seed, confidence=0.95, by=("metric_a", "metric_b")):
    """For every pair of metrics: is a curve sharp under one, the other, both or neither, and by how much does |E| differ?

    pairs: data frame, one row a pair of curves on the same outputs: task, metric_a, metric_b, emergence_score_a,
    emergence_score_b (NaN where undefined; infinite for a zero median step) and whatever `by` names. A pair of curves must stand
    in it once. threshold: |E| at or above it is sharp. resamples, seed, confidence: of the interval (clustered_interval).
    by: the columns that make a comparison; metric kinds in place of metrics group by kind.

    Returns a data frame, one row a comparison: the columns of `by`; n_pairs, n_tasks, n_undefined (an E is NaN: left out),
    n_infinite (pairs with an infinite E: in the counts, not in the differences); n_both, n_only_a, n_only_b, n_neither, share_a,
    share_b; mcnemar_p, mcnemar_q (Benjamini-Hochberg over the comparisons); mean_difference, mean_low, mean_high,
    median_difference, median_low, median_high of |E_a| - |E_b|; median_ratio of |E_a| / |E_b| where both are above 0; status:
    `ok`, `one_task` (no interval) or `no_defined_pairs` (no test, no difference). McNemar's test takes pairs as independent;
    pairs of one task are not, so the interval, which resamples tasks, is the safer statement.
    """
    by = list(by)
    rows = []
    for names, group in pairs.groupby(by, sort=True, dropna=False):
        # Sums in a fixed order: the last digit must not depend on the order of the rows.
        group = group.sort_values(["task", "emergence_score_a", "emergence_score_b"])
        a, b = (group[column].abs().to_numpy(dtype=float) for column in ("emergence_score_a", "emergence_score_b"))
        defined = ~(np.isnan(a) | np.isnan(b))
        finite = defined & np.isfinite(a) & np.isfinite(b)
        sharp_a, sharp_b = a[defined] >= threshold, b[defined] >= threshold
        task = group["task"].to_numpy(dtype=object)
        row = dict(zip(by, names, strict=True)) | {
            "n_pairs": len(group),
            "n_tasks": len(set(task[defined])),
            "n_undefined": int((~defined).sum()),
            "n_infinite": int((defined & ~finite).sum()),
            "n_both": int((sharp_a & sharp_b).sum()),
            "n_only_a": int((sharp_a & ~sharp_b).sum()),
            "n_only_b": int((~sharp_a & sharp_b).sum()),
            "n_neither": int((~sharp_a & ~sharp_b).sum()),
        }
        some = bool(defined.any())
        row["share_a"] = float(sharp_a.mean()) if some else np.nan
        row["share_b"] = float(sharp_b.mean()) if some else np.nan
        row["mcnemar_p"] = mcnemar_p_value(row["n_only_a"], row["n_only_b"]) if some else np.nan
        difference = a[finite] - b[finite]
        key = "\x1f".join(str(name) for name in names)
        interval = clustered_interval(difference, task[finite], resamples=resamples, seed=seed, key=key, confidence=confidence)
        row["mean_difference"] = float(difference.mean()) if len(difference) else np.nan
        row["mean_low"], row["mean_high"] = interval[:2]
        row["median_difference"] = float(np.median(difference)) if len(difference) else np.nan
        row["median_low"], row["median_high"] = interval[2:]
        positive = finite & (a > 0) & (b > 0)
        row["median_ratio"] = float(np.exp(np.median(np.log(a[positive] / b[positive])))) if positive.any() else np.nan
        row["status"] = NO_PAIRS if not some else ONE_TASK if len(set(task[finite])) < 2 else OK
        rows.append(row)
    table = pd.DataFrame(rows)
    if len(table):
        table.insert(table.columns.get_loc("mcnemar_p") + 1, "mcnemar_q", q_values(table["mcnemar_p"]))
    return table
