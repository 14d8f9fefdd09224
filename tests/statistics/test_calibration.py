"""The measured calibration: the page is made from the table, and the table holds what is asked of the tests."""

import numpy as np
import pandas as pd
import pytest

from conftest import benchmark


@pytest.fixture(scope="module")
def measure_calibration():
    return benchmark("measure_calibration")


def test_the_page_is_made_from_the_table(measure_calibration):
    tables = (measure_calibration.TABLE, measure_calibration.OUTPUTS_TABLE)
    page = measure_calibration.describe(*map(pd.read_csv, tables))
    assert measure_calibration.PAGE.read_text(encoding="utf-8") == page


def test_shares_where_the_covariance_is_given(measure_calibration):
    # Asked for: .03 to .07, for the tests of |E| under the truths that they are about.
    table = pd.read_csv(measure_calibration.TABLE)
    table = table[(table["noise"] == "shared, covariance given") & (table["n_examples"] >= measure_calibration.LOWER_FROM)]
    for test in ("flat", "smooth"):
        share, _ = measure_calibration.pooled(measure_calibration.nulls_of(table, test), test)
        assert 0.03 <= share <= 0.07


@pytest.mark.parametrize("noise", ["binomial", "shared, covariance given"])
def test_shares_of_the_tests_that_sharp_rests_on(measure_calibration, noise):
    # Asked for: at most .07 under each of the eight truths, from 200 examples on; two standard errors are allowed for.
    table = pd.read_csv(measure_calibration.TABLE)
    own = table[(table["noise"] == noise) & (table["n_examples"] >= measure_calibration.LOWER_FROM)]
    for kind in measure_calibration.NULLS:
        for test in ("smooth", "class", "largest", "jump"):
            share, error = measure_calibration.pooled(own[own["truth"] == kind], test)
            assert share <= 0.07 + 2 * error, (kind, test)


def test_truths_are_as_described(measure_calibration):
    # Every truth is a share, and p^L rises at no place faster than a logistic whose middle 80 % takes 1.5 decades.
    generator = np.random.default_rng(0)
    for x in measure_calibration.SPACINGS.values():
        assert (np.diff(x) > 0).all()
        fine = np.linspace(x[0], x[-1], 400)
        for kind in (*measure_calibration.NULLS, *measure_calibration.JUMPS):
            for _ in range(20):
                curve = measure_calibration.truth(kind, fine if kind.startswith("p^") else x, generator)
                assert ((curve > 0) & (curve < 1)).all()
                if kind.startswith("p^"):
                    logit = np.log(curve / (1 - curve))
                    assert np.diff(logit).max() / (fine[1] - fine[0]) <= 2 * np.log(9) / 1.5 * 1.02


def test_shared_questions_have_the_covariance_that_is_given(measure_calibration):
    # Simulation: the mean of the estimated covariances is the covariance of the scores over many test sets.
    generator = np.random.default_rng(1)
    truths = np.broadcast_to([0.2, 0.4, 0.5, 0.6], (4000, 4))
    scores, covariance = measure_calibration.sample(truths, 50, "shared, covariance given", generator)
    np.testing.assert_allclose(covariance.mean(axis=0), np.cov(scores.T), atol=4e-4)
    assert measure_calibration.sample(truths[:3], 50, "shared, not known", generator)[1] is None


def test_beta_binomial_scores_have_the_dispersion_that_is_stated(measure_calibration):
    # Hand-worked: variance p (1 - p) / n * (1 + (n - 1) rho), 0.25 / 100 * 1.99.
    scores, _ = measure_calibration.sample(np.full((20_000, 1), 0.5), 100, "beta-binomial", np.random.default_rng(2))
    assert scores.var() == pytest.approx(0.0025 * 1.99, rel=0.03)


def test_shares_where_the_covariance_is_estimated_from_outputs(measure_calibration):
    # Asked for: .03 to .07, by number of questions and models; three standard errors of the simulation are allowed for.
    table = pd.read_csv(measure_calibration.OUTPUTS_TABLE)
    for _, part in table.groupby(["questions", "n_scales"]):
        for test in ("flat", "smooth", "homogeneity", "trend", "class"):
            own = part[~part["rising"]] if test in measure_calibration.OF_FLAT else part
            share, error = measure_calibration.pooled(own, test)
            assert share <= 0.07 + 3 * error
            assert test in ("class", "homogeneity") or share >= 0.03 - 3 * error


@pytest.mark.parametrize(("metric", "structure"), [("probability", "all pairs, 0.6"), ("right or wrong", "neighbours, 0.9")])
def test_few_questions_and_many_models(measure_calibration, metric, structure):
    # Simulation with known truth. Without shrinkage, homogeneity rejects .35 of these probabilities and the class .13 of the counts.
    found = measure_calibration.output_rejections(metric, False, 12, 40, structure, 300, 99, seed=1)
    for test in ("flat", "smooth", "homogeneity", "trend", "class"):
        assert found[test] <= 0.09, test
    assert found["flat"] >= 0.02
    assert found["smooth"] >= 0.02
