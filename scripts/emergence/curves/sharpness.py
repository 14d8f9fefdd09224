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


def range_and_steps(scores, resolution=None, rounding=0.0):
    """Range of each curve and the sizes of its steps, without sign; those below the least difference are zero.

    The least difference is the resolution less the rounding, or the rounding where that is more; at least the rounding of
    floating-point numbers.

    Parameters
    ----------
    scores : (..., n_scales), in the metric's own units.
    resolution : None, or (...) in the units of the scores; NaN where unknown.
    rounding : (...) rounding of the published digits, in the units of the scores; at most the resolution.

    Returns
    -------
    spread : (...), max - min.
    size : (..., n_scales - 1), differences between neighbouring scales.
    unit : (...), by which both have been multiplied: 1, or 0.25 where differences of the scores could overflow.
    """
    scores = np.asarray(scores, dtype=float)
    high, low = scores.max(axis=-1), scores.min(axis=-1)
    largest = np.maximum(np.abs(high), np.abs(low))
    unit = np.where(largest > _LARGEST, 0.25, 1.0)
    if (unit < 1).any():
        scores, high, low, largest = scores * unit[..., None], high * unit, low * unit, largest * unit
    least = _FLOAT_ROUNDING * largest
    if resolution is not None:
        resolution, rounding = np.asarray(resolution, dtype=float) * unit, np.asarray(rounding, dtype=float) * unit
        least = np.fmax(least, _SLACK * np.fmax(resolution - np.nan_to_num(rounding), rounding))
    spread, size = high - low, np.abs(np.diff(scores, axis=-1))
    size[size < least[..., None]] = 0.0
    return np.where(spread < least, 0.0, spread), size, unit


def _median_step(size):
    """Root of the median squared step, without squares. size: (..., n_scales - 1), 0 or more. Returns (...)."""
    n_steps = size.shape[-1]
    middle = n_steps // 2
    if n_steps == 3:
        # much faster than to sort so few
        a, b, c = (size[..., place] for place in range(3))
        return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    if n_steps % 2:
        return np.partition(size, middle, axis=-1)[..., middle]
    size = np.partition(size, (middle - 1, middle), axis=-1)
    return np.hypot(size[..., middle - 1], size[..., middle]) / np.sqrt(2)


def _over_median_step(spread, scale, known):
    """Range over median step: 0 for a constant curve of which enough is known, NaN where the median step is zero. All (...)."""
    score = np.divide(spread, scale, out=np.full(np.shape(spread), np.nan), where=scale > 0)
    return np.where((spread == 0) & known, 0.0, score)


def _resolved(spread, size, resolution):
    """Range over median step, with every step counted as at least the resolution. size: (..., n_scales - 1), the others (...)."""
    return _over_median_step(spread, _median_step(np.maximum(size, resolution[..., None])), resolution > 0)


def _direction(scores):
    """Sign of a range: negative where the maximum is at a smaller scale than the minimum. The first of equal ones counts."""
    return np.sign(np.argmax(scores, axis=-1) - np.argmin(scores, axis=-1))


def magnitude(scores, resolution=None, rounding=0.0):
    """Size of the emergence score of each curve; see `emergence_score`."""
    spread, size, _ = range_and_steps(scores, resolution, rounding)
    scale = _median_step(size)
    return _over_median_step(spread, scale, np.isfinite(scale))


def emergence_score(scores, resolution=None, rounding=0.0):
    """Emergence score of each curve: signed range over the root of the median squared step.

    E = sign(argmax y - argmin y) * (max y - min y) / sqrt(median (y_i - y_{i-1})^2). E has no unit. A straight line of n points
    has E = n - 1, and E does not change when the scores are shifted or multiplied by a positive number.

    Parameters
    ----------
    scores : (..., n_scales), n_scales >= 2.
    resolution : None, or (...) in the units of the scores, NaN where unknown: steps below it are zero.
    rounding : (...) rounding of the published digits; see `range_and_steps`.

    Returns
    -------
    (...): 0 for a constant curve; NaN where the median step is zero under a range that is not.

    References
    ----------
    Schaeffer, Miranda & Koyejo (2023), section 4, after the breakthroughness of Srivastava et al. (2022).
    """
    # no negative zero
    return _direction(scores) * magnitude(scores, resolution, rounding) + 0.0


def emergence_score_resolved(scores, resolution, rounding=0.0):
    """Emergence score with every step counted as at least the resolution: finite wherever that is known.

    Parameters
    ----------
    scores : (..., n_scales), n_scales >= 2.
    resolution : (...) in the units of the scores, NaN where unknown.
    rounding : (...) rounding of the published digits; see `range_and_steps`.

    Returns
    -------
    (...): 0 for a constant curve; NaN where the resolution is not known.

    References
    ----------
    Appendix A.1 of Schaeffer, Miranda & Koyejo (2023) on the resolution of a test set.
    """
    resolution = np.asarray(resolution, dtype=float)
    spread, size, unit = range_and_steps(scores, resolution, rounding)
    return _direction(scores) * _resolved(spread, size, resolution * unit) + 0.0


def status(scores, resolution=None, rounding=0.0):
    """Why an emergence score is or is not defined: `ok`, `constant`, `zero_median_step` or `too_few_scales`.

    scores, resolution, rounding: as for `emergence_score`. Returns (...) of strings.
    """
    return measure(scores, np.nan if resolution is None else resolution, rounding)["status"]


def measure(scores, resolution, rounding=0.0):
    """What is measured of each curve, all at once.

    Parameters
    ----------
    scores, resolution, rounding
        As for `emergence_score_resolved`.

    Returns
    -------
    dict of (...)
        `score_range`, max - min, infinite where that overflows; `status`; `emergence_score` and `emergence_score_resolved`, NaN
        below MIN_SCALES.
    """
    resolution = np.asarray(resolution, dtype=float)
    spread, size, unit = range_and_steps(scores, resolution, rounding)
    if size.shape[-1] < MIN_SCALES - 1:
        status, plain, resolved = np.full(spread.shape, TOO_FEW_SCALES, dtype=object), *(np.full(spread.shape, np.nan),) * 2
    else:
        direction, scale = _direction(scores), _median_step(size)
        status = np.where(spread == 0, CONSTANT, np.where(scale == 0, ZERO_MEDIAN_STEP, OK)).astype(object)
        plain = direction * _over_median_step(spread, scale, np.isfinite(scale)) + 0.0
        resolved = direction * _resolved(spread, size, resolution * unit) + 0.0
    with np.errstate(over="ignore"):
        spread = spread / unit
    return {
        "score_range": spread,
        "status": status,
        "emergence_score": plain,
        "emergence_score_resolved": resolved,
    }


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
    scores = np.asarray(scores, dtype=float)
    n_scales = scores.shape[-1]
    earlier, later = np.triu_indices(n_scales, k=1)
    with np.errstate(over="ignore"):
        difference = scores[..., later] - scores[..., earlier]
    # equal shares that were added up in another order differ in the last bit
    least = _FLOAT_ROUNDING * np.abs(scores).max(axis=-1, keepdims=True)
    order = np.sign(difference) * (np.abs(difference) >= least)
    n_pairs = n_scales * (n_scales - 1) / 2
    untied = np.abs(order).sum(axis=-1)
    return np.divide(order.sum(axis=-1), np.sqrt(n_pairs * untied), out=np.full(untied.shape, np.nan), where=untied > 0)
