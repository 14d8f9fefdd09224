"""Metric swaps and false discovery control: statsmodels, scipy, hand-worked cases and the published Figure 6."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from emergence.curves import frames, metric_pairs
from emergence.statistics import false_discovery, paired_comparison

ROOT = Path(__file__).resolve().parents[2]


def pairs(a, b, task=None, metrics=("brier", "grade")):
    task = [f"t{number}" for number in range(len(a))] if task is None else task
    return pd.DataFrame(
        {"task": task, "metric_a": metrics[0], "metric_b": metrics[1], "emergence_score_a": a, "emergence_score_b": b}
    )


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (0, 3), (5, 1), (12, 4), (7, 7)])
def test_mcnemar_agrees_with_statsmodels(only_a, only_b):
    expected = mcnemar([[3, only_a], [only_b, 2]], exact=True).pvalue
    assert paired_comparison.mcnemar_p_value(only_a, only_b) == pytest.approx(expected)


def test_counts_and_differences_hand_worked():
    table = paired_comparison.compare_pairs(pairs([12, -2, 30, 1, np.nan], [3, 20, -40, 2, 5]), 10, resamples=200, seed=1).iloc[0]
    # |E|: 12/3 only a, 2/20 only b, 30/40 both, 1/2 neither, the last undefined. Differences 9, -18, -10, -1.
    assert table[["n_only_a", "n_only_b", "n_both", "n_neither", "n_undefined"]].tolist() == [1, 1, 1, 1, 1]
    assert (table["n_pairs"], table["n_tasks"], table["status"]) == (5, 4, "ok")
    assert table["mcnemar_p"] == 1
    assert table["mean_difference"] == -5
    assert table["median_difference"] == -5.5
    assert table["median_ratio"] == pytest.approx(np.sqrt(30 / 40 * 1 / 2))


def test_an_infinite_score_is_counted_but_not_averaged():
    table = paired_comparison.compare_pairs(pairs([np.inf, 2, 4], [3, 1, 1]), 10, resamples=50, seed=1).iloc[0]
    assert (table["n_only_a"], table["n_infinite"], table["mean_difference"]) == (1, 1, 2)


def test_interval_of_single_curve_tasks_agrees_with_scipy_bootstrap():
    # With one curve a task, resampling tasks is the ordinary bootstrap.
    difference = np.random.default_rng(0).normal(2, 1, size=60)
    mine = paired_comparison.clustered_interval(difference, np.arange(60).astype(str), resamples=20_000, seed=1, key="k")
    for statistic, low, high in ((np.mean, *mine[:2]), (np.median, *mine[2:])):
        reference = stats.bootstrap((difference,), statistic, n_resamples=20_000, method="percentile", rng=1).confidence_interval
        assert (low, high) == pytest.approx((reference.low, reference.high), abs=0.04)


def test_resampling_tasks_allows_for_curves_of_one_task_agreeing():
    # Ten tasks of 20 equal differences carry ten numbers, not 200: the interval is that of the ten.
    levels = np.random.default_rng(1).normal(size=10)
    many = paired_comparison.clustered_interval(
        np.repeat(levels, 20), np.repeat(np.arange(10), 20), resamples=2000, seed=1, key="k"
    )
    few = paired_comparison.clustered_interval(levels, np.arange(10), resamples=2000, seed=1, key="k")
    assert many == pytest.approx(few)


def test_interval_covers_a_known_mean():
    # Simulation with known truth: 30 tasks, 3 correlated curves each, true mean 1. Percentile intervals run a little short.
    generator = np.random.default_rng(2)
    covered = 0
    for number in range(200):
        task = np.repeat(np.arange(30), 3)
        difference = 1 + generator.normal(size=30)[task] + generator.normal(size=90)
        low, high, *_ = paired_comparison.clustered_interval(difference, task, resamples=400, seed=number, key="k")
        covered += low <= 1 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_weighted_median_is_that_of_the_expanded_list():
    generator = np.random.default_rng(3)
    ordered = np.sort(generator.normal(size=7))
    weight = generator.integers(0, 4, size=(20, 7))
    weight[:, 0] += 1
    expected = [np.median(np.repeat(ordered, row)) for row in weight]
    np.testing.assert_allclose(paired_comparison._weighted_median(ordered, weight), expected)


def test_intervals_depend_on_seed_and_names_only():
    frame = pairs(np.arange(20.0), np.arange(20.0)[::-1] ** 1.1)
    first = paired_comparison.compare_pairs(frame, 10, resamples=300, seed=1)
    assert first.equals(paired_comparison.compare_pairs(frame.sample(frac=1, random_state=0), 10, resamples=300, seed=1))
    assert not first.equals(paired_comparison.compare_pairs(frame, 10, resamples=300, seed=2))


def test_degenerate_comparisons_have_a_status():
    one_task = pairs([1.0, 2.0], [3.0, 4.0], task=["t", "t"])
    undefined = pairs([np.nan, np.nan], [1.0, 2.0], metrics=("bleu", "grade"))
    table = paired_comparison.compare_pairs(pd.concat([one_task, undefined]), 10, resamples=50, seed=1).set_index("metric_a")
    assert table.loc["brier", "status"] == "one_task"
    assert np.isnan(table.loc["brier", "mean_low"])
    assert table.loc["brier", "mean_difference"] == -2
    assert table.loc["bleu", "status"] == "no_defined_pairs"
    assert np.isnan(table.loc["bleu", "mcnemar_p"])
    assert len(paired_comparison.compare_pairs(one_task.iloc[:0], 10, resamples=50, seed=1)) == 0


def curves_of(scores, catalogue):
    """Curves of a table of scores that lacks what does not matter here."""
    plain = {"benchmark": "b", "subtask": "", "chance": np.nan, "n_examples": np.nan, "stderr": np.nan, "preferred": pd.NA}
    scores = scores.assign(**{column: value for column, value in plain.items() if column not in scores})
    return frames.from_scores(scores.assign(subtask=scores["subtask"].fillna("")), catalogue)


def test_pairs_join_the_same_outputs_and_name_each_pair_once(catalogue):
    # A has both metrics, B one; with and without a number of shots. Hand-worked: E of 0, 1, 3 is 3 / sqrt(2.5).
    rows = [
        ("t", "multiple_choice_grade", "A", shots, scale, score / 4)
        for shots in (2, None)
        for scale, score in enumerate((0, 1, 3), 1)
    ]
    rows += [("t", "bleu", "A", shots, scale, 10 * scale) for shots in (2, None) for scale in (1, 2, 3)]
    rows += [("t", "bleu", "B", 2, scale, 10 * scale) for scale in (1, 2, 3)]
    scores = pd.DataFrame(rows, columns=["task", "metric", "model_family", "shots", "scale", "score"])
    table = metric_pairs.swaps(curves_of(scores, catalogue), catalogue)
    assert table[["metric_a", "metric_b"]].drop_duplicates().to_numpy().tolist() == [["multiple_choice_grade", "bleu"]]
    assert table["model_family"].tolist() == ["A", "A"]
    assert table["shots"].isna().tolist() == [False, True]
    np.testing.assert_allclose(table["emergence_score_a"], 3 / np.sqrt(2.5))
    np.testing.assert_allclose(table["emergence_score_b"], 2)


def test_figure_six_of_the_paper(catalogue):
    # Published figure: eight pairs of curves; logical_args, 2 shots: 18.0 under multiple_choice_grade, 9.6 under the Brier score.
    scores = pd.read_csv(ROOT / "workflow/resources/bigbench/scores.csv")
    table = metric_pairs.swaps(curves_of(scores[scores["source"] == "D"], catalogue), catalogue)
    assert len(table) == 8
    case = table[(table["task"] == "logical_args") & (table["shots"] == 2)].iloc[0]
    assert (case["metric_a"], case["metric_b"]) == ("multiple_choice_grade", "calibration_multiple_choice_brier_score")
    assert (round(case["emergence_score_a"], 1), round(case["emergence_score_b"], 1)) == (18.0, 9.6)
    result = paired_comparison.compare_pairs(table, 10, resamples=2000, seed=1).iloc[0]
    assert result["n_tasks"] == 4
    assert result[["n_both", "n_only_a", "n_only_b", "n_neither"]].tolist() == [0, 3, 0, 5]
    assert result["mcnemar_p"] == pytest.approx(0.25)


def test_q_values_agree_with_statsmodels_and_leave_undefined_ones_out():
    p = np.random.default_rng(4).uniform(size=50) ** 2
    q = false_discovery.q_values(np.append(p, [np.nan, np.nan]))
    np.testing.assert_allclose(q[:50], multipletests(p, method="fdr_bh")[1])
    assert np.isnan(q[50:]).all()
    assert np.isnan(false_discovery.q_values([np.nan])).all()


def test_metrics_with_sharp_curves_hand_worked():
    table = false_discovery.metrics_with_sharp_curves(
        ["grade", "grade", "exact", "bleu", "brier"],
        [120, -30, np.inf, 5, np.nan],
        [0.01, 0.2, np.nan, 0.01, np.nan],
        [10, 100],
    )
    # At 10: grade (twice) and exact are above; only the first curve of grade survives; exact has no q-value.
    assert table.loc[0, ["n_metrics", "n_metrics_above", "n_metrics_after"]].tolist() == [4, 2, 1]
    assert table.loc[0, ["n_curves_above", "n_curves_after", "n_untested_above", "n_undefined_score"]].tolist() == [3, 1, 1, 1]
    assert table.loc[0, "metrics_after"] == "grade"
    assert table.loc[1, ["n_curves_above", "n_curves_after"]].tolist() == [2, 1]
