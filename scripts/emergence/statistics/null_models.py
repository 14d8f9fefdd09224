"""Could chance, or a smooth curve, be this sharp? Monte Carlo p-values for |E| under a flat and under a smooth null model.

Under both models a curve is an expected curve plus the sampling noise of its test set (module noise). The p-value is
(1 + #{E* >= E}) / (1 + draws), with E the absolute emergence score of the curve and E* that of a simulated curve.

Flat: the expected score is the same at every scale. With binomial noise it is the share of right answers over all scales;
otherwise no level is needed, because E does not change when a constant is added, nor when all noise is scaled.

Smooth: the expected curve is any smooth curve (module smooth_curves). Simulating about the fitted curve alone would add noise to
scores whose noise the fit has already absorbed in part, and the p-values would be far too large with few scales. So the simulated
curves are those that have the same fit as the observed one: y* = fit + (1 - H) e, where H projects on the directions in which
the parameters of the fit move it and e is noise. For Gaussian noise about a curve in a linear family this is the distribution
given the sufficient statistics, and the p-value is exact whatever the true curve; for the logistic family it is so to first
order. With noise of unknown size the scatter about the fit is held at its observed value as well (the projected noise is
rescaled), as in a t-test. How far the p-values are from exact is measured by benchmarks/measure_calibration.py.

A zero median step under a non-zero range has no finite E. With binomial noise counts of right answers tie, and such curves are
what the null model also produces: E counts as infinite, for the observed and for the simulated curve alike, which orders all
curves and keeps the p-value valid. Noise of a published size or of the residuals never ties, so there the p-value is not defined.

Noise may be correlated between scales (module noise). Then the fit is weighted by the covariance matrix, and draws come from it:
normal noise directly, counts of right answers through a normal copula. Where only scores are known the correlation is assumed, and
every p-value is given under the study's assumption and under SHARED.

A simulation stops after _FIRST_LOOK draws where _ENOUGH of them reach the observed score (Besag & Clifford 1991): p is then near 0.2
or above, and more draws would not change what is said of the curve. Draws are spent on curves that may be sharp.

Every curve has its own random stream, seeded by (seed, null model, key): results do not depend on the order of the curves, on
blocks, shards or cores.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import special

from emergence.curves import sharpness
from emergence.statistics.noise import NONE, RESIDUAL, sampling_noise, snap_to_counts
from emergence.statistics.random_streams import random_stream
from emergence.statistics.smooth_curves import N_PARAMETERS, fit_smooth

OK = "ok"
CONSTANT = "constant"
ZERO_MEDIAN_STEP = "zero_median_step"
TOO_FEW_SCALES = "too_few_scales"
MISSING_SCORE = "missing_score"
INVALID_SCALES = "invalid_scales"
EXACT_FIT = "exact_fit"

FLAT = "flat"
SMOOTH = "smooth"

# With three scales the largest |E| is 2, and a single jump has the smallest: no test is made of it.
MIN_SCALES_FLAT = 4
MIN_SCALES_SMOOTH = N_PARAMETERS + 1
# With one residual direction and noise of unknown size the rescaled noise could only be plus or minus what was observed.
MIN_SCALES_SMOOTH_RESIDUAL = N_PARAMETERS + 2

# The second assumption about shared questions that is always answered: see Noise.with_shared_questions.
SHARED = 0.5

# Numbers are drawn in pieces of this many curves, always: the sizes are part of what a seed means.
_FIRST_LOOK = 250
_ENOUGH = 50
_PIECE = 1000
# Simulated scores held at once, in single precision: few enough to stay in a core's cache, enough to outweigh the calls.
_BLOCK_POINTS = 60_000
# Curves fitted at once: the projections of so many take some tens of megabytes.
_BLOCK_CURVES = 4096
# Below this standard deviation, in right answers, counts tie often: they are drawn as counts and stay whole.
_WHOLE_COUNT_SD = 3.0
# Simulated and observed scores are divided by different roads; equal scores must count as equal.
_TIE = 1e-6


@lru_cache(maxsize=64)
def _median_comparisons(n):
    """Compare-exchange pairs (i, j, keep_low, keep_high) that bring the middle of n numbers to its sorted place.

    Batcher's odd-even merge sort (1968) with every exchange dropped that the middle does not need.
    """
    pairs = []

    def merge(low, length, step):
        if 2 * step < length:
            merge(low, length, 2 * step)
            merge(low + step, length, 2 * step)
            pairs.extend((i, i + step) for i in range(low + step, low + length - step, 2 * step))
        else:
            pairs.append((low, low + step))

    def sort(low, length):
        if length > 1:
            sort(low, length // 2)
            sort(low + length // 2, length // 2)
            merge(low, length, 1)

    size = 1 << max(n - 1, 0).bit_length()
    # Places from n on hold infinity, which never moves: exchanges with them are dropped.
    sort(0, size)
    needed = {(n - 1) // 2, n // 2}
    kept = []
    for i, j in reversed([pair for pair in pairs if pair[1] < n]):
        if i in needed or j in needed:
            kept.append((i, j, i in needed, j in needed))
            needed |= {i, j}
    return tuple(reversed(kept))


def _squared_median_and_range(curves):
    """Median squared step and squared range of simulated curves; overwrites its input.

    curves: (n, c, m), one curve along axis 0, so that every operation runs over contiguous numbers. Returns two arrays (c, m).
    """
    low = np.minimum(curves[0], curves[1])
    high = np.maximum(curves[0], curves[1])
    for scores in curves[2:]:
        np.minimum(low, scores, out=low)
        np.maximum(high, scores, out=high)
    np.subtract(high, low, out=high)
    n_steps = len(curves) - 1
    places = list(curves[:n_steps])
    for i, place in enumerate(places):
        np.subtract(curves[i + 1], place, out=place)
        np.abs(place, out=place)
    spare = low
    for i, j, keep_low, keep_high in _median_comparisons(n_steps):
        if keep_low and keep_high:
            np.minimum(places[i], places[j], out=spare)
            np.maximum(places[i], places[j], out=places[j])
            places[i], spare = spare, places[i]
        elif keep_low:
            np.minimum(places[i], places[j], out=places[i])
        else:
            np.maximum(places[i], places[j], out=places[j])
    below, above = places[(n_steps - 1) // 2], places[n_steps // 2]
    median = below * below if n_steps % 2 else (below * below + above * above) / 2
    return median, np.square(high, out=high)


def _count_reaching(curves, squared_score):
    """How many simulated curves are as sharp as the observed one.

    curves: (n, c, m), overwritten. squared_score: (c,) the observed E squared, positive, infinite where undefined.
    Returns integers (c,).
    """
    median, squared_range = _squared_median_and_range(curves)
    moves = squared_range > 0
    n_infinite = ((median == 0) & moves).sum(axis=1)
    limit = np.where(np.isinf(squared_score), 0.0, squared_score * (1 - _TIE)).astype(curves.dtype)[:, None]
    # range / step >= E, without the division; a simulated constant curve has E = 0 and reaches nothing.
    np.multiply(median, limit, out=median)
    n_reached = ((squared_range >= median) & moves).sum(axis=1)
    return np.where(np.isinf(squared_score), n_infinite, n_reached)


def squared_scores(scores):
    """Emergence score squared, infinite where the median step is zero under a non-zero range. scores: (c, n)."""
    score = sharpness.emergence_score(scores)
    return np.where(np.isnan(score), np.inf, np.square(score))


def simulate(curve_indices, n_scales, keys, seed, purpose, draws, squared_score, fill):
    """Draws that reach the observed score, and draws made, for the curves at `curve_indices`.

    fill(indices, generators, out) writes simulated curves into out (n, c, m). Returns two integer arrays.
    """
    reached = np.zeros(len(curve_indices), dtype=np.int64)
    made = np.zeros(len(curve_indices), dtype=np.int64)
    per_block = max(1, _BLOCK_POINTS // (n_scales * min(draws, _FIRST_LOOK)))
    for start in range(0, len(curve_indices), per_block):
        block = np.asarray(curve_indices[start : start + per_block])
        generators = [random_stream(seed, purpose, keys[index]) for index in block]
        going = np.arange(len(block))
        drawn = 0
        while drawn < draws and len(going):
            size = min(_PIECE if drawn else _FIRST_LOOK, draws - drawn)
            at_once = max(1, _BLOCK_POINTS // (n_scales * size))
            for first in range(0, len(going), at_once):
                own = going[first : first + at_once]
                out = np.empty((n_scales, len(own), size), dtype=np.float32)
                fill(block[own], [generators[place] for place in own], out)
                reached[start + own] += _count_reaching(out, squared_score[block[own]])
                made[start + own] += size
            if not drawn:
                going = going[reached[start + going] < _ENOUGH]
            drawn += size
    return reached, made


class CountCopula:
    """Counts of right answers from correlated standard normal numbers, exact binomial at each scale, for one curve."""

    def __init__(self, trials, share, effect):
        """trials, share: (n,) examples and expected share at each scale. effect: design effect of the noise."""
        self.trials, self.share = trials, share
        sd = np.sqrt(share * (1 - share) * trials)
        self.spread = sd * np.sqrt(effect)
        self.effect = np.sqrt(effect)
        # Few right or wrong answers: by the distribution function; many: by rounding, which is as good there and faster.
        self.thresholds = {}
        for scale in np.flatnonzero(sd < _WHOLE_COUNT_SD):
            centre, reach = trials[scale] * share[scale], 8 * self.spread[scale] + 16
            first = max(0.0, np.floor(centre - reach))
            counts = np.arange(first, min(trials[scale], np.ceil(centre + reach)))
            self.thresholds[scale] = first, special.ndtri(special.betainc(trials[scale] - counts, counts + 1, 1 - share[scale]))

    def shares(self, normal, scale):
        """Shares of right answers at one scale. normal: (m,) standard normal numbers."""
        trials = self.trials[scale]
        if scale in self.thresholds:
            first, thresholds = self.thresholds[scale]
            return (first + np.searchsorted(thresholds, normal * self.effect)) / trials
        counts = np.rint(trials * self.share[scale] + self.spread[scale] * normal)
        return np.clip(counts, 0, trials) / trials


def _roots(noise):
    """Cholesky roots of the correlation of each curve, (c, n, n), and which curves need one, (c,)."""
    correlated = noise.correlated
    roots = np.linalg.cholesky(noise.correlation) if correlated.any() else None
    return roots, correlated


def flat_level(scores, noise):
    """The share of right answers over all scales, (c,); 0 where the noise is not that of a count. scores: (c, n)."""
    counts = noise.counts
    level = np.zeros(len(scores))
    right = scores[counts] * noise.trials[counts]
    level[counts] = np.clip(right.sum(axis=1) / noise.trials[counts].sum(axis=1), 0, 1)
    return level


def flat_filler(scores, noise):
    """Writes curves of the flat null model. scores: (c, n), proportions as exact counts over trials."""
    counts = noise.counts
    level = flat_level(scores, noise)
    # E does not change with the level, so noise that is not that of a count needs none; nor with the unit.
    relative_sd = np.where(np.isfinite(noise.stderr), noise.stderr, 1 / np.sqrt(noise.n_models))
    relative_sd = (relative_sd / relative_sd.max(axis=1, keepdims=True, initial=0)).astype(np.float32)
    roots, correlated = _roots(noise)
    if roots is not None:
        roots = roots.astype(np.float32)
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(level * (1 - level))[:, None] * np.sqrt(noise.trials)
        many = counts & (spread >= _WHOLE_COUNT_SD).all(axis=1)
        centre = (level[:, None] * noise.trials)[..., None].astype(np.float32)
        spread = (spread * np.sqrt(noise.effect)[:, None])[..., None].astype(np.float32)
    trials = noise.trials[..., None].astype(np.float32)

    def fill(indices, generators, out):
        for position, (index, generator) in enumerate(zip(indices, generators, strict=True)):
            curves = out[:, position]
            if counts[index] and not many[index] and not correlated[index] and noise.effect[index] == 1:
                for scale, n_trials in enumerate(noise.trials[index]):
                    curves[scale] = generator.binomial(int(n_trials), level[index], size=curves.shape[1]) / n_trials
                continue
            normal = generator.standard_normal(curves.shape, dtype=np.float32)
            if correlated[index]:
                normal = roots[index] @ normal
            if many[index]:
                np.multiply(normal, spread[index], out=curves)
                curves += centre[index]
                np.rint(curves, out=curves)
                np.maximum(curves, 0, out=curves)
                np.minimum(curves, trials[index], out=curves)
                curves /= trials[index]
            elif counts[index]:
                copula = CountCopula(noise.trials[index], np.full(len(curves), level[index]), noise.effect[index])
                for scale in range(len(curves)):
                    curves[scale] = copula.shares(normal[scale], scale)
            else:
                np.multiply(normal, relative_sd[index][:, None], out=curves)

    return fill


def smooth_filler(fit, noise, low, high):
    """Writes curves of the smooth null model: noise about the fit that leaves the fit as it is.

    fit: SmoothFit. noise: Noise. low, high: (c,) bounds of the score, NaN where open.
    """
    sd = np.sqrt(fit.variance)
    n_scales = sd.shape[1]
    expected = np.clip(fit.fitted, 0, 1)
    counts = noise.counts
    residual = noise.kind == RESIDUAL
    with np.errstate(invalid="ignore"):
        whole = counts[:, None] & (sd * noise.trials < _WHOLE_COUNT_SD)
    any_whole = whole.any(axis=1)
    # E does not change with level and unit, and simulated curves are kept in single precision: centre them, in units of the
    # noise.
    level = np.where(counts, 0.0, fit.fitted.mean(axis=1))[:, None]
    unit = np.where(counts, 1.0, sd.max(axis=1))[:, None]
    centre = ((fit.fitted - level) / unit).astype(np.float32)
    bounded = ~(np.isnan(low) & np.isnan(high))
    low, high = (
        ((np.where(np.isnan(bound), limit, bound)[:, None] - level) / unit).astype(np.float32)
        for bound, limit in ((low, -np.inf), (high, np.inf))
    )
    relative_sd = sd / unit
    # Unit noise to simulated scores: (1 - H) diag(sd).
    spread = ((np.eye(n_scales) - fit.smoother) * relative_sd[:, None, :]).astype(np.float32)
    roots, correlated = _roots(noise)
    if roots is not None:
        roots = roots.astype(np.float32)

    def fill(indices, generators, out):
        for position, (index, generator) in enumerate(zip(indices, generators, strict=True)):
            curves = out[:, position]
            noise_drawn = generator.standard_normal(curves.shape, dtype=np.float32)
            if correlated[index]:
                noise_drawn = roots[index] @ noise_drawn
            if any_whole[index]:
                copula = None
                for scale in np.flatnonzero(whole[index]):
                    trials, share = noise.trials[index, scale], expected[index, scale]
                    if correlated[index]:
                        copula = copula or CountCopula(noise.trials[index], expected[index], noise.effect[index])
                        shares = copula.shares(noise_drawn[scale], scale)
                    else:
                        shares = generator.binomial(int(trials), share, size=curves.shape[1]) / trials
                    noise_drawn[scale] = (shares - share) / sd[index, scale]
            np.matmul(spread[index], noise_drawn, out=curves)
            if residual[index]:
                size = np.sqrt(np.square(curves / relative_sd[index].astype(np.float32)[:, None]).sum(axis=0))
                # The fit's variance is scaled to the scatter, so the observed length is the root of the degrees of freedom.
                curves *= np.float32(np.sqrt(n_scales - N_PARAMETERS)) / size
            curves += centre[index][:, None]
            if any_whole[index]:
                for scale in np.flatnonzero(whole[index]):
                    trials = np.float32(noise.trials[index, scale])
                    curves[scale] = np.round(curves[scale] * trials) / trials
            if bounded[index]:
                np.maximum(curves, low[index], out=curves)
                np.minimum(curves, high[index], out=curves)

    return fill


def curve_status(scores, scales, noise):
    """Why |E| of a curve can or cannot be tested under the flat null model, and its square.

    scores: (c, n), counts exact. Returns (status, squared): (c,) of str and (c,) of float, infinite where the median step is zero.
    """
    n_curves, n_scales = scores.shape
    status = np.full(n_curves, OK, dtype=object)
    squared = np.full(n_curves, np.nan)
    if n_scales < MIN_SCALES_FLAT:
        status[:] = TOO_FEW_SCALES
        return status, squared
    with np.errstate(invalid="ignore"):
        valid = (np.isfinite(scales) & (scales > 0)).all(axis=1) & (np.diff(scales, axis=1) > 0).all(axis=1)
    status[~valid] = INVALID_SCALES
    status[noise.kind == NONE] = MISSING_SCORE
    usable = np.flatnonzero(status == OK)
    if len(usable):
        squared[usable] = squared_scores(scores[usable])
        status[squared == 0] = CONSTANT
        # Counts tie; noise of a published size, or of the residuals, never does.
        status[np.isinf(squared) & ~noise.counts] = ZERO_MEDIAN_STEP
    return status, squared


def null_p_values(
    scores,
    scales,
    n_examples,
    n_models,
    stderr,
    proportion,
    low,
    high,
    keys,
    *,
    seed,
    draws,
    covariance=None,
    shared_questions=0.0,
    fit=None,
    n_units=None,
):
    """Monte Carlo p-values of each curve's |E| under the flat and under the smooth null model.

    Parameters
    ----------
    scores : (c, n)
        Oriented scores (higher is better), sorted by scale.
    scales : (c, n)
        Positive, increasing.
    n_examples, stderr : (c, n)
        Test examples behind each score and standard error of the (averaged) score; NaN where unknown.
    n_models : (c, n)
        Models averaged at each scale.
    proportion : (c,) of bool
        The score is a share of right answers between 0 and 1.
    low, high : (c,)
        Bounds of the oriented scores, NaN where open.
    keys : list of c str
        One per curve: what its random numbers are seeded with.
    seed : int
    draws : int
        At least 1, simulated curves per curve and null model. Fewer are made where p is large; see the module.
    covariance : (c, n, n), optional
        Covariance of the noise, NaN where unknown.
    shared_questions : float
        Assumed correlation between neighbouring scales where only scores are known.
    fit : SmoothFit, optional
        Fits of the exact scores (exact_scores) of all curves under the same assumption, so that they need not be made again; what it
        says of curves that are not tested is not looked at.
    n_units : (c,), optional
        Independent units that the covariance is estimated from; see noise.sampling_noise.

    Returns
    -------
    DataFrame of c rows, in the order given
        noise: str, kind of noise (module noise).
        p_flat, p_smooth: float, under the study's assumption; NaN where the status says why.
        p_flat_shared, p_smooth_shared: float, under correlation SHARED between neighbouring scales where it is not known; the same
        number where the noise is estimated from outputs or of unknown size.
        status_flat, status_smooth: `ok`; `constant` (E = 0, which every curve reaches: p is 1); `zero_median_step` (no finite E
        under noise that never ties); `too_few_scales` (flat below 4; smooth below 5, or 6 with residual noise); `exact_fit`
        (residual noise of zero size); `missing_score`; `invalid_scales` (not positive and increasing).

    Raises
    ------
    ValueError
        For shapes that do not fit, repeated keys or draws < 1.

    References
    ----------
    Besag & Clifford (1991), Sequential Monte Carlo p-values, Biometrika 78.
    """
    scores = np.ascontiguousarray(scores, dtype=float)
    scales = np.ascontiguousarray(scales, dtype=float)
    noise = sampling_noise(scores, n_examples, n_models, stderr, proportion, covariance, shared_questions, n_units)
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if scales.shape != scores.shape or len(keys) != len(scores) or low.shape != high.shape or low.shape != scores.shape[:1]:
        raise ValueError("scales must have the shape of scores; keys, low and high one entry per curve")
    if len(set(keys)) != len(keys):
        raise ValueError("two curves have the same key: their random numbers would be the same")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    n_curves, n_scales = scores.shape
    exact = exact_scores(scores, noise)
    status, squared = curve_status(exact, scales, noise)

    def p_values(null, curves, noise, fit=None):
        """P and status of the curves at `curves`, (c,) each."""
        own = status.copy()
        p_value = np.where(own == CONSTANT, 1.0, np.nan)
        if null == SMOOTH:
            least = np.where(noise.kind == RESIDUAL, MIN_SCALES_SMOOTH_RESIDUAL, MIN_SCALES_SMOOTH)
            own[(own == OK) & (n_scales < least)] = TOO_FEW_SCALES
        tested = curves[own[curves] == OK]
        for start in range(0, len(tested), _BLOCK_CURVES):
            block = tested[start : start + _BLOCK_CURVES]
            local = noise.take(block)
            drawn = np.arange(len(block))
            if null == SMOOTH:
                about = fit_smooth(exact[block], scales[block], local) if fit is None else fit.take(block)
                rounding = np.square(np.finfo(float).eps * 64 * np.abs(exact[block]).max(axis=1))
                through = (local.kind == RESIDUAL) & (np.square(exact[block] - about.fitted).max(axis=1) <= rounding)
                own[block[through]] = EXACT_FIT
                fill = smooth_filler(about, local, low[block], high[block])
                drawn = np.flatnonzero(~through)
            else:
                fill = flat_filler(exact[block], local)
            local_keys = [keys[index] for index in block]
            reached, made = simulate(drawn, n_scales, local_keys, seed, null, draws, squared[block], fill)
            p_value[block[drawn]] = (1 + reached) / (1 + made)
        return p_value, own

    every = np.arange(n_curves)
    shared = noise.with_shared_questions(SHARED)
    # The second assumption changes nothing for curves whose correlation is known, or assumed to be so already.
    again = every[~same_correlation(noise, shared)]
    results = {"noise": noise.kind}
    for null in (FLAT, SMOOTH):
        p_value, own = p_values(null, every, noise, fit)
        p_shared = p_value.copy()
        p_shared[again] = p_values(null, again, shared)[0][again]
        results |= {f"p_{null}": p_value, f"p_{null}_shared": p_shared, f"status_{null}": own}
    return pd.DataFrame(results)


def exact_scores(scores, noise):
    """The scores, with counts of right answers freed of the rounding they were published with. (c, n)."""
    return np.where(noise.counts[:, None], snap_to_counts(scores, noise.trials), scores)


def same_correlation(noise, other):
    """(c,) of bool, whether two readings of the noise of the same curves agree about its correlation."""
    if other.correlation is None:
        return np.ones(len(noise.kind), dtype=bool)
    own = np.eye(noise.trials.shape[1]) if noise.correlation is None else noise.correlation
    return (own == other.correlation).all(axis=(1, 2))
