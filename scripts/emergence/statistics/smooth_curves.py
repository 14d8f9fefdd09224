"""Smooth curves in log scale: what counts as smooth, and the smooth curve that fits a set of scores best.

A curve is smooth when it is a logistic function of log10(scale) between any two levels, y = a + b / (1 + exp(-(x - m) / s)),
that needs at least MIN_RISE_DECADES decades of scale to go from 10 % to 90 % of its way. The family holds flat curves, straight
lines in log scale (s large), exponential take-offs and saturations (m far to one side) and anything between.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from emergence.statistics.noise import RESIDUAL, covariance, variance

# The steepest rise that is still called smooth: 10 % to 90 % of the way within 1.5 decades of scale, a factor of 32. The sizes of
# published model families are 0.3 to 0.9 decades apart, so such a rise is seen by two to five of them.
MIN_RISE_DECADES = 1.5

# Level, height, midpoint and slope.
N_PARAMETERS = 4

# A logistic must leave this much less weighted sum of squares than the cubic to be chosen, in units of the noise variance. Both
# have four parameters. Near zero it costs the test power by fitting noise with few scales; above two, precise scores reject
# truths that are logistic. benchmarks/measure_calibration.py measures the outcome.
STEEPNESS_PENALTY = 1.0

_RISES = MIN_RISE_DECADES * np.array([1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0])
_MIDPOINT_STEP = 1 / 8
_RISE_OF_UNIT_SLOPE = 2 * np.log(9)  # logistic: 10 % at m - s ln 9, 90 % at m + s ln 9
_WEIGHTING_ROUNDS = 3
_BLOCK = 1024
# Correlated noise takes a set of shapes for every curve: some megabytes.
_BLOCK_CORRELATED = 128


class SmoothFit(NamedTuple):
    """The smooth curves that fit c curves of n scores best, with what is needed to draw about them.

    fitted: (c, n) the fit, in units of the scores. It is not confined to the bounds of a metric.
    left, right: (c, n, 4) factors of the smoother, left @ right.T.
    variance: (c, n) variance of each score; for residual noise scaled by the scatter about the fit.
    deviance: (c,) weighted sum of squared residuals; with known noise about chi-squared with n - 4 degrees of freedom.
    midpoint: (c,) log10(scale) of the middle of the rise; NaN for the cubic.
    rise: (c,) decades from 10 % to 90 % of the rise; infinite for the cubic.
    """

    fitted: np.ndarray
    left: np.ndarray
    right: np.ndarray
    variance: np.ndarray
    deviance: np.ndarray
    midpoint: np.ndarray
    rise: np.ndarray

    @classmethod
    def unknown(cls, n_curves, n_scales):
        """Fits of NaN."""
        along, factors = (n_curves, n_scales), (n_curves, n_scales, N_PARAMETERS)
        shapes = (along, factors, factors, along, n_curves, n_curves, n_curves)
        return cls(*(np.full(shape, np.nan) for shape in shapes))

    @property
    def smoother(self):
        """The matrices (c, n, n) that take scores to fitted scores, `fitted = smoother @ scores`.

        They are the weighted projections on the directions in which level, height, midpoint and slope move the curves.
        """
        return self.left @ self.right.swapaxes(1, 2)

    def take(self, index):
        """The fits of the curves at `index` (an index array or a mask over curves)."""
        return SmoothFit(*(field[index] for field in self))


class _Shapes(NamedTuple):
    """The shapes tried for one set of n scales.

    midpoint, rise: (g + 1,) of g logistic shapes, then NaN and infinity for the cubic. standard: (n, g) each logistic,
    centred and scaled over the scales. directions: (g + 1, n, 4) orthonormal bases of the directions in which the parameters
    move each shape.
    """

    midpoint: np.ndarray
    rise: np.ndarray
    standard: np.ndarray
    directions: np.ndarray


def logistic_shapes(log_scales):
    """The grid of logistic shapes tried for one set of scales.

    log_scales: (n,) log10 of the scales, increasing. Rises run from MIN_RISE_DECADES to four times that, midpoints from half a
    rise below the smallest scale to half a rise above the largest. Returns two arrays (g,): midpoints (log10 of scale), rises.
    """
    low, high = log_scales[0], log_scales[-1]
    pairs = [(m, rise) for rise in _RISES for m in np.arange(low - rise / 2, high + rise / 2 + 1e-9, rise * _MIDPOINT_STEP)]
    midpoint, rise = np.array(pairs).T
    return midpoint, rise


def standard_logistic(log_scales, midpoint, rise):
    """Logistic from 0 to 1 about `midpoint` with 10 % to 90 % in `rise` decades; all arguments broadcast."""
    return 1 / (1 + np.exp(-(log_scales - midpoint) * _RISE_OF_UNIT_SLOPE / rise))


def _logistic_columns(x, midpoint, rise):
    """The directions in which level, height, midpoint and slope move a logistic, and their slopes; all arguments broadcast.

    Returns two arrays (..., n, 4).
    """
    rate = _RISE_OF_UNIT_SLOPE / rise
    t = (x - midpoint) * rate
    level = standard_logistic(x, midpoint, rise)
    density = level * (1 - level)
    bend = density * (1 - 2 * level)
    columns = [np.ones_like(t), level, density, t * density]
    slopes = [np.zeros_like(t), density * rate, bend * rate, (density + t * bend) * rate]
    return np.stack(columns, axis=-1), np.stack(slopes, axis=-1)


def _cubic_columns(x):
    """The powers of log scale that make a cubic, centred and scaled, and their slopes.

    x: (..., n). Returns two arrays (..., n, 4).
    """
    half = (x[..., -1:] - x[..., :1]) / 2
    u = (x - x.mean(axis=-1, keepdims=True)) / half
    steepness = np.stack([0 * u, u**0, 2 * u, 3 * u**2], axis=-1)
    return np.stack([np.ones_like(u), u, u**2, u**3], axis=-1), steepness / half[..., None]


@lru_cache(maxsize=256)
def _shapes(log_scales):
    """The grid of shapes for one set of scales. log_scales: tuple of n. Returns _Shapes."""
    x = np.array(log_scales)
    midpoint, rise = logistic_shapes(x)
    level = standard_logistic(x, midpoint[:, None], rise[:, None])
    columns = np.concatenate([_logistic_columns(x, midpoint[:, None], rise[:, None])[0], _cubic_columns(x)[0][None]])
    directions = np.linalg.qr(columns / np.abs(columns).max(axis=1, keepdims=True))[0]
    standard = (level - level.mean(axis=1, keepdims=True)) / level.std(axis=1, keepdims=True)
    return _Shapes(np.append(midpoint, np.nan), np.append(rise, np.inf), standard.T, directions)


def curve_by_curve(rows, matrix):
    """The product of rows and a matrix, one row at a time.

    A product of whole batches may round a row differently beside other rows; tables have to come out the same for any number of
    shards. rows: (c, n). matrix: (n, g). Returns (c, g).
    """
    return (rows[:, None, :] @ matrix)[:, 0]


def _logistic_deviance(scores, weight, standard):
    """Weighted sum of squares left by the best level and height of each logistic shape, for independent noise.

    scores, weight: (c, n). standard: (n, g) shapes. Returns (c, g).
    """
    total = weight.sum(axis=1, keepdims=True)
    centred = scores - (weight * scores).sum(axis=1, keepdims=True) / total
    weighted = weight * centred
    mean = curve_by_curve(weight, standard) / total
    shape_variance = curve_by_curve(weight, np.square(standard)) - total * np.square(mean)
    return (weighted * centred).sum(axis=1, keepdims=True) - np.square(curve_by_curve(weighted, standard)) / shape_variance


def _logistic_deviance_white(scores, white, standard):
    """The same for correlated noise. white: (c, n, n) matrices that turn the noise into independent noise of unit size."""
    level = white.sum(axis=2)
    level /= np.linalg.norm(level, axis=1, keepdims=True)
    centred = (white @ scores[..., None])[..., 0]
    centred -= level * (level * centred).sum(axis=1, keepdims=True)
    shapes = white @ standard
    shapes -= level[..., None] * (level[:, None, :] @ shapes)
    product = (centred[:, None, :] @ shapes)[:, 0]
    return np.square(centred).sum(axis=1, keepdims=True) - np.square(product) / np.square(shapes).sum(axis=1)


def _project(scores, basis):
    """Least squares of each curve on its own basis, both in units of independent noise.

    scores: (c, n). basis: (c, n, 4). Returns the orthonormal directions (c, n, 4) and the fit (c, n). Directions, and not normal
    equations: they exist for any standard errors.
    """
    directions = np.linalg.qr(basis)[0]
    return directions, (directions @ (directions.swapaxes(1, 2) @ scores[..., None]))[..., 0]


def whitening(noise, sd, extra=None):
    """The matrices that turn the noise of each curve into independent noise of unit size, and back.

    noise: Noise of c curves, for its correlation. sd: (c, n). extra: (c, n), variance that is added to that of each score,
    independent between scales. Returns two arrays (c, n, n): white and its inverse, colour; colour @ colour.T is the covariance.
    """
    colour = np.linalg.cholesky(covariance(noise, sd, extra))
    return np.linalg.inv(colour), colour


def _fit_block(scores, log_scales, noise, correlated):
    """`fit_smooth` for curves that share one set of scales, all with independent noise or all with correlated noise."""
    shapes = _shapes(log_scales)
    degrees = max(scores.shape[1] - N_PARAMETERS, 1)
    residual = noise.kind == RESIDUAL
    cubic = np.full(len(scores), len(shapes.rise) - 1)
    # A first guess of the expected scores, only to weight them: half way to the mean of the curve.
    fitted = (scores + scores.mean(axis=1, keepdims=True)) / 2
    for _ in range(_WEIGHTING_ROUNDS):
        spread = variance(noise, fitted)
        sd = np.sqrt(spread)
        if correlated:
            white, colour = whitening(noise, sd)
            best = _logistic_deviance_white(scores, white, shapes.standard).argmin(axis=1)
        else:
            best = _logistic_deviance(scores, 1 / spread, shapes.standard).argmin(axis=1)
        y = (white @ scores[..., None])[..., 0] if correlated else scores / sd
        fits = []
        for shape in (cubic, best):
            basis = shapes.directions[shape]
            directions, fit = _project(y, white @ basis if correlated else basis / sd[..., None])
            fits.append((directions, fit, np.square(y - fit).sum(axis=1)))
        through_cubic, through_logistic = fits
        # The grid is coarser than precise scores: the logistic is judged after its parameters have moved along their directions.
        excess = through_cubic[2] - through_logistic[2]
        # Unknown noise: the scatter about the cubic is the unit in which an improvement is measured.
        unit = np.where(residual, through_cubic[2] / degrees, 1.0)
        is_logistic = excess > STEEPNESS_PENALTY * unit
        fitted = np.where(is_logistic[:, None], through_logistic[1], through_cubic[1])
        fitted = (colour @ fitted[..., None])[..., 0] if correlated else fitted * sd
    directions = np.where(is_logistic[:, None, None], through_logistic[0], through_cubic[0])
    if correlated:
        left, right = colour @ directions, white.swapaxes(1, 2) @ directions
    else:
        left, right = directions * sd[..., None], directions / sd[..., None]
    deviance = np.where(is_logistic, through_logistic[2], through_cubic[2])
    factor = np.where(residual, deviance / degrees, 1.0)
    chosen = np.where(is_logistic, best, cubic)
    return SmoothFit(fitted, left, right, spread * factor[:, None], deviance, shapes.midpoint[chosen], shapes.rise[chosen])


def blocks(log_scales, correlated, size, size_correlated):
    """Curves in blocks that share one set of scales and are alike in whether their noise is correlated.

    Rows are compared as bytes: sorting 85,000 rows of numbers takes longer than fitting them.

    log_scales: (c, n). correlated: (c,) of bool. size, size_correlated: most curves in a block. Yields the scales (n,), whether the
    noise is correlated, and the indices of the curves.
    """
    rows = np.ascontiguousarray(log_scales)
    if not len(rows):
        return
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    codes = pd.factorize(whole.astype(object))[0] * 2 + correlated
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    for first, last in zip(starts, [*starts[1:], len(order)], strict=True):
        alike = bool(correlated[order[first]])
        step = size_correlated if alike else size
        for start in range(first, last, step):
            members = order[start : min(start + step, last)]
            yield rows[members[0]], alike, members


def fit_smooth(scores, scales, noise):
    """The smooth curve in log scale that fits each curve best, by weighted least squares.

    The best level and height of every logistic shape on a grid (logistic_shapes) gives the best shape; moving its four
    parameters along their directions (one Gauss-Newton step) brings it from the grid to the optimum. It is kept if it beats the
    cubic in log scale, the limit of slow logistics, by STEEPNESS_PENALTY. Weights are one over the noise variance at the fitted
    score, found in three rounds (iteratively reweighted least squares, McCullagh & Nelder 1989).

    Where the noise is correlated this is generalised least squares: scores and shapes are first turned into ones with independent
    noise (Aitken 1935).

    scores: (c, n) finite, in their own units, n >= 5. scales: (c, n) positive, increasing. noise: Noise of the same curves.
    Returns SmoothFit. Raises ValueError with fewer than five scales.
    """
    scores = np.asarray(scores, dtype=float)
    log_scales = np.log10(np.asarray(scales, dtype=float))
    n_curves, n_scales = scores.shape
    if n_scales <= N_PARAMETERS:
        raise ValueError(f"a smooth curve needs more than {N_PARAMETERS} scales, got {n_scales}")
    fit = SmoothFit.unknown(n_curves, n_scales)
    for log_scale, correlated, block in blocks(log_scales, noise.correlated, _BLOCK, _BLOCK_CORRELATED):
        found = _fit_block(scores[block], tuple(log_scale), noise.take(block), correlated)
        for field, values in zip(fit, found, strict=True):
            field[block] = values
    return fit


def slopes(fit, scales):
    """The slope of smooth curves at their scales, in units of the score per decade.

    fit: SmoothFit of c curves on these scales. scales: (c, n) positive, increasing. Returns (c, n).
    """
    x = np.log10(np.asarray(scales, dtype=float))
    found = np.empty_like(x)
    is_logistic = np.isfinite(fit.rise)
    for chosen, columns_of in ((is_logistic, _logistic_columns), (~is_logistic, _cubic_columns)):
        shape = (fit.midpoint[chosen, None], fit.rise[chosen, None]) if columns_of is _logistic_columns else ()
        columns, steepness = columns_of(x[chosen], *shape)
        size = np.abs(columns).max(axis=1, keepdims=True)
        weights = np.linalg.pinv(columns / size) @ fit.fitted[chosen][..., None]
        found[chosen] = ((steepness / size) @ weights)[..., 0]
    return found
