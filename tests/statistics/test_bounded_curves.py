"""The bounded class of smooth curves: scipy's bounded least squares, identities, and simulation with known truth."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from emergence.statistics import bounded_curves, noise
from emergence.statistics.smooth_curves import standard_logistic


def by_class(scores, *, n_examples=np.nan, stderr=np.nan, proportion=True, bounds=(0, 1), step=0.45, draws=199, keys=None):
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    shape = scores.shape
    filled = (np.broadcast_to(np.asarray(value, dtype=float), shape) for value in (n_examples, 1, stderr))
    known = noise.sampling_noise(scores, *filled, np.full(shape[0], proportion))
    scales = np.broadcast_to(10.0 ** (8 + step * np.arange(shape[1])), shape)
    low, high = (np.full(shape[0], float(bound)) for bound in bounds)
    keys = keys or [f"curve {number}" for number in range(shape[0])]
    return bounded_curves.bounded_class_p_values(scores, scales, known, low, high, keys, seed=1, draws=draws)


def test_bounded_deviances_agree_with_scipy():
    # Independent implementation: scipy.optimize.lsq_linear with both ends within 0 and 1. Shapes that lose anyway are not finished.
    generator = np.random.default_rng(0)
    shapes = standard_logistic(np.linspace(0, 4, 7)[:, None], generator.uniform(-1, 5, 30), generator.uniform(1.5, 4, 30))
    for scores in (generator.uniform(-0.5, 1.5, 7), generator.uniform(0, 1, 7), np.zeros(7)):
        low, high = 1 - shapes, shapes
        moments = bounded_curves._Moments(*((a * b).sum(axis=0) for a, b in ((low, low), (low, high), (high, high))))
        found = bounded_curves._deviances(np.square(scores).sum(keepdims=True), scores @ low, scores @ high, moments, True)
        expected = [
            2 * lsq_linear(np.column_stack([low[:, k], high[:, k]]), scores, bounds=(-1e-12, 1 + 1e-12)).cost for k in range(30)
        ]
        assert found.min() == pytest.approx(min(expected), abs=1e-6)
        finished = np.isfinite(found)
        np.testing.assert_allclose(found[finished], np.array(expected)[finished], atol=1e-6)


@pytest.mark.parametrize("mirror", [-1, 1])
def test_gompertz_rises_from_ten_to_ninety_per_cent_in_its_decades(mirror):
    # Hand-worked: half a rise either side of the midpoint.
    ends = bounded_curves.standard_gompertz(np.array([8.25, 9.75]), 9.0, 1.5, mirror)
    assert ends == pytest.approx([0.1, 0.9])


def test_results_do_not_depend_on_the_other_curves_or_on_their_order():
    scores = np.random.default_rng(1).binomial(60, np.where(np.arange(8) > 5, 0.6, 0.3), size=(12, 8)) / 60
    keys = [f"task {number}" for number in range(12)]
    together = by_class(scores, n_examples=60, keys=keys)
    assert (together["status_class"] == "ok").sum() > 2
    for place in (0, 7):
        alone = by_class(scores[[place]], n_examples=60, keys=[keys[place]])
        assert together.iloc[place].equals(alone.iloc[0].rename(place))


@pytest.mark.parametrize(
    ("scores", "options", "status"),
    [
        ([0.3] * 8, {"n_examples": 50}, "constant"),
        ([0.2, 0.3, 0.4, 0.5], {"n_examples": 50}, "too_few_scales"),
        ([0.2, 0.3, 0.4, 0.5, 0.6], {}, "too_few_scales"),
        ([0.2, np.nan, 0.4, 0.5, 0.6], {"n_examples": 50}, "missing_score"),
        ([0.2, 0.25, 0.3, 0.35, 0.4, 0.45], {"n_examples": 50}, "no_gain"),
        ([0.2, 0.2, 0.2, 0.2, 0.2, 0.9, 0.9], {}, "exact_fit"),
        ([0.2, 0.2, 0.2, 0.2, 0.2, 0.9, 0.9], {"n_examples": 50}, "ok"),
    ],
)
def test_degenerate_curves_have_a_status_and_no_invented_number(scores, options, status):
    found = by_class(scores, **options).iloc[0]
    assert found["status_class"] == status
    assert np.isnan(found["p_class"]) == (status not in ("ok", "constant", "no_gain"))
    if status in ("constant", "no_gain"):
        assert found["p_class"] == 1


@pytest.mark.parametrize("place", [11, 10, 6])
def test_jumps_are_found_wherever_they_are(place):
    # Simulation with known truth: 0.02 to 0.4 among 12 scales, the case of the design (power .92 at the largest).
    scores = np.random.default_rng(2).binomial(200, np.where(np.arange(12) >= place, 0.4, 0.02), size=(100, 12)) / 200
    assert (by_class(scores, n_examples=200)["p_class"] <= 0.05).mean() > 0.9


def test_without_bounds_a_jump_at_the_end_is_the_foot_of_a_rise():
    scores = np.random.default_rng(3).binomial(200, np.where(np.arange(12) >= 11, 0.4, 0.02), size=(60, 12)) / 200
    bounded = (by_class(scores, n_examples=200)["p_class"] <= 0.05).mean()
    opened = (by_class(scores, n_examples=200, bounds=(np.nan, np.nan))["p_class"] <= 0.05).mean()
    assert opened < bounded - 0.3


@pytest.mark.parametrize("n_scales", [5, 8, 12])
def test_smooth_truths_are_not_called_sharp(n_scales):
    # Simulation with known truth, in and near the class.
    x = 0.45 * np.arange(n_scales)
    along = x / x[-1]
    truths = {
        "flat": np.full(n_scales, 0.3),
        "line": 0.2 + 0.5 * along,
        "logistic": 0.25 + 0.6 * standard_logistic(x, 0.6 * x[-1], 1.5),
        "late logistic": 0.25 + 0.6 * standard_logistic(x, 0.9 * x[-1], 1.5),
        "gompertz": 0.05 + 0.8 * bounded_curves.standard_gompertz(x, 0.7 * x[-1], 1.5, -1),
        "U": 0.5 - 1.2 * along * (1 - along),
        "p^5": (0.6 + 0.08 * x) ** 5,
    }
    generator = np.random.default_rng(4)
    for truth in truths.values():
        scores = generator.binomial(400, truth, size=(150, n_scales)) / 400
        assert (by_class(scores, n_examples=400)["p_class"] <= 0.05).mean() <= 0.07 + 3 * np.sqrt(0.05 * 0.95 / 150)
