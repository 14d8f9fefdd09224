"""How finely scores were published: the last decimal that they show."""

import numpy as np

from emergence.io import tables

# More decimals than this are as good as all of them: the rounding is below anything that is measured.
_MOST_DECIMALS = 12
# A decimal number times a power of ten misses the whole number by a few units in the last place.
_FLOAT_ROUNDING = 8 * np.finfo(float).eps


def published_rounding(scores, ends=()):
    """The power of ten that each score is a whole multiple of, up to the rounding of floating-point numbers.

    Parameters
    ----------
    scores : (n,) in the metric's own units.
    ends : scores that show no digits, such as 0 and 1 at the ends of a range: they are whole however the others are rounded.

    Returns
    -------
    (n,): 1, 0.1, ... 1e-12; 0 for a score with more than 12 decimals; NaN for one of the `ends`.
    """
    scores = np.asarray(scores, dtype=float)
    found = np.zeros(len(scores))
    left = np.arange(len(scores))
    for decimals in range(_MOST_DECIMALS + 1):
        shifted = np.abs(scores[left]) * 10.0**decimals
        fits = np.abs(shifted - np.rint(shifted)) <= _FLOAT_ROUNDING * shifted
        found[left[fits]] = 10.0**-decimals
        left = left[~fits]
    found[np.isin(scores, ends)] = np.nan
    return found


def score_rounding(scores, catalogue, across_tasks=False):
    """The rounding of the published digits of each score, from all scores of its task, metric and family in its source.

    It is the finest power of ten of them (published_rounding): one score of 0.5 does not say whether it is 0.5 or 0.5000, but
    others beside it do.

    Parameters
    ----------
    scores : frame with task, metric, model_family, score and, where it is known, source.
    catalogue : frame of metric_catalogue.load.
    across_tasks : whether the other tasks in the same source count as well. Scores that are all multiples of 0.001 are rounded to
        three digits, or counts over 1,000 examples; the digits of other tasks tell the two apart. Formats whose tasks are read in
        shards have sources of one task each, so the rounding does not depend on the shards.

    Returns
    -------
    (n,) in the units of the metric; 0 for full precision, NaN where no score shows its digits.
    """
    if len(scores) == 0:
        return np.empty(0)
    metric = scores["metric"].astype("category")
    ends = np.unique(catalogue.loc[metric.cat.categories, ["low", "high"]].to_numpy(dtype=float))
    rounding = published_rounding(scores["score"], ends[np.isfinite(ends)])
    columns = [column for column in ("metric", "model_family", "source") if column in scores]
    group = tables.key_positions(scores.assign(metric=metric), columns if across_tasks else ["task", *columns])
    order = np.argsort(group, kind="stable")
    start = np.flatnonzero(np.diff(group[order], prepend=-1))
    finest = np.empty(len(scores))
    finest[order] = np.repeat(np.fmin.reduceat(rounding[order], start), np.diff(start, append=len(scores)))
    return finest
