"""Is the test set large enough? Exact binomial answers about scores that are shares of right answers.

`Absent` at small scale may mean under-resolved: the second prediction of Schaeffer, Miranda & Koyejo (2023).
"""

import numpy as np
import pandas as pd
import scipy

from emergence.statistics.noise import NONE, PUBLISHED_ROUNDING

OK = "ok"
NOT_A_PROPORTION = "not_a_proportion"
UNKNOWN_EXAMPLES = "unknown_examples"
UNKNOWN_CHANCE = "unknown_chance"
UNKNOWN_BOTH = "unknown_examples_and_chance"
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
    `missing_score`, `not_a_proportion`, `unknown_examples`, `unknown_chance`, `unknown_examples_and_chance`; the last five without
    numbers).
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
        is_sized, is_chance = n_examples >= 1, (chance >= 0) & (chance < 1)
        reasons = {
            MISSING_SCORE: ~np.isfinite(scores),
            NOT_A_PROPORTION: ~share,
            UNKNOWN_BOTH: ~is_sized & ~is_chance,
            UNKNOWN_EXAMPLES: ~is_sized,
            UNKNOWN_CHANCE: ~is_chance,
            NOT_WHOLE: ~whole,
        }
    # the first that applies
    number = np.select(list(reasons.values()), range(len(reasons)), default=len(reasons))
    tested = number >= list(reasons).index(NOT_WHOLE)
    p_value = np.full(scores.shape, np.nan)
    p_value[tested] = _at_least(right[tested], n_examples[tested], chance[tested])
    status = pd.Categorical.from_codes(number, [*reasons, OK])
    return pd.DataFrame({"n_right": np.where(tested, right, np.nan), "p_value": p_value, "status": status})


def _at_least(count, n_examples, share):
    """P(K >= count) for K ~ Binomial(n_examples, share): the regularised incomplete beta function, faster than scipy.stats.binom."""
    count, n_examples, share = np.broadcast_arrays(count, n_examples, share)
    inner = (count >= 1) & (count <= n_examples)
    found = np.where(count < 1, 1.0, 0.0)
    found[inner] = scipy.special.betainc(count[inner], n_examples[inner] - count[inner] + 1, share[inner])
    return found


def _stretch_starts(critical, chance, alpha):
    """Smallest n for which the test of chance needs at least `critical` right answers: bisection on P(K >= critical - 1) > alpha.

    critical, chance: (m,) with chance above 0. Returns (m,) integers as floats. Curves share most of the pairs.
    """
    pairs, inverse = np.unique(critical + 1j * chance, return_inverse=True)
    critical, chance = pairs.real, pairs.imag
    below = np.maximum(critical - 2, 0.0)
    above = np.ceil((critical + 8 * np.sqrt(critical) + 8) / chance)
    # the normal approximation is a few right answers off: most searches begin and end within that
    centre = critical - 1 - scipy.special.ndtri(1 - alpha) * np.sqrt(np.maximum(critical - 1, 0) * (1 - chance))
    for guess in (np.floor((centre - 2) / chance), np.ceil((centre + 3) / chance)):
        guess = np.clip(guess, below, above)
        needs_more = _at_least(critical - 1, guess, chance) > alpha
        above = np.where(needs_more, np.minimum(above, guess), above)
        below = np.where(needs_more, below, np.maximum(below, guess))
    while len(open_ := np.flatnonzero(above - below > 1)):
        middle = np.floor((below[open_] + above[open_]) / 2)
        needs_more = _at_least(critical[open_] - 1, middle, chance[open_]) > alpha
        above[open_] = np.where(needs_more, middle, above[open_])
        below[open_] = np.where(needs_more, below[open_], middle)
    return above[inverse]


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
        # from one n to the next the critical count grows by one at most, so at the start of its stretch it is the critical count
        return _at_least(critical, _stretch_starts(critical, chance, alpha), performance) >= power

    # The normal approximation, doubled, is past the answer; it brackets the critical count from above.
    spread = scipy.special.ndtri(1 - alpha) * np.sqrt(chance * (1 - chance)) + scipy.special.ndtri(power) * np.sqrt(
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
        short = _at_least(later, starts, performance[own]) < power
        np.maximum.at(failing, own[short], later[short])
    # Inside the stretch of the last failure the power grows with n, up to the start of the next.
    below, above = _stretch_starts(failing, chance, alpha), _stretch_starts(failing + 1, chance, alpha)
    first = _at_least(failing, below, performance) >= power
    while np.any(above - below > 1):
        middle = np.floor((below + above) / 2)
        good = _at_least(failing, middle, performance) >= power
        above = np.where(good, middle, above)
        below = np.where(good, np.minimum(below, middle), middle)
    return np.where(searchable, np.where(first, np.minimum(below, above), above), np.inf)


def small_model_performance(n_examples, noise, fit):
    """The performance that the smooth curve gives the smaller models of each curve, and how many test examples they had.

    Parameters
    ----------
    n_examples : (c, n)
        Test examples behind each score, NaN where unknown.
    noise : Noise
        Of the same curves.
    fit : SmoothFit or None
        Smooth curves through the same scores; None below five scales. Not looked at where a score is missing.

    Returns
    -------
    DataFrame of c rows
        small_performance: mean of the smooth curve over the smaller half of the scales (n // 2 of them), within 0 and 1.
        examples_at_hand: smallest n_examples of these scales, NaN where unknown. status: `ok`, `too_few_scales`, `missing_score`,
        `not_a_proportion`.
    """
    n_curves, n_scales = n_examples.shape
    status = np.full(n_curves, OK, dtype=object)
    status[~noise.proportion] = NOT_A_PROPORTION
    status[noise.kind == NONE] = MISSING_SCORE
    if fit is None:
        status[status == OK] = TOO_FEW_SCALES
    smaller = slice(None, n_scales // 2)
    performance = np.full(n_curves, np.nan)
    if fit is not None:
        usable = status == OK
        performance[usable] = np.clip(fit.fitted[usable, smaller], 0, 1).mean(axis=1)
    at_hand = n_examples[:, smaller].min(axis=1, initial=np.inf)
    table = {"small_performance": performance, "examples_at_hand": np.where(np.isfinite(at_hand), at_hand, np.nan)}
    return pd.DataFrame(table | {"status": status})


def examples_for_small_models(small, chance, *, power=POWER, alpha=ALPHA):
    """How many test examples it takes to see the performance of the smaller models of each curve.

    It is compared with chance, or with never being right where chance is 0. The difference from chance is first rounded to three
    digits, which moves the number needed by about one in a hundred at most: so curves share searches.

    Parameters
    ----------
    small : DataFrame of c rows
        What small_model_performance returns, of any number of curves.
    chance : (c,)
        Score of guessing, NaN where unknown.

    Returns
    -------
    DataFrame of c rows
        small_performance, examples_needed, examples_at_hand, and status: that of `small`, or one of examples_needed. The number
        needed does not ask how many there were, so it is given where that is unknown.
    """
    chance = np.asarray(chance, dtype=float)
    performance = small["small_performance"].to_numpy(dtype=float)
    away = performance - chance
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(away))) - 2)
        rounded = np.where(np.abs(away) > _ROUNDING, chance + np.rint(away / unit) * unit, performance)
    rounded = np.where(np.isnan(chance), performance, np.minimum(rounded, 1.0))
    pairs, inverse = np.unique(rounded + 1j * chance, return_inverse=True)
    examples, why = examples_needed(pairs.real, pairs.imag, power=power, alpha=alpha)
    inverse = inverse.ravel()
    # a missing performance and an unknown chance are told apart curve by curve: as a pair they are one
    why = np.where(np.isnan(performance), MISSING_SCORE, np.where(np.isnan(chance), UNKNOWN_CHANCE, why[inverse]))
    first = small["status"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "small_performance": performance,
            "examples_needed": np.where(first == OK, examples[inverse], np.nan),
            "examples_at_hand": small["examples_at_hand"].to_numpy(dtype=float),
            "status": np.where(first == OK, why, first),
        }
    )
