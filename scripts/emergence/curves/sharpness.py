"""How sharp a curve is: the emergence score and its companions, for whole batches of curves at once.

Every function takes an array of shape (..., n_scales): one curve along the last axis, scores oriented so that higher is
better and sorted by increasing scale. Leading axes are curves (and, in simulations, draws); nothing loops over them.
"""

import numpy as np

OK = "ok"
CONSTANT = "constant"
ZERO_MEDIAN_STEP = "zero_median_step"
TOO_FEW_SCALES = "too_few_scales"

MIN_SCALES = 3

# Averaging equal scores leaves differences of a few units in the last place. They are rounding, not steps: without this
# guard a flat stretch of 1e-17 would stand in the denominator.
_ROUNDING = 16 * np.finfo(float).eps


def steps(scores):
    """Differences between neighbouring scales, with rounding noise set to zero.

    scores: (..., n_scales), in the metric's own units. Returns (..., n_scales - 1).
    """
    scores = np.asarray(scores, dtype=float)
    difference = np.diff(scores, axis=-1)
    noise = _ROUNDING * np.abs(scores).max(axis=-1, keepdims=True)
    difference[np.abs(difference) <= noise] = 0.0
    return difference


def signed_range(scores):
    """Range of each curve (max - min), negative where the maximum comes at a smaller scale than the minimum.

    The first of equal maxima or minima counts. scores: (..., n_scales). Returns (...).
    """
    scores = np.asarray(scores, dtype=float)
    direction = np.sign(scores.argmax(axis=-1) - scores.argmin(axis=-1))
    spread = scores.max(axis=-1) - scores.min(axis=-1)
    spread = np.where(spread <= _ROUNDING * np.abs(scores).max(axis=-1), 0.0, spread)
    return direction * spread


def emergence_score(scores, resolution=None):
    """Emergence score of each curve: signed range over the root of the median squared step.

    E = sign(argmax y - argmin y) * (max y - min y) / sqrt(median (y_i - y_{i-1})^2), from section 4 of Schaeffer, Miranda &
    Koyejo (2023), who take it from the breakthroughness of Srivastava et al. (2022). E has no unit. A straight line of n points
    has E = n - 1.

    scores: (..., n_scales), n_scales >= 2.
    resolution: None, or (...) in the units of the scores: the smallest difference that the test set can show (appendix A.1 of
    the same paper). Each step then counts for at least that much, and E is finite.

    Returns (...): 0 for a constant curve; NaN where the median step is zero under a range that is not, or the resolution NaN.
    """
    squared = np.square(steps(scores))
    if resolution is not None:
        squared = np.maximum(squared, np.square(np.asarray(resolution, dtype=float))[..., None])
    scale = np.sqrt(np.median(squared, axis=-1))
    spread = signed_range(scores)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = spread / scale
    return np.where((spread == 0) & ~np.isnan(scale), 0.0, np.where(scale > 0, score, np.nan))


def linearity(scores):
    """Signed range over the root mean square step (the linearity of Srivastava et al. 2022). No unit; 0 for a constant curve.

    It shares the numerator of the emergence score but one large step also enlarges its denominator, so a jump scores low.

    scores: (..., n_scales). Returns (...).
    """
    root_mean_square = np.sqrt(np.mean(np.square(steps(scores)), axis=-1))
    spread = signed_range(scores)
    return np.divide(spread, root_mean_square, out=np.zeros_like(spread), where=root_mean_square > 0)


def largest_step_share(scores):
    """The largest absolute step as a share of the range: 1 for a single jump, NaN for a constant curve.

    scores: (..., n_scales). Returns (...). Above 1 it cannot be: no step exceeds the range.
    """
    spread = np.abs(signed_range(scores))
    largest = np.abs(steps(scores)).max(axis=-1)
    return np.divide(largest, spread, out=np.full_like(spread, np.nan), where=spread > 0)


def kendall_tau(scores):
    """Kendall's tau-b of each curve's scores with scale: +1 always rising, -1 always falling, NaN for a constant curve.

    Scales are distinct, so only ties among the scores are corrected for (Kendall 1945). Unlike scipy.stats.kendalltau it takes
    all curves in one call; the tests hold the two together.

    scores: (..., n_scales). Returns (...).
    """
    scores = np.asarray(scores, dtype=float)
    n_scales = scores.shape[-1]
    earlier, later = np.triu_indices(n_scales, k=1)
    order = np.sign(scores[..., later] - scores[..., earlier])
    n_pairs = n_scales * (n_scales - 1) / 2
    untied = np.abs(order).sum(axis=-1)
    return np.divide(order.sum(axis=-1), np.sqrt(n_pairs * untied), out=np.full(untied.shape, np.nan), where=untied > 0)


def status(scores):
    """Why an emergence score is or is not defined: `ok`, `constant`, `zero_median_step` or `too_few_scales`.

    scores: (..., n_scales). Returns (...) of strings.
    """
    scores = np.asarray(scores, dtype=float)
    if scores.shape[-1] < MIN_SCALES:
        return np.full(scores.shape[:-1], TOO_FEW_SCALES, dtype=object)
    constant = signed_range(scores) == 0
    undefined = np.median(np.square(steps(scores)), axis=-1) == 0
    return np.where(constant, CONSTANT, np.where(undefined, ZERO_MEDIAN_STEP, OK)).astype(object)
