"""The noise of a score and the smooth curve through a set of scores."""

import numpy as np
import pytest
import statsmodels.api as sm

from emergence.statistics import noise
from emergence.statistics.smooth_curves import MIN_RISE_DECADES, fit_smooth, logistic_shapes, slopes, standard_logistic, whitening

SCALES = 10.0 ** np.linspace(7, 11, 9)


def known_noise(scores, sd):
    unknown = np.full(scores.shape, np.nan)
    stderr = np.broadcast_to(sd, scores.shape)
    return noise.sampling_noise(scores, unknown, np.ones(scores.shape), stderr, np.zeros(len(scores), dtype=bool))


def test_logistic_rises_from_ten_to_ninety_per_cent_in_its_decades():
    # Hand-worked: half a rise either side of the midpoint.
    assert standard_logistic(np.array([8.25, 9, 9.75]), 9, 1.5) == pytest.approx([0.1, 0.5, 0.9])


@pytest.mark.parametrize(
    "truth",
    [
        np.full(9, 0.3),
        np.linspace(0.2, 0.7, 9),
        0.25 + 0.6 * standard_logistic(np.log10(SCALES), 9.1, MIN_RISE_DECADES),
        0.1 + 0.8 * standard_logistic(np.log10(SCALES), 8.3, 2.7),
    ],
)
def test_a_smooth_truth_is_fitted_to_less_than_a_thousandth(truth):
    scores = truth[None]
    fit = fit_smooth(scores, SCALES[None], known_noise(scores, 0.001))
    np.testing.assert_allclose(fit.fitted, scores, atol=1.5e-3)


def test_slopes_are_those_of_the_truth_that_is_fitted():
    """Hand-derived: a cubic, and a logistic of the grid, h L (1 - L) 2 ln 9 / rise per decade. Both are fitted exactly."""
    x = np.log10(SCALES)
    midpoint, rise = (shape[40] for shape in logistic_shapes(x))
    share = standard_logistic(x, midpoint, rise)
    truths = np.stack([0.2 + 0.05 * (x - 9) + 0.01 * (x - 9) ** 3, 0.1 + 0.8 * share])
    expected = np.stack([0.05 + 0.03 * (x - 9) ** 2, 0.8 * share * (1 - share) * 2 * np.log(9) / rise])
    scales = np.broadcast_to(SCALES, truths.shape)
    fit = fit_smooth(truths, scales, known_noise(truths, 0.001))
    assert np.isinf(fit.rise).tolist() == [True, False]
    np.testing.assert_allclose(slopes(fit, scales), expected, atol=1e-9)


@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_whitened_noise_is_independent_and_of_unit_size(shared):
    """Identity, on a covariance written out: sd_i sd_j rho^|i - j|, with 0.02 added to each variance."""
    sd, place = np.array([[0.1, 0.2, 0.3]]), np.arange(3)
    unknown = np.full(sd.shape, np.nan)
    known = noise.sampling_noise(sd, unknown, np.ones_like(sd), sd, np.zeros(1, dtype=bool), None, shared)
    by_hand = sd.T * sd * float(shared) ** np.abs(place[:, None] - place) + 0.02 * np.eye(3)
    white, colour = whitening(known, sd, np.full(sd.shape, 0.02))
    np.testing.assert_allclose(colour[0] @ colour[0].T, by_hand, atol=1e-15)
    np.testing.assert_allclose(white[0] @ by_hand @ white[0].T, np.eye(3), atol=1e-12)


def test_a_jump_is_not_fitted():
    scores = np.where(np.arange(9) >= 4, 0.7, 0.2)[None]
    fit = fit_smooth(scores, SCALES[None], known_noise(scores, 0.01))
    assert fit.deviance[0] > 50


def test_cubic_fit_agrees_with_statsmodels_weighted_least_squares():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(5, 9))
    sd = generator.uniform(0.5, 2, size=(5, 9))
    fit = fit_smooth(scores, np.broadcast_to(SCALES, scores.shape), known_noise(scores, sd))
    cubic = np.isinf(fit.rise)
    assert cubic.any()
    for curve in np.flatnonzero(cubic):
        reference = sm.WLS(scores[curve], np.vander(np.linspace(-1, 1, 9), 4), weights=1 / sd[curve] ** 2).fit()
        np.testing.assert_allclose(fit.fitted[curve], reference.fittedvalues, atol=1e-9)


def test_smoother_is_a_projection():
    scores = np.random.default_rng(1).normal(size=(6, 9)).cumsum(axis=1)
    fit = fit_smooth(scores, np.broadcast_to(SCALES, scores.shape), known_noise(scores, 0.2))
    np.testing.assert_allclose(fit.smoother @ fit.smoother, fit.smoother, atol=1e-9)
    np.testing.assert_allclose(np.trace(fit.smoother, axis1=1, axis2=2), 4)


def test_deviance_of_a_smooth_truth_is_chi_squared():
    # Simulation with known truth: mean n - 4 for nine scales, standard deviation sqrt(2 (n - 4)).
    generator = np.random.default_rng(2)
    truth = 0.25 + 0.6 * standard_logistic(np.log10(SCALES), 9.1, 2.0)
    scores = truth + generator.normal(scale=0.02, size=(1000, 9))
    fit = fit_smooth(scores, np.broadcast_to(SCALES, scores.shape), known_noise(scores, 0.02))
    assert fit.deviance.mean() == pytest.approx(5, abs=0.4)


def test_curves_are_fitted_one_by_one_whatever_their_neighbours():
    generator = np.random.default_rng(3)
    scores = generator.normal(size=(6, 9)).cumsum(axis=1)
    scales = np.where(np.arange(6)[:, None] % 2, SCALES, SCALES**1.1)
    noise = known_noise(scores, 0.3)
    together = fit_smooth(scores, scales, noise)
    for curve in range(6):
        alone = fit_smooth(scores[[curve]], scales[[curve]], noise.take([curve]))
        # To the last digit: tables must not depend on shards.
        np.testing.assert_array_equal(together.fitted[curve], alone.fitted[0])


def test_four_scales_are_refused():
    with pytest.raises(ValueError, match="more than 4 scales"):
        fit_smooth(np.ones((1, 4)), SCALES[None, :4], known_noise(np.ones((1, 4)), 1))


def test_binomial_variance_is_that_of_the_averaged_models():
    scores = np.full((1, 3), 0.5)
    known = noise.sampling_noise(scores, [[100] * 3], [[1, 2, 4]], np.full((1, 3), np.nan), [True])
    # Hand-worked: p (1 - p) / (n m).
    np.testing.assert_allclose(noise.variance(known, scores), 0.25 / np.array([[100, 200, 400]]))


def test_variance_does_not_vanish_at_zero():
    scores = np.zeros((1, 3))
    known = noise.sampling_noise(scores, [[9] * 3], np.ones((1, 3)), np.full((1, 3), np.nan), [True])
    # Hand-worked: (0 + 1/2) / 10 right, 0.05 * 0.95 / 9.
    np.testing.assert_allclose(noise.variance(known, scores), np.full((1, 3), 0.05 * 0.95 / 9))


def test_scores_snap_to_counts_only_within_published_rounding():
    snapped = noise.snap_to_counts(np.array([[0.3333, 0.34, 0.6667]]), np.array([[3.0, 3.0, np.nan]]))
    np.testing.assert_array_equal(snapped, [[1 / 3, 0.34, 0.6667]])


def test_noise_of_different_shapes_is_refused():
    with pytest.raises(ValueError, match="same shape"):
        noise.sampling_noise(np.ones((2, 3)), np.ones((2, 2)), np.ones((2, 3)), np.ones((2, 3)), [True, True])
    with pytest.raises(ValueError, match="one entry per curve"):
        noise.sampling_noise(*(np.ones((2, 3)) for _ in range(4)), [True])
