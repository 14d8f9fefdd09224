"""Is the rise of a curve sharper than the stated class of smooth curves allows? A parametric bootstrap for each curve.

The class: straight lines in log scale, and S-shaped curves (logistic, Gompertz and mirrored Gompertz functions of log scale) that
take at least MIN_RISE_DECADES decades for the middle 80 % of their rise or fall, with both ends within the range of the metric.
Without that last condition a jump at the largest model cannot be told from the start of a smooth rise to an impossible height
(module null_models); with it, it can.

The statistic is how much better the curve is fitted by a step or a steep logistic than by the best curve of the class, over the
noise: an F ratio, so that a curve that neither of the two fits well, such as one that falls and rises, is not called sharp.
Curves are simulated about the best curve of the class and fitted in the same way.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from emergence.statistics.noise import NONE, RESIDUAL, variance
from emergence.statistics.null_models import CountCopula
from emergence.statistics.random_streams import random_stream
from emergence.statistics.smooth_curves import MIN_RISE_DECADES, blocks, curve_by_curve, standard_logistic, whitening

OK = "ok"
NO_GAIN = "no_gain"
TOO_FEW_SCALES = "too_few_scales"
CONSTANT = "constant"
MISSING_SCORE = "missing_score"
INVALID_SCALES = "invalid_scales"
EXACT_FIT = "exact_fit"

MIN_SCALES = 5
MIN_SCALES_RESIDUAL = 6

# A line and a logistic that takes more decades than this differ by less than scores show.
_CLASS_RISES = MIN_RISE_DECADES * np.array([1.0, 1.35, 2.0, 3.3, 6.0])
_STEEP_RISES = MIN_RISE_DECADES * np.array([1 / 3, 2 / 3])
_GOMPERTZ_RISES = MIN_RISE_DECADES * np.array([1.0, 1.35, 2.0])
_CLASS_STEP, _STEEP_STEP = 1 / 8, 1 / 4
# Level, height, place and rise.
_N_PARAMETERS = 4
# Where a steep curve gains less than one unit of noise, p is not simulated: it is far above any level in use.
_LEAST_GAIN = 1.0
# After so many draws in all, a simulation ends where so many reached the observed gain (Besag & Clifford 1991).
_LOOKS = ((100, 20), (300, 30))
_PIECE = 500
_BLOCK = 256


class _Grid(NamedTuple):
    """The shapes tried for one set of n scales, from 0 to 1: (n, g). The first `n_class` are the class, its first a straight
    line.

    inner: (k,) shapes of the class whose neighbours in the grid differ in the midpoint alone.
    """

    shapes: np.ndarray
    n_class: int
    inner: np.ndarray


def standard_gompertz(log_scales, midpoint, rise, mirror):
    """Gompertz function from 0 to 1, 10 % to 90 % in `rise` decades about `midpoint`; mirror -1 rises fast and levels off slowly,
    1 not.

    All arguments broadcast. 10 % is at log(-log 0.1) and 90 % at log(-log 0.9) of its own argument.
    """
    start, end = np.log(-np.log(0.1)), np.log(-np.log(0.9))
    argument = (start + end) / 2 + (log_scales - midpoint) * (start - end) / rise * mirror
    level = np.exp(-np.exp(np.clip(argument, -700, 700)))
    return 1 - level if mirror > 0 else level


@lru_cache(maxsize=256)
def _grid(log_scales):
    """The grid of shapes for one set of scales. log_scales: tuple of n. Returns _Grid."""
    x = np.array(log_scales)
    low, high = x[0], x[-1]
    shapes, inner = [(x - low)[:, None] / (high - low)], []
    for rise in _CLASS_RISES:
        midpoint = np.arange(low - rise, high + rise + 1e-9, rise * _CLASS_STEP)
        before = sum(part.shape[1] for part in shapes)
        inner.append(before + np.arange(1, len(midpoint) - 1))
        shapes.append(standard_logistic(x[:, None], midpoint, rise))
    for rise in _GOMPERTZ_RISES:
        for mirror in (-1, 1):
            midpoint = np.arange(low - rise / 2, high + rise / 2 + 1e-9, rise * _CLASS_STEP)
            before = sum(part.shape[1] for part in shapes)
            inner.append(before + np.arange(1, len(midpoint) - 1))
            shapes.append(standard_gompertz(x[:, None], midpoint, rise, mirror))
    n_class = sum(part.shape[1] for part in shapes)
    for rise in _STEEP_RISES:
        shapes.append(standard_logistic(x[:, None], np.arange(low, high + 1e-9, rise * _STEEP_STEP), rise))
    shapes.append(np.tri(len(x), len(x) - 1, -1))
    return _Grid(np.concatenate(shapes, axis=1), n_class, np.concatenate(inner))


class _Moments(NamedTuple):
    """Inner products of the two ends of each shape in noise units, (..., g): what least squares needs beside the scores."""

    low: np.ndarray
    cross: np.ndarray
    high: np.ndarray


def _deviances(total, from_low, from_high, moments, bounded):
    """Least weighted sum of squares of each shape with both ends within 0 and 1.

    total: (..., 1) sum of squares of the scores. from_low, from_high: (..., g) their inner products with the ends of each shape.
    bounded: whether the ends are bounded. All in noise units, with scores so that the range of the metric is 0 to 1.
    """
    determinant = moments.low * moments.high - np.square(moments.cross)
    # a shape that does not move over these scales is a constant: both its ends are one number
    fixed = determinant <= 1e-6 * moments.low * moments.high
    inverse = np.divide(1.0, determinant, out=np.zeros_like(determinant), where=~fixed)
    # in place: to get memory for a new array takes as long as to compute it
    low, high = from_low * moments.high, from_high * moments.low
    low -= from_high * moments.cross
    high -= from_low * moments.cross
    low *= inverse
    high *= inverse
    deviance = total - low * from_low
    deviance -= high * from_high
    if not bounded:
        return np.where(fixed, np.inf, deviance)
    outside = (np.minimum(low, high) < 0) | (np.maximum(low, high) > 1) | fixed
    # The best point of a convex function over a square that its minimum lies outside of is on one of the four sides. That can
    # only be worse than the minimum, so it is looked for only where the minimum is better than the best curve inside.
    best = np.where(outside, np.inf, deviance)
    worth = outside & (deviance < best.min(axis=-1, keepdims=True)) | fixed
    # in the order of memory, which is several times faster
    place = np.unravel_index(np.flatnonzero(worth.T), worth.T.shape)[::-1]
    m_low, m_cross, m_high = (np.broadcast_to(part, worth.shape)[place] for part in moments)
    f_low, f_high, all_of = from_low[place], from_high[place], np.broadcast_to(total, worth.shape)[place]
    sides = []
    for m_fixed, m_free, f_fixed, f_free in ((m_low, m_high, f_low, f_high), (m_high, m_low, f_high, f_low)):
        for end in (0.0, 1.0):
            free = np.clip(np.divide(f_free - end * m_cross, m_free, out=np.zeros_like(f_free), where=m_free > 0), 0, 1)
            cost = end * end * m_fixed + 2 * end * free * m_cross + free * free * m_free
            sides.append(all_of - 2 * (end * f_fixed + free * f_free) + cost)
    best[place] = np.minimum.reduce(sides)
    return best


def _refined(deviance, grid):
    """Least deviance over the class, with the midpoint moved between the points of the grid by a parabola.

    deviance: (..., g). Returns the index of the best shape and the least deviance, (...).
    """
    of_class = deviance[..., : grid.n_class]
    best = of_class.argmin(axis=-1)
    least = np.take_along_axis(of_class, best[..., None], -1)[..., 0]
    is_inner = np.zeros(grid.n_class, dtype=bool)
    is_inner[grid.inner] = True
    inner = is_inner[best]
    before, after = (np.take_along_axis(of_class, np.clip(best + s, 0, grid.n_class - 1)[..., None], -1)[..., 0] for s in (-1, 1))
    inner &= np.isfinite(before) & np.isfinite(after)
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.square(after - before) / (8 * (before + after - 2 * least))
    return best, np.maximum(least - np.where(inner & np.isfinite(gain), gain, 0), 0)


def _gain(deviance, grid, degrees, known):
    """The F ratio of the steep curves over the class, (...), and the best shape of the class. deviance: (..., g)."""
    best, of_class = _refined(deviance, grid)
    steep = np.maximum(deviance[..., grid.n_class :].min(axis=-1), 0)
    unit = steep / degrees
    unit = np.maximum(unit, 1) if known else unit
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(of_class > steep, (of_class - steep) / unit, 0.0), best


def bounded_class_p_values(scores, scales, noise, low, high, keys, *, seed, draws):
    """p-value of each curve under the stated class of smooth curves within the range of the metric.

    Parameters
    ----------
    scores : (c, n)
        Oriented scores, counts exact.
    scales : (c, n)
        Positive, increasing.
    noise : Noise
        Of the same curves.
    low, high : (c,)
        Bounds of the score, NaN where open. The ends of a curve are free unless both are given.
    keys : list of c str
        One per curve: what its random numbers are seeded with.
    seed : int
    draws : int
        At least 1. Fewer are made where p is large.

    Returns
    -------
    DataFrame of c rows
        p_class, gain_class (the F ratio), and status_class: `ok`; `no_gain` (a steep curve fits no better by a unit of noise: p
        is 1); `constant` (p is 1); `too_few_scales` (below 5, or 6 with residual noise); `exact_fit` (residual noise of zero
        size); `missing_score`; `invalid_scales`.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 4.
    """
    scores, scales = np.asarray(scores, dtype=float), np.asarray(scales, dtype=float)
    n_curves, n_scales = scores.shape
    status = np.full(n_curves, OK, dtype=object)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_scales = np.log10(scales)
        valid = np.isfinite(log_scales).all(axis=1) & (np.diff(log_scales, axis=1) > 0).all(axis=1)
    status[(scores == scores[:, :1]).all(axis=1)] = CONSTANT
    status[n_scales < np.where(noise.kind == RESIDUAL, MIN_SCALES_RESIDUAL, MIN_SCALES)] = TOO_FEW_SCALES
    status[~valid] = INVALID_SCALES
    status[noise.kind == NONE] = MISSING_SCORE
    p_value = np.where(status == CONSTANT, 1.0, np.nan)
    gain = np.full(n_curves, np.nan)
    span = high - low
    bounded = np.isfinite(span)
    # Scores so that the range of the metric is 0 to 1; an open range stays in its own unit.
    unit, origin = np.where(bounded, span, 1.0), np.where(bounded, low, 0.0)
    tested = np.flatnonzero(status == OK)
    if len(tested):
        for x, correlated, members in blocks(log_scales[tested], noise.correlated[tested], _BLOCK, _BLOCK):
            block = tested[members]
            for alike in (True, False):
                part = block[bounded[block] == alike]
                if len(part):
                    local = _Block(scores[part], tuple(x), noise.take(part), correlated, alike, origin[part], unit[part])
                    gain[part], status[part] = local.gain, local.status
                    for place in np.flatnonzero(local.status == OK):
                        stream = random_stream(seed, "class", keys[part[place]])
                        p_value[part[place]] = local.bootstrap(place, stream, draws)
                    p_value[part[local.status == NO_GAIN]] = 1.0
    return pd.DataFrame({"p_class": p_value, "gain_class": gain, "status_class": status})


class _Block:
    """Curves that share one set of scales, fitted by the class and by steeper curves."""

    def __init__(self, scores, x, noise, correlated, bounded, origin, unit):
        """Fit the curves; see bounded_class_p_values. origin, unit: (c,), what makes the range of the metric 0 to 1."""
        self.grid, self.noise, self.bounded = _grid(x), noise, bounded
        self.origin, self.unit = origin, unit
        self.degrees = max(scores.shape[1] - _N_PARAMETERS, 1)
        self.known = noise.kind != RESIDUAL
        y = (scores - origin[:, None]) / unit[:, None]
        expected = (scores + scores.mean(axis=1, keepdims=True)) / 2
        for _ in range(2):
            self.sd = np.sqrt(variance(noise, expected))
            white = whitening(noise, self.sd)[0] * unit[:, None, None] if correlated else None
            self.moments, from_low, from_high, total = self._products(y, white)
            deviance = _deviances(total, from_low, from_high, self.moments, bounded)
            known, unknown = (_gain(deviance, self.grid, self.degrees, flag) for flag in (True, False))
            best = known[1]
            self.expected = expected = self._fitted(from_low, from_high, best)
        self.white = white
        self.gain = np.where(self.known, known[0], unknown[0])
        least = np.take_along_axis(deviance, best[:, None], 1)[:, 0]
        # Noise of unknown size has the size of the scatter about the best curve of the class.
        self.scatter = np.where(self.known, 1.0, np.sqrt(np.maximum(least, 0) / self.degrees))
        self.status = np.full(len(scores), OK, dtype=object)
        self.status[self.gain < _LEAST_GAIN] = NO_GAIN
        self.status[~self.known & ~(np.isfinite(self.gain) & (self.scatter > 1e-12))] = EXACT_FIT
        self.gain[self.status == EXACT_FIT] = np.nan

    def _products(self, y, white):
        """Moments of both ends of each shape, their inner products with the scores, and that of the scores, in noise units."""
        shapes = self.grid.shapes
        if white is None:
            weight = np.square(self.unit[:, None] / self.sd)
            moments = (curve_by_curve(weight, part) for part in (np.square(1 - shapes), shapes * (1 - shapes), np.square(shapes)))
            products = (curve_by_curve(weight * y, part) for part in (1 - shapes, shapes))
            return _Moments(*moments), *products, (weight * np.square(y)).sum(axis=1, keepdims=True)
        low, high, seen = white @ (1 - shapes), white @ shapes, white @ y[..., None]
        moments = _Moments(np.square(low).sum(axis=1), (low * high).sum(axis=1), np.square(high).sum(axis=1))
        products = ((seen.swapaxes(1, 2) @ end)[:, 0] for end in (low, high))
        return moments, *products, np.square(seen).sum(axis=1)

    def _fitted(self, from_low, from_high, best):
        """The best curve of the class, in units of the scores. All (c, g); best: (c,)."""
        m_low, m_cross, m_high, f_low, f_high = (
            np.take_along_axis(part, best[:, None], 1)[:, 0] for part in (*self.moments, from_low, from_high)
        )
        determinant = m_low * m_high - np.square(m_cross)
        fixed = determinant <= 1e-6 * m_low * m_high
        with np.errstate(divide="ignore", invalid="ignore"):
            low = np.where(fixed, np.nan, (f_low * m_high - f_high * m_cross) / determinant)
            high = np.where(fixed, np.nan, (f_high * m_low - f_low * m_cross) / determinant)
        if self.bounded:
            inside = (low >= 0) & (low <= 1) & (high >= 0) & (high <= 1)
            ends, costs = [], []
            for end in (0.0, 1.0):
                other = np.clip((f_high - end * m_cross) / np.maximum(m_high, 1e-300), 0, 1)
                ends.append((np.full_like(other, end), other))
                other = np.clip((f_low - end * m_cross) / np.maximum(m_low, 1e-300), 0, 1)
                ends.append((other, np.full_like(other, end)))
            for a, b in ends:
                costs.append(a * a * m_low + 2 * a * b * m_cross + b * b * m_high - 2 * (a * f_low + b * f_high))
            side = np.argmin(costs, axis=0)
            low = np.where(inside, low, np.choose(side, [a for a, _ in ends]))
            high = np.where(inside, high, np.choose(side, [b for _, b in ends]))
        shape = self.grid.shapes[:, best].T
        return self.origin[:, None] + self.unit[:, None] * (low[:, None] * (1 - shape) + high[:, None] * shape)

    def bootstrap(self, place, generator, draws):
        """p-value of one curve of the block."""
        noise, sd = self.noise, self.sd[place] * self.scatter[place]
        root = np.linalg.cholesky(noise.correlation[place]).astype(np.float32) if self.white is not None else None
        expected = self.expected[place]
        copula = CountCopula(noise.trials[place], np.clip(expected, 0, 1), noise.effect[place]) if noise.counts[place] else None
        white = np.diag(self.unit[place] / self.sd[place]) if self.white is None else self.white[place]
        low_end, high_end = ((white @ end).T.astype(np.float32) for end in (1 - self.grid.shapes, self.grid.shapes))
        moments = _Moments(*(part[place].astype(np.float32) for part in self.moments))
        made = reached = 0
        while made < draws:
            stop = next((enough for looks, enough in _LOOKS if made == looks), None)
            if stop is not None and reached >= stop:
                break
            ahead = next((looks for looks, _ in _LOOKS if looks > made), draws)
            size = min(ahead - made, draws - made, _PIECE)
            normal = generator.standard_normal((len(expected), size), dtype=np.float32)
            if root is not None:
                normal = root @ normal
            if copula is None:
                drawn = expected[:, None] + sd[:, None] * normal
            else:
                drawn = np.stack([copula.shares(row, scale) for scale, row in enumerate(normal)])
            y = (drawn - self.origin[place]) / self.unit[place]
            if self.bounded:
                y = np.clip(y, 0, 1)
            seen = (white @ y).astype(np.float32)
            deviance = _deviances(
                np.square(seen).sum(axis=0)[:, None],
                (low_end @ seen).T,
                (high_end @ seen).T,
                moments,
                self.bounded,
            )
            found = _gain(deviance, self.grid, self.degrees, bool(self.known[place]))[0]
            reached += int((found >= self.gain[place] * (1 - 1e-5)).sum())
            made += size
        return (1 + reached) / (1 + made)
