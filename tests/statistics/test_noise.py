"""The noise of a curve as a covariance matrix: identities, statsmodels' generalised least squares, and simulation with known
truth."""

import numpy as np
import pytest
import statsmodels.api as sm

import shared_questions
from emergence.statistics import change, noise, null_models
from emergence.statistics.smooth_curves import fit_smooth

LOG_SCALES = 8 + 0.45 * np.arange(9)
SCALES = 10.0**LOG_SCALES
SMOOTH = 0.25 + 0.5 / (1 + np.exp(-(LOG_SCALES - LOG_SCALES.mean()) * 2 * np.log(9) / 2.5))


def sampling(scores, *, n_examples=np.nan, stderr=np.nan, covariance=None, proportion=True, shared=0.0, n_units=None):
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    shape = scores.shape
    filled = (np.broadcast_to(np.asarray(value, dtype=float), shape) for value in (n_examples, 1, stderr))
    return noise.sampling_noise(scores, *filled, np.full(shape[0], proportion), covariance, shared, n_units)


@pytest.mark.parametrize(
    "given", [{"n_examples": 100}, {"stderr": np.linspace(0.1, 0.2, 5), "shared": 0.5}, {"covariance": True}]
)
def test_scales_in_another_order_have_their_own_noise(given):
    """Identity: noise made of scores in another order. The order is not its own inverse."""
    order, scores = np.array([[2, 0, 3, 4, 1]]), np.linspace(0.2, 0.6, 5)
    if "covariance" in given:
        root = np.random.default_rng(1).normal(size=(5, 5))
        covariance = (root @ root.T)[None]
        given, turned = {"covariance": covariance}, {"covariance": covariance[:, order[0]][:, :, order[0]]}
    else:
        turned = {name: value[order[0]] if np.ndim(value) else value for name, value in given.items()}
    found, expected = sampling(scores, **given).in_order(order), sampling(scores[order[0]], **turned)
    np.testing.assert_allclose(noise.variance(found, scores[order]), noise.variance(expected, scores[order]))
    if "shared" in given:
        # the assumption goes by neighbouring scales, wherever they now are
        np.testing.assert_allclose(found.correlation[0], 0.5 ** np.abs(order.T - order))
    elif found.correlation is not None:
        np.testing.assert_allclose(found.correlation, expected.correlation, atol=1e-12)


def p_values(scores, covariance=None, n_examples=np.nan, **options):
    shape = scores.shape
    return null_models.null_p_values(
        scores,
        np.broadcast_to(10.0 ** (8 + 0.45 * np.arange(shape[1])), shape),
        np.full(shape, float(n_examples)),
        np.ones(shape),
        np.full(shape, np.nan),
        np.ones(shape[0], dtype=bool),
        np.zeros(shape[0]),
        np.ones(shape[0]),
        [f"curve {number}" for number in range(shape[0])],
        **{"seed": 1, "draws": 99, "covariance": covariance} | options,
    )


def test_the_kind_of_noise_is_the_best_that_is_known():
    scores = np.array([0.2, 0.3, 0.4, 0.5, 0.6])
    covariance = np.eye(5)[None] * 0.001
    assert sampling(scores, n_examples=100, stderr=0.1, covariance=covariance).kind[0] == "covariance"
    assert sampling(scores, n_examples=100, stderr=0.1, covariance=covariance * np.nan).kind[0] == "binomial"
    assert sampling(scores, n_examples=100, covariance=np.zeros((1, 5, 5))).kind[0] == "binomial"
    assert sampling(scores, stderr=0.1).kind[0] == "stderr"
    assert sampling(scores).kind[0] == "residual"
    assert sampling([0.2, np.nan, 0.4, 0.5, 0.6], covariance=covariance).kind[0] == "none"
    assert set(noise.WORDS) == {"binomial", "stderr", "covariance", "residual", "none"}


def test_the_covariance_of_independent_questions_is_binomial_noise():
    # Identity: the design effect of a sample of right and wrong answers is 1, up to the half answers that are added.
    scores, covariance = shared_questions.curves(np.full(6, 0.4), 400, 0.0, 20, seed=1)
    known = sampling(scores, n_examples=400, covariance=covariance)
    np.testing.assert_allclose(known.effect, 1, atol=0.01)
    plain = sampling(scores, n_examples=400)
    np.testing.assert_allclose(noise.variance(known, scores), noise.variance(plain, scores), rtol=0.02)


def test_questions_that_count_four_times_have_four_times_the_variance():
    # Identity: answers repeated four times, with a covariance that knows it, have design effect 4.
    scores, covariance = shared_questions.curves(np.full(5, 0.5), 100, 0.3, 10, seed=2)
    known = sampling(scores, n_examples=400, covariance=covariance)
    np.testing.assert_allclose(known.effect, 4, rtol=0.05)


def test_flat_curves_of_clustered_questions_are_rejected_as_often_as_stated():
    # Simulation: 30 clusters of 10 questions that are nearly alike. The covariance is estimated from 30 units, not from 300.
    generator = np.random.default_rng(5)
    n_curves, n_clusters, n_alike, n_scales = 1500, 30, 10, 8
    of_cluster = generator.standard_normal((n_curves, n_clusters, 1, 1))
    at_scale = generator.standard_normal((n_curves, n_clusters, 1, n_scales))
    own = generator.standard_normal((n_curves, n_clusters, n_alike, n_scales))
    hard = np.sqrt(0.4) * of_cluster + np.sqrt(0.5) * at_scale + np.sqrt(0.1) * own
    shares = (hard < 0).mean(axis=2)
    centred = shares - shares.mean(axis=1, keepdims=True)
    covariance = centred.swapaxes(1, 2) @ centred / (n_clusters - 1) / n_clusters
    scales = np.broadcast_to(10.0 ** np.arange(n_scales), (n_curves, n_scales))

    def rejected(n_units):
        known = sampling(shares.mean(axis=1), n_examples=300, covariance=covariance, n_units=n_units)
        return (change.change_tests(shares.mean(axis=1), scales, known)["p_homogeneity"] <= 0.05).mean()

    # three standard errors of a share of .05 among 1,500 are .017; with few units the test rejects somewhat less often (.029)
    assert 0.02 < rejected(np.full(n_curves, 30.0)) < 0.067
    assert rejected(None) > 0.1
    assert rejected(np.full(n_curves, np.nan)) == rejected(None)


def test_models_that_answer_alike_can_be_handled():
    # Two models with the same answers have correlation 1, and a model that is always wrong has no variance at all.
    right = np.random.default_rng(3).binomial(1, 0.4, size=(50, 6)).astype(float)
    right[:, 3] = right[:, 2]
    right[:, 5] = 0
    scores, covariance = right.mean(axis=0)[None], np.cov(right.T)[None] / 50
    known = sampling(scores, n_examples=50, covariance=covariance)
    assert np.linalg.eigvalsh(known.correlation[0]).min() > 1e-4
    np.testing.assert_allclose(np.diagonal(known.correlation[0]), 1)
    assert (noise.variance(known, scores) > 0).all()
    table = p_values(scores, covariance, n_examples=50)
    assert table[["p_flat", "p_smooth"]].notna().all(axis=None)


def test_assumed_correlation_falls_with_distance():
    known = sampling([0.2, 0.3, 0.4, 0.5], n_examples=100, shared=0.5)
    np.testing.assert_allclose(known.correlation[0, 0], [1, 0.5, 0.25, 0.125])
    assert sampling([0.2, 0.3, 0.4, 0.5], shared=0.5).correlated.tolist() == [False]  # noise of unknown size is left as it is
    with pytest.raises(ValueError, match="shared_questions"):
        sampling([0.2, 0.3, 0.4, 0.5], n_examples=100, shared=1.0)


def test_the_smooth_fit_is_generalised_least_squares():
    # Independent implementation: statsmodels' GLS of the cubic with the same covariance.
    generator = np.random.default_rng(4)
    scores = generator.normal(size=(4, 9)).cumsum(axis=1)
    root = generator.normal(size=(4, 9, 9))
    covariance = root @ root.swapaxes(1, 2) + np.eye(9)
    known = sampling(scores, covariance=covariance, proportion=False)
    fit = fit_smooth(scores, np.broadcast_to(SCALES, scores.shape), known)
    cubic = np.flatnonzero(np.isinf(fit.rise))
    assert len(cubic)
    for curve in cubic:
        reference = sm.GLS(scores[curve], np.vander(np.linspace(-1, 1, 9), 4), sigma=covariance[curve]).fit()
        np.testing.assert_allclose(fit.fitted[curve], reference.fittedvalues, atol=1e-6)
        assert fit.deviance[curve] == pytest.approx(reference.ssr, rel=1e-6)


def test_no_correlation_given_as_a_matrix_is_no_correlation():
    scores = np.random.default_rng(5).normal(size=(3, 9)).cumsum(axis=1)
    covariance = np.broadcast_to(np.eye(9) * 0.09, (3, 9, 9))
    by_matrix = fit_smooth(
        scores, np.broadcast_to(SCALES, scores.shape), sampling(scores, covariance=covariance, proportion=False)
    )
    by_stderr = fit_smooth(scores, np.broadcast_to(SCALES, scores.shape), sampling(scores, stderr=0.3, proportion=False))
    np.testing.assert_allclose(by_matrix.fitted, by_stderr.fitted, atol=1e-9)


def test_a_tiny_standard_error_beside_large_ones_is_solved():
    # A hopeless small model under a probability: its standard error is 1e-12, those of others up to 0.09.
    scores = -np.array([[1e-10, 0.00085, 0.0081, 0.0398, 0.182, 0.366, 0.366, 0.584]])
    stderr = np.array([[1e-12, 0.00058, 0.0041, 0.0157, 0.0498, 0.0751, 0.0751, 0.0863]])
    scales = np.array([[116, 322, 628, 1034, 2146, 3658, 7882, 13706.0]])
    fit = fit_smooth(scores, scales, sampling(scores, stderr=stderr, proportion=False))
    assert np.isfinite(fit.fitted).all()
    # The certain score holds the fit in place, and the others are not fitted worse for it than 1e-6 would make them.
    assert fit.fitted[0, 0] == pytest.approx(0, abs=1e-4)
    less = fit_smooth(scores, scales, sampling(scores, stderr=np.maximum(stderr, 1e-5), proportion=False))
    np.testing.assert_allclose(fit.fitted, less.fitted, atol=1e-3)


def test_copula_counts_are_binomial():
    # Exact: the distribution function of a count at every value, from standard normal quantiles on a fine grid.
    from scipy import stats

    copula = null_models.CountCopula(np.array([40.0]), np.array([0.05]), 1.0)
    normal = stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    counts = np.rint(copula.shares(normal, 0) * 40)
    for count in range(8):
        assert (counts <= count).mean() == pytest.approx(stats.binom.cdf(count, 40, 0.05), abs=2e-5)


# Simulation with known truth: right and wrong answers of neighbours correlate by 0, 0.41 and 0.71 (latent 0, 0.6 and 0.9).
@pytest.mark.parametrize("latent", [0.0, 0.6, 0.9])
def test_null_models_are_calibrated_where_the_covariance_is_given(latent):
    n_curves = 400
    slack = 3 * np.sqrt(0.05 * 0.95 / n_curves)
    for truth in (np.full(9, 0.4), SMOOTH):
        scores, covariance = shared_questions.curves(truth, 500, latent, n_curves, seed=6)
        table = p_values(scores, covariance, n_examples=500)
        assert (table["noise"] == "covariance").all()
        assert 0.05 - slack <= (table["p_smooth"] <= 0.05).mean() <= 0.05 + slack
        if truth is not SMOOTH:
            assert 0.05 - slack <= (table["p_flat"] <= 0.05).mean() <= 0.05 + slack
        # what is known of the correlation is not assumed
        assert table["p_flat_shared"].equals(table["p_flat"])


def test_shared_questions_that_are_not_known_are_answered_both_ways():
    # The flat truth of the table in the design: independent noise rejects too often, assumed correlation of 0.5 does not.
    scores, _ = shared_questions.curves(np.full(9, 0.4), 500, 0.6, 600, seed=7)
    table = p_values(scores, n_examples=500)
    assert (table["p_flat"] <= 0.05).mean() > 0.06
    assert (table["p_flat_shared"] <= 0.05).mean() <= 0.06
    again = p_values(scores[:50], n_examples=500, shared_questions=0.5)
    # the assumption of the study and the second one are then the same
    assert again["p_flat"].equals(again["p_flat_shared"])
    assert again["p_flat"].equals(table["p_flat_shared"].iloc[:50])


def test_estimated_correlations_are_shrunk_by_hand():
    # three models, 0.9, 0.3 and 0.0: rho is (0.9 + 0.3) / 2 = 0.6, so the target has 0.36 between the ends. The weight is the sum
    # of the errors, (1 - r^2)^2 / (n - 1), over that of the squared distances from the target
    given = np.array([[1, 0.9, 0.0], [0.9, 1, 0.3], [0.0, 0.3, 1]])
    known = sampling([0.2, 0.5, 0.8], n_examples=101, covariance=0.01 * given[None], proportion=False)
    weight = (0.19**2 + 0.91**2 + 1) / 100 / 0.3096
    assert known.shrinkage[0] == pytest.approx(weight)
    expected = [0.9 - 0.3 * weight, 0.3 + 0.3 * weight, 0.36 * weight]
    np.testing.assert_allclose(known.correlation[0][[0, 1, 0], [1, 2, 2]], expected, atol=1e-12)
    assert known.questions[0] == 101
    # a covariance that is not known to be an estimate stays as it is
    exact = sampling([0.2, 0.5, 0.8], covariance=0.01 * given[None], proportion=False)
    np.testing.assert_allclose(exact.correlation[0], given, atol=1e-12)
    assert (exact.shrinkage[0], exact.questions[0]) == (0, np.inf)


@pytest.mark.parametrize(
    ("pairs", "most"),
    [
        # of the shape that is shrunk to: far nearer
        (lambda apart: 1.0 * (apart == 0), 0.3),
        (lambda apart: 0.6**apart, 0.5),
        # all pairs alike, which is not that shape: no further
        (lambda apart: np.where(apart == 0, 1, 0.5), 1.05),
    ],
)
def test_shrunk_correlations_are_nearer_to_the_truth(pairs, most):
    # Simulation with known truth.
    truth = pairs(np.abs(np.subtract.outer(np.arange(10), np.arange(10))))
    samples = np.random.default_rng(9).standard_normal((100, 40, 10)) @ np.linalg.cholesky(truth).T
    covariance = np.array([np.cov(sample.T) / 40 for sample in samples])
    errors = [
        np.square(
            sampling(samples.mean(axis=1), n_examples=n, covariance=covariance, proportion=False).correlation - truth
        ).mean()
        for n in (np.nan, 40)
    ]
    assert errors[1] < most * errors[0]
