"""How sharp a curve is: the emergence score and its companions, for whole batches of curves at once.

Every function takes an array of shape (..., n_scales): one curve along the last axis, scores oriented so that higher is
better and sorted by increasing scale. Leading axes are curves (and, in simulations, draws); nothing loops over them.

The resolution r of a curve is the smallest difference that its scores can show. A step below r is zero. Scores may have been
rounded since: a step of r then shows as r give or take the rounding, so what counts as zero is a step below r less the rounding.
Nothing is squared, so that scores of 1e-200 and of 1e300 have the same emergence score as scores of ordinary size.
"""

import numpy as np

from emergence.statuses import CONSTANT, OK, TOO_FEW_SCALES, ZERO_MEDIAN_STEP

__all__ = ["CONSTANT", "OK", "TOO_FEW_SCALES", "ZERO_MEDIAN_STEP"]

# An emergence score needs three scales. A single jump over three has |E| = 1.41 and a straight line 2, the wrong way round:
# counts, thresholds and tests begin at four.
MIN_SCALES = 3
MIN_SCALES_COUNTED = 4

# Averaging equal scores leaves differences of a few units in the last place. They are rounding, not steps: without this
# guard a flat stretch of 1e-17 would be in the denominator.
_FLOAT_ROUNDING = 16 * np.finfo(float).eps
# Differences of decimal numbers miss the decimal by a few units in the last place.
_SLACK = 1 - 1e-9
# Above this size, the difference of two scores may not be a floating-point number.
_LARGEST = 2.0**1022


def least_difference(scores, resolution=None, rounding=0.0):
    """The size below which a difference between two scores of a curve is zero.

    Parameters
    ----------
    scores : (..., n_scales), in the metric's own units.
    resolution : None, or (...) in the units of the scores; NaN where unknown.
    rounding : (...) rounding of the published digits, in the units of the scores; at most the resolution.

    Returns
    -------
    (...) in the units of the scores: the resolution less the rounding, or the rounding where that is more; at least the rounding
    of floating-point numbers.
    """
    least = _FLOAT_ROUNDING * np.abs(scores).max(axis=-1)
    if resolution is None:
        return least
    resolution, rounding = np.broadcast_arrays(np.asarray(resolution, dtype=float), np.asarray(rounding, dtype=float))
    return np.fmax(least, _SLACK * np.fmax(resolution - np.nan_to_num(rounding), rounding))


def steps(scores, resolution=None, rounding=0.0):
    """Differences between neighbouring scales; those below `least_difference` are zero.

    scores: (..., n_scales), in the metric's own units. Returns (..., n_scales - 1).
    """
    scores = np.asarray(scores, dtype=float)
    difference = np.diff(scores, axis=-1)
    difference[np.abs(difference) < least_difference(scores, resolution, rounding)[..., None]] = 0.0
    return difference


def signed_range(scores, resolution=None, rounding=0.0):
    """Range of each curve (max - min), negative where the maximum is at a smaller scale than the minimum.

    The first of equal maxima or minima counts. A range below `least_difference` is zero. scores: (..., n_scales). Returns (...).
    """
    scores = np.asarray(scores, dtype=float)
    direction = np.sign(scores.argmax(axis=-1) - scores.argmin(axis=-1))
    spread = scores.max(axis=-1) - scores.min(axis=-1)
    spread = np.where(spread < least_difference(scores, resolution, rounding), 0.0, spread)
    return direction * spread


def _in_range(scores, *sizes):
    """Scores and sizes in the same unit, halved twice where differences of the scores could overflow; E has no unit."""
    scores = np.asarray(scores, dtype=float)
    unit = np.where(np.abs(scores).max(axis=-1) > _LARGEST, 0.25, 1.0)
    return scores * unit[..., None], *(None if size is None else size * unit for size in sizes)


def _median_step(difference):
    """Root of the median squared step, without squares. difference: (..., n_scales - 1). Returns (...)."""
    size = np.abs(difference)
    middle = size.shape[-1] // 2
    if size.shape[-1] % 2:
        return np.partition(size, middle, axis=-1)[..., middle]
    size = np.partition(size, (middle - 1, middle), axis=-1)
    return np.hypot(size[..., middle - 1], size[..., middle]) / np.sqrt(2)


def emergence_score(scores, resolution=None, rounding=0.0):
    """Emergence score of each curve: signed range over the root of the median squared step.

    E = sign(argmax y - argmin y) * (max y - min y) / sqrt(median (y_i - y_{i-1})^2). E has no unit. A straight line of n points
    has E = n - 1, and E does not change when the scores are shifted or multiplied by a positive number.

    Parameters
    ----------
    scores : (..., n_scales), n_scales >= 2.
    resolution : None, or (...) in the units of the scores, NaN where unknown: steps below it are zero.
    rounding : (...) rounding of the published digits; see `least_difference`.

    Returns
    -------
    (...): 0 for a constant curve; NaN where the median step is zero under a range that is not.

    References
    ----------
    Schaeffer, Miranda & Koyejo (2023), section 4, after the breakthroughness of Srivastava et al. (2022).
    """
    scores, resolution, rounding = _in_range(scores, resolution, rounding)
    spread = signed_range(scores, resolution, rounding)
    scale = _median_step(steps(scores, resolution, rounding))
    score = np.divide(spread, scale, out=np.full(np.shape(spread), np.nan), where=scale > 0)
    return np.where((spread == 0) & np.isfinite(scale), 0.0, score)


def emergence_score_resolved(scores, resolution, rounding=0.0):
    """Emergence score with every step counted as at least the resolution: finite wherever that is known.

    Parameters
    ----------
    scores : (..., n_scales), n_scales >= 2.
    resolution : (...) in the units of the scores, NaN where unknown.
    rounding : (...) rounding of the published digits; see `least_difference`.

    Returns
    -------
    (...): 0 for a constant curve; NaN where the resolution is not known.

    References
    ----------
    Appendix A.1 of Schaeffer, Miranda & Koyejo (2023) on the resolution of a test set.
    """
    scores, resolution, rounding = _in_range(scores, np.asarray(resolution, dtype=float), rounding)
    spread = signed_range(scores, resolution, rounding)
    difference = steps(scores, resolution, rounding)
    scale = _median_step(np.maximum(np.abs(difference), resolution[..., None]))
    score = np.divide(spread, scale, out=np.full(np.shape(spread), np.nan), where=scale > 0)
    return np.where((spread == 0) & (resolution > 0), 0.0, score)


def relative(score, n_scales):
    """An emergence score relative to that of a straight line over as many scales, n_scales - 1: 1 for a line. Broadcasts.

    Rounded to twelve decimals: a curve that is exactly twice as steep as a line must reach a threshold of 2.
    """
    return np.round(np.asarray(score, dtype=float) / (np.asarray(n_scales, dtype=float) - 1), 12)


def kendall_tau(scores):
    """Kendall's tau-b of each curve's scores with scale: +1 always rising, -1 always falling, NaN for a constant curve.

    Scales are distinct, so only ties among the scores are corrected for (Kendall 1945). Unlike scipy.stats.kendalltau it takes
    all curves in one call; the tests hold the two together.

    scores: (..., n_scales). Returns (...).
    """
    scores, _ = _in_range(scores, None)
    n_scales = scores.shape[-1]
    earlier, later = np.triu_indices(n_scales, k=1)
    with np.errstate(over="ignore"):
        difference = scores[..., later] - scores[..., earlier]
    # equal shares that were added up in another order differ in the last bit
    order = np.sign(difference) * (np.abs(difference) >= least_difference(scores)[..., None])
    n_pairs = n_scales * (n_scales - 1) / 2
    untied = np.abs(order).sum(axis=-1)
    return np.divide(order.sum(axis=-1), np.sqrt(n_pairs * untied), out=np.full(untied.shape, np.nan), where=untied > 0)


def status(scores, resolution=None, rounding=0.0):
    """Why an emergence score is or is not defined: `ok`, `constant`, `zero_median_step` or `too_few_scales`.

    scores, resolution, rounding: as for `emergence_score`. Returns (...) of strings.
    """
    scores, resolution, rounding = _in_range(scores, resolution, rounding)
    if scores.shape[-1] < MIN_SCALES:
        return np.full(scores.shape[:-1], TOO_FEW_SCALES, dtype=object)
    constant = signed_range(scores, resolution, rounding) == 0
    undefined = _median_step(steps(scores, resolution, rounding)) == 0
    return np.where(constant, CONSTANT, np.where(undefined, ZERO_MEDIAN_STEP, OK)).astype(object)
