"""Shares of counts and their exact intervals; odds ratios of two by two tables."""

import numpy as np
from scipy import stats


def exact_interval(successes, trials, level):
    """Clopper-Pearson interval of shares.

    successes, trials: (n,) whole numbers. level: coverage, such as 0.95. Returns (low, high), each (n,); NaN for no trials. The
    beta quantiles are the closed form of Clopper & Pearson (1934); scipy.stats.binomtest gives the same one share at a time.
    """
    successes, trials = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(successes > 0, stats.beta.ppf(tail, successes, trials - successes + 1), 0.0)
        high = np.where(successes < trials, stats.beta.ppf(1 - tail, successes + 1, trials - successes), 1.0)
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def odds_ratio(claimed, unclaimed, level):
    """Odds ratio, its exact interval and Fisher's p for one 2 x 2 table: (inside, outside) of claimed and of unclaimed tasks.

    The estimate is the sample odds ratio, as published tables have it; the interval belongs to the conditional estimate, the only
    one that has an exact interval (scipy.stats.contingency.odds_ratio).
    """
    table = np.array([claimed, unclaimed])
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return {}
    sample = stats.contingency.odds_ratio(table, kind="sample").statistic
    interval = stats.contingency.odds_ratio(table, kind="conditional").confidence_interval(level)
    p_value = stats.fisher_exact(table).pvalue
    return {"odds_ratio": sample, "odds_ratio_low": interval.low, "odds_ratio_high": interval.high, "p_value": p_value}
