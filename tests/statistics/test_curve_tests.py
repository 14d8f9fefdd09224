"""The tests of whole frames: what they share, what must not depend on neighbours, and what is attached to curves."""

import numpy as np
import pandas as pd
import pytest

import shared_questions
from emergence.curves import frames
from emergence.io import tables
from emergence.statistics import curve_tests
from emergence.statistics.largest_model import moderated_p_values

SIZES = 10.0 ** (8 + 0.45 * np.arange(8))


def score_table(rows):
    """A score table from (task, family, shots, model, scale, score) with 200 examples and chance 0.25."""
    frame = pd.DataFrame(rows, columns=["task", "model_family", "shots", "model", "scale", "score"])
    frame = frame.assign(benchmark="mine", subtask="", metric="acc", n_examples=200, chance=0.25, source="made up")
    return tables.typed(frame, "scores")


@pytest.fixture(scope="module")
def scores():
    """Twelve tasks of one family: flat, rising, and jumping at the largest model; counts of 200."""
    generator = np.random.default_rng(0)
    truths = (np.full(8, 0.3), np.linspace(0.25, 0.6, 8), np.where(np.arange(8) == 7, 0.7, 0.3))
    rows = []
    for number in range(12):
        for model, (scale, score) in enumerate(zip(SIZES, generator.binomial(200, truths[number % 3]) / 200, strict=True)):
            rows.append((f"task {number:02}", "f", None, f"m{model}", scale, score))
    return score_table(rows)


def made(scores, catalogue):
    return frames.measure(frames.from_scores(scores, catalogue), catalogue)


def test_tables_are_as_described_and_do_not_depend_on_blocks(scores, catalogue, monkeypatch):
    curves = made(scores, catalogue)
    whole = curve_tests.assess(curves, catalogue, 300, 1)
    monkeypatch.setattr(curve_tests, "_BLOCK_CURVES", 5)
    parts = curve_tests.assess(curves, catalogue, 300, 1)
    for name, table in whole.items():
        typed = tables.typed(table, name)
        pd.testing.assert_frame_equal(typed, tables.typed(parts[name], name), check_exact=True)
        alone = curve_tests.assess(curves.iloc[[4]].reset_index(drop=True), catalogue, 300, 1)[name]
        own = typed[typed["task"] == "task 04"].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, tables.typed(alone, name), check_exact=True)


def test_no_curve_is_a_case(scores, catalogue):
    empty = curve_tests.assess(made(scores.iloc[:0], catalogue), catalogue, 10, 1)
    assert [len(table) for table in empty.values()] == [0, 0, 0]


def test_without_draws_the_tests_that_need_none_are_made(scores, catalogue):
    table = tables.typed(curve_tests.assess(made(scores, catalogue), catalogue, 0, 1)["null_models"], "null_models")
    assert set(table["status_smooth"]) == {"not_run"}
    assert table[["p_flat", "p_smooth", "p_class"]].isna().all(axis=None)
    assert table[["p_homogeneity", "p_trend", "z_smooth"]].notna().all(axis=None)


def test_p_and_q_values_of_a_family(scores, catalogue):
    curves = made(scores, catalogue)
    # a copy of a curve, and a constant one, are not in the family
    curves["repeats_family"] = curves["repeats_family"].astype(object)
    curves.loc[2, "repeats_family"] = "another family"
    curves.loc[0, "status"] = "constant"
    family = frames.counted(curves)["in_family"].to_numpy()
    assert family.sum() == 10
    table = tables.typed(curve_tests.assess(curves, catalogue, 300, 1)["null_models"], "null_models")
    found = curve_tests.p_and_q_values(table, family)
    for test in curve_tests.TESTS:
        assert found.loc[~family, [f"p_{test}", f"q_{test}"]].isna().all(axis=None)
        assert (found.loc[family, f"q_{test}"] >= found.loc[family, f"p_{test}"] - 1e-12).all()
    # moderated over the family, not over all curves
    np.testing.assert_array_equal(found.loc[family, "p_largest"], moderated_p_values(table[family]))
    np.testing.assert_array_equal(found["p_jump"], np.maximum(found["p_largest"], found["p_class"]))
    # tasks 5, 8 and 11 jump at the largest model (2 is the copy); by chance the smaller models of 5 seem to rise already
    assert {8, 11} <= set(found.index[found["q_largest"] <= 0.05]) <= {5, 8, 11}


def test_covariances_belong_to_their_curve_and_scales(catalogue):
    # Two curves that differ in their shots alone, one of them unknown; one order of each pair is enough.
    values, rows = {}, []
    generator = np.random.default_rng(1)
    table = []
    for shots in (None, 3):
        answers = shared_questions.answers(np.linspace(0.3, 0.5, 5), 200, 0.5, generator)
        values[shots] = np.cov(answers.T) / 200
        for model in range(5):
            table.append(("task", "f", shots, f"m{model}", SIZES[model], answers[:, model].mean()))
            for other in range(model + 1):
                rows.append(("task", "f", shots, SIZES[model], SIZES[other], values[shots][model, other]))
    covariances = pd.DataFrame(rows, columns=["task", "model_family", "shots", "scale_a", "scale_b", "covariance"])
    covariances = covariances.assign(benchmark="mine", subtask="", metric="acc", shots=covariances["shots"].astype("Int64"))
    covariances["metric_b"] = "acc"
    covariances = covariances.assign(n_units=np.where(covariances["shots"].isna(), 50, 200))
    curves = frames.attach_covariance(made(score_table(table), catalogue), covariances)
    for row in curves.itertuples():
        expected = values[None if pd.isna(row.shots) else row.shots]
        np.testing.assert_allclose(row.covariance.reshape(5, 5), expected)
        assert row.n_units == (50 if pd.isna(row.shots) else 200)
    noise = curve_tests.assess(curves, catalogue, 0, 1)["null_models"]["noise"]
    assert set(noise) == {"covariance"}
    # a pair that is missing leaves the curve without a covariance, and the other one alone
    partly = frames.attach_covariance(made(score_table(table), catalogue), covariances.iloc[1:])
    assert sorted(len(values) for values in partly["covariance"]) == [0, 25]
    assert list(partly["n_units"].isna()) == [len(values) == 0 for values in partly["covariance"]]
    assert [len(values) for values in frames.attach_covariance(curves, covariances.iloc[:0])["covariance"]] == [0, 0]


def test_covariances_of_two_metrics_stand_with_the_curve_of_the_first(catalogue):
    # rows of the matrix are the scales of the curve itself: that of numbers that differ either way round
    values = np.arange(25.0).reshape(5, 5) + 1
    rows = [(SIZES[a], SIZES[b], values[a, b], "acc", "choice_margin") for a in range(5) for b in range(5)]
    rows += [(SIZES[a], SIZES[b], 1.0 * (a == b), "acc", "acc") for a in range(5) for b in range(a, 5)]
    columns = ["scale_a", "scale_b", "covariance", "metric", "metric_b"]
    covariances = pd.DataFrame(rows, columns=columns).assign(
        benchmark="mine", subtask="", task="task", model_family="f", n_units=9
    )
    covariances["shots"] = pd.array([pd.NA] * len(rows), dtype="Int64")
    curves = made(score_table([("task", "f", None, f"m{i}", size, i / 10) for i, size in enumerate(SIZES[:5])]), catalogue)
    (row,) = frames.attach_covariance(curves, covariances).itertuples()
    np.testing.assert_array_equal(row.continuous_covariance.reshape(5, 5), values)
    np.testing.assert_array_equal(row.covariance.reshape(5, 5), np.eye(5))
    assert row.continuous_metric == "choice_margin"
    table = curve_tests.assess(frames.attach_covariance(curves, covariances), catalogue, 0, 1)["null_models"]
    np.testing.assert_array_equal(table["continuous_covariance"][0], values.ravel())
    # without one pair of it, the covariance of the two metrics is not known, and that of the curve still is
    (row,) = frames.attach_covariance(curves, covariances.iloc[1:]).itertuples()
    assert (len(row.continuous_covariance), row.continuous_metric, len(row.covariance)) == (0, None, 25)


def test_scatter_is_the_variance_of_the_models_at_each_scale(catalogue):
    # Hand-worked: 0.1 and 0.3 have variance 0.02, 0.5 alone has none.
    rows = [("a", "f", None, f"m{i}", scale, score) for i, (scale, score) in enumerate([(1e8, 0.1), (1e8, 0.3), (1e9, 0.5)])]
    rows += [("b", "f", None, f"m{i}", scale, 0.5) for i, scale in enumerate((1e8, 1e9))]
    table = score_table(rows)
    curves = frames.attach_scatter(made(table, catalogue), table).set_index("task")
    np.testing.assert_allclose(curves.at["a", "scatter"], [0.02, np.nan])
    assert len(curves.at["b", "scatter"]) == 0
