"""Does changing the metric remove a jump? Pairs of curves of two metrics on the same model outputs."""

import numpy as np
import pandas as pd
from scipy import special

from emergence.curves import metric_pairs, sharpness
from emergence.statistics.false_discovery import q_values
from emergence.statistics.random_streams import random_stream
from emergence.statuses import NO_PAIRS, OK, ONE_TASK

# With fewer tasks a bootstrap over tasks is too narrow (over four tasks, 81 % instead of 95 %): the t distribution is used.
MIN_TASKS_RESAMPLED = 10

# Up to so many tasks all flips of signs are looked at.
_MOST_EXACT = 14


def mcnemar_p_value(only_a, only_b):
    """Return the p-value of the exact two-sided McNemar test: discordant pairs against one half; 1 where there are none."""
    discordant = only_a + only_b
    # both tails of a binomial with one half are equal
    return float(min(1.0, 2 * special.bdtr(min(only_a, only_b), discordant, 0.5))) if discordant else 1.0


def mcnemar_over_tasks(excess):
    """Return the p-value of McNemar's exact two-sided test with tasks as units: of discordant pairs, those of one task go together.

    Seeds, families and subtasks of one task are not independent. The signs of whole tasks are flipped, as in permutation tests of
    clustered pairs. With at most one discordant pair in each task it is McNemar's test.

    excess : (tasks,) of int, pairs that are sharp under the first metric only less those under the second only. Returns NaN with
    fewer than two tasks.
    """
    excess = np.asarray(excess, dtype=int)
    if len(excess) < 2:
        return np.nan
    size = np.abs(excess)
    total = int(size.sum())
    # the exact distribution of the sum of signs times sizes, on -total .. total
    chance = np.zeros(2 * total + 1)
    chance[total] = 1.0
    for step in size[size > 0]:
        chance = (np.roll(chance, step) + np.roll(chance, -step)) / 2
    reached = np.abs(np.arange(-total, total + 1)) >= abs(excess.sum())
    return float(min(1.0, chance[reached].sum()))


def task_means(difference, task):
    """Return the mean difference of each task, in the order of their names. difference: (n,). task: (n,) labels."""
    codes, names = pd.factorize(np.asarray(task, dtype=object), sort=True)
    # sums in a fixed order: the last digit must not depend on the order of the rows
    order = np.lexsort((difference, codes))
    sums = np.bincount(codes[order], weights=np.asarray(difference, dtype=float)[order], minlength=len(names))
    return sums / np.bincount(codes, minlength=len(names))


def interval_over_tasks(means, *, resamples, seed, key, confidence=0.95):
    """Return an interval of the mean over tasks, from the means of the tasks: curves of one task are not independent.

    Parameters
    ----------
    means : (tasks,)
        One mean per task.
    resamples, seed, key
        Of the bootstrap, with MIN_TASKS_RESAMPLED tasks or more; its random stream depends on (seed, key) alone.
    confidence : float
        Coverage.

    Returns
    -------
    (low, high)
        With fewer tasks the t interval; NaN with fewer than two.
    """
    n = len(means)
    if n < 2:
        return np.nan, np.nan
    if n < MIN_TASKS_RESAMPLED:
        half = special.stdtrit(n - 1, (1 + confidence) / 2) * means.std(ddof=1) / np.sqrt(n)
        return means.mean() - half, means.mean() + half
    times = random_stream(seed, "swap", key).multinomial(n, np.full(n, 1 / n), size=resamples)
    resampled = np.einsum("rt,t->r", times, means) / n
    return tuple(np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2]))


def sign_flip_p_value(means, *, resamples, seed, key):
    """Return the two-sided p-value of a mean of zero, from flipping the signs of the means of the tasks.

    All flips are looked at with up to 14 tasks, so that the p-value is exact; with more, `resamples` random ones. NaN with fewer
    than two tasks. It assumes that each task's mean is as likely above zero as below.
    """
    n = len(means)
    if n < 2:
        return np.nan
    if n <= _MOST_EXACT:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = 1 - 2 * random_stream(seed, "sign flips", key).integers(2, size=(resamples, n))
    # equal sums must count as equal
    reached = np.abs(np.einsum("rt,t->r", signs, means)) >= abs(means.sum()) * (1 - 1e-12)
    return float(reached.mean()) if n <= _MOST_EXACT else float((1 + reached.sum()) / (1 + resamples))


def compare_pairs(pairs, relative_threshold, *, resamples, seed, confidence=0.95, by=("metric_a", "metric_b")):
    """For every pair of metrics: is a curve sharp under one, the other, both or neither, and how do the scores compare?

    Parameters
    ----------
    pairs : DataFrame
        One row per pair of curves on the same outputs, as metric_pairs.swaps gives them, and whatever `by` names.
    relative_threshold : float
        A curve is sharp where its resolution-limited E, relative to a straight line of as many scales, is at least this.
    resamples, seed, confidence
        Of the interval; see interval_over_tasks.
    by : sequence of str
        The columns that make a comparison.

    Returns
    -------
    DataFrame
        One row per comparison: the columns of `by`; n_pairs; n_compared (status `ok`) and n_tasks of those; n_functions (pairs in
        which one metric is a linear function of the other) and n_left_out (all others that are not compared); n_both, n_only_a,
        n_only_b, n_neither, share_a, share_b; mcnemar_p (over tasks) and mcnemar_q, where some pair is sharp under one
        metric only;
        median_ratio of |E_a| over |E_b|, over the pairs; ratio, ratio_low, ratio_high, the geometric mean over tasks, and
        sign_flip_p of it being one; mean_difference, mean_low, mean_high of |E_a| - |E_b|, over tasks; status: `ok`,
        `one_task` (no interval) or `no_defined_pairs`. Ratios leave out pairs with a score of zero (n_zero).
    """
    by = list(by)
    rows = []
    for names, every in pairs.groupby(by, sort=True, dropna=False):
        group = every[every["status"] == OK]
        a, b = (metric_pairs.sharpest(group, side).abs().to_numpy(dtype=float) for side in "ab")
        sharp_a, sharp_b = (sharpness.relative(score, group["n_scales"]) >= relative_threshold for score in (a, b))
        task = group["task"].to_numpy(dtype=object)
        n_functions = int((every["status"] == "function_of_other").sum())
        row = dict(zip(by, names, strict=True)) | {
            "n_pairs": len(every),
            "n_compared": len(group),
            "n_tasks": len(set(task)),
            "n_functions": n_functions,
            "n_left_out": len(every) - len(group) - n_functions,
            "n_both": int((sharp_a & sharp_b).sum()),
            "n_only_a": int((sharp_a & ~sharp_b).sum()),
            "n_only_b": int((~sharp_a & sharp_b).sum()),
            "n_neither": int((~sharp_a & ~sharp_b).sum()),
            "share_a": float(sharp_a.mean()) if len(group) else np.nan,
            "share_b": float(sharp_b.mean()) if len(group) else np.nan,
        }
        excess = pd.Series(sharp_a.astype(int) - sharp_b.astype(int)).groupby(task, sort=True).sum()
        row["mcnemar_p"] = mcnemar_over_tasks(excess) if row["n_only_a"] + row["n_only_b"] else np.nan
        settings = {"resamples": resamples, "seed": seed, "key": "\x1f".join(str(name) for name in names)}
        positive = (a > 0) & (b > 0)
        row["n_zero"] = int((~positive).sum())
        log_ratio = np.log(a[positive] / b[positive])
        row["median_ratio"] = float(np.exp(np.median(log_ratio))) if positive.any() else np.nan
        means = task_means(log_ratio, task[positive])
        row["ratio"] = float(np.exp(means.mean())) if len(means) else np.nan
        low, high = interval_over_tasks(means, confidence=confidence, **settings)
        row["ratio_low"], row["ratio_high"] = np.exp(low), np.exp(high)
        row["sign_flip_p"] = sign_flip_p_value(means, **settings)
        means = task_means(a - b, task)
        row["mean_difference"] = float(means.mean()) if len(means) else np.nan
        row["mean_low"], row["mean_high"] = interval_over_tasks(means, confidence=confidence, **settings)
        row["status"] = NO_PAIRS if not len(group) else ONE_TASK if len(means) < 2 else OK
        rows.append(row)
    table = pd.DataFrame(rows)
    if len(table):
        table.insert(table.columns.get_loc("mcnemar_p") + 1, "mcnemar_q", q_values(table["mcnemar_p"]))
    return table
