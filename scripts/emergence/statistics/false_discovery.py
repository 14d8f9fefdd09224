"""What is left of the sharp curves once the number of curves looked at is allowed for."""

import numpy as np
import pandas as pd
import scipy


def q_values(p_values):
    """Benjamini-Hochberg q-values over all defined p-values.

    scipy.stats.false_discovery_control is the same; importing scipy.stats takes longer than most jobs that need a q-value.

    p_values: (m,), NaN where undefined; those are not in the family. Returns (m,), NaN in the same places.
    """
    p_values = np.asarray(p_values, dtype=float)
    q = np.full(p_values.shape, np.nan)
    defined = np.flatnonzero(~np.isnan(p_values))
    order = defined[np.argsort(p_values[defined], kind="stable")]
    scaled = p_values[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def metrics_with_sharp_curves(metric, emergence_score, q_value, thresholds, *, level=0.05):
    """How many metrics have a curve at or above each threshold of |E|, before and after false-discovery control.

    metric: (c,) labels. emergence_score: (c,), NaN where there is no finite one; such a curve is above no threshold. q_value: (c,),
    NaN where undefined. thresholds: (t,) values of |E|. level: false-discovery rate.

    Returns a data frame, one row per threshold: threshold, n_metrics, n_metrics_above, n_metrics_after (with a curve above the
    threshold and q <= level), n_curves, n_curves_above, n_curves_after, n_undefined_score, n_untested_above (above, but without a
    q-value: they cannot survive, and are counted here), metrics_after (names joined by `|`).
    """
    metric = np.asarray(metric, dtype=object)
    sharpness = np.abs(np.asarray(emergence_score, dtype=float))
    q_value = np.asarray(q_value, dtype=float)
    rows = []
    for threshold in thresholds:
        above = sharpness >= threshold
        after = above & (q_value <= level)
        rows.append(
            {
                "threshold": float(threshold),
                "n_metrics": len(set(metric)),
                "n_metrics_above": len(set(metric[above])),
                "n_metrics_after": len(set(metric[after])),
                "n_curves": len(metric),
                "n_curves_above": int(above.sum()),
                "n_curves_after": int(after.sum()),
                "n_undefined_score": int(np.isnan(sharpness).sum()),
                "n_untested_above": int((above & np.isnan(q_value)).sum()),
                "metrics_after": "|".join(sorted(set(metric[after]))),
            }
        )
    return pd.DataFrame(rows)


def smallest_p(draws):
    """The smallest p-value that so many draws can give: one over draws plus one."""
    return 1 / (draws + 1)


def curves_needed_at_floor(draws, n_curves, rate=0.05):
    """How many curves must reach the smallest p-value before any is a discovery among n_curves, by Benjamini-Hochberg.

    A lone discovery needs p <= rate / n_curves. Returns an integer of at least 1, and 1 where one curve alone can be a discovery.
    """
    return max(1, int(np.ceil(smallest_p(draws) * n_curves / rate - 1e-9)))


def warn_floor(draws, n_curves, rate=0.05, about=False):
    """What has to be said before a run whose draws are too few for its number of curves, as a sentence; empty where they are not.

    draws: simulated curves per curve and null model. n_curves: curves that are tested together. rate: false-discovery rate.
    about: whether the number of curves is an estimate.
    """
    needed = curves_needed_at_floor(draws, n_curves, rate) if draws else 1
    if needed <= 1:
        return ""
    enough = int(np.ceil(n_curves / rate - 1e-9)) - 1
    return (
        f"With {draws:,} draws no p-value is below 1/{draws + 1:,}. Among {'about ' * about}{n_curves:,} curves that are "
        f"tested together, a curve is a discovery at a false-discovery rate of {rate:g} only if at least {needed:,} curves "
        f"reach that smallest p-value; for one curve alone to be a discovery, `null_models: draws` would have to be at least "
        f"{enough:,}."
    )


def simes(p_values):
    """Simes' p-value of the hypothesis that all of some hypotheses are true: min over i of m p_(i) / i.

    Valid for independent tests and under positive dependence, such as that of curves on the same questions (Sarkar 1998).
    p_values: (m,), NaN where undefined. Returns a float, NaN without any.
    """
    p_values = np.sort(np.asarray(p_values, dtype=float))
    p_values = p_values[~np.isnan(p_values)]
    if not len(p_values):
        return np.nan
    return float(min(1.0, (p_values * len(p_values) / np.arange(1, len(p_values) + 1)).min()))


def fisher(p_values):
    """Fisher's combination of independent p-values: -2 times the sum of their logarithms is chi-squared with 2 m degrees of freedom.

    p_values: (m,), NaN where undefined. Returns a float, NaN without any.
    """
    p_values = np.asarray(p_values, dtype=float)
    p_values = p_values[~np.isnan(p_values)]
    if not len(p_values):
        return np.nan
    # a p-value too small for a number counts as the smallest number
    logarithms = np.log(np.maximum(p_values, np.finfo(float).tiny))
    return float(scipy.special.chdtrc(2 * len(p_values), -2 * logarithms.sum()))


def excess_of_small(p_values, level=0.05):
    """Is the share of p-values at or below a level larger than the level? One-sided exact binomial p-value, NaN without any."""
    p_values = np.asarray(p_values, dtype=float)
    p_values = p_values[~np.isnan(p_values)]
    small = int((p_values <= level).sum())
    return float(scipy.special.bdtrc(small - 1, len(p_values), level)) if len(p_values) else np.nan


def global_test(p_values, task):
    """Is there any excess of small p-values, whichever curves they belong to?

    Curves of one task are on the same questions, so their noise is positively dependent: they are combined by Simes' method.
    Tasks have different questions, so their noise is independent: they are combined by Fisher's method, which asks for many small
    effects, and by the number of tasks at or below 0.05. A global test says that some curve differs, not which.

    Parameters
    ----------
    p_values : (m,)
        NaN where undefined.
    task : (m,)
        Labels.

    Returns
    -------
    dict
        n_curves, n_tasks: tested. n_small: curves with p <= 0.05. n_tasks_small: tasks whose combined p is at most 0.05. p_fisher,
        p_excess: p-values of the two combinations, NaN without any curve.

    References
    ----------
    Simes (1986), Biometrika 73; Fisher (1932), Statistical Methods for Research Workers.
    """
    table = pd.DataFrame({"p": np.asarray(p_values, dtype=float), "task": np.asarray(task, dtype=object)}).dropna(subset=["p"])
    by_task = table.groupby("task", sort=True)["p"].apply(lambda own: simes(own.to_numpy())).to_numpy(dtype=float)
    return {
        "n_curves": len(table),
        "n_tasks": len(by_task),
        "n_small": int((table["p"] <= 0.05).sum()),
        "n_tasks_small": int((by_task <= 0.05).sum()),
        "p_fisher": fisher(by_task),
        "p_excess": excess_of_small(by_task),
    }


def global_tests(q_values_table, tests, every="all"):
    """global_test of each test, over all curves and over those of each metric.

    q_values_table: frame with task, metric, and p_<test> for each of `tests`, NaN outside the family. Returns a frame with one
    row per test and metric, `every` first: test, metric and what global_test returns.
    """
    rows = []
    for test in tests:
        for metric in [every, *sorted(q_values_table["metric"].astype(str).unique())]:
            part = q_values_table if metric == every else q_values_table[q_values_table["metric"] == metric]
            rows.append({"test": test, "metric": metric} | global_test(part[f"p_{test}"], part["task"]))
    return pd.DataFrame(rows)
