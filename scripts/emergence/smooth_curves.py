"""Smooth curves in log scale: what counts as smooth, and the smooth curve that fits a set of scores best.

A curve is smooth when it is a logistic function of log10(scale) between any two levels, y = a + b / (1 + exp(-(x - m) / s)),
that needs at least MIN_RISE_DECADES decades of scale to go from 10 % to 90 % of its way. The family holds flat curves, straight
lines in log scale (s large), exponential take-offs and saturations (m far to one side) and anything between.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from emergence.noise import RESIDUAL, variance

# The steepest rise that is still called smooth: 10 % to 90 % of the way within 1.5 decades of scale, a factor of 32. The sizes of
# published model families are 0.3 to 0.9 decades apart, so such a rise is seen by two to five of them.
MIN_RISE_DECADES = 1.5

# Level, height, midpoint and slope.
N_PARAMETERS = 4

# A logistic that is not the gentlest must lower the weighted sum of squares by this much to be chosen. Without it five scores
# would always be fitted exactly; with it a flat truth keeps the gentlest shape. Chosen by benchmarks/measure_calibration.py.
STEEPNESS_PENALTY = 5.0

_RISES = MIN_RISE_DECADES * np.array([1.0, 1.5, 2.2, 3.5])
_RISE_OF_UNIT_SLOPE = 2 * np.log(9)  # logistic: 10 % at m - s ln 9, 90 % at m + s ln 9
_WEIGHTING_ROUNDS = 3
_BLOCK = 1024


class SmoothFit(NamedTuple):
    """The smooth curves that fit c curves of n scores best, with what is needed to draw about them.

    fitted: (c, n) the fit, in units of the scores. It is not confined to the bounds of a metric.
    smoother: (c, n, n) the matrix that takes scores to fitted scores, `fitted = smoother @ scores`: the weighted projection
        on the directions in which level, height, midpoint and slope move the curve.
    variance: (c, n) variance of each score; for residual noise scaled by the scatter about the fit.
    deviance: (c,) weighted sum of squared residuals; with known noise about chi-squared with n - 4 degrees of freedom.
    midpoint: (c,) log10(scale) of the middle of the rise; NaN for the gentlest shape, a cubic in log scale.
    rise: (c,) decades from 10 % to 90 % of the rise; infinite for the gentlest shape.
    """

    fitted: np.ndarray
    smoother: np.ndarray
    variance: np.ndarray
    deviance: np.ndarray
    midpoint: np.ndarray
    rise: np.ndarray


def _shapes(log_scales):
    """Midpoints and rises of the logistic shapes tried for one set of scales: two arrays (g,)."""
    low, high = log_scales[0], log_scales[-1]
    pairs = [(m, rise) for rise in _RISES for m in np.arange(low - rise / 2, high + rise / 2 + 1e-9, rise / 4)]
    return np.array(pairs).T


@lru_cache(maxsize=512)
def _directions(log_scales):
    """Orthonormal bases of the directions in which the parameters move each logistic shape.

    log_scales: tuple of n. Returns midpoints (g,), rises (g,), bases (g, n, 4); the last shape is the gentlest, the limit of
    slow logistics: cubic polynomials in log scale.
    """
    x = np.array(log_scales)
    midpoints, rises = _shapes(x)
    t = (x - midpoints[:, None]) / (rises[:, None] / _RISE_OF_UNIT_SLOPE)
    level = 1 / (1 + np.exp(-t))
    density = level * (1 - level)
    columns = np.stack([np.ones_like(t), level, density, t * density], axis=-1)
    u = 2 * (x - x.mean()) / (x[-1] - x[0])
    columns = np.concatenate([columns, np.stack([np.ones_like(u), u, u**2, u**3], axis=-1)[None]])
    bases = np.linalg.qr(columns / np.abs(columns).max(axis=1, keepdims=True))[0]
    return np.append(midpoints, np.nan), np.append(rises, np.inf), bases


def _explained(gram, projected):
    """projected' gram^-1 projected for many small systems at once, by Cholesky's forward substitution.

    gram: (..., d, d), positive definite. projected: (..., d). Returns (...).
    """
    d = projected.shape[-1]
    lower = {}
    explained = 0.0
    half = []
    for i in range(d):
        for j in range(i):
            lower[i, j] = (gram[..., i, j] - sum(lower[i, k] * lower[j, k] for k in range(j))) / lower[j, j]
        lower[i, i] = np.sqrt(gram[..., i, i] - sum(np.square(lower[i, k]) for k in range(i)))
        half.append((projected[..., i] - sum(lower[i, k] * half[k] for k in range(i))) / lower[i, i])
        explained = explained + np.square(half[i])
    return explained


def _fit_block(scores, log_scales, noise):
    """`fit_smooth` for curves that share one set of scales."""
    midpoints, rises, bases = _directions(log_scales)
    n_curves, n_scales = scores.shape
    n_shapes = len(midpoints)
    outer = (bases[..., :, None] * bases[..., None, :]).transpose(1, 0, 2, 3).reshape(n_scales, -1)
    flat_bases = bases.transpose(1, 0, 2).reshape(n_scales, -1)
    penalty = np.where(np.isinf(rises), 0.0, STEEPNESS_PENALTY)
    residual = noise.kind == RESIDUAL
    # A first guess of the expected scores, only to weight them: half way to the mean of the curve.
    expected = (scores + scores.mean(axis=1, keepdims=True)) / 2
    for _ in range(_WEIGHTING_ROUNDS):
        spread = variance(noise, expected)
        weight = 1 / spread
        gram = (weight @ outer).reshape(n_curves, n_shapes, N_PARAMETERS, N_PARAMETERS)
        projected = ((weight * scores) @ flat_bases).reshape(n_curves, n_shapes, N_PARAMETERS)
        deviance = np.einsum("cn,cn,cn->c", weight, scores, scores)[:, None] - _explained(gram, projected)
        deviance = np.maximum(deviance, 0.0)
        # Unknown noise: the scatter about the gentlest shape is the unit in which an improvement is measured.
        unit = np.where(residual, deviance[:, -1] / max(n_scales - N_PARAMETERS, 1), 1.0)
        chosen = (deviance + penalty * unit[:, None]).argmin(axis=1)
        basis = bases[chosen]
        weighted_basis = (basis * weight[..., None]).swapaxes(1, 2)
        smoother = basis @ np.linalg.solve(weighted_basis @ basis, weighted_basis)
        fitted = (smoother @ scores[..., None])[..., 0]
        expected = fitted
    deviance = (weight * np.square(scores - fitted)).sum(axis=1)
    factor = np.where(residual, deviance / max(n_scales - N_PARAMETERS, 1), 1.0)
    return SmoothFit(fitted, smoother, spread * factor[:, None], deviance, midpoints[chosen], rises[chosen])


def fit_smooth(scores, scales, noise):
    """The smooth curve in log scale that fits each curve best, by weighted least squares over a grid of shapes.

    For every midpoint and rise on a grid (rises of 1.5 to 5 decades, midpoints up to half a rise outside the scales, and their
    gentle limit, a cubic) the scores are projected on the tangent space of the logistic family; the shape with the least weighted
    sum of squares is kept, where all shapes but the gentlest pay STEEPNESS_PENALTY. Weights are one over the noise variance at the
    fitted score, found in three rounds (iteratively reweighted least squares).

    scores: (c, n) finite, in their own units, n >= 5. scales: (c, n) positive, increasing. noise: Noise of the same curves.
    Returns SmoothFit. Raises ValueError with fewer than five scales.
    """
    scores = np.asarray(scores, dtype=float)
    log_scales = np.log10(np.asarray(scales, dtype=float))
    n_curves, n_scales = scores.shape
    if n_scales <= N_PARAMETERS:
        raise ValueError(f"a smooth curve needs more than {N_PARAMETERS} scales, got {n_scales}")
    fit = SmoothFit(
        np.empty((n_curves, n_scales)),
        np.empty((n_curves, n_scales, n_scales)),
        *(np.empty((n_curves, n_scales)), np.empty(n_curves), np.empty(n_curves), np.empty(n_curves)),
    )
    designs, design = np.unique(log_scales, axis=0, return_inverse=True)
    design = design.ravel()
    order = np.argsort(design, kind="stable")
    starts = np.searchsorted(design[order], np.arange(len(designs) + 1))
    for number, log_scale in enumerate(designs):
        members = order[starts[number] : starts[number + 1]]
        for start in range(0, len(members), _BLOCK):
            block = members[start : start + _BLOCK]
            for field, values in zip(fit, _fit_block(scores[block], tuple(log_scale), noise.take(block)), strict=True):
                field[block] = values
    return fit
