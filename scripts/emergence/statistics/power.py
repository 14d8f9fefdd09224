"""How fine can the test set see? Exact binomial answers about scores that are shares of right answers.

`Absent` at small scale may mean under-resolved: the second prediction of Schaeffer, Miranda & Koyejo (2023).
"""

import numpy as np
import pandas as pd
from scipy import stats

from emergence.statistics.noise import NONE, PUBLISHED_ROUNDING, sampling_noise
from emergence.statistics.smooth_curves import N_PARAMETERS, fit_smooth

OK = "ok"
NOT_A_PROPORTION = "not_a_proportion"
UNKNOWN_EXAMPLES = "unknown_examples"
UNKNOWN_CHANCE = "unknown_chance"
MISSING_SCORE = "missing_score"
NOT_WHOLE = "not_a_whole_count"
AT_OR_BELOW_CHANCE = "at_or_below_chance"
BEYOND_SEARCH = "more_than_can_be_searched"
TOO_FEW_SCALES = "too_few_scales"

POWER = 0.8
ALPHA = 0.05
MAX_EXAMPLES = 10_000_000
_MAX_STRETCHES = 1000
# Stretches of all curves that are looked at together: bounds the memory.
_BLOCK_STRETCHES = 200_000
# A fitted curve meets chance to the last digits only.
_ROUNDING = 1e-12


def above_chance(scores, n_examples, chance, proportion):
    """One-sided exact binomial test of each score against random guessing: P(K >= k), K ~ Binomial(n_examples, chance).

    scores: (...) of one model each, in their own units. n_examples, chance: (...), NaN where unknown. proportion: (...) bool, the
    score is a share of right answers, 0-1. A published score is rounded, so k = round(score * n_examples). Where that is not
    the count that the score was rounded from (an average over subtasks, or partial credit), the smaller neighbouring count is
    tested, which makes the p-value too large rather than too small, and the status says so.

    Chance 0 means that guessing is never right: one right answer has p = 0, none has p = 1.

    Returns a data frame of scores.size rows: n_right (float), p_value (float), status (`ok`, `not_a_whole_count`,
    `missing_score`, `not_a_proportion`, `unknown_examples`, `unknown_chance`; the last four without numbers).
    """
    scores, n_examples, chance = (np.asarray(array, dtype=float).ravel() for array in (scores, n_examples, chance))
    proportion = np.asarray(proportion, dtype=bool).ravel()
    with np.errstate(invalid="ignore"):
        n_examples = np.round(n_examples)
        right = np.round(scores * n_examples)
        rounding = PUBLISHED_ROUNDING * n_examples + 1e-9
        whole = np.abs(scores * n_examples - right) <= rounding
        right = np.where(whole, right, np.floor(scores * n_examples))
        share = proportion & (scores >= 0) & (scores <= 1)
        status = np.select(
            [
                ~np.isfinite(scores),
                ~share,
                ~(n_examples >= 1),
                ~((chance >= 0) & (chance < 1)),
                ~whole,
            ],
            [MISSING_SCORE, NOT_A_PROPORTION, UNKNOWN_EXAMPLES, UNKNOWN_CHANCE, NOT_WHOLE],
            default=OK,
        ).astype(object)
    tested = np.isin(status, (OK, NOT_WHOLE))
    p_value = np.full(scores.shape, np.nan)
    p_value[tested] = stats.binom.sf(right[tested] - 1, n_examples[tested], chance[tested])
    return pd.DataFrame({"n_right": np.where(tested, right, np.nan), "p_value": p_value, "status": status})


def power_above_chance(n_examples, performance, chance, *, alpha=ALPHA):
    """Power of the exact one-sided binomial test of `chance` at level alpha, when the truth is `performance`.

    The test rejects for k right answers or more, with k the smallest count for which P(K >= k) <= alpha under chance. All
    arguments broadcast; chance 0 needs one right answer, and the power is 1 - (1 - performance)^n. Returns floats.
    """
    n_examples, performance, chance = np.broadcast_arrays(
        *(np.asarray(a, dtype=float) for a in (n_examples, performance, chance))
    )
    critical = stats.binom.isf(alpha, n_examples, chance) + 1
    return stats.binom.sf(critical - 1, n_examples, performance)


def _stretch_starts(critical, chance, alpha):
    """Smallest n for which the test of chance needs at least `critical` right answers: bisection on P(K >= critical - 1) > alpha.

    critical, chance: (...) with chance above 0. Returns (...) integers as floats.
    """
    below = np.maximum(critical - 2, 0.0)
    above = np.ceil((critical + 8 * np.sqrt(critical) + 8) / chance)
    while np.any(above - below > 1):
        middle = np.floor((below + above) / 2)
        needs_more = stats.binom.sf(critical - 2, middle, chance) > alpha
        above = np.where(needs_more, middle, above)
        below = np.where(needs_more, below, middle)
    return above


def examples_needed(performance, chance, *, power=POWER, alpha=ALPHA):
    """Smallest number of test examples from which on the exact test of chance keeps at least `power` at level `alpha`.

    The power of an exact test falls a little whenever its critical count grows by one, so the smallest n that reaches the power
    once may be a lucky one; the number here is the smallest n such that it and all larger numbers reach it. Between two such
    falls the power grows with n, so only the starts of the stretches are searched, by bisection over the critical count, and
    the last failure is looked for in the stretches that follow. For chance 0 one right answer is enough, and it is the
    smallest n with 1 - (1 - performance)^n >= power.

    performance, chance: shares that broadcast, NaN where unknown. Returns (examples, status), arrays of the common shape;
    examples is NaN where the status is not `ok`: `at_or_below_chance`, `unknown_chance`, `missing_score` (performance unknown) or
    `more_than_can_be_searched` (above MAX_EXAMPLES).
    """
    performance, chance = np.broadcast_arrays(np.asarray(performance, dtype=float), np.asarray(chance, dtype=float))
    shape = performance.shape
    performance, chance = np.minimum(performance.ravel(), 1.0), chance.ravel()
    with np.errstate(invalid="ignore"):
        status = np.select(
            [np.isnan(performance), ~((chance >= 0) & (chance < 1)), performance <= chance + _ROUNDING],
            [MISSING_SCORE, UNKNOWN_CHANCE, AT_OR_BELOW_CHANCE],
            default=OK,
        ).astype(object)
    examples = np.full(performance.shape, np.nan)

    from_nothing = (status == OK) & (chance == 0)
    with np.errstate(divide="ignore"):
        tries = np.ceil(np.log1p(-power) / np.log1p(-performance[from_nothing]) - 1e-9)
    examples[from_nothing] = np.maximum(tries, 1)

    above_zero = np.flatnonzero((status == OK) & (chance > 0))
    examples[above_zero] = _search(performance[above_zero], chance[above_zero], power, alpha)
    status[(status == OK) & ~(examples <= MAX_EXAMPLES)] = BEYOND_SEARCH
    examples[status != OK] = np.nan
    return examples.reshape(shape), status.reshape(shape)


def _search(performance, chance, power, alpha):
    """`examples_needed` for performances above a chance above zero: (m,) arrays in, (m,) out, infinite beyond MAX_EXAMPLES."""

    def enough(critical):
        starts = _stretch_starts(critical, chance, alpha)
        return power_above_chance(starts, performance, chance, alpha=alpha) >= power

    # The normal approximation, doubled, is past the answer; it brackets the critical count from above.
    spread = stats.norm.isf(alpha) * np.sqrt(chance * (1 - chance)) + stats.norm.ppf(power) * np.sqrt(
        performance * (1 - performance)
    )
    guess = np.square(spread / (performance - chance))
    searchable = guess <= MAX_EXAMPLES
    failing = np.ones(len(guess))
    passing = np.ceil(2 * np.where(searchable, guess, 1.0) * chance) + 20
    while np.any(passing - failing > 1):
        middle = np.floor((failing + passing) / 2)
        good = enough(middle)
        passing = np.where(good, middle, passing)
        failing = np.where(good, failing, np.minimum(middle, passing - 1))
    # Power falls by about the chance of one count and regains it within 2 / difference examples: look twice as far, for each.
    stretches = np.minimum(np.ceil(4 * chance / (performance - chance)) + 20, _MAX_STRETCHES)
    times = np.where(searchable, stretches, 0).astype(np.int64)
    owner = np.repeat(np.arange(len(times)), times)
    ahead = np.arange(len(owner)) - np.repeat(np.cumsum(times) - times, times) + 1
    for start in range(0, len(owner), _BLOCK_STRETCHES):
        own = owner[start : start + _BLOCK_STRETCHES]
        later = passing[own] + ahead[start : start + _BLOCK_STRETCHES]
        starts = _stretch_starts(later, chance[own], alpha)
        short = power_above_chance(starts, performance[own], chance[own], alpha=alpha) < power
        np.maximum.at(failing, own[short], later[short])
    # Inside the stretch of the last failure the power grows with n, up to the start of the next.
    below, above = _stretch_starts(failing, chance, alpha), _stretch_starts(failing + 1, chance, alpha)
    first = power_above_chance(below, performance, chance, alpha=alpha) >= power
    while np.any(above - below > 1):
        middle = np.floor((below + above) / 2)
        good = power_above_chance(middle, performance, chance, alpha=alpha) >= power
        above = np.where(good, middle, above)
        below = np.where(good, np.minimum(below, middle), middle)
    return np.where(searchable, np.where(first, np.minimum(below, above), above), np.inf)


def examples_for_small_models(scores, scales, n_examples, n_models, stderr, proportion, chance, *, power=POWER, alpha=ALPHA):
    """How many test examples it takes to see the performance that the smooth curve gives the smaller models of each curve.

    The performance is the mean of the fitted smooth curve (module smooth_curves) over the smaller half of the scales (n // 2 of
    them). It is compared with chance, or with never being right where chance is 0.

    scores, scales, n_examples, n_models, stderr: (c, n) and proportion: (c,) as in nulls.null_p_values. chance: (c,), NaN where
    unknown.

    Returns a data frame of c rows: small_performance (float), examples_needed (float), examples_at_hand (float, the smallest
    n_examples of these scales, NaN where unknown), status (`ok`, `too_few_scales`, `missing_score`, `not_a_proportion` or one of
    examples_needed). The number needed does not ask how many there were, so it is given where n_examples is unknown.
    """
    scores, n_examples = np.asarray(scores, dtype=float), np.asarray(n_examples, dtype=float)
    noise = sampling_noise(scores, n_examples, n_models, stderr, proportion)
    n_curves, n_scales = scores.shape
    status = np.full(n_curves, OK, dtype=object)
    status[~noise.proportion] = NOT_A_PROPORTION
    status[noise.kind == NONE] = MISSING_SCORE
    if n_scales <= N_PARAMETERS:
        status[status == OK] = TOO_FEW_SCALES
    performance = np.full(n_curves, np.nan)
    smaller = slice(None, n_scales // 2)
    usable = np.flatnonzero(status == OK)
    if len(usable):
        fit = fit_smooth(scores[usable], np.asarray(scales, dtype=float)[usable], noise.take(usable))
        performance[usable] = np.clip(fit.fitted[:, smaller], 0, 1).mean(axis=1)
    examples, why = examples_needed(performance, chance, power=power, alpha=alpha)
    at_hand = n_examples[:, smaller].min(axis=1, initial=np.inf) if n_scales > 1 else np.full(n_curves, np.nan)
    return pd.DataFrame(
        {
            "small_performance": performance,
            "examples_needed": examples,
            "examples_at_hand": np.where(np.isfinite(at_hand), at_hand, np.nan),
            "status": np.where(status == OK, why, status),
        }
    )
