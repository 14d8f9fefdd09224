"""The paper's model in closed form: against the published parameters' table, numerical integration, and simulation."""

import numpy as np
import pytest
from scipy import integrate, stats

from emergence.curves import sharpness
from emergence.outputs import paper_model

EVEN = {
    # of the paper's Figure 2
    "paper": (3.5e8, 1.3e9, 6.7e9, 2e11),
    "8": np.geomspace(3.5e8, 2e11, 8),
    "12": np.geomspace(3.5e8, 2e11, 12),
    "low": np.geomspace(1e8, 1e10, 8),
}

# worked out apart from this code, from the parameters of the paper's Figure 2; three decimals are given
KNOWN = {
    1: (2.807, 6.386, 10.821, 6.144),
    2: (3.221, 6.719, 10.302, 7.415),
    3: (4.354, 6.318, 9.311, 12.681),
    4: (6.358, 5.390, 8.426, 23.990),
    5: (9.616, 6.326, 9.923, 47.669),
    "log": (3.300, 10.244, 16.179, 8.613),
    "brier": (2.550, 7.699, 12.156, 7.047),
    "grade": (2.693, 7.683, 10.234, 5.614),
}


def expected(p, metric):
    if metric == "log":
        return np.log(p)
    if metric == "brier":
        return -paper_model.brier_score(p, 2, 0)
    if metric == "grade":
        return paper_model.multiple_choice_grade(p, 2, 1)
    return paper_model.exact_match(p, metric)


@pytest.mark.parametrize("metric", KNOWN)
def test_emergence_scores_in_closed_form(metric):
    found = [
        sharpness.emergence_score(expected(paper_model.token_probability("power_law", sizes), metric)) for sizes in EVEN.values()
    ]
    np.testing.assert_allclose(found, KNOWN[metric], atol=1e-3)


@pytest.mark.parametrize(("length", "known"), [(10, (86.88, 20.30, 33.46, 1872)), (20, (7534, 332.4, 682.3, 3.4e6))])
def test_long_answers(length, known):
    p = [paper_model.token_probability("power_law", sizes) for sizes in EVEN.values()]
    found = [sharpness.emergence_score(paper_model.exact_match(values, length)) for values in p]
    np.testing.assert_allclose(found, known, rtol=0.02 if length == 20 else 5e-4)


def test_items_alike_have_no_finite_score():
    p = paper_model.token_probability("power_law", EVEN["8"])
    grade = paper_model.multiple_choice_grade(p, 2, 0)
    assert set(grade) == {0.0, 1.0}
    assert sharpness.status(grade) == sharpness.ZERO_MEDIAN_STEP


def test_a_break_is_sharp_under_every_metric():
    p = paper_model.token_probability("break", EVEN["8"])
    assert (p[0], p[-1]) == pytest.approx((0.1, 0.9))
    # 7 steps, of which 6 are a seventh of the drift of 0.02
    np.testing.assert_allclose(np.delete(np.diff(p), 3), 0.02 / 7)
    assert sharpness.emergence_score(p) == pytest.approx(280, abs=0.5)
    assert sharpness.emergence_score(-paper_model.brier_score(p, 2, 0)) == pytest.approx(157, abs=0.5)
    assert sharpness.emergence_score(np.log(p)) == pytest.approx(82, abs=0.5)


@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0, 10.0])
@pytest.mark.parametrize("n_choices", [2, 4])
def test_expectations_over_items_against_adaptive_quadrature(spread, n_choices):
    p = np.array([0.05, 0.3, 0.7, 0.999])
    functions = {
        "brier": (paper_model.brier_score(p, n_choices, spread), lambda right: (1 - right) ** 2 / (n_choices - 1)),
        "probability": (paper_model.correct_probability(p, spread), lambda right: right),
        "log": (paper_model.log_probability(p, spread), np.log),
    }
    for found, score in functions.values():
        for value, probability in zip(found, p, strict=True):

            def integrand(deviate, probability=probability, score=score):
                odds = probability / (1 - probability) * np.exp(spread * deviate)
                return stats.norm.pdf(deviate) * score(odds / (1 + odds))

            truth = integrate.quad(integrand, -9, 9, epsabs=1e-11, limit=500)[0]
            assert value == pytest.approx(truth, abs=1e-8)


def test_the_brier_score_is_the_mean_over_choices_of_the_squared_error():
    right, n_choices = 0.4, 4
    errors = [(1 - right) ** 2] + 3 * [(0.6 / 3) ** 2]
    assert paper_model.brier_score(np.array([right]), n_choices, 0)[0] == pytest.approx(np.mean(errors))


def test_grades_against_a_draw_of_items():
    p, spread, n_choices = np.array([0.1, 0.25, 0.6]), 1.5, 3
    deviates = np.random.default_rng(1).standard_normal(200_000)
    right = paper_model.item_probabilities(p, spread, deviates)
    share = (right > (1 - right) / (n_choices - 1)).mean(axis=1)
    truth = paper_model.multiple_choice_grade(p, n_choices, spread)
    np.testing.assert_allclose(share, truth, atol=5 * 0.5 / np.sqrt(len(deviates)))
