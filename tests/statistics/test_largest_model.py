"""The test of the largest model: hand-worked and independent predictions, limma's prior, and simulation with known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import shared_questions
from emergence.statistics import largest_model, noise


def z_of(scores, *, n_examples=np.nan, stderr=np.nan, covariance=None, proportion=True, bounds=(0, 1), step=0.45):
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    shape = scores.shape
    filled = (np.broadcast_to(np.asarray(value, dtype=float), shape) for value in (n_examples, 1, stderr))
    known = noise.sampling_noise(scores, *filled, np.full(shape[0], proportion), covariance)
    scales = np.broadcast_to(10.0 ** (8 + step * np.arange(shape[1])), shape)
    low, high = (np.full(shape[0], float(bound)) for bound in bounds)
    return largest_model.largest_model_z(scores, scales, known, low, high)


def test_the_line_is_a_prediction_interval_of_ordinary_least_squares():
    # Independent implementation: numpy.polyfit and the textbook variance of a new observation.
    scores = np.random.default_rng(0).normal(scale=0.1, size=8)
    found = z_of(scores, stderr=0.1, proportion=False, bounds=(np.nan, np.nan)).iloc[0]
    x = np.arange(8.0)
    for degree, column in ((1, "z_line"), (2, "z_parabola")):
        seen = np.vander(x[:7], degree + 1)
        last = np.vander(x[7:], degree + 1)[0]
        spread = 0.01 * (1 + last @ np.linalg.inv(seen.T @ seen) @ last)
        expected = (scores[7] - np.polyval(np.polyfit(x[:7], scores[:7], degree), 7)) / np.sqrt(spread)
        assert found[column] == pytest.approx(expected)


def test_correlated_noise_is_conditioned_on():
    # Identity: under the joint normal distribution, z of the line is the last score given the others, line fitted by GLS.
    generator = np.random.default_rng(1)
    root = generator.normal(size=(7, 7))
    covariance = (root @ root.T + 3 * np.eye(7)) * 0.01
    scores = generator.normal(scale=0.1, size=7)
    found = z_of(scores, covariance=covariance[None], proportion=False, bounds=(np.nan, np.nan)).iloc[0]
    design = np.column_stack([np.ones(7), np.arange(7.0), np.arange(7.0) == 6])
    inverse = np.linalg.inv(covariance)
    spread = np.linalg.inv(design.T @ inverse @ design)
    # the coefficient of an indicator of the last score, over its standard error
    expected = (spread @ design.T @ inverse @ scores)[2] / np.sqrt(spread[2, 2])
    assert found["z_line"] == pytest.approx(expected, rel=1e-5)


def test_the_tail_of_a_mixture():
    # Hand-worked: half of N(0, 1) and half of N(3, 1) at 3: tail (0.00135 + 0.5) / 2; and far out, where tails underflow.
    found = largest_model.mixture_z(np.array([[3.0, 0.0], [60.0, 50.0], [-60.0, -50.0]]), np.full((3, 2), 0.5))
    assert found[0] == pytest.approx(stats.norm.isf((stats.norm.sf(3) + 0.5) / 2))
    expected = -special.ndtri_exp(special.log_ndtr(-50.0) + np.log(0.5))
    assert found[1] == pytest.approx(expected)
    assert found[2] == pytest.approx(-expected)


def test_results_do_not_depend_on_the_other_curves():
    scores = np.random.default_rng(2).binomial(100, 0.5, size=(30, 8)) / 100
    together, alone = z_of(scores, n_examples=100), z_of(scores[[11]], n_examples=100)
    np.testing.assert_array_equal(together.to_numpy()[11], alone.to_numpy()[0])


@pytest.mark.parametrize(
    ("scores", "options"),
    [
        ([0.2, 0.3, 0.4, 0.5], {"n_examples": 100}),
        ([0.2, 0.3, 0.4, 0.5, 0.6, 0.6], {}),
        ([0.3] * 8, {"n_examples": 100}),
        ([0.3, np.nan, 0.4, 0.5, 0.6], {"n_examples": 100}),
        ([0.3] * 7 + [0.9], {}),
    ],
)
def test_degenerate_curves_have_no_z(scores, options):
    assert z_of(scores, **options)[["z_smooth", "z_line"]].isna().all(axis=None)


def test_the_prior_is_found_again():
    # Simulation with known truth: excess variances that are scaled inverse chi-squared with 8 degrees of freedom about 3.
    generator = np.random.default_rng(3)
    true = 3 * 8 / generator.chisquare(8, size=20_000)
    excess = true * generator.chisquare(5, size=20_000) / 5
    prior, degrees = largest_model.excess_prior(excess, np.full(20_000, 5.0))
    assert prior == pytest.approx(3, rel=0.05)
    assert degrees == pytest.approx(8, rel=0.15)
    alike = 2 * generator.chisquare(5, size=20_000) / 5
    assert largest_model.excess_prior(alike, np.full(20_000, 5.0))[1] > 100
    assert largest_model.excess_prior(np.empty(0), np.empty(0)) == (1.0, np.inf)


def test_p_values_by_hand():
    columns = ("z_smooth", "z_takeoff", "z_line", "z_parabola", "excess", "excess_degrees")
    # Two curves tell nothing of how excess differs: sampling noise alone. The smallest z counts.
    table = pd.DataFrame([(2.0, 4.0, 3.0, 2.5, 9.0, 3.0), (4.0, 4.0, 1.0, 5.0, 0.1, 3.0)], columns=columns)
    np.testing.assert_allclose(largest_model.moderated_p_values(table), stats.norm.sf([2.0, 1.0]))
    # Noise of unknown size: the t distribution of its own scatter.
    unknown = pd.DataFrame([(5.0, 2.0, 3.0, 2.5, np.nan, 4.0)], columns=columns)
    np.testing.assert_allclose(largest_model.moderated_p_values(unknown), stats.t.sf(2.0, 4))
    assert len(largest_model.moderated_p_values(table.iloc[:0])) == 0


@pytest.mark.parametrize("power", [5, 10, 20, 25])
def test_powers_that_take_off_are_foreseeable(power):
    # Simulation with known truth: p^L of a straight p, at its steepest as steep as a logistic whose middle 80 % takes 1.5 decades.
    # Without take-offs p^20 is rejected in .3 to .5 of such curves.
    x = 0.45 * np.arange(10)
    slope = 2 * np.log(9) / 1.5 * 0.98 * (1 - 0.98**power) / power
    truth = (0.98 - slope * (x[-1] - x)) ** power
    scores = np.random.default_rng(6).binomial(500, truth, size=(400, 10)) / 500
    assert (largest_model.moderated_p_values(z_of(scores, n_examples=500)) <= 0.05).mean() <= 0.07


def test_a_take_off_is_extended():
    # By hand: a score that grows five times at each step, with hardly any noise. The next factor of five is foreseen; half as much
    # again is not.
    growing = 0.5 * 5.0 ** np.arange(-7.0, 0.0)
    step = np.log10(5.0) / np.log10(np.exp(largest_model._GROWTH[7]))
    as_foreseen, beyond = (
        z_of([*growing, last], stderr=1e-3, proportion=False, step=step)["z_takeoff"].iloc[0] for last in (0.5, 0.75)
    )
    assert abs(as_foreseen) < 1
    assert beyond > 5


@pytest.mark.parametrize("n_scales", [6, 12])
def test_a_jump_of_the_largest_model_is_found_and_a_rise_that_began_is_not(n_scales):
    # Simulation with known truth.
    generator = np.random.default_rng(4)
    along = np.linspace(0, 1, n_scales)
    jump = np.where(np.arange(n_scales) == n_scales - 1, 0.45, 0.25)
    truths = {"jump": jump, "flat": np.full(n_scales, 0.25), "line": 0.2 + 0.5 * along, "U": 0.5 - 1.2 * along * (1 - along)}
    found = {}
    for name, truth in truths.items():
        scores = generator.binomial(500, truth, size=(300, n_scales)) / 500
        found[name] = (largest_model.moderated_p_values(z_of(scores, n_examples=500)) <= 0.05).mean()
    assert found.pop("jump") > 0.9
    assert max(found.values()) <= 0.09


def test_models_that_differ_beyond_sampling_are_not_jumps():
    # Beta-binomial noise: the sampling noise alone would find several times too many.
    generator = np.random.default_rng(5)
    shares = generator.beta(0.4 * 99, 0.6 * 99, size=(400, 12))
    table = z_of(generator.binomial(1000, shares) / 1000, n_examples=1000)
    unmoderated = stats.norm.sf(table[list(largest_model.Z_COLUMNS)].min(axis=1))
    assert (unmoderated <= 0.05).mean() > 0.1
    assert (largest_model.moderated_p_values(table) <= 0.05).mean() <= 0.07


def test_shared_questions_with_their_covariance():
    scores, covariance = shared_questions.curves(np.full(8, 0.4), 300, 0.8, 300, seed=6)
    p_value = largest_model.moderated_p_values(z_of(scores, n_examples=300, covariance=covariance))
    assert (p_value <= 0.05).mean() <= 0.07
