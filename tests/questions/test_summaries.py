"""The tests of whole frames and their summaries: hand-counted cases, statsmodels, and what must not depend on order."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from conftest import COLUMNS, ROOT
from emergence.curves import frames, metric_pairs
from emergence.ingest import pipeline
from emergence.io import tables
from emergence.questions.chance_or_smooth.answer import on_tests, within_one_rise
from emergence.questions.chance_or_smooth.tables import discoveries_by_metric, q_values, thresholds_after_control
from emergence.questions.metric_swaps.answer import on_swaps
from emergence.questions.metric_swaps.tables import swap_comparisons
from emergence.questions.predictability.answer import MARKS, on_predictability
from emergence.questions.predictability.tables import predictability_by_group
from emergence.questions.sharpness.answer import on_sharpness
from emergence.questions.sharpness.tables import by_metric, over_thresholds
from emergence.questions.test_set_size.answer import on_resolution
from emergence.questions.test_set_size.tables import resolution_by_metric
from emergence.statistics import curve_tests, prediction
from emergence.statistics.noise import sampling_noise


@pytest.fixture(scope="module")
def measured(tmp_path_factory, catalogue):
    """Curves of two metrics in two families, on invented numbers: a jump, a line, a constant, and one with two scales."""
    from emergence.study.configuration import check

    shapes = {
        ("jump", "acc"): (0.1, 0.12, 0.11, 0.13, 0.9, 0.92),
        ("jump", "brier_score"): (0.8, 0.7, 0.6, 0.5, 0.4, 0.3),
        ("line", "acc"): (0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
        ("flat", "acc"): (0.5,) * 6,
        ("short", "acc"): (0.1, 0.9),
    }
    rows = [
        f"{task},{metric},{family},m{power},{10.0 ** (power / 2)},{score}"
        for family in "ab"
        for (task, metric), scores in shapes.items()
        for power, score in enumerate(scores, start=12)
    ]
    path = tmp_path_factory.mktemp("summaries") / "scores.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")
    constants = {"n_examples": 200, "chance": 0.1}
    block = {"format": "table", "files": [str(path)], "columns": {name: name for name in COLUMNS}, "constants": constants}
    study = check({"benchmarks": {"mine": block}})
    scores, _, _ = pipeline.ingest("mine", study["benchmarks"]["mine"], str(ROOT / "config/metrics.yaml"))
    return scores, frames.measure(frames.from_scores(scores, catalogue), catalogue)


def test_a_row_a_curve_in_the_order_of_the_curves(measured, catalogue):
    _, made = measured
    found = curve_tests.assess(made, catalogue, 50, 1)
    for name in ("null_models", "examples_needed"):
        assert found[name][list(frames.KEY)].equals(made[list(frames.KEY)])
    assert len(found["predictions"]) == 3 * len(made)


def test_p_values_belong_to_the_curve_and_not_to_its_place(measured, catalogue):
    _, made = measured
    whole = curve_tests.assess(made, catalogue, 200, 1)["null_models"]
    some = made.iloc[[7, 2, 5]].reset_index(drop=True)
    alone = curve_tests.assess(some, catalogue, 200, 1)["null_models"]
    pd.testing.assert_frame_equal(alone, whole.iloc[[7, 2, 5]].reset_index(drop=True))


def test_a_jump_is_found_and_a_line_is_not(measured, catalogue):
    _, made = measured
    tested = curve_tests.assess(made, catalogue, 2000, 1)["null_models"].set_index(["task", "metric", "model_family"])
    assert tested.at[("jump", "acc", "a"), "p_smooth"] < 0.01
    assert tested.at[("line", "acc", "a"), "p_smooth"] > 0.2
    assert tested.at[("line", "acc", "a"), "p_flat"] < 0.2
    assert tested.at[("flat", "acc", "a"), "status_flat"] == "constant"
    assert tested.at[("short", "acc", "a"), "status_flat"] == "too_few_scales"


def test_no_draws_is_no_simulation(measured, catalogue):
    _, made = measured
    table = curve_tests.assess(made, catalogue, 0, 1)["null_models"]
    assert set(table["status_flat"]) == {"not_run"}
    q = q_values(made, tables.typed(table, "null_models"))
    assert q[["p_flat", "q_smooth"]].isna().all(axis=None)
    found = discoveries_by_metric(q, 0.05).set_index(["test", "metric"])
    assert (found.loc[["flat", "smooth", "class"], "n_tested"] == 0).all()
    # what needs no simulation is tested: a jump, a line and a Brier score; not what is constant, short or a copy
    assert found.at[("trend", "all"), "n_tested"] == 3
    text = on_tests(found.reset_index(), q, made, 0.05, 0).text
    assert "turned off" in text
    assert "performance has a trend" in text


def test_the_answer_says_what_was_tested_with_which_noise(measured, catalogue):
    _, made = measured
    q = q_values(made, tables.typed(curve_tests.assess(made, catalogue, 200, 1)["null_models"], "null_models"))
    found = discoveries_by_metric(q, 0.05)
    text = on_tests(found, q, made, 0.05, 200).text
    left_out = "2 with fewer than four scales, 2 without any change and 3 that repeat another family's curve"
    assert f"3 of 10 curves are tested. Left out: {left_out}." in text
    # two accuracies with 200 examples; the Brier score is not a share of right answers
    assert "2 curves are compared with the sampling noise of a test set of known size." in text
    assert "1 curve is compared with noise of unknown size" in text
    assert "For 1 curve the size of the noise is not known" in text
    assert "the truth lies between the answers" in text
    nothing = on_tests(pd.DataFrame(), q_values(made.iloc[:0], q), made.iloc[:0], 0.05, 200)
    assert nothing.text == "This cannot be answered: no curve can be tested."
    # a family in which nothing is left out and nothing is found
    plain = made[(made["task"] == "line") & (made["model_family"] == "a")].reset_index(drop=True)
    q = q_values(plain, tables.typed(curve_tests.assess(plain, catalogue, 200, 1)["null_models"], "null_models"))
    text = on_tests(discoveries_by_metric(q, 0.05), q, plain, 0.05, 200).text
    assert text.startswith("1 of 1 curve is tested. ")
    assert "none remains" in text


def test_scales_that_lie_close_together_are_said():
    """Years as a scale, 2018 to 2023, are 0.001 orders of magnitude apart: every smooth curve is straight over them."""
    scales = [np.arange(2018.0, 2024), 10.0 ** np.arange(6), np.geomspace(1, 10**1.49, 6)]
    curves = pd.DataFrame({"scales": scales, "n_scales": 6, "status": "ok", "repeats_family": None})
    curves = curves.assign(emergence_score=3.0, emergence_score_resolved=3.0)
    words = "2 tested curves have all scales within 1.5 orders of magnitude, where a smooth curve is nearly straight."
    assert within_one_rise(curves) == [words]
    assert within_one_rise(curves.iloc[1:2]) == []


def test_q_values_are_those_of_statsmodels_over_the_chosen_family(measured, catalogue):
    _, made = measured
    table = curve_tests.assess(made, catalogue, 200, 1)["null_models"]
    chosen = made[made["task"] != "line"].reset_index(drop=True)
    q = q_values(chosen, table)
    # constant curves have p = 1, and are not in the family
    assert table.loc[table["task"] == "flat", "p_flat"].eq(1).all()
    known = q["p_flat"].notna()
    assert set(q.loc[known, "task"]) == {"jump"}
    np.testing.assert_allclose(q.loc[known, "q_flat"], multipletests(q.loc[known, "p_flat"], method="fdr_bh")[1])
    assert len(q) == len(chosen)


def test_discoveries_by_hand():
    q = pd.DataFrame({"metric": ["acc", "acc", "acc", "bleu"], "task": list("abcd")})
    for test in curve_tests.TESTS:
        q[f"p_{test}"] = [0.01, 0.04, np.nan, 0.5] if test == "flat" else [np.nan] * 4
        q[f"q_{test}"] = [0.03, 0.06, np.nan, 0.5] if test == "flat" else [np.nan] * 4
    table = discoveries_by_metric(q, 0.05).set_index(["test", "metric"])
    found = table.loc[("flat", "all")]
    assert (found["n_curves"], found["n_tested"], found["n_before"], found["n_after"]) == (4, 3, 2, 1)
    assert found["expected"] == pytest.approx(0.15)
    assert table.at[("flat", "acc"), "n_tested"] == 2
    assert table.at[("smooth", "all"), "n_tested"] == 0
    # Fisher's combination of 0.01, 0.04 and 0.5 by hand: chi-squared of -2 log(0.0002) = 17.03 with 6 degrees of freedom
    assert found["p_fisher"] == pytest.approx(0.00917, abs=1e-4)


def test_a_curve_without_a_finite_score_is_above_no_threshold(catalogue):
    """By hand, of four curves: one jumps with every step known, one after three scores of 0, one has three scales, one is a line.

    The second has no finite E (its resolution is known, so it is counted all the same), and the third is in no count. The other
    table of thresholds counts the same curves.
    """
    curves = {
        "steep": [0, 0.01, 0.02, 0.03, 0.9],
        "infinite": [0, 0, 0, 0, 0.9],
        "short": [0, 0.01, 0.9],
        "line": [0.1, 0.2, 0.3, 0.4],
    }
    rows = [(task, 10.0**place, score) for task, scores in curves.items() for place, score in enumerate(scores, 6)]
    scores = pd.DataFrame(rows, columns=["task", "scale", "score"]).assign(
        benchmark="b", subtask="", metric="acc", model_family="f", n_examples=1000, stderr=np.nan, chance=np.nan, preferred=None
    )
    scores = scores.assign(shots=pd.array([pd.NA] * len(scores), dtype="Int64"), model=scores["scale"].astype(str))
    made = frames.measure(frames.from_scores(scores, catalogue), catalogue)
    q = pd.DataFrame({"q_flat": made["task"].map({"steep": 0.01}), "q_smooth": np.nan})
    table = thresholds_after_control(made, q, [10, 100], 0.05).set_index(["null_model", "threshold"])
    # E of `steep` is 0.9 / 0.01
    assert table.loc[("flat", 10), ["n_curves", "n_curves_above", "n_curves_after", "n_undefined_score"]].tolist() == [3, 1, 1, 1]
    assert table.loc[("smooth", 10), ["n_curves_after", "n_untested_above"]].tolist() == [0, 1]
    assert table.loc[("flat", 100), "n_curves_above"] == 0
    by_reading = over_thresholds(made, [10, 100], [2], 0.95).set_index(["reading", "threshold"])
    assert by_reading.loc["|E|", "n_curves"].tolist() == table.loc["flat", "n_curves_above"].tolist()


def test_swap_comparisons_by_metric_and_by_kind(measured, catalogue):
    _, made = measured
    compared = swap_comparisons(metric_pairs.swaps(made, catalogue), catalogue, 1, resamples=200, seed=1).set_index("grouping")
    # two families of one task: the jump is sharp under accuracy; the Brier score falls in a straight line, E = 5
    assert compared.at["metric", "n_pairs"] == 2
    assert (compared.at["metric", "name_a"], compared.at["metric", "name_b"]) == ("acc", "brier_score")
    assert (compared.at["kind", "name_a"], compared.at["kind", "name_b"]) == ("discontinuous", "nonlinear")
    assert compared.at["metric", "status"] == "one_task"
    jump = made.loc[(made["task"] == "jump") & (made["metric"] == "acc"), "emergence_score_resolved"].iloc[0]
    assert compared.at["metric", "mean_difference"] == pytest.approx(jump - 5)
    assert compared.at["metric", "ratio"] == pytest.approx(jump / 5)


def test_resolution_counts(measured, catalogue):
    scores, made = measured
    above = curve_tests.above_chance(scores, catalogue)
    needed = curve_tests.assess(made, catalogue, 0, 1)["examples_needed"]
    table = resolution_by_metric(above, needed).set_index("metric")
    # 20 accuracies a family; the Brier score is no proportion
    assert table.at["acc", "n_tested"] == 40
    assert table.at["brier_score", "n_tested"] == 0
    assert table.at["all", "n_scores"] == len(scores)
    by_hand = above[(above["task"] == "flat")]
    assert (by_hand["p_value"] < 1e-10).all()


def test_predictability_groups_count_every_curve(measured, catalogue):
    _, made = measured
    table = predictability_by_group(curve_tests.assess(made, catalogue, 0, 1)["predictions"], catalogue)
    every = table[table["grouping"] == "all"]
    assert set(every["n_curves"]) == {len(made)}
    # the two curves of two scales have nothing to hide
    assert (every["n_undefined"] >= 2).all()
    by_kind = table[(table["grouping"] == "kind") & (table["predictor"] == "line")]
    assert by_kind["n_curves"].sum() == len(made)


def predicted(curves, metric, is_share, bounds=(0, 1)):
    """The table of predictability over curves {task: (scores, n_examples)} of one family at powers of ten."""
    parts = []
    for number, (task, (scores, n_examples)) in enumerate(curves.items()):
        scores = np.array([scores], dtype=float)
        n, one, unknown = (np.full_like(scores, value) for value in (n_examples or np.nan, 1, np.nan))
        made = sampling_noise(scores, n, one, unknown, np.array([is_share]))
        made = prediction.predict_hidden(
            scores, 10.0 ** np.arange(1, 1 + scores.shape[1])[None], made, *np.array(bounds)[:, None]
        )
        key = {"benchmark": "mine", "task": task, "subtask": "", "metric": metric, "model_family": "A", "shots": pd.NA}
        parts.append(made.assign(curve=number, **key))
    return pd.concat(parts, ignore_index=True)


def test_predictors_are_compared_on_the_same_curves(catalogue):
    # By hand. A rise that slows down, of six sizes: no change errs by 10 and 10 points, the line by more, so it may not lead.
    # Three straight curves of four sizes: the line errs by 0, no change by 20. Too short for a smooth curve, they may not enter.
    slows = ([0.1, 0.3, 0.5, 0.6, 0.7, 0.7], 10_000)
    lines = {f"line {number}": ([0.1, 0.3, 0.5, 0.7], 10_000) for number in range(3)}
    table = predictability_by_group(predicted({"slows": slows, **lines}, "acc", True), catalogue)
    every = table[table["grouping"] == "all"].set_index("predictor")
    assert set(every["n_compared"]) == {1} and set(every["n_curves"]) == {4}
    assert every.at["no_change", "median_error_points"] == pytest.approx(10)
    assert every.at["line", "median_error_points"] > 10
    short = table[table["grouping"] == "short"].set_index("predictor")
    assert set(short.index) == {"line", "no_change"} and set(short["n_compared"]) == {3}
    assert short.at["line", "median_error_points"] == pytest.approx(0, abs=1e-9)
    assert short.at["no_change", "median_error_points"] == pytest.approx(20)
    # two sizes of ten times each are hidden of six, one of four
    assert every.at["line", "median_decades_ahead"] == pytest.approx(2)
    assert short.at["line", "median_decades_ahead"] == pytest.approx(1)
    said = on_predictability(table, pd.read_csv(MARKS))
    assert "All three predictors can be compared on 1 of 4 curves." in said.text
    assert "3 curves have too few scales to fit a smooth curve. The median error is 0.0 by a straight line" in said.text
    assert "straight line" not in said.short
    only_short = predictability_by_group(predicted(lines, "acc", True), catalogue)
    assert "median error 0.0 points by a straight line" in on_predictability(only_short, pd.read_csv(MARKS)).short


def test_an_error_without_a_unit_is_said(catalogue):
    # A metric of open range, and four scales seen, so that the scatter cannot tell the size of the noise.
    scores = ([-5.0, -4.4, -4.1, -3.2, -3.0, -2.1], None)
    table = predicted({"open": scores}, "log_likelihood", False, (np.nan, 0.0))
    said = on_predictability(predictability_by_group(table, catalogue), pd.read_csv(MARKS))
    assert said.short == "the metrics have an open range and their noise is not known, so the error has no unit"
    # the number of examples does not tell the noise of a log-likelihood; a standard error does
    assert "other metrics a standard error (`stderr`)" in said.text


def test_answers_say_the_numbers_of_the_tables(measured, catalogue):
    _, made = measured
    predictions = predictability_by_group(curve_tests.assess(made, catalogue, 0, 1)["predictions"], catalogue)
    marks = pd.read_csv(MARKS)
    said = on_predictability(predictions, marks)
    text = said.text
    line = predictions[(predictions["grouping"] == "all") & (predictions["predictor"] == "line")].iloc[0]
    assert f"{line['mean_error_points']:.1f} by a straight line in log scale" in text
    noise = text[text.index("In standard deviations of the noise") :]
    assert f"{line['median_absolute_z']:.1f} by a straight line in log scale" in noise
    assert f"{line['median_error_points']:.1f} by a straight line in log scale" in text
    # the published marks: Owen (2024) and Lourie et al. (2025), as the design gives them
    shown = said.table[list(said.columns)].astype(object).where(said.table.notna(), None).to_numpy().tolist()
    assert shown == [
        ["Owen (2024)", "mean absolute error of the BIG-Bench Hard average", 6, None, "points", "1 of training compute"],
        ["Owen (2024)", "mean absolute error of a single task", 18, None, "points", "1 of training compute"],
        ["Lourie et al. (2025)", "tasks whose score follows the pretraining loss along a simple line", 18, 46, "tasks", None],
    ]
    assert "no curve has enough scales" in on_predictability(predictions.iloc[:0], marks).text
    compared = swap_comparisons(metric_pairs.swaps(made, catalogue), catalogue, 1, resamples=200, seed=1)
    assert "one task, so no interval" in on_swaps(compared, catalogue, 1).text
    nothing = on_swaps(compared.iloc[:0], catalogue, 1)
    assert "no task has two metrics" in nothing.text


def sharpness_of(scores, catalogue):
    """The answer about the sharpness of curves {task: scores} of one family at powers of ten, 1,000 examples each."""
    rows = [
        {"task": task, "model": f"m{size}", "scale": 10.0**size, "score": score}
        for task, along in scores.items()
        for size, score in enumerate(along, start=6)
    ]
    keys = {"benchmark": "mine", "subtask": "", "metric": "acc", "model_family": "A", "n_examples": 1000}
    unknown = {"preferred": None, "chance": np.nan, "stderr": np.nan, "shots": pd.array([pd.NA] * len(rows), dtype="Int64")}
    made = frames.measure(frames.from_scores(pd.DataFrame(rows).assign(**keys, **unknown), catalogue), catalogue)
    emergence = {"relative_threshold": 2, "threshold": 100}
    return on_sharpness(made, by_metric(made, catalogue, 100, 2, 0.95), over_thresholds(made, [5, 10], [1, 2], 0.95), emergence)


def test_the_line_of_the_longest_curve_is_the_line_and_not_a_threshold(catalogue):
    # eight scales: a line has E = 7, between the thresholds of 5 and 10
    text = sharpness_of({"line": np.linspace(0.2, 0.9, 8)}, catalogue).text
    assert "1 of 1 curve is counted." in text
    assert "A straight line over the 8 scales of the longest curve has E = 7." in text


def test_steep_falls_are_told_from_steep_rises(catalogue):
    # by hand: E = 0.6 / 0.02 = 30, 7.5 times a line of five scales; in reverse -7.5 times
    rise = [0.2, 0.22, 0.24, 0.26, 0.8]
    said = sharpness_of({"rise": rise, "fall": rise[::-1]}, catalogue)
    assert (
        "1 counted curve has a relative E of 2 or more, within what its scores can show. 1 more is as steep, but falls."
        in said.text
    )
    assert said.short.startswith("relative E of 2 or more: 1 of 2 curves")


def test_nothing_is_said_of_the_sharpness_of_curves_that_are_too_short(catalogue):
    said = sharpness_of({"short": [0.1, 0.2, 0.9], "shorter": [0.1, 0.9]}, catalogue)
    assert said.short == "no curve can be counted (2 with fewer than four scales)"
    assert "highest" not in said.text


@pytest.mark.parametrize(
    ("n_under", "n_known", "words"), [(1, 1, "1 of 1 curve has"), (1, 3, "1 of 3 curves has"), (2, 3, "2 of 3 curves have")]
)
def test_the_verb_fits_the_number(n_under, n_known, words):
    columns = ["n_scores", "n_tested", "n_above_chance", "n_curves", "n_at_or_below_chance", "n_known", "n_under_resolved"]
    table = pd.DataFrame([[9, 9, 4, 3, 0, n_known, n_under]], columns=columns)
    table = table.assign(metric="all", median_needed=200, median_at_hand=100)
    said = on_resolution(table, pd.DataFrame({"status": ["ok"]}))
    assert said.short == f"{words} too few test examples"
