"""Emergence score and companions: hand-worked cases, identities (hypothesis), the paper's Figure 6, scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from conftest import ROOT
from emergence.curves import sharpness

# Multiples of 1/64 are exact in binary, so that a tie stays a tie under shifts and factors that are powers of two.
SCORES = arrays(float, st.integers(3, 12), elements=st.integers(-64, 64).map(lambda k: k / 64))


def test_hand_worked_jump():
    # steps 0.1, 0.1, 0.6: median of squares 0.01, so E = 0.8 / 0.1
    jump = np.array([0.1, 0.2, 0.3, 0.9])
    assert sharpness.emergence_score(jump) == pytest.approx(8.0)
    assert sharpness.kendall_tau(jump) == 1
    assert sharpness.status(jump) == "ok"


def test_hand_worked_even_number_of_steps_takes_the_mean_of_the_middle_squares():
    # steps 1, 2, 3, 4: squares 1, 4, 9, 16, median 6.5
    assert sharpness.emergence_score(np.array([0.0, 1, 3, 6, 10])) == pytest.approx(10 / np.sqrt(6.5))


def test_first_of_equal_extremes_counts():
    # maxima at 0 and 3, minimum at 1: the first maximum comes before the minimum, so the sign is negative
    assert sharpness.emergence_score(np.array([1.0, 0.0, 0.5, 1.0])) < 0
    # minima at 0 and 2: the first comes before the maximum
    assert sharpness.emergence_score(np.array([0.0, 1.0, 0.0])) > 0


def test_equal_shares_that_were_added_up_in_another_order_are_a_tie():
    # 0.1 + 0.2 is not 0.3 in floating point; scipy on the exact numbers is the oracle
    expected = stats.kendalltau(np.arange(4), [0, 3, 3, 5]).statistic
    assert sharpness.kendall_tau(np.array([0, 0.3, 0.1 + 0.2, 0.5])) == pytest.approx(expected)


@pytest.mark.parametrize("n_scales", [3, 4, 7, 12])
def test_straight_line_scores_one_less_than_its_points(n_scales):
    line = np.linspace(0.2, 0.7, n_scales)
    assert sharpness.emergence_score(line) == pytest.approx(n_scales - 1)
    assert sharpness.relative(sharpness.emergence_score(line), n_scales) == pytest.approx(1)


@given(SCORES, st.sampled_from([0.25, 1.0, 8.0]), st.sampled_from([-4.0, 0.0, 0.5]))
def test_unchanged_by_a_positive_factor_and_a_shift(scores, factor, shift):
    moved = factor * scores + shift
    np.testing.assert_allclose(sharpness.emergence_score(moved), sharpness.emergence_score(scores), rtol=1e-9)
    assert sharpness.status(moved) == sharpness.status(scores)


@given(SCORES)
def test_negation_flips_the_sign_of_a_curve_with_single_extremes(scores):
    extremes = [(scores == scores.max()).sum(), (scores == scores.min()).sum()]
    negated = sharpness.emergence_score(-scores)
    if extremes == [1, 1]:
        np.testing.assert_allclose(negated, -sharpness.emergence_score(scores))
    np.testing.assert_allclose(np.abs(negated), np.abs(sharpness.emergence_score(scores)))


@given(SCORES)
def test_scores_say_what_the_status_says(scores):
    score, status = sharpness.emergence_score(scores), sharpness.status(scores)
    steps = np.diff(scores)
    if np.ptp(scores) == 0:
        assert (status, score) == ("constant", 0)
    elif np.median(steps**2) == 0:
        assert status == "zero_median_step"
        assert np.isnan(score)
    else:
        assert status == "ok"
        assert abs(score) == pytest.approx(np.ptp(scores) / np.sqrt(np.median(steps**2)))


@given(SCORES, st.integers(1, 1000))
def test_resolved_score_is_finite_and_never_larger(scores, n_examples):
    resolution = np.array(1 / n_examples)
    resolved = sharpness.emergence_score_resolved(scores, resolution)
    assert np.isfinite(resolved)
    for plain in (sharpness.emergence_score(scores), sharpness.emergence_score(scores, resolution)):
        assert np.isnan(plain) or abs(resolved) <= abs(plain) * (1 + 1e-12)


def test_resolved_score_by_hand():
    # steps 0, 0, 0.5 with 10 examples: squared steps at least 0.01, median 0.01, E = 0.5 / 0.1
    assert sharpness.emergence_score_resolved(np.array([0.0, 0, 0, 0.5]), np.array(0.1)) == pytest.approx(5)


def test_a_step_that_the_test_set_cannot_show_is_zero():
    # 6, 6, 6 and 25 right of 54, one of them stored with fewer digits: E was 1.06e11. By hand: (0.463 - 6/54) / (1/54)
    scores = np.array([0.1111111111, 0.1111111111, 0.11111111109667, 0.463])
    assert sharpness.emergence_score(scores) == pytest.approx(1.06e11, rel=0.01)
    resolution = np.array(1 / 54)
    assert sharpness.emergence_score_resolved(scores, resolution) == pytest.approx(19.0, abs=0.01)
    assert sharpness.status(scores, resolution) == "zero_median_step"
    assert np.isnan(sharpness.emergence_score(scores, resolution))
    assert sharpness.range_and_steps(scores, resolution)[1].tolist() == [0, 0, scores[3] - scores[2]]


def test_one_right_answer_more_is_a_step_though_its_score_was_rounded():
    # 1/3000 is published as 0.0003, which is below it by less than the rounding of the digits
    counts = np.arange(5) / 3000
    published = np.round(counts, 4)
    assert (np.diff(published) < 1 / 3000).any()
    assert (sharpness.range_and_steps(published, np.array(1 / 3000), np.array(1e-4))[1] > 0).all()
    # two digits show no step of 1/3000 at all, and the resolution is then theirs
    assert sharpness.status(np.round(counts, 2), np.array(0.01), np.array(0.01)) == "constant"


@pytest.mark.parametrize("size", [1e-200, 1e-12, 1.0, 1e300, 1.7e308])
def test_the_size_of_the_scores_does_not_matter(size):
    # an identity: E(a y) = E(y), also where squares, and differences of scores of either sign, leave the floating-point numbers
    for shape in (np.array([0.1, 0.2, 0.3, 0.9]), np.array([-1.0, -0.75, -0.5, 1.0])):
        scores = size * shape
        assert sharpness.status(scores) == "ok"
        assert sharpness.emergence_score(scores) == pytest.approx(float(sharpness.emergence_score(shape)))
        resolved = sharpness.emergence_score_resolved(scores, np.array(0.3 * size))
        assert resolved == pytest.approx(float(sharpness.emergence_score_resolved(shape, np.array(0.3))))
        assert sharpness.kendall_tau(scores) == 1


@given(SCORES)
def test_kendall_tau_is_scipys(scores):
    expected = np.nan if np.ptp(scores) == 0 else stats.kendalltau(np.arange(len(scores)), scores).statistic
    np.testing.assert_allclose(sharpness.kendall_tau(scores), expected, atol=1e-12)


def test_floating_point_rounding_is_not_a_step():
    # the mean of three times 0.1 is not 0.1 in binary; the curve is flat all the same
    flat = np.array([0.1, np.mean([0.1, 0.1, 0.1]), 0.1])
    assert sharpness.status(flat) == "constant"
    assert sharpness.status(np.append(flat, 0.5)) == "zero_median_step"


def test_two_scales_are_too_few():
    assert sharpness.status(np.array([[0.1, 0.9]])).tolist() == ["too_few_scales"]


def test_a_batch_is_its_curves_one_by_one():
    curves = np.random.default_rng(0).normal(size=(50, 6))
    for function in (sharpness.emergence_score, sharpness.kendall_tau):
        np.testing.assert_array_equal(function(curves), [function(curve) for curve in curves])


def test_figure_6_of_the_paper():
    # from the published table of the figure; 18.0 and 9.6 are the numbers stated for logical_args, 2 shots
    scores = pd.read_csv(ROOT / "workflow/resources/bigbench/scores.csv").query("source == 'D'")
    sign = np.where(scores["metric"].str.contains("brier"), -1, 1)
    found = {
        (task, int(shots), metric.split("_")[0]): float(sharpness.emergence_score(rows.sort_values("scale")["y"].to_numpy()))
        for (task, shots, metric), rows in scores.assign(y=sign * scores["score"]).groupby(["task", "shots", "metric"])
    }
    assert len(found) == 16
    assert found["logical_args", 2, "multiple"] == pytest.approx(18.0, abs=0.05)
    assert found["logical_args", 2, "calibration"] == pytest.approx(9.6, abs=0.05)
    # by hand, sports_understanding, 3 shots: the drawing is rounded to 4 decimals
    assert found["sports_understanding", 3, "calibration"] == pytest.approx(3.71, abs=0.01)


@pytest.mark.parametrize("n_wrong", [0.1, 0.7, 1 / 3])
def test_a_curve_exactly_twice_as_steep_as_a_line_reaches_two(n_wrong):
    """Steps of 1, 4 and 1: E is 6 over 4 scales by hand, whatever the arithmetic makes of the fractions."""
    scores = n_wrong + 0.01 * np.array([[0.0, 1.0, 5.0, 6.0]])
    assert sharpness.relative(sharpness.emergence_score(scores), 4)[0] >= 2
    assert sharpness.relative(1.9999999999999976 * 3, 4) == 2
    assert sharpness.relative(1.99999 * 3, 4) < 2
