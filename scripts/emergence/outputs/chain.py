"""From log-probability to accuracy: at which link an example's score stops following scale.

Each link of log p, p, p among the choices, Brier score, accuracy is computed from the one before. Rank correlation with scale is
taken example by example, since a mean over examples can follow scale where no example does (Schaeffer et al. 2024, "Why has
predicting downstream capabilities of frontier AI models with scale remained elusive?").
"""

import numpy as np
import pandas as pd
from scipy import special

from emergence.outputs import metrics
from emergence.outputs.examples import CHOICES, LOGLIKELIHOOD, TEXT, curve_key
from emergence.outputs.rescoring import average_by_scale

MIN_SCALES = 4

# Every link, with higher as better: (name, metric on outputs, sign).
LINKS = {
    CHOICES: (
        ("log probability", "logprob", 1),
        ("probability", "target_probability", 1),
        ("probability among the choices", "choice_probability", 1),
        ("Brier score", "brier_score", -1),
        ("accuracy", "acc", 1),
    ),
    LOGLIKELIHOOD: (("log probability", "logprob", 1), ("probability", "target_probability", 1), ("accuracy", "acc", 1)),
    TEXT: (("edit similarity", "edit_similarity", 1), ("token accuracy", "token_accuracy", 1), ("exact match", "exact_match", 1)),
}

# Probabilities of which log(-log p) is looked at, by kind of outputs.
PROBABILITIES = {
    CHOICES: ("target_probability", "choice_probability"),
    LOGLIKELIHOOD: ("target_probability",),
    TEXT: ("token_accuracy", "exact_match"),
}


def rank_correlation(values, scales):
    """Spearman's correlation of each example's values with scale, ties at their mean rank.

    values: (..., s), with -inf allowed. scales: (s,). Returns (...): NaN for an example whose values are all equal.
    """
    ranks = _ranks(values)
    centred = ranks - ranks.mean(axis=-1, keepdims=True)
    x = _ranks(scales) - (len(scales) + 1) / 2
    norm = np.sqrt(np.square(centred).sum(axis=-1) * (x @ x))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norm > 0, centred @ x / norm, np.nan)


def _ranks(values):
    """Ranks along the last axis, ties at their mean: scipy.stats.rankdata, which takes longer to import than most tasks take."""
    rows = pd.DataFrame(np.reshape(values, (-1, np.shape(values)[-1])))
    return rows.rank(axis=1).to_numpy().reshape(np.shape(values))


def correlations(task, level):
    """Rank correlation with scale at each link, over the examples of every series of a task.

    An example whose value does not change at all counts as 0 in the mean: it tells nothing about scale. The interval is the t
    interval of that mean over resampling units. task: Task. Returns a frame with the columns of the table `metric_chain` but for
    the benchmark.
    """
    found = [
        _correlation(task, part, name, sign * metrics.ratio(np.asarray(sums)).T, level) | {"order": order, "link": link}
        for kind in task.kinds
        for order, (link, name, sign) in enumerate(LINKS[kind])
        for part, sums in task.sums_of(kind, name)
        if len(np.unique(part.scales)) >= MIN_SCALES
    ]
    return pd.DataFrame([line for line in found if line["n_examples"]])


def _correlation(task, part, name, values, level):
    """One line of the table, but for the link. values: (u, m) of one metric by unit and model, NaN where it is not defined."""
    scales, averaged = average_by_scale(part.scales, values)
    averaged = averaged[~np.isnan(averaged).any(axis=-1)]
    key = curve_key(task.name, part, name) | {"filter": part.filter, "kind": part.kind, "n_scales": len(scales)}
    n = len(averaged)
    if not n:
        return key | {"n_examples": 0}
    each = rank_correlation(averaged, scales)
    constant = np.isnan(each)
    counted = np.where(constant, 0.0, each)
    half = special.stdtrit(n - 1, (1 + level) / 2) * counted.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return key | {
        "n_examples": n,
        "n_constant": int(constant.sum()),
        "correlation": counted.mean(),
        "low": counted.mean() - half,
        "high": counted.mean() + half,
        "median_where_not_constant": np.median(each[~constant]) if (~constant).any() else np.nan,
        "correlation_of_mean": _of_mean(averaged, scales),
    }


def _of_mean(values, scales):
    with np.errstate(invalid="ignore"):
        mean = values.mean(axis=0)
    return float(rank_correlation(mean, scales)) if not np.isnan(mean).any() else np.nan


def double_logarithm(task):
    """F = log(-log p) against log scale, for every probability of every series of a task.

    If p = exp(-(N / c)^-a), F falls on a straight line of slope -a (PassUntil, Hu et al. 2024), which a few small models can
    extend. The line is fitted by least squares to all scales with 0 < p < 1; `rmse` is the scatter about it, in units of F.

    Returns a frame with the columns of the table `double_logarithm` but for the benchmark.
    """
    found = []
    for kind in task.kinds:
        for name in PROBABILITIES[kind]:
            for part, sums in task.sums_of(kind, name):
                found += _transformed(task, part, name, metrics.ratio(sums.total()))
    return pd.DataFrame(found)


def _transformed(task, part, name, scores):
    """The lines of one curve; none where no p is between 0 and 1. scores: (m,) of the models."""
    scales, p = average_by_scale(part.scales, scores)
    inside = (p > 0) & (p < 1)
    if not inside.any():
        return []
    f = np.full(len(p), np.nan)
    f[inside] = np.log(-np.log(p[inside]))
    slope, rmse, r_squared = line(np.log(scales[inside]), f[inside])
    key = curve_key(task.name, part, name) | {"filter": part.filter, "slope": slope, "rmse": rmse, "r_squared": r_squared}
    return [key | {"scale": scale, "p": value, "f": there} for scale, value, there in zip(scales, p, f, strict=True)]


def line(x, y):
    """Slope, root mean square scatter and share of variance explained of the least-squares line; NaN with fewer than 3 points."""
    if len(x) < 3:
        return np.nan, np.nan, np.nan
    slope, level = np.polyfit(x, y, 1)
    residual = y - (level + slope * x)
    total = np.square(y - y.mean()).sum()
    explained = 1 - np.square(residual).sum() / total if total > 0 else np.nan
    return float(slope), float(np.sqrt(np.mean(np.square(residual)))), float(explained)
