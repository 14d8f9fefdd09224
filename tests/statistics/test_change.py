"""Homogeneity and trend: exact permutation moments, scipy, statsmodels, and simulation with known truth."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

import shared_questions
from emergence.statistics import change, noise

LOG_SCALES = 8 + 0.45 * np.arange(6)


def changes(scores, *, n_examples=np.nan, stderr=np.nan, n_models=1, covariance=None, proportion=True, scatter=None, shared=0.0):
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    shape = scores.shape
    filled = (np.broadcast_to(np.asarray(value, dtype=float), shape) for value in (n_examples, n_models, stderr))
    known = noise.sampling_noise(scores, *filled, np.full(shape[0], proportion), covariance, shared)
    scales = np.broadcast_to(10.0 ** (8 + 0.45 * np.arange(shape[1])), shape)
    return change.change_tests(scores, scales, known, scatter)


def test_moments_of_pearsons_statistic_are_those_of_all_tables_with_the_same_margins():
    # Every way to hand 5 right answers to scales of 3, 2, 4 and 3 examples, weighted by the hypergeometric probability.
    trials, right = np.array([3, 2, 4, 3]), 5
    share = right / trials.sum()
    values, weights = [], []
    for counts in np.ndindex(*(trials + 1)):
        if sum(counts) == right:
            weights.append(np.prod([stats.binom.pmf(k, n, 0.5) for k, n in zip(counts, trials, strict=True)]))
            values.append((np.square(np.array(counts) - trials * share) / (trials * share * (1 - share))).sum())
    mean = np.average(values, weights=weights)
    variance = np.average(np.square(values - mean), weights=weights)
    found = change._pearson_moments(trials[None].astype(float), np.array([5.0]))
    assert (found[0][0], found[1][0]) == pytest.approx((mean, variance))


def test_counts_are_tested_as_scipy_and_statsmodels_do():
    right = np.array([48, 55, 61, 50, 70, 66])
    found = changes(right / 200, n_examples=200).iloc[0]
    plain = stats.chi2_contingency([right, 200 - right], correction=False).pvalue
    assert found["p_homogeneity"] == pytest.approx(plain, rel=0.03)
    table = sm.stats.Table(np.column_stack([200 - right, right]), shift_zeros=False)
    # statsmodels' linear-by-linear test has the same statistic (N - 1 in its variance)
    expected = table.test_ordinal_association(row_scores=LOG_SCALES, col_scores=np.array([0.0, 1.0])).pvalue
    assert found["p_trend"] == pytest.approx(expected, rel=1e-9)


def test_noise_of_known_size_is_tested_as_statsmodels_least_squares():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=6)
    root = generator.normal(size=(6, 6))
    covariance = root @ root.T + np.eye(6)
    found = changes(scores, covariance=covariance[None], proportion=False).iloc[0]
    constant = sm.GLS(scores, np.ones(6), sigma=covariance).fit()
    line = sm.GLS(scores, sm.add_constant(LOG_SCALES), sigma=covariance).fit(cov_type="fixed scale", use_t=False)
    assert found["p_homogeneity"] == pytest.approx(stats.chi2.sf(constant.ssr, 5), rel=1e-5)
    assert found["p_trend"] == pytest.approx(line.pvalues[1], rel=1e-5)


def test_noise_of_unknown_size_has_the_t_test_of_the_slope_alone():
    scores = np.random.default_rng(1).normal(size=6)
    found = changes(scores, proportion=False).iloc[0]
    assert np.isnan(found["p_homogeneity"])
    assert found["p_trend"] == pytest.approx(stats.linregress(LOG_SCALES, scores).pvalue)
    assert found["change_noise"] == "residual"


def test_several_models_at_one_scale_are_their_own_noise():
    # Independent implementation: scipy's one-way analysis of variance on the single models.
    models = 0.4 + np.random.default_rng(2).normal(scale=0.2, size=(6, 3))
    scatter = models.var(axis=1, ddof=1)[None]
    found = changes(models.mean(axis=1), n_models=3, scatter=scatter, proportion=False).iloc[0]
    assert found["p_homogeneity"] == pytest.approx(stats.f_oneway(*models).pvalue)
    assert found["change_noise"] == "scatter"
    # with a known test set the larger of the two noises counts: scatter of a hundredth of the sampling noise is not believed
    quiet = changes([0.4, 0.45, 0.42, 0.47, 0.5, 0.52], n_examples=100, n_models=3, scatter=np.full((1, 6), 1e-6)).iloc[0]
    assert quiet["p_homogeneity"] > 0.01


@pytest.mark.parametrize(
    ("scores", "options", "homogeneity", "trend"),
    [
        ([0.3] * 6, {"n_examples": 50}, 1.0, 1.0),
        ([0.3] * 6, {}, np.nan, 1.0),
        ([0.2, 0.3, 0.5], {"n_examples": 50}, np.nan, np.nan),
        ([0.2, np.nan, 0.5, 0.6], {"n_examples": 50}, np.nan, np.nan),
        ([0, 0, 0, 0, 0, 0.02], {"n_examples": 50}, 1.0, None),
    ],
)
def test_degenerate_curves(scores, options, homogeneity, trend):
    found = changes(scores, **options).iloc[0]
    assert found["p_homogeneity"] == pytest.approx(homogeneity, nan_ok=True)
    if trend is not None:
        assert found["p_trend"] == pytest.approx(trend, nan_ok=True)
    else:
        assert 0.05 < found["p_trend"] <= 1


@pytest.mark.parametrize(("n_scales", "n_examples", "level"), [(4, 200, 0.03), (6, 50, 0.25), (12, 50, 0.03), (12, 2000, 0.5)])
def test_flat_truths_are_rejected_in_a_twentieth(n_scales, n_examples, level):
    # Simulation with known truth.
    scores = np.random.default_rng(3).binomial(n_examples, level, size=(4000, n_scales)) / n_examples
    found = changes(scores, n_examples=n_examples)
    for test in ("p_homogeneity", "p_trend"):
        assert 0.035 <= (found[test] <= 0.05).mean() <= 0.062


@pytest.mark.parametrize(("n_scales", "n_examples"), [(12, 60), (5, 50)])
def test_a_covariance_from_few_examples_is_allowed_for(n_scales, n_examples):
    # Simulation with known truth. Referred to chi-squared, as if the covariance were exact, far more would be rejected.
    scores, covariance = shared_questions.curves(np.full(n_scales, 0.4), n_examples, 0.6, 1500, seed=5)
    found = changes(scores, n_examples=n_examples, covariance=covariance)
    for test in ("p_homogeneity", "p_trend"):
        assert 0.03 <= (found[test] <= 0.05).mean() <= 0.07


def test_a_free_covariance_of_a_metric_that_counts_nothing_is_hotelling():
    # Independent implementation, exact: T-squared of the contrasts between neighbours. What is shrunk away is given back as degrees.
    values = np.random.default_rng(8).normal(size=(60, 5)) @ np.array(np.triu(np.ones((5, 5))))
    covariance = np.cov(values.T)[None] / 60
    scores = values.mean(axis=0)[None]
    known = noise.sampling_noise(
        scores, np.full((1, 5), 60.0), np.ones((1, 5)), np.full((1, 5), np.nan), np.zeros(1, dtype=bool), covariance
    )
    # with the estimate as it is, all m - 1 degrees
    free = known._replace(
        correlation=covariance / np.sqrt(np.outer(np.diag(covariance[0]), np.diag(covariance[0]))), shrinkage=np.zeros(1)
    )
    found = change.change_tests(scores, 10.0 ** np.arange(5)[None], free)
    contrasts = np.diff(values, axis=1)
    squared = 60 * contrasts.mean(axis=0) @ np.linalg.solve(np.cov(contrasts.T), contrasts.mean(axis=0))
    assert found["p_homogeneity"].iloc[0] == pytest.approx(stats.f.sf(squared * (60 - 4) / (59 * 4), 4, 60 - 4), rel=1e-6)


def test_hotelling_by_hand():
    # Independent implementation: T-squared of the contrasts between neighbours, from the answers.
    answers = shared_questions.answers(np.linspace(0.35, 0.5, 4), 80, 0.5, np.random.default_rng(6))
    contrasts = np.diff(answers, axis=1)
    mean, spread = contrasts.mean(axis=0), np.cov(contrasts.T)
    squared = 80 * mean @ np.linalg.solve(spread, mean)
    expected = stats.f.sf(squared * (80 - 3) / (79 * 3), 3, 80 - 3)
    covariance = np.cov(answers.T)[None] / 80
    found = changes(answers.mean(axis=0), n_examples=80, covariance=covariance).iloc[0]
    # the variance is that of the answers pooled over the scales, not each scale's own: close, not equal
    assert found["p_homogeneity"] == pytest.approx(expected, rel=0.15)


def test_the_trend_is_found_where_homogeneity_has_little_power():
    truth = np.linspace(0.3, 0.42, 12)
    scores = np.random.default_rng(4).binomial(200, truth, size=(500, 12)) / 200
    found = changes(scores, n_examples=200)
    assert (found["p_trend"] <= 0.05).mean() > (found["p_homogeneity"] <= 0.05).mean() + 0.2
