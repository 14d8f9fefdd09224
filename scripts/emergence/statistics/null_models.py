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

Every curve has its own random stream, seeded by (seed, null model, key): results do not depend on the order of the curves, on
blocks, shards or cores.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.statistics.noise import BINOMIAL, NONE, RESIDUAL, STDERR, sampling_noise, snap_to_counts
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

MIN_SCALES_FLAT = sharpness.MIN_SCALES
MIN_SCALES_SMOOTH = N_PARAMETERS + 1
# With one residual direction and noise of unknown size the rescaled noise could only be plus or minus what was observed.
MIN_SCALES_SMOOTH_RESIDUAL = N_PARAMETERS + 2

# Numbers are drawn in pieces of this many curves, always: the size is part of what a seed means.
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
    """How many simulated curves are as sharp as the observed one, and how many have an infinite E.

    curves: (n, c, m), overwritten. squared_score: (c,) the observed E squared, positive, infinite where undefined.
    Returns two integer arrays (c,).
    """
    median, squared_range = _squared_median_and_range(curves)
    moves = squared_range > 0
    n_infinite = ((median == 0) & moves).sum(axis=1)
    limit = np.where(np.isinf(squared_score), 0.0, squared_score * (1 - _TIE)).astype(curves.dtype)[:, None]
    # range / step >= E, without the division; a simulated constant curve has E = 0 and reaches nothing.
    np.multiply(median, limit, out=median)
    n_reached = ((squared_range >= median) & moves).sum(axis=1)
    return np.where(np.isinf(squared_score), n_infinite, n_reached), n_infinite


def squared_scores(scores):
    """Emergence score squared, infinite where the median step is zero under a non-zero range. scores: (c, n)."""
    score = sharpness.emergence_score(scores)
    return np.where(np.isnan(score), np.inf, np.square(score))


def simulate(curve_indices, n_scales, keys, seed, null, draws, squared_score, fill):
    """Number of draws that reach the observed score and number that are infinite, for the curves at `curve_indices`.

    fill(indices, generators, out) writes simulated curves into out (n, c, m). Returns two integer arrays.
    """
    reached = np.zeros(len(curve_indices), dtype=np.int64)
    infinite = np.zeros(len(curve_indices), dtype=np.int64)
    per_block = max(1, _BLOCK_POINTS // (n_scales * min(draws, _PIECE)))
    for start in range(0, len(curve_indices), per_block):
        block = curve_indices[start : start + per_block]
        place = slice(start, start + len(block))
        generators = [random_stream(seed, null, keys[index]) for index in block]
        out = np.empty((n_scales, len(block), min(_PIECE, draws)), dtype=np.float32)
        for drawn in range(0, draws, _PIECE):
            piece = out if draws - drawn >= out.shape[2] else np.empty((*out.shape[:2], draws - drawn), dtype=np.float32)
            fill(block, generators, piece)
            n_reached, n_infinite = _count_reaching(piece, squared_score[block])
            reached[place] += n_reached
            infinite[place] += n_infinite
    return reached, infinite


def flat_filler(scores, noise):
    """Writes curves of the flat null model. scores: (c, n), proportions as exact counts over trials."""
    binomial = noise.kind == BINOMIAL
    level = np.zeros(len(scores))
    right = scores[binomial] * noise.trials[binomial]
    level[binomial] = np.clip(right.sum(axis=1) / noise.trials[binomial].sum(axis=1), 0, 1)
    relative_sd = np.where((noise.kind == STDERR)[:, None], noise.stderr, 1 / np.sqrt(noise.n_models))
    relative_sd /= relative_sd.max(axis=1, keepdims=True)

    def fill(indices, generators, out):
        for position, (index, generator) in enumerate(zip(indices, generators, strict=True)):
            curves = out[:, position]
            if binomial[index]:
                trials = noise.trials[index].astype(np.int64)
                if (trials == trials[0]).all():
                    curves[:] = generator.binomial(trials[0], level[index], size=curves.shape)
                else:
                    for scale, n_trials in enumerate(trials):
                        curves[scale] = generator.binomial(n_trials, level[index], size=curves.shape[1]) / n_trials
            else:
                np.multiply(generator.standard_normal(curves.shape), relative_sd[index][:, None], out=curves, casting="same_kind")

    return fill


def smooth_filler(fit, noise, low, high):
    """Writes curves of the smooth null model: noise about the fit that leaves the fit as it is.

    fit: SmoothFit. noise: Noise. low, high: (c,) bounds of the score, NaN where open.
    """
    sd = np.sqrt(fit.variance)
    n_scales = sd.shape[1]
    expected = np.clip(fit.fitted, 0, 1)
    binomial = noise.kind == BINOMIAL
    residual = noise.kind == RESIDUAL
    with np.errstate(invalid="ignore"):
        whole = binomial[:, None] & (sd * noise.trials < _WHOLE_COUNT_SD)
    any_whole = whole.any(axis=1)
    # E does not change with level and unit, and simulated curves are kept in single precision: centre them, in units of the
    # noise.
    level = np.where(binomial, 0.0, fit.fitted.mean(axis=1))[:, None]
    unit = np.where(binomial, 1.0, sd.max(axis=1))[:, None]
    centre = ((fit.fitted - level) / unit).astype(np.float32)
    bounded = ~(np.isnan(low) & np.isnan(high))
    low, high = (
        ((np.where(np.isnan(bound), limit, bound)[:, None] - level) / unit).astype(np.float32)
        for bound, limit in ((low, -np.inf), (high, np.inf))
    )
    relative_sd = sd / unit
    # Unit noise to simulated scores: (1 - H) diag(sd).
    spread = ((np.eye(n_scales) - fit.smoother) * relative_sd[:, None, :]).astype(np.float32)

    def fill(indices, generators, out):
        for position, (index, generator) in enumerate(zip(indices, generators, strict=True)):
            curves = out[:, position]
            noise_drawn = generator.standard_normal(curves.shape)
            if any_whole[index]:
                for scale in np.flatnonzero(whole[index]):
                    trials, share = noise.trials[index, scale], expected[index, scale]
                    counts = generator.binomial(int(trials), share, size=curves.shape[1])
                    noise_drawn[scale] = (counts / trials - share) / sd[index, scale]
            np.matmul(spread[index], noise_drawn.astype(np.float32), out=curves)
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


def null_p_values(scores, scales, n_examples, n_models, stderr, proportion, low, high, keys, *, seed, draws):
    """Monte Carlo p-values of each curve's |E| under the flat and under the smooth null model.

    scores: (c, n) oriented scores (higher is better), sorted by scale. scales: (c, n) positive, increasing.
    n_examples: (c, n) test examples behind each score, NaN where unknown. n_models: (c, n) models averaged at each scale.
    stderr: (c, n) standard errors of the (averaged) scores, NaN where unknown. proportion: (c,) bool, the score is a share of
    right answers between 0 and 1. low, high: (c,) bounds of the oriented scores, NaN where open. keys: c strings, one a curve.
    seed: int. draws: int >= 1, simulated curves per curve and null model.

    Returns a data frame of c rows, in the order given:
        noise: `binomial`, `stderr`, `residual` or `none` (module noise)
        p_flat, p_smooth: float, NaN where the status says why
        status_flat, status_smooth: `ok`; `constant` (E = 0, which every curve reaches: p is 1); `zero_median_step` (no finite E
            under noise that never ties); `too_few_scales` (flat 3; smooth 5, or 6 with residual noise); `exact_fit` (residual
            noise of zero size); `missing_score`; `invalid_scales` (not positive and increasing)
        infinite_flat, infinite_smooth: Int64, draws with a zero median step, NA where nothing was drawn
    Raises ValueError for shapes that do not fit, repeated keys or draws < 1.
    """
    scores = np.ascontiguousarray(scores, dtype=float)
    scales = np.ascontiguousarray(scales, dtype=float)
    noise = sampling_noise(scores, n_examples, n_models, stderr, proportion)
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if scales.shape != scores.shape or len(keys) != len(scores) or low.shape != high.shape or low.shape != scores.shape[:1]:
        raise ValueError("scales must have the shape of scores; keys, low and high one entry a curve")
    if len(set(keys)) != len(keys):
        raise ValueError("two curves have the same key: their random numbers would be the same")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    n_curves, n_scales = scores.shape

    status = np.full(n_curves, OK, dtype=object)
    if n_scales < MIN_SCALES_FLAT:
        status[:] = TOO_FEW_SCALES
    else:
        with np.errstate(invalid="ignore"):
            valid = (np.isfinite(scales) & (scales > 0)).all(axis=1) & (np.diff(scales, axis=1) > 0).all(axis=1)
        status[~valid] = INVALID_SCALES
        status[noise.kind == NONE] = MISSING_SCORE
    usable = np.flatnonzero(status == OK)
    exact = np.where((noise.kind == BINOMIAL)[:, None], snap_to_counts(scores, noise.trials), scores)
    squared = np.full(n_curves, np.nan)
    if len(usable):
        squared[usable] = squared_scores(exact[usable])
        status[squared == 0] = CONSTANT
        status[np.isinf(squared) & (noise.kind != BINOMIAL)] = ZERO_MEDIAN_STEP

    results = {"noise": noise.kind}
    for null in (FLAT, SMOOTH):
        own = status.copy()
        p_value = np.where(own == CONSTANT, 1.0, np.nan)
        infinite = pd.array(np.zeros(n_curves, dtype=np.int64), dtype="Int64")
        if null == SMOOTH:
            least = np.where(noise.kind == RESIDUAL, MIN_SCALES_SMOOTH_RESIDUAL, MIN_SCALES_SMOOTH)
            own[(own == OK) & (n_scales < least)] = TOO_FEW_SCALES
        tested = np.flatnonzero(own == OK)
        for start in range(0, len(tested), _BLOCK_CURVES):
            block = tested[start : start + _BLOCK_CURVES]
            local = noise.take(block)
            drawn = np.arange(len(block))
            if null == SMOOTH:
                fit = fit_smooth(exact[block], scales[block], local)
                rounding = np.square(np.finfo(float).eps * 64 * np.abs(exact[block]).max(axis=1))
                through = (local.kind == RESIDUAL) & (np.square(exact[block] - fit.fitted).max(axis=1) <= rounding)
                own[block[through]] = EXACT_FIT
                fill = smooth_filler(fit, local, low[block], high[block])
                drawn = np.flatnonzero(~through)
            else:
                fill = flat_filler(exact[block], local)
            local_keys = [keys[index] for index in block]
            reached, n_infinite = simulate(drawn, n_scales, local_keys, seed, null, draws, squared[block], fill)
            p_value[block[drawn]] = (1 + reached) / (1 + draws)
            infinite[block[drawn]] = n_infinite
        infinite[own != OK] = pd.NA
        results |= {f"p_{null}": p_value, f"status_{null}": own, f"infinite_{null}": infinite}
    return pd.DataFrame(results)
