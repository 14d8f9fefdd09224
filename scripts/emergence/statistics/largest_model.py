"""Was the largest model foreseeable from the smaller ones? A test for a jump that only the largest model has made.

A curve with its only jump at the end is not far from a smooth curve that takes off there, so a test that fits all scores
cannot find it. This test leaves the largest model out. It asks whether that model lies above the prediction of the smooth curves
(module smooth_curves), of exponential take-offs, of the straight line and of the parabola in log scale that fit the smaller models;
the statistic is the smallest of the four z. The smooth curves rise or fall, and the middle of their rise may lie beyond the largest
model. The take-offs are there for high powers of a smooth score, which do not level off; the parabola for curves that fall and
rise. The test finds what could not be foreseen, which is not the same as what is not smooth. Module bounded_curves has the test of
that.

How much models differ beyond sampling is estimated from the scatter of the smaller models about their smooth curve, moderated
over the curves of a benchmark by empirical Bayes (Smyth 2004): single curves have too few scales to estimate it.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from emergence.statistics.noise import NONE, RESIDUAL, variance
from emergence.statistics.smooth_curves import (
    N_PARAMETERS,
    blocks,
    curve_by_curve,
    fit_smooth,
    logistic_shapes,
    standard_logistic,
    whitening,
)

# Four smaller models leave one degree of freedom beside a logistic's height, level and place.
MIN_SCALES = 5
MIN_SCALES_RESIDUAL = 7
Z_COLUMNS = ("z_smooth", "z_takeoff", "z_line", "z_parabola")
COLUMNS = (*Z_COLUMNS, "excess", "excess_degrees")
# How fast take-offs grow per decade of scale: by a factor of 1.5 to 4. p^L of a p that rises in a straight line to nearly 1, with a
# rise that is just not too steep to be called smooth, grows like this for L up to about 30. A faster limit takes power from the test
# where the gap before the largest model is wide, and a slower one finds more of the rises that begin there (docs/verdicts.md).
_GROWTH = np.geomspace(np.log(1.5), np.log(4.0), 10)
_WEIGHTING_ROUNDS = 2
_BLOCK = 256
# Fewer curves say nothing of how the excess differs between them.
_MIN_CURVES = 3


def largest_model_z(scores, scales, noise, low, high):
    """How far the largest model of each curve lies above what the smaller ones predict, in standard deviations.

    Parameters
    ----------
    scores : (c, n)
        Oriented scores, counts exact.
    scales : (c, n)
        Positive, increasing.
    noise : Noise
        Of the same curves. Correlated noise is turned into independent noise first, so that what the largest model shares with
        the next smaller one is not counted as surprising.
    low, high : (c,)
        Bounds of the score, NaN where open: a rise has no more height than the metric allows.

    Returns
    -------
    DataFrame of c rows
        z_smooth, z_takeoff, z_line, z_parabola: (score - prediction) / sd, where the sd has the noise of the largest model and the
        uncertainty of the prediction. excess, excess_degrees: mean squared deviation of the smaller models from their smooth
        curve in units of the sampling noise, and its degrees of freedom. With noise of unknown size the scatter is the unit of z,
        and excess is NaN. All are NaN below five scales (seven with residual noise), where a score is missing and where there is
        no noise.
    """
    scores = np.asarray(scores, dtype=float)
    n_curves, n_scales = scores.shape
    found = np.full((len(COLUMNS), n_curves), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_scales = np.log10(np.asarray(scales, dtype=float))
        usable = np.isfinite(log_scales).all(axis=1) & (np.diff(log_scales, axis=1) > 0).all(axis=1)
    usable &= (noise.kind != NONE) & (n_scales >= np.where(noise.kind == RESIDUAL, MIN_SCALES_RESIDUAL, MIN_SCALES))
    usable &= scores.max(axis=1, initial=-np.inf) > scores.min(axis=1, initial=np.inf)
    usable = np.flatnonzero(usable)
    if len(usable):
        for log_scale, correlated, members in blocks(log_scales[usable], noise.correlated[usable], _BLOCK, _BLOCK):
            block = usable[members]
            found[:, block] = _block_z(scores[block], log_scale, noise.take(block), correlated, low[block], high[block])
    return pd.DataFrame(dict(zip(COLUMNS, found, strict=True)))


def _block_z(scores, x, noise, correlated, low, high):
    """`largest_model_z` for curves that share one set of scales: (6, c)."""
    midpoint, rise = logistic_shapes(x[:-1])
    families = (standard_logistic(x[:, None], midpoint, rise), np.exp((x[:, None] - x[-1]) * _GROWTH))
    powers = np.vander((x - x.mean()) / (x[-1] - x[0]), 3, increasing=True)
    seen = scores[:, :-1]
    residual = noise.kind == RESIDUAL
    degrees = max(len(x) - 1 - N_PARAMETERS, 0)
    span = np.where(np.isfinite(high - low), high - low, 2 * (seen.max(axis=1) - seen.min(axis=1)))
    expected = (scores + seen.mean(axis=1, keepdims=True)) / 2
    for _ in range(_WEIGHTING_ROUNDS):
        spread = variance(noise, expected)
        # the largest model's own score may be what is surprising: its noise is the larger of that at the score and as predicted
        spread[:, -1] = np.maximum(spread[:, -1], variance(noise, scores)[:, -1])
        sd = np.sqrt(spread)
        if correlated:
            # lower triangular: the last row takes from the largest model what the noise of the smaller ones says of its own
            white = whitening(noise, sd)[0]
            y, basis = (white @ scores[..., None])[..., 0], white @ powers
            moments = [_white_moments(y, basis[..., 0], white @ shapes) for shapes in families]
        else:
            y, basis = scores / sd, powers / sd[..., None]
            moments = [_plain_moments(scores, 1 / spread, shapes) for shapes in families]
        averages = [_average(part, np.maximum(span, sd.max(axis=1)), residual, degrees) for part in moments]
        average = averages[0]
        expected = average.level[:, None] + curve_by_curve(average.heights, families[0].T)
    z_smooth, z_takeoff = (
        np.where(own.unit > 0, _mixture_of(part, own), np.nan) for part, own in zip(moments, averages, strict=True)
    )
    # smaller models that lie on a smooth curve exactly leave no scatter to measure the largest with
    unit = np.sqrt(np.where(average.unit > 0, average.unit, np.nan))
    z_line, z_parabola = (polynomial_z(y, basis[..., :k]) / unit for k in (2, 3))
    excess = np.full(len(y), np.nan)
    if degrees:
        smaller = noise.at_scales(slice(None, -1))
        known = np.flatnonzero(~residual)
        fit = fit_smooth(seen[known], np.broadcast_to(10 ** x[:-1], seen[known].shape), smaller.take(known))
        excess[known] = fit.deviance / degrees
    return np.stack([z_smooth, z_takeoff, z_line, z_parabola, excess, np.full(len(y), float(degrees))])


class _Moments(NamedTuple):
    """What least squares of a constant and a logistic shape needs, in noise units: (c, 1) or, for each shape, (c, g).

    size, mean: inner product of the constant with itself, and the best constant. centre: the best constant of each shape. moment,
    product: inner products of the shape less its centre with itself and with the scores less theirs; total: of those scores with
    themselves. All of the smaller models. last_score, last_one, last_away: scores, constant and shape less centre at the largest.
    """

    size: np.ndarray
    mean: np.ndarray
    centre: np.ndarray
    moment: np.ndarray
    product: np.ndarray
    total: np.ndarray
    last_score: np.ndarray
    last_one: np.ndarray
    last_away: np.ndarray


def _plain_moments(scores, weight, shapes):
    """_Moments of independent noise. scores, weight: (c, n), the weight one over the variance. shapes: (n, g)."""
    seen, last = weight[:, :-1], np.sqrt(weight[:, -1:])
    size = seen.sum(axis=1, keepdims=True)
    mean = (seen * scores[:, :-1]).sum(axis=1, keepdims=True) / size
    centred = scores[:, :-1] - mean
    centre = curve_by_curve(seen, shapes[:-1]) / size
    moment = np.maximum(curve_by_curve(seen, np.square(shapes[:-1])) - size * np.square(centre), 0)
    product = curve_by_curve(seen * centred, shapes[:-1])
    total = (seen * np.square(centred)).sum(axis=1, keepdims=True)
    return _Moments(size, mean, centre, moment, product, total, last * scores[:, -1:], last, last * (shapes[-1] - centre))


def _white_moments(y, one, shapes):
    """_Moments of noise that was correlated. y, one: (c, n) and shapes: (c, n, g), all made independent."""
    size = np.square(one[:, :-1]).sum(axis=1, keepdims=True)
    mean = (one[:, :-1] * y[:, :-1]).sum(axis=1, keepdims=True) / size
    centred = y[:, :-1] - mean * one[:, :-1]
    centre = (one[:, None, :-1] @ shapes[:, :-1])[:, 0] / size
    away = shapes - one[..., None] * centre[:, None, :]
    moment = np.square(away[:, :-1]).sum(axis=1)
    product = (centred[:, None, :] @ away[:, :-1])[:, 0]
    total = np.square(centred).sum(axis=1, keepdims=True)
    return _Moments(size, mean, centre, moment, product, total, y[:, -1:], one[:, -1:], away[:, -1])


class _Average(NamedTuple):
    """The average of the curves of a family through the smaller models, weighted by their posterior probability.

    probability, shrunk: (c, g) of each shape, and its moment with the prior. level: (c,) and heights: (c, g) of the average
    curve, in units of the scores. unit: (c,) noise variance per unit of the one that the weights suppose.
    """

    probability: np.ndarray
    shrunk: np.ndarray
    level: np.ndarray
    heights: np.ndarray
    unit: np.ndarray


def _average(moments, prior_sd, residual, degrees):
    """The average of the smooth curves through the smaller models; returns _Average.

    prior_sd: (c,) prior standard deviation of the height of a rise, in units of the scores. Every shape has the same prior
    probability.
    """
    moment, product, total = moments.moment, moments.product, moments.total
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = np.square(product)
        least = np.maximum(np.nanmin(total - squared / moment, axis=1), 0)
        unit = np.where(residual, least / max(degrees, 1), 1.0)
        prior = (unit / np.square(prior_sd))[:, None]
        shrunk = moment + prior
        log_evidence = -0.5 * (total - squared / shrunk) / unit[:, None] + 0.5 * np.log(prior / shrunk)
    log_evidence = np.where(np.isfinite(log_evidence), log_evidence, -np.inf)
    top = log_evidence.max(axis=1, keepdims=True)
    probability = np.exp(log_evidence - np.where(np.isfinite(top), top, 0))
    probability /= np.maximum(probability.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = np.where(probability > 0, probability * product / shrunk, 0)
    return _Average(probability, shrunk, moments.mean[:, 0] - (heights * moments.centre).sum(axis=1), heights, unit)


def _mixture_of(moments, average):
    """Z of the largest model under the average of the smooth curves, (c,)."""
    unit = average.unit[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        last = moments.mean * moments.last_one + moments.product / average.shrunk * moments.last_away
        within = unit * (np.square(moments.last_one) / moments.size + np.square(moments.last_away) / average.shrunk)
        z = (moments.last_score - last) / np.sqrt(unit + within)
    # The tail of the mixture, and not of a normal distribution with its mean and variance: a few steep shapes make it long.
    return mixture_z(z, average.probability)


def mixture_z(z, probability):
    """The z of a score under a mixture of normal distributions: of the weighted mean of their upper tails.

    z, probability: (c, g). In logarithms, so that it stays finite however far out the score is. Returns (c,).
    """
    # the smaller tail, so that nothing is lost to rounding: which one it is, the mean of the distribution functions says
    above = (probability * special.ndtr(z)).sum(axis=1, keepdims=True) > 0.5
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = special.log_ndtr(np.where(above, -z, z)) + np.log(probability)
        top = tail.max(axis=1, keepdims=True)
        log_tail = np.log(np.exp(tail - top).sum(axis=1)) + top[:, 0]
    found = special.ndtri_exp(np.minimum(log_tail, 0))
    return np.where(above[:, 0], -found, found)


def polynomial_z(y, basis):
    """Z of the last score about the least-squares fit of a basis to the others, in noise units. y: (c, n). basis: (c, n, k)."""
    seen, last = basis[:, :-1], basis[:, -1]
    directions, triangle = np.linalg.qr(seen)
    # the last row in the orthonormal basis of the seen ones
    load = np.linalg.solve(triangle.swapaxes(1, 2), last[..., None])[..., 0]
    predicted = (load * (directions.swapaxes(1, 2) @ y[:, :-1, None])[..., 0]).sum(axis=1)
    return (y[:, -1] - predicted) / np.sqrt(1 + np.square(load).sum(axis=1))


def moderated_p_values(table):
    """p-values of the largest model of each curve of a benchmark, with the noise beyond sampling moderated over its curves.

    The excess of each curve is taken as s0^2 chi-squared(d) / d with a variance that differs between curves; the prior s0^2 and
    its degrees of freedom d0 are estimated from all curves by the method of moments, and the moderated excess is m = (d0 s0^2 + d
    excess) / (d0 + d), never below 1, the sampling noise. The smallest z, over the root of m, is referred to a t distribution.
    The sampling noise is known and only what is beyond it, m - 1, is estimated with d0 + d degrees of freedom, so that the sum of
    both has (d0 + d) m^2 / (m - 1)^2 (Satterthwaite 1946). With noise of unknown size z is in units of the scatter already, with
    d degrees of freedom.

    Parameters
    ----------
    table : DataFrame of c rows
        The columns that largest_model_z returns, for the curves of one benchmark.

    Returns
    -------
    (c,)
        One-sided p-values, NaN where z is.

    References
    ----------
    Smyth (2004), Linear models and empirical Bayes methods for assessing differential expression, Stat Appl Genet Mol Biol 3.
    """
    z = table[list(Z_COLUMNS)].to_numpy(dtype=float).min(axis=1, initial=np.inf)
    moderated, degrees = moderated_excess(table)
    return special.stdtr(degrees, -z / np.sqrt(moderated))


def moderated_excess(table):
    """How much the models of each curve differ beyond sampling, moderated over the curves of a benchmark.

    See moderated_p_values for the argument and the formula. Returns the moderated excess variance in units of the sampling noise,
    1 or more, and the degrees of freedom of the sum of both, two (c,). With noise of unknown size the first is 1, since the scatter
    is the noise.
    """
    excess, degrees = table["excess"].to_numpy(dtype=float), np.nan_to_num(table["excess_degrees"].to_numpy(dtype=float))
    known = np.isfinite(excess) & (degrees > 0)
    prior, prior_degrees = excess_prior(excess[known], degrees[known])
    unknown_size = np.isnan(excess) & (degrees > 0)
    # Curves with noise of a known size and no degree of freedom for its excess take the prior alone.
    own = np.where(known, degrees, 0)
    own_excess = np.where(known, excess, 0)
    if np.isinf(prior_degrees):
        moderated, total = np.full(excess.shape, max(prior, 1.0)), np.full(excess.shape, np.inf)
    else:
        total = prior_degrees + own
        moderated = np.maximum((prior_degrees * prior + own * own_excess) / total, 1.0)
        with np.errstate(divide="ignore"):
            total = total * np.square(moderated / (moderated - 1))
    return np.where(unknown_size, 1.0, moderated), np.where(unknown_size, degrees, total)


def excess_prior(excess, degrees):
    """Prior excess variance s0^2 and its degrees of freedom d0, by moments of the logarithm (Smyth 2004, section 6.2).

    excess, degrees: (m,), degrees above 0. With fewer than three curves nothing is known of how they differ: (1, inf), which is
    sampling noise alone. Returns two floats; d0 is infinite where the curves do not differ by more than their degrees of freedom
    allow.
    """
    if len(excess) < _MIN_CURVES:
        return 1.0, np.inf
    excess = np.maximum(excess, 1e-5 * max(np.median(excess), np.finfo(float).tiny))
    half = degrees / 2
    logarithm = np.log(excess) - special.digamma(half) + np.log(half)
    centre = logarithm.mean()
    beyond = logarithm.var(ddof=1) - special.polygamma(1, half).mean()
    if beyond <= 0:
        return float(np.exp(centre)), np.inf
    prior_degrees = 2 * _inverse_trigamma(beyond)
    return float(np.exp(centre + special.digamma(prior_degrees / 2) - np.log(prior_degrees / 2))), prior_degrees


def _inverse_trigamma(value):
    """The number whose trigamma function has a value above 0, by Newton's method on its reciprocal (Smyth 2004, appendix)."""
    found = 0.5 + 1 / value
    for _ in range(50):
        trigamma = special.polygamma(1, found)
        step = trigamma * (1 - trigamma / value) / special.polygamma(2, found)
        found += step
        if abs(step) < 1e-8 * found:
            break
    return float(found)
