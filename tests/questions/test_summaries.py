"""The tests of whole frames and their summaries: hand-counted cases, statsmodels, and what must not depend on order."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from conftest import COLUMNS, ROOT
from emergence.curves import frames, metric_pairs
from emergence.ingest import pipeline
from emergence.io import tables
from emergence.questions.chance_or_smooth.answer import on_null_models
from emergence.questions.chance_or_smooth.tables import discoveries_by_metric, q_values, thresholds_after_control
from emergence.questions.metric_swaps.answer import on_swaps
from emergence.questions.metric_swaps.tables import swap_comparisons
from emergence.questions.predictability.answer import on_predictability
from emergence.questions.predictability.tables import predictability_by_group
from emergence.questions.test_set_size.tables import resolution_by_metric
from emergence.statistics import curve_tests


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
    for table in (curve_tests.null_model_tests(made, catalogue, 50, 1), curve_tests.examples_needed(made, catalogue)):
        assert table[list(frames.KEY)].equals(made[list(frames.KEY)])
    assert len(curve_tests.hidden_scale_predictions(made, catalogue)) == 3 * len(made)


def test_p_values_belong_to_the_curve_and_not_to_its_place(measured, catalogue):
    _, made = measured
    whole = curve_tests.null_model_tests(made, catalogue, 200, 1)
    some = made.iloc[[7, 2, 5]].reset_index(drop=True)
    alone = curve_tests.null_model_tests(some, catalogue, 200, 1)
    pd.testing.assert_frame_equal(alone, whole.iloc[[7, 2, 5]].reset_index(drop=True))


def test_a_jump_is_found_and_a_line_is_not(measured, catalogue):
    _, made = measured
    tested = curve_tests.null_model_tests(made, catalogue, 2000, 1).set_index(["task", "metric", "model_family"])
    assert tested.at[("jump", "acc", "a"), "p_smooth"] < 0.01
    assert tested.at[("line", "acc", "a"), "p_smooth"] > 0.2
    assert tested.at[("line", "acc", "a"), "p_flat"] < 0.2
    assert tested.at[("flat", "acc", "a"), "status_flat"] == "constant"
    assert tested.at[("short", "acc", "a"), "status_flat"] == "too_few_scales"


def test_no_draws_is_no_simulation(measured, catalogue):
    _, made = measured
    table = curve_tests.null_model_tests(made, catalogue, 0, 1)
    assert set(table["status_flat"]) == {"not_run"}
    q = q_values(made, tables.typed(table, "null_models"))
    assert q[["p_flat", "q_smooth"]].isna().all(axis=None)
    found = discoveries_by_metric(q, 0.05)
    assert (found["n_tested"] == 0).all()
    assert "turned off" in on_null_models(found, made, catalogue, 0.05, 0).text


def test_q_values_are_those_of_statsmodels_over_the_chosen_curves(measured, catalogue):
    _, made = measured
    table = curve_tests.null_model_tests(made, catalogue, 200, 1)
    chosen = made[made["task"] != "line"].reset_index(drop=True)
    q = q_values(chosen, table)
    known = q["p_flat"].notna()
    np.testing.assert_allclose(q.loc[known, "q_flat"], multipletests(q.loc[known, "p_flat"], method="fdr_bh")[1])
    assert len(q) == len(chosen)


def test_discoveries_by_hand(catalogue):
    q = pd.DataFrame(
        {
            "metric": ["acc", "acc", "acc", "bleu"],
            "p_flat": [0.01, 0.04, np.nan, 0.5],
            "q_flat": [0.03, 0.06, np.nan, 0.5],
            "p_smooth": [np.nan] * 4,
            "q_smooth": [np.nan] * 4,
        }
    )
    table = discoveries_by_metric(q, 0.05).set_index(["null_model", "metric"])
    found = table.loc[("flat", "all")]
    assert (found["n_curves"], found["n_tested"], found["n_before"], found["n_after"]) == (4, 3, 2, 1)
    assert found["expected"] == pytest.approx(0.15)
    assert table.at[("flat", "acc"), "n_tested"] == 2
    assert table.at[("smooth", "all"), "n_tested"] == 0


def test_an_infinite_score_is_above_every_threshold():
    made = pd.DataFrame({"metric": ["acc", "acc"], "emergence_score": [3.0, np.nan], "status": ["ok", "zero_median_step"]})
    q = pd.DataFrame({"q_flat": [0.5, 0.01], "q_smooth": [np.nan, np.nan]})
    table = thresholds_after_control(made, q, [100], 0.05).set_index("null_model")
    assert table.at["flat", "n_curves_above"] == 1
    assert table.at["flat", "n_curves_after"] == 1
    assert table.at["smooth", "n_untested_above"] == 1


def test_swap_comparisons_by_metric_and_by_kind(measured, catalogue):
    _, made = measured
    compared = swap_comparisons(metric_pairs.swaps(made, catalogue), catalogue, 5, 200, 1, 0.95).set_index("grouping")
    # two families of one task: the jump is sharp under accuracy; the Brier score falls in a straight line, E = 5
    assert compared.at["metric", "n_pairs"] == 2
    assert (compared.at["metric", "name_a"], compared.at["metric", "name_b"]) == ("acc", "brier_score")
    assert (compared.at["kind", "name_a"], compared.at["kind", "name_b"]) == ("discontinuous", "nonlinear")
    assert compared.at["metric", "status"] == "one_task"
    jump = made.loc[(made["task"] == "jump") & (made["metric"] == "acc"), "emergence_score"].iloc[0]
    assert compared.at["metric", "mean_difference"] == pytest.approx(jump - 5)


def test_resolution_counts(measured, catalogue):
    scores, made = measured
    above = curve_tests.above_chance(scores, catalogue)
    needed = curve_tests.examples_needed(made, catalogue)
    table = resolution_by_metric(above, needed).set_index("metric")
    # 20 accuracies a family; the Brier score is no proportion
    assert table.at["acc", "n_tested"] == 40
    assert table.at["brier_score", "n_tested"] == 0
    assert table.at["all", "n_scores"] == len(scores)
    by_hand = above[(above["task"] == "flat")]
    assert (by_hand["p_value"] < 1e-10).all()


def test_predictability_groups_count_every_curve(measured, catalogue):
    _, made = measured
    table = predictability_by_group(curve_tests.hidden_scale_predictions(made, catalogue), catalogue)
    every = table[table["grouping"] == "all"]
    assert set(every["n_curves"]) == {len(made)}
    # the two curves of two scales have nothing to hide
    assert (every["n_undefined"] >= 2).all()
    by_kind = table[(table["grouping"] == "kind") & (table["predictor"] == "line")]
    assert by_kind["n_curves"].sum() == len(made)


def test_answers_say_the_numbers_of_the_tables(measured, catalogue):
    _, made = measured
    predictions = predictability_by_group(curve_tests.hidden_scale_predictions(made, catalogue), catalogue)
    text = on_predictability(predictions).text
    line = predictions[(predictions["grouping"] == "all") & (predictions["predictor"] == "line")].iloc[0]
    assert f"a straight line in log scale errs by {line['median_absolute_z']:.1f}" in text
    compared = swap_comparisons(metric_pairs.swaps(made, catalogue), catalogue, 5, 200, 1, 0.95)
    assert "without an interval" in on_swaps(compared, catalogue).text
    nothing = on_swaps(compared.iloc[:0], catalogue)
    assert "no task has two metrics" in nothing.text
