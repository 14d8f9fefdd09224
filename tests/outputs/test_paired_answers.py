"""Resamples, the difference of two metrics' sharpness, and steps: identities, hand-worked cases, simulations of known truth."""

import numpy as np
import pytest
from scipy import stats

from emergence.outputs import paired_answers, resampling
from emergence.outputs.rescoring import Settings, Task
from invented_outputs import SCALES, copied_digits, examples, sums, token_accuracy


def drawn_weights(*arguments):
    """All weights as one array; a block is valid until the next one."""
    return np.concatenate([block.copy() for block in resampling.weights(*arguments)])


def test_a_resample_draws_as_many_units_as_there_are():
    drawn = drawn_weights(1, "task", "", 50, 400)
    assert drawn.shape == (400, 50)
    assert (drawn.sum(axis=1) == 50).all()
    # a unit is drawn once on average, with variance 1 - 1/50
    assert drawn.mean(axis=0) == pytest.approx(np.ones(50), abs=5 / np.sqrt(400))
    assert drawn.var() == pytest.approx(0.98, abs=0.03)


def test_resamples_are_the_same_in_blocks_of_any_size(monkeypatch):
    whole = drawn_weights(1, "task", "", 7, 100)
    monkeypatch.setattr(resampling, "_CELLS", 50)
    assert (drawn_weights(1, "task", "", 7, 100) == whole).all()
    assert not (drawn_weights(1, "task", "part", 7, 100) == whole).all()


def test_resamples_depend_on_no_other_model_metric_or_subtask():
    rows = copied_digits(40, [1, 2, 3])
    alone = Task(examples(rows), Settings(("exact_match",)))
    more = rows + [row | {"model_family": "Other"} for row in rows] + [row | {"subtask": "part"} for row in rows]
    beside = Task(examples(more), Settings())
    (expected,) = resampling.resampled_scores(alone, 7, 50)
    found = resampling.resampled_scores(beside, 7, 50)
    same = [
        drawn
        for (part, metric, _), drawn in zip(beside.measured, found, strict=True)
        if metric.name == "exact_match" and part.subtask == ""
    ]
    # two families that answer alike, in the same resamples
    assert len(same) == 2
    for drawn in same:
        assert drawn == pytest.approx(expected, abs=1e-12)


def curve_of(values, draws, scales=SCALES, resolution=np.nan):
    return paired_answers.resampled_sharpness(values, draws, scales, resolution)


def test_a_metric_against_itself_or_an_affine_copy_never_differs(catalogue):
    rows = sums(120)
    task = Task(examples(rows), Settings(("acc", "brier_score")))
    for (part, metric, sums_), drawn in zip(task.measured, resampling.resampled_scores(task, 1, 200), strict=True):
        score = metric.aggregate(sums_.total())
        smallest = paired_answers.resolution_of(catalogue, metric.name, part, metric, sums_)
        curve = curve_of(score, drawn, part.scales, smallest)
        copy = curve_of(3 - 0.5 * score, 3 - 0.5 * drawn, part.scales, 0.5 * smallest)
        assert (curve.draws - curve.draws == 0).all()
        assert copy.draws == pytest.approx(curve.draws, rel=1e-8)
        found = paired_answers.difference(curve, curve, 0.95)
        assert found["difference"] == found["low"] == found["high"] == found["bias"] == 0


def test_metrics_that_are_one_share_of_right_answers_never_differ(catalogue):
    # an identity: on answers of one token, exact match is token accuracy, and one less the edit distance
    task = Task(examples(copied_digits(80, [1])), Settings(("exact_match", "token_accuracy", "edit_distance")))
    table = paired_answers.differences(task, catalogue, 1, 100, 0.95)
    assert len(table) == 3
    assert table[["difference", "low", "high"]].to_numpy(dtype=float) == pytest.approx(0, abs=1e-9)


def test_every_pair_of_metrics_is_compared_once_the_sharper_kind_first(catalogue):
    task = Task(examples(copied_digits(60, [1, 2, 3])), Settings(("exact_match", "token_accuracy", "edit_distance", "rougeL")))
    table = paired_answers.differences(task, catalogue, 1, 100, 0.95)
    pairs = set(zip(table["metric_a"], table["metric_b"], strict=True))
    assert pairs == {
        ("exact_match", "rougeL"),
        ("exact_match", "edit_distance"),
        ("exact_match", "token_accuracy"),
        ("rougeL", "edit_distance"),
        ("rougeL", "token_accuracy"),
        ("edit_distance", "token_accuracy"),
    }
    assert (table["status"] == "ok").all()
    assert (table["low"] <= table["high"]).all()


def test_every_question_twice_in_one_cluster_changes_no_difference(catalogue):
    # Identity: what is resampled whole is one unit, however often it is asked.
    rows = [row | {"cluster": row["example"]} for row in copied_digits(60, [2, 3])]
    twice = rows + [row | {"example": row["example"] + "again"} for row in rows]
    once, doubled = (
        paired_answers.differences(Task(examples(part), Settings()), catalogue, 1, 200, 0.95) for part in (rows, twice)
    )
    assert (once["n_units"] == 60).all() and (doubled["n_units"] == 60).all()
    for column in ("resolved_a", "resolved_b", "difference", "low", "high"):
        np.testing.assert_allclose(doubled[column], once[column], rtol=1e-6, atol=1e-9)


def test_fewer_than_four_scales_are_not_compared(catalogue):
    task = Task(examples(copied_digits(20, [2], scales=SCALES[:3])), Settings(("exact_match", "token_accuracy")))
    assert list(paired_answers.differences(task, catalogue, 1, 100, 0.95)["status"]) == ["too_few_scales"]


def test_one_question_is_not_compared(catalogue):
    task = Task(examples(copied_digits(1, [2])), Settings(("exact_match", "token_accuracy")))
    assert list(paired_answers.differences(task, catalogue, 1, 100, 0.95)["status"]) == ["one_unit"]


def test_the_interval_may_end_at_infinity():
    draws = np.array([1.0] * 50 + [np.inf] * 50)
    assert paired_answers.interval(draws, 0.95) == (1.0, np.inf)
    assert all(np.isnan(end) for end in paired_answers.interval(np.array([np.nan]), 0.95))


@pytest.mark.filterwarnings("error")
def test_the_median_of_differences_that_may_be_infinite():
    # NumPy's own takes the mean of the two in the middle, also of minus and plus infinity
    assert paired_answers.median(np.array([np.inf, -2.0, np.nan, 4.0, -np.inf])) == 1
    assert paired_answers.median(np.array([np.inf, 1.0, 2.0])) == 2
    assert paired_answers.median(np.array([np.inf, np.inf, 1.0, np.inf])) == np.inf
    assert paired_answers.median(np.array([1.0, -np.inf])) == -np.inf
    assert np.isnan(paired_answers.median(np.array([-np.inf, np.inf])))
    assert np.isnan(paired_answers.median(np.array([np.nan]))) and np.isnan(paired_answers.median(np.empty(0)))
    values = np.random.default_rng(1).normal(size=(50, 7))
    assert [paired_answers.median(row) for row in values] == np.median(values, axis=1).tolist()


def test_holm_by_hand():
    # .01 x 3, then the larger of that and .02 x 2, then .04; an unknown one does not count
    assert paired_answers.holm([0.04, np.nan, 0.01, 0.02])[[0, 2, 3]] == pytest.approx([0.04, 0.03, 0.04])
    assert len(paired_answers.holm([])) == 0


def test_steps_by_hand():
    # of 20 questions, the second model gains 8 and loses 1: p = 2 * (1 + 9) / 2^9
    before = [1] * 3 + [0] * 17
    after = [1] * 2 + [0] + [1] * 8 + [0] * 9
    rows = [
        {"model": model, "scale": scale, "example": f"{i:02d}", "output": "x" if right else "y", "targets": ["x"]}
        for model, scale, answers in (("a", 1.0, before), ("b", 2.0, after), ("c", 3.0, after))
        for i, right in enumerate(answers)
    ]
    table = paired_answers.steps(Task(examples(rows), Settings(("exact_match",))))
    assert list(table["test"]) == ["mcnemar"] * 2
    assert list(table["n_gained"]) == [8, 0] and list(table["n_lost"]) == [1, 0]
    assert table["p_value"].to_numpy() == pytest.approx([2 * 10 / 512, 1.0])
    assert table["p_holm"].to_numpy() == pytest.approx([2 * 2 * 10 / 512, 1.0])
    assert table["step"].to_numpy() == pytest.approx([7 / 20, 0])


def test_steps_of_a_mean_are_the_paired_t_test():
    rows = sums(60, scales=SCALES[:3])
    task = Task(examples(rows), Settings(("brier_score",)))
    table = paired_answers.steps(task)
    _, _, sums_ = task.measured[0]
    for row in range(2):
        expected = stats.ttest_rel(sums_.column(row + 1, 0), sums_.column(row, 0))
        assert table["p_value"].iloc[row] == pytest.approx(expected.pvalue, rel=1e-9)


def test_resolution_limited_sharpness_by_hand():
    # by hand: steps 0, 0, 0 and .5 with a resolution of .01 have a median step of .01; steps of .004 count for .01
    assert paired_answers.absolute_emergence(np.array([0, 0, 0, 0, 0.5]), 0.01) == pytest.approx(50)
    assert paired_answers.absolute_emergence(np.array([0, 0.004, 0.008, 0.012, 0.5]), 0.01) == pytest.approx(50)
    assert paired_answers.absolute_emergence(np.array([0, 0, 0, 0, 0.5])) == np.inf
    # an identity: with a resolution, a curve is never sharper than without
    curves = np.random.default_rng(4).random((200, 8)).round(2)
    assert (paired_answers.absolute_emergence(curves, 0.01) <= paired_answers.absolute_emergence(curves) + 1e-9).all()
    assert (paired_answers.absolute_emergence(curves, 0.3) <= paired_answers.absolute_emergence(curves) + 1e-9).all()


def coverage(length, n, shared, simulations, resamples, seed):
    """Share of intervals that hold the true D of exact match and edit distance, in simulated families."""
    p = token_accuracy(SCALES)
    resolution = 1 / n
    truth = paired_answers.absolute_emergence(p**length, resolution) - paired_answers.absolute_emergence(-length * (1 - p))
    generator = np.random.default_rng([seed, length, n])
    threshold = stats.norm.ppf(p)[:, None, None]
    held = 0
    for _ in range(simulations):
        common, own = generator.standard_normal((n, length)), generator.standard_normal((len(SCALES), n, length))
        wrong = (np.sqrt(shared) * common + np.sqrt(1 - shared) * own >= threshold).sum(axis=2).astype(float)
        weights = generator.multinomial(n, np.full(n, 1 / n), size=resamples) / n
        values = ((wrong == 0).astype(float), -wrong)
        curves = [
            curve_of(value.mean(axis=1), weights @ value.T, SCALES, limit)
            for value, limit in zip(values, (resolution, np.nan), strict=True)
        ]
        found = paired_answers.difference(*curves, 0.95)
        held += found["low"] <= truth <= found["high"]
    return held / simulations


@pytest.mark.parametrize(("length", "least"), [(5, 0.88), (20, 0.88)])
def test_coverage_of_the_difference(length, least):
    # at D = 0.07 and D = 60; benchmarks/measure_rescoring.py measures it closely. 120 intervals of .95 fall below .88 once in 1,000
    assert coverage(length, 500, 0.5, 120, 200, 3) >= least
