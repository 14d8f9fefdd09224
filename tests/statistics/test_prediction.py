"""Prediction of hidden scores: hand-worked predictors, numpy.polyfit, and simulation with known truth."""

import numpy as np
import pytest

import truths
from emergence.statistics import noise, null_models, prediction


def predict(scores, *, n_examples=np.nan, stderr=np.nan, proportion=True, scales=None, bounds=(0, 1), **options):
    """predict_hidden with one setting for all curves."""
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    shape = scores.shape
    scales = 10.0 ** (8 + 0.45 * np.arange(shape[1])) if scales is None else scales
    known = noise.sampling_noise(
        scores,
        np.broadcast_to(np.asarray(n_examples, dtype=float), shape),
        np.ones(shape),
        np.broadcast_to(np.asarray(stderr, dtype=float), shape),
        np.full(shape[0], proportion),
    )
    return prediction.predict_hidden(
        null_models.exact_scores(scores, known),
        np.broadcast_to(scales, shape),
        known,
        np.full(shape[0], float(bounds[0])),
        np.full(shape[0], float(bounds[1])),
        **options,
    )


def of(table, predictor):
    return table[table["predictor"] == predictor].reset_index(drop=True)


@pytest.mark.parametrize(("n_scales", "hidden"), [(3, 1), (5, 1), (6, 2), (8, 2), (9, 3), (12, 4)])
def test_a_third_of_the_scales_is_hidden(n_scales, hidden):
    assert prediction.n_hidden_scales(n_scales) == hidden


def test_no_change_predicts_the_last_score_seen():
    # Hand-worked: last seen 0.4, hidden 0.5 and 0.7, errors 0.1 and 0.3; noise sd 0.1.
    table = of(predict([0.1, 0.2, 0.3, 0.4, 0.5, 0.7], stderr=0.1, hidden=2), "no_change")
    assert table["mean_absolute_error"][0] == pytest.approx(0.2)
    assert table["mean_z"][0] == pytest.approx(2.0)
    assert table["share_within_noise"][0] == 0.5
    # With the noise of the last score: 2 * sqrt(2) * 0.1 = 0.283 lets in 0.1 only.
    assert table["share_within_interval"][0] == 0.5


def test_a_straight_line_is_continued():
    table = of(predict(np.linspace(0.2, 0.6, 9), stderr=0.01), "line")
    assert table["mean_absolute_error"][0] == pytest.approx(0, abs=1e-12)
    assert table["share_within_noise"][0] == 1


def test_the_line_agrees_with_numpy_polyfit():
    scores = np.random.default_rng(0).uniform(0.3, 0.6, size=8)
    x = np.arange(8.0)
    expected = np.abs(scores[6:] - np.clip(np.polyval(np.polyfit(x[:6], scores[:6], 1), x[6:]), 0, 1)).mean()
    assert of(predict(scores, stderr=0.05), "line")["mean_absolute_error"][0] == pytest.approx(expected)


def test_predictions_stay_within_the_bounds_of_the_metric():
    table = of(predict([0.2, 0.4, 0.6, 0.8, 0.97, 1.0, 1.0], stderr=0.05, hidden=2), "line")
    # The line would go on to 1.19 and 1.39.
    assert table["mean_absolute_error"][0] == pytest.approx(0)


@pytest.mark.parametrize(
    ("scores", "options", "smooth", "others"),
    [
        ([0.1, 0.2, 0.3], {"n_examples": 100}, "too_few_scales", "too_few_scales"),
        ([0.1, 0.2, 0.3, 0.4], {"n_examples": 100}, "too_few_scales", "ok"),
        ([0.1, 0.2], {"n_examples": 100}, "too_few_scales", "too_few_scales"),
        ([0.1], {"n_examples": 100}, "too_few_scales", "too_few_scales"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], {"n_examples": 100}, "ok", "ok"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], {}, "too_few_scales", "no_noise_estimate"),
        ([0.0] * 9, {"n_examples": 100}, "ok", "ok"),
        ([0.3] * 9, {}, "no_noise_estimate", "no_noise_estimate"),
        ([0.0] * 9, {}, "no_noise_estimate", "no_noise_estimate"),
        ([0.1, np.nan, 0.3, 0.4, 0.5], {"n_examples": 100}, "missing_score", "missing_score"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], {"n_examples": 100, "scales": [1, 1, 2, 3, 4]}, "invalid_scales", "invalid_scales"),
        ([0, 0, 0, 0, 0, 1], {"n_examples": 1}, "ok", "ok"),
    ],
)
def test_degenerate_curves_have_a_status_and_no_invented_number(scores, options, smooth, others):
    table = predict(scores, **options)
    assert table["status"].tolist() == [smooth, others, others]
    assert (table["mean_absolute_z"].notna() == (table["status"] == "ok")).all()
    # Without noise to compare it with, an error is still an error.
    assert (table["mean_absolute_error"].notna() == table["status"].isin(["ok", "no_noise_estimate"])).all()


def test_a_family_of_four_sizes_gets_the_answer_of_the_line():
    # Hand-worked: the line through 0.1, 0.2, 0.3 says 0.4; 0.7 is 0.3 above, which is 30 points of the range from 0 to 1.
    table = of(predict([0.1, 0.2, 0.3, 0.7], n_examples=100), "line")
    assert table["mean_absolute_error"][0] == pytest.approx(0.3)
    assert table["error_points"][0] == pytest.approx(30)
    assert np.isnan(of(predict([0.1, 0.2, 0.3, 0.7], n_examples=100, bounds=(0, np.nan)), "line")["error_points"][0])


def test_one_wild_curve_does_not_decide_the_summary():
    # Nine curves that come a little higher than the line says, and one that falls far below it.
    good = np.tile(np.linspace(0.2, 0.5, 9), (9, 1)) + np.where(np.arange(9) == 8, 0.01, 0)
    wild = np.where(np.arange(9) == 8, 0.0, np.linspace(0.6, 0.9, 9))
    table = predict(np.vstack([good, wild]), stderr=0.002, hidden=1)
    line = prediction.summarise_by(table, np.repeat("all", len(table))).set_index("predictor").loc["line"]
    assert of(table, "line")["mean_z"].mean() < -10
    assert line["median_z"] > 0
    assert line["share_higher"] == 0.9


def test_a_constant_curve_is_not_higher_than_predicted():
    # Predicted exactly by everything; rounding must not decide.
    table = predict([[0.2] * 6, [0.3] * 6, [0.7] * 6], n_examples=1000)
    assert (prediction.summarise_by(table, np.repeat("all", len(table)))["share_higher"] == 0).all()


def test_a_flat_truth_is_predicted_as_well_as_noise_allows():
    # Known truth: the difference of two scores has sd sqrt(2), mean absolute value sqrt(2) * sqrt(2 / pi) = 1.128 in noise units.
    scores = np.random.default_rng(1).binomial(500, 0.4, size=(400, 9)) / 500
    table = of(predict(scores, n_examples=500), "no_change")
    assert table["mean_absolute_z"].mean() == pytest.approx(1.128, abs=0.08)
    assert table["share_within_interval"].mean() == pytest.approx(0.954, abs=0.02)
    assert of(predict(scores, n_examples=500), "smooth")["share_within_interval"].mean() > 0.93


def test_a_smooth_rise_is_predicted_better_by_smooth_curves_than_by_the_last_score():
    # Known truth: a logistic whose rise is half seen.
    log_scales = 8 + 0.45 * np.arange(12)
    truth = truths.smooth_truths(log_scales)["logistic 0.25 to 0.9, rise 4, midpoint 0.7"]
    scores = np.random.default_rng(2).binomial(1000, truth, size=(200, 12)) / 1000
    table = predict(scores, n_examples=1000)
    smooth, no_change = of(table, "smooth"), of(table, "no_change")
    assert smooth["mean_absolute_error"].mean() < no_change["mean_absolute_error"].mean() / 2
    assert smooth["share_within_interval"].mean() > 0.8


def test_a_jump_that_was_not_seen_is_not_predicted():
    truth = truths.jump_truths(12)["jump 0.25 to 0.65, two scales after it"]
    scores = np.random.default_rng(3).binomial(1000, truth, size=(50, 12)) / 1000
    table = predict(scores, n_examples=1000, hidden=2)
    assert (table.groupby("predictor")["share_within_interval"].mean() < 0.1).all()
    assert (table.groupby("predictor")["mean_z"].mean() > 10).all()


def test_results_do_not_depend_on_the_other_curves():
    scores = np.random.default_rng(4).binomial(100, 0.5, size=(30, 8)) / 100
    together = predict(scores, n_examples=100)
    alone = predict(scores[[11]], n_examples=100)
    columns = ["mean_absolute_error", "mean_z", "share_within_interval"]
    # To the last digit: tables must not depend on shards.
    np.testing.assert_array_equal(together.loc[together["curve"] == 11, columns], alone[columns])


def test_summary_counts_every_curve_once():
    scores = np.vstack([np.linspace(0.2, 0.6, 9), np.full(9, 0.3), np.linspace(0.2, 0.6, 9)])
    n_examples = np.array([[400.0], [400.0], [np.nan]]) * np.ones((1, 9))
    table = predict(scores, n_examples=n_examples)
    kinds = np.repeat(["exact", "exact", "unknown"], 3)
    summary = prediction.summarise_by(table, kinds).set_index(["label", "predictor"])
    assert summary.loc[("exact", "line"), "n_curves"] == 2
    assert summary.loc[("exact", "line"), "median_absolute_z"] == pytest.approx(0, abs=1e-9)
    # No change is perfect for the flat curve only; the line is best, or tied, in both.
    assert summary.loc[("exact", "no_change"), "share_best"] <= 0.5
    assert prediction.summarise_by(table, "noise")["noise"].tolist() == ["binomial"] * 3 + ["residual"] * 3


def test_hiding_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        predict(np.linspace(0.2, 0.6, 9), n_examples=100, hidden=0)
