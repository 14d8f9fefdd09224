"""Shares of counts and their exact intervals; odds ratios of two by two tables."""

import numpy as np
import scipy


def exact_interval(successes, trials, level):
    """Clopper-Pearson interval of shares.

    successes, trials: (n,) whole numbers. level: coverage, such as 0.95. Returns (low, high), each (n,); NaN for no trials. The
    beta quantiles are the closed form of Clopper & Pearson (1934); scipy.stats.binomtest gives the same one share at a time.
    """
    successes, trials = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(successes > 0, scipy.special.betaincinv(successes, trials - successes + 1, tail), 0.0)
        high = np.where(successes < trials, scipy.special.betaincinv(successes + 1, trials - successes, 1 - tail), 1.0)
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def odds_ratio(claimed, unclaimed, level):
    """Odds ratio, its exact interval and Fisher's p for one 2 x 2 table: (inside, outside) of claimed and of unclaimed tasks.

    The estimate is the sample odds ratio, as published tables have it; the interval belongs to the conditional estimate, the only
    one that has an exact interval (scipy.stats.contingency.odds_ratio).
    """
    table = np.array([claimed, unclaimed])
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return {}
    sample = scipy.stats.contingency.odds_ratio(table, kind="sample").statistic
    interval = scipy.stats.contingency.odds_ratio(table, kind="conditional").confidence_interval(level)
    p_value = scipy.stats.fisher_exact(table).pvalue
    return {"odds_ratio": sample, "odds_ratio_low": interval.low, "odds_ratio_high": interval.high, "p_value": p_value}
