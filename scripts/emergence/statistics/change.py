"""Does performance change with scale at all? A test of homogeneity and a test of trend for each curve.

The emergence score asks how a curve changes, and most curves that change are not sharp. These two tests ask whether a curve
changes: in any way (homogeneity), or up or down with the logarithm of scale (trend).
"""

import numpy as np
import pandas as pd
from scipy import special

from emergence.statistics.noise import COVARIANCE, NONE, RESIDUAL, variance
from emergence.statistics.null_models import MIN_SCALES_FLAT, flat_level
from emergence.statistics.smooth_curves import whitening

# With fewer, the scatter of models at one scale is too uncertain to replace the sampling noise.
MIN_SCATTER_DEGREES = 4
_EXACT = 1e9


def _pearson_moments(trials, right):
    """Mean and variance of Pearson's chi-squared of right and wrong answers over n scales, given both margins.

    trials: (c, n). right: (c,) right answers of all scales. Exact, from Haldane (1940) as simplified by Dawson (1954, Biometrika
    41). Returns two arrays (c,).
    """
    n_scales = trials.shape[1]
    total = trials.sum(axis=1)
    wrong = total - right
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total * (n_scales - 1) / (total - 1)
        rows = (n_scales - 1) * (total - n_scales) / (total - 1)
        columns = (total - 2) / (total - 1)
        uneven_rows = (total * (1 / trials).sum(axis=1) - n_scales**2) / (total - 2)
        uneven_columns = (total * (1 / right + 1 / wrong) - 4) / (total - 2)
        spread = (
            2 * total / (total - 3) * (rows - uneven_rows) * (columns - uneven_columns)
            + total**2 / (total - 1) * uneven_rows * uneven_columns
        )
    return mean, spread


def change_tests(scores, scales, noise, scatter=None):
    """p-values of the test of homogeneity and of the test of trend, for each curve.

    - Independent counts of right answers: Pearson's chi-squared of the 2 x n table, referred to the gamma distribution that has
      its exact mean and variance given the margins; and the Cochran-Armitage test of trend.
    - Noise of a known size, correlated or not: generalised least squares about a constant, chi-squared with n - 1 degrees of
      freedom; and the slope over its standard error.
    - A covariance estimated from a known number of examples: the same statistics, with Hotelling's and Rao's allowance for that.
    - Noise of unknown size: no test of homogeneity; the t-test of the slope, with n - 2 degrees of freedom.
    - Where several models are at the same scale, with 4 degrees of freedom or more in all: their scatter about the mean of their
      scale, pooled, is the noise, if it is larger than the sampling noise. The F-test, and the t-test of the slope.

    Parameters
    ----------
    scores : (c, n)
        Oriented scores, counts exact.
    scales : (c, n)
        Positive, increasing.
    noise : Noise
        Of the same curves.
    scatter : (c, n), optional
        Variance (divisor m - 1) of the scores of the m models at each scale; NaN where there is one model.

    Returns
    -------
    DataFrame of c rows
        p_homogeneity, p_trend (two-sided): NaN below four scales, where a score is missing, scales are not positive and
        increasing, or there is no noise to compare with. Both are 1 for a constant curve. change_noise: `sampling`, `scatter`,
        `residual` or `none`.

    References
    ----------
    Cochran (1954), Biometrics 10; Armitage (1955), Biometrics 11; Dawson (1954), Biometrika 41; Hotelling (1931), Annals of
    Mathematical Statistics 2; Rao (1959), Biometrika 46.
    """
    scores = np.asarray(scores, dtype=float)
    n_curves, n_scales = scores.shape
    table = pd.DataFrame({"p_homogeneity": np.full(n_curves, np.nan), "p_trend": np.nan})
    table["change_noise"] = pd.Series("none", index=table.index, dtype=object)
    if n_scales < MIN_SCALES_FLAT or not n_curves:
        return table
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.log10(np.asarray(scales, dtype=float))
        usable = (noise.kind != NONE) & np.isfinite(x).all(axis=1) & (np.diff(x, axis=1) > 0).all(axis=1)
    usable = np.flatnonzero(usable)
    y, x, noise = scores[usable], x[usable], noise.take(usable)
    counts, residual, correlated = noise.counts, noise.kind == RESIDUAL, noise.correlated
    level = np.where(counts, flat_level(y, noise), y.mean(axis=1))[:, None]
    # Noise of unknown size has the same size at all scales here: p(1 - p) at one level.
    spread = np.where(residual[:, None], 1 / noise.n_models, variance(noise, np.broadcast_to(level, y.shape)))

    pooled, degrees = pooled_scatter(scatter[usable] if scatter is not None else np.full(y.shape, np.nan), noise.n_models)
    sampling = np.where(residual, 0.0, (spread * noise.n_models).mean(axis=1))
    scattered = (degrees >= MIN_SCATTER_DEGREES) & (np.maximum(pooled, sampling) > 0)
    spread = np.where(scattered[:, None], np.maximum(pooled, sampling)[:, None] / noise.n_models, spread)

    white_y, white_x, white_one = y.copy(), x.copy(), np.ones_like(x)
    sd = np.sqrt(spread)
    plain = ~correlated | scattered
    for white in (white_y, white_x, white_one):
        white[plain] /= sd[plain]
    turned = np.flatnonzero(~plain)
    if len(turned):
        matrix = whitening(noise.take(turned), sd[turned])[0]
        for white in (white_y, white_x, white_one):
            white[turned] = (matrix @ white[turned][..., None])[..., 0]
    white_one /= np.linalg.norm(white_one, axis=1, keepdims=True)
    for white in (white_y, white_x):
        white -= white_one * (white_one * white).sum(axis=1, keepdims=True)
    about = np.square(white_y).sum(axis=1)
    along = (white_x * white_y).sum(axis=1) / np.linalg.norm(white_x, axis=1)

    homogeneity = special.chdtrc(n_scales - 1, about)
    trend = 2 * special.ndtr(-np.abs(along))
    single = counts & plain & ~scattered & (noise.effect == 1)
    if single.any():
        homogeneity[single], trend[single] = _count_tests(y[single], x[single], noise.trials[single])
    left = np.maximum(about - np.square(along), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_residual = 2 * special.stdtr(n_scales - 2, -np.abs(along) / np.sqrt(left / (n_scales - 2)))
    trend = np.where(residual, by_residual, trend)
    homogeneity[residual] = np.nan
    homogeneity[scattered] = special.fdtrc(n_scales - 1, degrees[scattered], about[scattered] / (n_scales - 1))
    trend[scattered] = 2 * special.stdtr(degrees[scattered], -np.abs(along[scattered]))
    estimated = np.flatnonzero((noise.kind == COVARIANCE) & ~scattered)
    if len(estimated):
        free = _degrees_of_covariance(noise.take(estimated), counts[estimated])
        homogeneity[estimated], trend[estimated] = _estimated_tests(about[estimated], along[estimated], n_scales, free)
    constant = (y == y[:, :1]).all(axis=1)
    known = ~residual | scattered
    table.loc[usable, "p_homogeneity"] = np.where(constant & known, 1.0, homogeneity)
    table.loc[usable, "p_trend"] = np.where(constant, 1.0, trend)
    table.loc[usable, "change_noise"] = np.where(scattered, "scatter", np.where(residual, "residual", "sampling"))
    return table


def _count_tests(y, x, trials):
    """Homogeneity and trend of independent counts of right answers; see change_tests. All (c, n)."""
    right, total = (y * trials).sum(axis=1), trials.sum(axis=1)
    level = right / total
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = level * (1 - level)
        centred = y - level[:, None]
        pearson = (trials * np.square(centred)).sum(axis=1) / unit
        mean, spread = _pearson_moments(trials, right)
        # One right answer in all gives every table the same chi-squared: there is nothing to find.
        single = spread <= 1e-9 * np.square(mean)
        homogeneity = special.gammaincc(np.square(mean) / spread, pearson * mean / spread)
        away = x - (trials * x).sum(axis=1, keepdims=True) / total[:, None]
        moment = (trials * np.square(away)).sum(axis=1)
        z = (trials * away * centred).sum(axis=1) / np.sqrt(unit * moment * total / (total - 1))
    return np.where(single, 1.0, homogeneity), 2 * special.ndtr(-np.abs(z))


def _degrees_of_covariance(noise, counts):
    """How many degrees of freedom the covariance of each curve is worth, (c,); infinite where it is exact.

    A matrix that is estimated freely from m questions has m - 1. Shrinkage by a weight w takes (1 - w)^2 of the variance of the
    estimated correlations away. The variances are then still estimated unless they are those of counts: over k scales alone, they
    make chi-squared larger by about 2 in m (Welch 1951, Biometrika 38), where a free matrix makes it larger by k - 1 in m.
    """
    free = np.square(1 - noise.shrinkage) + np.where(counts, 0.0, 2 / (noise.trials.shape[1] - 1))
    with np.errstate(divide="ignore"):
        return np.where(np.isinf(noise.questions), np.inf, (noise.questions - 1) / np.minimum(free, 1))


def _estimated_tests(about, along, n_scales, free):
    """Homogeneity and trend where the covariance is estimated, with so many degrees of freedom, all (c,).

    Homogeneity is Hotelling's T-squared of the n - 1 contrasts; the slope is the generalised least squares of a growth curve, whose
    variance allows for the other n - 2 contrasts having been used to adjust it (Rao 1959, Biometrika 46).
    """
    contrasts, adjusted = n_scales - 1, n_scales - 2
    # F and t with so many degrees are chi-squared and normal
    free = np.minimum(free, _EXACT)
    with np.errstate(invalid="ignore", divide="ignore"):
        homogeneity = special.fdtrc(contrasts, free - contrasts + 1, about * (free - contrasts + 1) / (free * contrasts))
        left = np.maximum(about - np.square(along), 0)
        t = along / np.sqrt((1 + left / free) * free / (free - adjusted))
        trend = 2 * special.stdtr(free - adjusted, -np.abs(t))
    enough = free > contrasts
    return np.where(enough, homogeneity, np.nan), np.where(enough, trend, np.nan)


def pooled_scatter(scatter, n_models):
    """Variance of models about the mean of their scale, pooled over each curve, and its degrees of freedom.

    scatter: (c, n), as change_tests takes it. n_models: (c, n). Returns two (c,); both are 0 where no scale has several models.
    """
    known = np.isfinite(scatter)
    degrees = np.where(known, n_models - 1, 0).sum(axis=1)
    total = np.where(known, (n_models - 1) * scatter, 0).sum(axis=1)
    return total / np.maximum(degrees, 1), degrees
