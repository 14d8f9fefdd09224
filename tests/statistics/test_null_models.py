"""The null models: exact enumeration, identities, and simulation with known truth."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import truths
from emergence.curves import sharpness
from emergence.statistics import null_models
from emergence.statistics.noise import sampling_noise
from emergence.statistics.smooth_curves import fit_smooth


def p_values(scores, *, n_examples=np.nan, scales=None, stderr=np.nan, n_models=1, proportion=True, bounds=(0, 1), **options):
    """null_p_values with one setting for all curves."""
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    shape = scores.shape
    scales = 10.0 ** (8 + 0.45 * np.arange(shape[1])) if scales is None else scales
    return null_models.null_p_values(
        scores,
        np.broadcast_to(scales, shape),
        np.broadcast_to(np.asarray(n_examples, dtype=float), shape),
        np.broadcast_to(np.asarray(n_models, dtype=float), shape),
        np.broadcast_to(np.asarray(stderr, dtype=float), shape),
        np.full(shape[0], proportion),
        np.full(shape[0], float(bounds[0])),
        np.full(shape[0], float(bounds[1])),
        options.pop("keys", [f"curve {number}" for number in range(shape[0])]),
        **{"seed": 1, "draws": 99} | options,
    )


@given(hnp.arrays(np.float64, st.tuples(st.integers(3, 20), st.just(1), st.just(3)), elements=st.integers(0, 6).map(float)))
def test_the_kernel_agrees_with_the_emergence_score_one_curve_at_a_time(curves):
    # Independent implementation: sharpness.emergence_score, which sorts by numpy.median.
    expected = sharpness.emergence_score(np.moveaxis(curves, 0, -1))
    median, squared_range = null_models._squared_median_and_range(curves.copy())
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sqrt(squared_range / median)
    found = np.where(squared_range == 0, 0.0, np.where(median == 0, np.nan, found))
    np.testing.assert_allclose(found, np.abs(expected), rtol=1e-12)


def enumerated_flat_p(counts, trials):
    """P(E* >= E) over all outcomes of the flat null model with binomial noise, an infinite E ranking highest."""
    level = sum(counts) / (trials * len(counts))
    weights = {k: nulls_binomial(k, trials, level) for k in range(trials + 1)}

    def sharpness_of(outcome):
        score = sharpness.emergence_score(np.array(outcome, dtype=float))
        return np.inf if np.isnan(score) else abs(score)

    observed = sharpness_of(counts)
    outcomes = itertools.product(range(trials + 1), repeat=len(counts))
    return sum(np.prod([weights[k] for k in outcome]) for outcome in outcomes if sharpness_of(outcome) >= observed - 1e-12)


def nulls_binomial(k, n, p):
    from math import comb

    return comb(n, k) * p**k * (1 - p) ** (n - k)


def test_flat_p_value_of_four_single_answers():
    # Hand-worked: scores 0, 0, 0, 1 with one example each have steps 0, 0, 1 and an infinite E; at p = 1/4 the curves with one
    # change have it: 0001, 1000 (27/256 each), 0011, 1100 (9/256 each), 0111, 1110 (3/256 each), which is 78/256.
    table = p_values([[0, 0, 0, 1]], n_examples=1, draws=250)
    assert enumerated_flat_p((0, 0, 0, 1), 1) == pytest.approx(78 / 256)
    assert table["p_flat"][0] == pytest.approx(78 / 256, abs=0.1)


@pytest.mark.parametrize(("counts", "trials"), [((0, 0, 0, 1), 1), ((0, 1, 2, 3), 3), ((0, 0, 0, 3), 3), ((1, 0, 2, 2), 2)])
def test_flat_p_value_agrees_with_enumeration_of_all_outcomes(counts, trials):
    # Many keys for one curve: every p-value may rest on the first look only, their mean does not.
    table = p_values([np.array(counts) / trials] * 80, n_examples=trials, draws=20_000)
    assert table["p_flat"].mean() == pytest.approx(enumerated_flat_p(counts, trials), abs=0.015)


def test_a_simulation_that_stops_early_does_so_only_where_p_is_large():
    # The stopping rule is met with 50 of 250 draws, so a stopped curve has p of at least 51 / 251.
    scores = np.random.default_rng(6).binomial(200, 0.4, size=(300, 8)) / 200
    p = p_values(scores, n_examples=200, draws=2000)["p_flat"]
    stopped = np.isclose(p * 251, np.round(p * 251), atol=1e-9) & ~np.isclose(p * 2001, np.round(p * 2001), atol=1e-9)
    assert 0.5 < stopped.mean() < 0.95
    assert p[stopped].min() >= 51 / 251
    # Under a true null the p-values stay uniform below that.
    for level in (0.05, 0.1, 0.2):
        assert (p <= level).mean() == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 300))


def test_published_rounding_does_not_break_ties():
    exact = np.array([1 / 3, 2 / 3, 1 / 3, 2 / 3, 1 / 3])
    rounded = np.round(exact, 4)
    assert p_values(rounded, n_examples=3)["p_flat"].equals(p_values(exact, n_examples=3)["p_flat"])


def test_simulated_curves_of_the_smooth_null_have_the_fit_of_the_observed_one():
    # Identity: the model draws curves given the fit, so smoothing them gives the fit back.
    generator = np.random.default_rng(3)
    scores = 20 + generator.normal(size=(4, 9)).cumsum(axis=1)
    unknown = np.full(scores.shape, np.nan)
    noise = sampling_noise(scores, unknown, np.ones(scores.shape), np.full(scores.shape, 0.7), np.zeros(4, dtype=bool))
    fit = fit_smooth(scores, np.broadcast_to(10.0 ** np.linspace(7, 11, 9), scores.shape), noise)
    out = np.empty((9, 4, 50), dtype=np.float32)
    open_bounds = np.full(4, np.nan)
    fill = null_models.smooth_filler(fit, noise, open_bounds, open_bounds)
    fill(np.arange(4), [np.random.default_rng(number) for number in range(4)], out)
    simulated = np.moveaxis(out, 0, 1).astype(float) * 0.7 + fit.fitted.mean(axis=1)[:, None, None]
    refitted = fit.smoother @ simulated
    np.testing.assert_allclose(refitted, np.broadcast_to(fit.fitted[:, :, None], refitted.shape), atol=1e-4)


def test_residual_noise_is_held_at_the_observed_scatter():
    # Identity: with noise of unknown size the simulated curves lie as far from the fit as the observed one.
    generator = np.random.default_rng(4)
    scores = generator.normal(size=(3, 10))
    unknown = np.full(scores.shape, np.nan)
    noise = sampling_noise(scores, unknown, np.ones(scores.shape), unknown, np.zeros(3, dtype=bool))
    fit = fit_smooth(scores, np.broadcast_to(10.0 ** np.linspace(7, 11, 10), scores.shape), noise)
    out = np.empty((10, 3, 40), dtype=np.float32)
    fill = null_models.smooth_filler(fit, noise, np.full(3, np.nan), np.full(3, np.nan))
    fill(np.arange(3), [np.random.default_rng(number) for number in range(3)], out)
    unit = np.sqrt(fit.variance).max(axis=1)
    simulated = np.moveaxis(out, 0, 1) * unit[:, None, None] + fit.fitted.mean(axis=1)[:, None, None]
    scatter = np.square(simulated - fit.fitted[:, :, None]).sum(axis=1)
    observed = np.square(scores - fit.fitted).sum(axis=1)
    np.testing.assert_allclose(scatter, np.broadcast_to(observed[:, None], scatter.shape), rtol=1e-4)


def simulated_curves(n_curves, n_scales, n_examples, seed=2):
    truth = np.linspace(0.25, 0.6, n_scales)
    return np.random.default_rng(seed).binomial(n_examples, truth, size=(n_curves, n_scales)) / n_examples


def test_results_depend_on_seed_and_key_only():
    scores = simulated_curves(40, 8, 100)
    keys = [f"task {number}" for number in range(40)]
    together = p_values(scores, n_examples=100, keys=keys, draws=1500)
    order = np.random.default_rng(0).permutation(40)
    shuffled = p_values(scores[order], n_examples=100, keys=[keys[place] for place in order], draws=1500)
    alone = p_values(scores[7:8], n_examples=100, keys=keys[7:8], draws=1500)
    other_seed = p_values(scores, n_examples=100, keys=keys, draws=1500, seed=2)
    for column in ("p_flat", "p_smooth", "p_flat_shared", "p_smooth_shared"):
        assert (together[column].to_numpy()[order] == shuffled[column].to_numpy()).all()
        assert together[column][7] == alone[column][0]
    assert (together["p_smooth"] != other_seed["p_smooth"]).any()


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.01, 1000), shift=st.floats(-100, 100))
def test_p_values_do_not_depend_on_the_unit_of_the_score(factor, shift):
    # Identity: E, and noise of a published size, move with the unit. Rounding may turn a tie, so a draw or two of slack.
    scores = np.random.default_rng(5).normal(size=(3, 8)).cumsum(axis=1)
    bounds = (np.nan, np.nan)
    plain = p_values(scores, stderr=0.5, proportion=False, bounds=bounds)
    moved = p_values(scores * factor + shift, stderr=0.5 * factor, proportion=False, bounds=bounds)
    for column in ("p_flat", "p_smooth"):
        np.testing.assert_allclose(plain[column], moved[column], atol=0.021)


def test_noise_kind_of_each_curve_is_recorded():
    scores = simulated_curves(1, 8, 100)
    assert p_values(scores, n_examples=100)["noise"][0] == "binomial"
    assert p_values(scores, n_examples=[100] * 7 + [np.nan])["noise"][0] == "residual"
    assert p_values(scores, stderr=0.05)["noise"][0] == "stderr"
    assert p_values(scores, stderr=[0.05] * 7 + [0.0])["noise"][0] == "residual"
    assert p_values(scores, n_examples=100, proportion=False)["noise"][0] == "residual"


@pytest.mark.parametrize(
    ("scores", "options", "flat", "smooth"),
    [
        ([0.3] * 8, {"n_examples": 50}, "constant", "constant"),
        ([0.0] * 8, {"n_examples": 50}, "constant", "constant"),
        ([0.0] * 8, {}, "constant", "constant"),
        ([0, 0, 0, 0, 0, 0, 1, 1], {"n_examples": 1}, "ok", "ok"),
        ([0.2, 0.4], {"n_examples": 50}, "too_few_scales", "too_few_scales"),
        ([0.2], {"n_examples": 50}, "too_few_scales", "too_few_scales"),
        ([0.2, 0.3, 0.5], {"n_examples": 50}, "too_few_scales", "too_few_scales"),
        ([0.2, 0.3, 0.5, 0.45], {"n_examples": 50}, "ok", "too_few_scales"),
        ([0.2, 0.3, 0.5, 0.45, 0.6], {"n_examples": 50}, "ok", "ok"),
        ([0.2, 0.3, 0.5, 0.45, 0.6], {}, "ok", "too_few_scales"),
        ([0.2, 0.3, 0.5, 0.45, 0.6, 0.65], {}, "ok", "ok"),
        ([0, 0, 0, 0, 0, 0, 0.1, 0.4], {}, "zero_median_step", "zero_median_step"),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], {}, "ok", "exact_fit"),
        ([0.1, 0.2, np.nan, 0.4, 0.5, 0.6, 0.7, 0.8], {"n_examples": 50}, "missing_score", "missing_score"),
        ([0.1, 0.2, 0.4, 0.3, 0.6], {"n_examples": 50, "scales": [1, 2, 2, 3, 4]}, "invalid_scales", "invalid_scales"),
        ([0.1, 0.2, 0.4, 0.3, 0.6], {"n_examples": 50, "scales": [0, 1, 2, 3, 4]}, "invalid_scales", "invalid_scales"),
        ([0.1, 0.2, 0.4, 0.3, 0.6], {"n_examples": 50, "scales": [1, 2, np.nan, 3, 4]}, "invalid_scales", "invalid_scales"),
    ],
)
def test_degenerate_curves_have_a_status_and_no_invented_number(scores, options, flat, smooth):
    table = p_values([scores], **options)
    assert (table["status_flat"][0], table["status_smooth"][0]) == (flat, smooth)
    for null, status in (("flat", flat), ("smooth", smooth)):
        p_value = table[f"p_{null}"][0]
        if status == "ok":
            assert 0 < p_value <= 1
        elif status == "constant":
            assert p_value == 1
        else:
            assert np.isnan(p_value)


def test_a_zero_median_step_ranks_as_the_sharpest_curve_there_is():
    # Hand-worked: with one example each, scores are 0 or 1. Half the steps or more are zero in all curves that are as sharp, so p
    # is the chance of at most five changes among eleven steps that is not no change; at a level of 1/12 that is nearly certain.
    generator = np.random.default_rng(0)
    drawn = generator.binomial(1, 1 / 12, size=(20_000, 12))
    changes = np.abs(np.diff(drawn, axis=1)).sum(axis=1)
    expected = ((changes > 0) & (changes <= 5)).mean()
    table = p_values([[0] * 11 + [1]], n_examples=1, draws=250)
    assert table["p_flat"][0] == pytest.approx(expected, abs=0.09)


def test_empty_batch_gives_an_empty_table():
    table = null_models.null_p_values(
        *(np.empty((0, 6)) for _ in range(5)), np.empty(0, dtype=bool), np.empty(0), np.empty(0), [], seed=1, draws=10
    )
    assert len(table) == 0
    assert list(table.columns) == [
        "noise",
        *("p_flat", "p_flat_shared", "status_flat", "p_smooth", "p_smooth_shared", "status_smooth"),
    ]


@pytest.mark.parametrize("wrong", [{"keys": ["a", "a"]}, {"keys": ["a"]}, {"draws": 0}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=r"key|draws"):
        p_values(simulated_curves(2, 6, 50), n_examples=50, **wrong)


# The quick grid: the full one is benchmarks/measure_calibration.py. Simulation with known truth.
CURVES, DRAWS = 300, 99
QUICK_TRUTHS = (
    "line 0.2 to 0.7",
    "logistic 0.25 to 0.9, rise 1.5, midpoint 0.5",
    "logistic 0.25 to 0.9, rise 2.5, midpoint 0.7",
    "logistic 0 to 1, rise 4, midpoint 0.5",
    "saturating",
)


@pytest.mark.parametrize("n_examples", [50, 200, 2000])
@pytest.mark.parametrize("n_scales", [5, 8, 12])
def test_null_models_are_calibrated(n_scales, n_examples):
    log_scales = 8 + 0.45 * np.arange(n_scales)
    smooth = truths.smooth_truths(log_scales)
    named = {name: smooth[name] for name in QUICK_TRUTHS} | {"flat at 0.25": truths.flat_truths(n_scales)["flat at 0.25"]}
    shares = {
        name: truths.rejection_shares(truth, log_scales, n_examples, curves=CURVES, draws=DRAWS, seed=number)
        for number, (name, truth) in enumerate(named.items())
    }
    one_cell = 3 * np.sqrt(0.05 * 0.95 / CURVES)
    assert max(share for _, share in shares.values()) <= 0.07 + one_cell
    assert shares["flat at 0.25"][0] <= 0.07 + one_cell
    together = np.mean([share for _, share in shares.values()])
    assert together <= 0.07
    if n_examples >= 200:
        assert together >= 0.03


def test_a_jump_is_found_and_a_smooth_rise_of_the_same_height_is_not():
    log_scales = 8 + 0.45 * np.arange(12)
    jump = truths.jump_truths(12)["jump 0.02 to 0.4, half of the scales after it"]
    rise = 0.02 + 0.38 * (truths.smooth_truths(log_scales)["logistic 0 to 1, rise 1.5, midpoint 0.5"])
    found_jump = truths.rejection_shares(jump, log_scales, 2000, curves=200, draws=99, seed=1)
    found_rise = truths.rejection_shares(rise, log_scales, 2000, curves=200, draws=99, seed=1)
    assert found_jump[1] > 0.5
    assert found_rise[1] < 0.12
    # Against the flat null model both are far too sharp.
    assert min(found_jump[0], found_rise[0]) > 0.9
