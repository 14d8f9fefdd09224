"""Exact binomial answers: against scipy.stats.binomtest, hand-worked numbers and a search of every number of examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from emergence.statistics import curve_tests, noise, power


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 300), share=st.floats(0, 1), chance=st.floats(0.01, 0.99))
def test_above_chance_agrees_with_scipy_binomtest(n, share, chance):
    right = round(share * n)
    table = power.above_chance(round(right / n, 4), n, chance, proportion=True)
    assert table["n_right"][0] == right
    expected = stats.binomtest(right, n, chance, alternative="greater").pvalue
    assert table["p_value"][0] == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_above_chance_hand_worked():
    # Three of three right with chance one half: 1/8. None right: 1. Chance 0: one right answer cannot be a guess.
    table = power.above_chance([1, 0, 1 / 3, 0], [3, 3, 3, 3], [0.5, 0.5, 0, 0], proportion=True)
    np.testing.assert_allclose(table["p_value"], [0.125, 1, 0, 1])


@pytest.mark.parametrize(
    ("score", "n", "chance", "proportion", "status"),
    [
        (np.nan, 10, 0.5, True, "missing_score"),
        (37.2, 10, 0.5, True, "not_a_proportion"),
        (0.5, 10, 0.5, False, "not_a_proportion"),
        (0.5, np.nan, 0.5, True, "unknown_examples"),
        (0.5, 0, 0.5, True, "unknown_examples"),
        (0.5, 10, np.nan, True, "unknown_chance"),
        (0.5, 10, 1.0, True, "unknown_chance"),
        (0.5, np.nan, np.nan, True, "unknown_examples_and_chance"),
        (0.47, 10, 0.5, True, "not_a_whole_count"),
        (0.5, 10, 0.5, True, "ok"),
        (0.6667, 3, 0.5, True, "ok"),
    ],
)
def test_every_score_has_a_status(score, n, chance, proportion, status):
    table = power.above_chance(score, n, chance, proportion)
    assert table["status"][0] == status
    assert table["p_value"].notna()[0] == (status in ("ok", "not_a_whole_count"))


def test_a_score_that_is_no_count_is_tested_as_the_smaller_count():
    table = power.above_chance(0.47, 10, 0.25, proportion=True)
    assert table["n_right"][0] == 4
    assert table["p_value"][0] == pytest.approx(stats.binom.sf(3, 10, 0.25))


@pytest.mark.parametrize("chance", [0.02, 0.1, 0.25, 1 / 3, 0.5, 0.9])
@pytest.mark.parametrize("part", [0.08, 0.2, 0.5, 0.9, 1.0])
def test_examples_needed_agrees_with_a_search_of_every_number(chance, part):
    # Independent: the power of the exact test from the binomial distribution of SciPy, for every number of examples.
    performance = chance + part * (1 - chance)
    n = np.arange(1, 20_000)
    critical = stats.binom.isf(power.ALPHA, n, chance) + 1
    short = np.flatnonzero(stats.binom.sf(critical - 1, n, performance) < power.POWER)
    examples, status = power.examples_needed(performance, chance)
    assert status == "ok"
    assert examples == (n[short[-1] + 1] if len(short) else 1)


@pytest.mark.parametrize(("performance", "examples"), [(1.0, 1), (0.8, 1), (0.5, 3), (0.2, 8), (0.01, 161)])
def test_examples_needed_to_see_one_right_answer(performance, examples):
    # Hand-worked: the smallest n with 1 - (1 - performance)^n >= 0.8, for example 1 - 0.8^8 = 0.83, 1 - 0.8^7 = 0.79.
    assert power.examples_needed(performance, 0.0)[0] == examples


def test_no_number_at_or_below_chance_or_beyond_the_search():
    performance = np.array([0.25, 0.1, np.nan, 0.3, 0.5000001, 0.0])
    chance = np.array([0.25, 0.25, 0.25, np.nan, 0.5, 0.0])
    examples, status = power.examples_needed(performance, chance)
    assert np.isnan(examples).all()
    assert status.tolist() == [
        *("at_or_below_chance", "at_or_below_chance", "missing_score", "unknown_chance"),
        *("more_than_can_be_searched", "at_or_below_chance"),
    ]


def small_models(scores, *, n_examples=100.0, chance=0.25, proportion=True):
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    shape = scores.shape
    scales = np.broadcast_to(10.0 ** (8 + 0.45 * np.arange(shape[1])), shape)
    n_examples = np.full(shape, n_examples)
    known = noise.sampling_noise(scores, n_examples, np.ones(shape), np.full(shape, np.nan), np.full(shape[0], proportion))
    fit = curve_tests.fit_where_possible(scores, scales, known)
    return power.examples_for_small_models(power.small_model_performance(n_examples, known, fit), np.full(shape[0], chance))


def test_small_models_are_the_smaller_half_of_the_smooth_curve():
    # A straight line is fitted exactly, so the smaller half of 0.30 .. 0.65 has mean 0.375.
    table = small_models(np.linspace(0.3, 0.65, 8))
    assert table["small_performance"][0] == pytest.approx(0.375, abs=1e-6)
    assert table["examples_needed"][0] == power.examples_needed(0.375, 0.25)[0]
    assert table["examples_at_hand"][0] == 100


@pytest.mark.parametrize(
    ("scores", "options", "status"),
    [
        (np.full(8, 0.25), {}, "at_or_below_chance"),
        (np.zeros(8), {"chance": 0.0}, "at_or_below_chance"),
        (np.linspace(0.3, 0.6, 4), {}, "too_few_scales"),
        ([0.3], {}, "too_few_scales"),
        (np.linspace(0.3, 0.6, 8), {"chance": np.nan}, "unknown_chance"),
        (np.linspace(30, 60, 8), {}, "not_a_proportion"),
        (np.linspace(0.3, 0.6, 8), {"proportion": False}, "not_a_proportion"),
        ([0.3, np.nan, 0.3, 0.4, 0.5, 0.6], {}, "missing_score"),
        (np.linspace(0.3, 0.6, 8), {"n_examples": np.nan}, "ok"),
        (np.linspace(0.3, 0.6, 8), {"n_examples": 1.0}, "ok"),
    ],
)
def test_degenerate_curves_have_a_status_and_no_invented_number(scores, options, status):
    table = small_models(scores, **options)
    assert table["status"][0] == status
    assert table["examples_needed"].notna()[0] == (status == "ok")
