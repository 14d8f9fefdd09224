"""Metric swaps and false discovery control: statsmodels, scipy, hand-worked cases and the published Figure 6."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from conftest import ROOT, default_scores
from emergence.curves import frames, metric_pairs
from emergence.questions.metric_swaps.tables import swap_comparisons
from emergence.statistics import false_discovery, paired_comparison


def pairs(a, b, task=None, metrics=("brier", "grade"), n_scales=11, status="ok"):
    """Pairs of curves of 11 scales, of which a straight line has E = 10."""
    task = [f"t{number}" for number in range(len(a))] if task is None else task
    scores = {"emergence_score_a": np.nan, "emergence_score_b": np.nan, "resolved_score_a": a, "resolved_score_b": b}
    return pd.DataFrame(
        {"task": task, "metric_a": metrics[0], "metric_b": metrics[1], **scores, "n_scales": n_scales, "status": status}
    )


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (0, 3), (5, 1), (12, 4), (7, 7)])
def test_mcnemar_agrees_with_statsmodels(only_a, only_b):
    expected = mcnemar([[3, only_a], [only_b, 2]], exact=True).pvalue
    assert paired_comparison.mcnemar_p_value(only_a, only_b) == pytest.approx(expected)


def test_counts_and_ratios_hand_worked():
    frame = pairs([25, -2, 30, 1, 0, 5], [5, 20, -60, 2, 4, 5], status=["ok"] * 5 + ["function_of_other"])
    table = paired_comparison.compare_pairs(frame, 2, resamples=200, seed=1).iloc[0]
    # relative E: 2.5/.5 only a, .2/2 only b, 3/6 both, .1/.2 and 0/.4 neither; the last is no evidence
    assert table[["n_only_a", "n_only_b", "n_both", "n_neither"]].tolist() == [1, 1, 1, 2]
    assert table[["n_pairs", "n_compared", "n_tasks", "n_functions", "n_left_out", "n_zero"]].tolist() == [6, 5, 5, 1, 0, 1]
    # ratios 5, 1/10, 1/2, 1/2
    assert table["median_ratio"] == pytest.approx(0.5)
    assert table["ratio"] == pytest.approx((5 * 0.1 * 0.5 * 0.5) ** 0.25)
    assert table["mean_difference"] == pytest.approx((20 - 18 - 30 - 1 - 4) / 5)
    assert table["mcnemar_p"] == 1


def test_where_no_score_is_limited_by_resolution_the_plain_one_counts():
    frame = pairs([np.nan], [2.0]).assign(emergence_score_a=8.0, emergence_score_b=50.0)
    table = paired_comparison.compare_pairs(frame, 2, resamples=99, seed=1).iloc[0]
    assert table["ratio"] == pytest.approx(4)


@pytest.mark.parametrize(("only_a", "only_b"), [(3, 0), (7, 2), (5, 5), (12, 3)])
def test_over_tasks_of_one_pair_mcnemar_is_that_of_statsmodels(only_a, only_b):
    excess = [1] * only_a + [-1] * only_b + [0] * 4
    expected = mcnemar([[3, only_a], [only_b, 2]], exact=True).pvalue
    assert paired_comparison.mcnemar_over_tasks(excess) == pytest.approx(expected)


def test_pairs_of_one_task_are_one_witness():
    # By hand: two tasks with three and one pairs sharp under the first only; of the four flips two reach a sum of 4.
    assert paired_comparison.mcnemar_over_tasks([3, 1]) == 0.5
    # of the eight flips of 2, 1, -1 (sum 2), those with |sum| of 2 or more are 4, 2, 2, -4, -2, -2
    assert paired_comparison.mcnemar_over_tasks([2, 1, -1]) == 0.75
    # ten seeds of one task say nothing of other tasks
    assert np.isnan(paired_comparison.mcnemar_over_tasks([10]))


def test_mcnemar_says_nothing_where_no_curve_is_sharp_under_one_metric_only():
    table = paired_comparison.compare_pairs(pairs([1, 30], [2, 40]), 2, resamples=99, seed=1).iloc[0]
    assert (table["n_both"], table["n_neither"]) == (1, 1)
    assert np.isnan(table["mcnemar_p"])


def test_few_tasks_have_the_t_interval_of_scipy():
    means = np.array([3.0, -2.0, 7.5, 1.0])
    low, high = paired_comparison.interval_over_tasks(means, resamples=99, seed=1, key="k")
    expected = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert (low, high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_many_tasks_have_the_bootstrap_interval_of_scipy():
    means = np.random.default_rng(0).normal(2, 1, size=60)
    mine = paired_comparison.interval_over_tasks(means, resamples=20_000, seed=1, key="k")
    reference = stats.bootstrap((means,), np.mean, n_resamples=20_000, method="percentile", rng=1).confidence_interval
    assert mine == pytest.approx((reference.low, reference.high), abs=0.04)


@pytest.mark.parametrize("n_tasks", [3, 4, 8, 30])
def test_intervals_cover_a_known_mean(n_tasks):
    # Simulation with known truth: curves of one task are correlated, true mean 1, heavier tails than the t interval assumes.
    generator = np.random.default_rng(n_tasks)
    covered = 0
    for number in range(300):
        task = np.repeat(np.arange(n_tasks), 3)
        difference = 1 + generator.standard_t(8, size=n_tasks)[task] + generator.normal(size=3 * n_tasks)
        means = paired_comparison.task_means(difference, task)
        low, high = paired_comparison.interval_over_tasks(means, resamples=400, seed=number, key="k")
        covered += low <= 1 <= high
    # 95 %, give or take three standard errors of 300 trials; the bootstrap of 30 runs a little short
    assert 0.89 <= covered / 300 <= 0.99


def test_sign_flips_hand_worked_and_against_scipy():
    # four flips of sixteen reach |3 + 2 + 1 + 1| or beyond only if all signs agree: 2 / 16
    assert paired_comparison.sign_flip_p_value(np.array([3.0, 2, 1, 1]), resamples=99, seed=1, key="k") == 2 / 16
    assert paired_comparison.sign_flip_p_value(np.array([3.0, -2, 1, 1]), resamples=99, seed=1, key="k") == 10 / 16
    means = np.random.default_rng(5).normal(0.4, 1, size=12)
    exact = paired_comparison.sign_flip_p_value(means, resamples=99, seed=1, key="k")
    reference = stats.permutation_test(
        (means, np.zeros(12)), lambda x, y, axis: (x - y).mean(axis), permutation_type="samples", vectorized=True
    )
    assert exact == pytest.approx(reference.pvalue)
    many = np.random.default_rng(6).normal(0.3, 1, size=40)
    drawn = paired_comparison.sign_flip_p_value(many, resamples=20_000, seed=1, key="k")
    assert drawn == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.02)


def test_curves_of_one_task_count_as_one_task():
    # twenty equal differences in each of ten tasks carry ten numbers, not two hundred
    levels = np.random.default_rng(1).normal(size=10)
    assert paired_comparison.task_means(np.repeat(levels, 20), np.repeat(np.arange(10), 20)) == pytest.approx(levels)


def test_results_do_not_depend_on_the_order_of_rows():
    frame = pairs(np.arange(1.0, 21), np.arange(20.0)[::-1] ** 1.1 + 1)
    first = paired_comparison.compare_pairs(frame, 2, resamples=300, seed=1)
    assert first.equals(paired_comparison.compare_pairs(frame.sample(frac=1, random_state=0), 2, resamples=300, seed=1))
    assert not first.equals(paired_comparison.compare_pairs(frame, 2, resamples=300, seed=2))


def test_degenerate_comparisons_have_a_status():
    one_task = pairs([1.0, 2.0], [3.0, 4.0], task=["t", "t"])
    undefined = pairs([np.nan, np.nan], [1.0, 2.0], metrics=("bleu", "grade"), status="no_finite_score")
    table = paired_comparison.compare_pairs(pd.concat([one_task, undefined]), 2, resamples=50, seed=1).set_index("metric_a")
    assert table.loc["brier", "status"] == "one_task"
    assert np.isnan(table.loc["brier", "mean_low"])
    assert table.loc["brier", "mean_difference"] == -2
    assert table.loc["bleu", "status"] == "no_defined_pairs"
    assert (table.loc["bleu", "n_left_out"], table.loc["bleu", "n_compared"]) == (2, 0)
    assert len(paired_comparison.compare_pairs(one_task.iloc[:0], 2, resamples=50, seed=1)) == 0


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
    # a family that pools several models: their mean is no count of one test set, so its size is not the resolution
    pooled = scores[scores["source"] == "D"].assign(n_examples=np.nan)
    table = metric_pairs.swaps(curves_of(pooled, catalogue), catalogue)
    assert len(table) == 8
    case = table[(table["task"] == "logical_args") & (table["shots"] == 2)].iloc[0]
    assert (case["metric_a"], case["metric_b"]) == ("multiple_choice_grade", "calibration_multiple_choice_brier_score")
    assert (round(case["emergence_score_a"], 1), round(case["emergence_score_b"], 1)) == (18.0, 9.6)
    # An independent audit of the published drawing: E of Brier minus E of the grade over four tasks, t interval -10.4 to +4.1,
    # exact sign-flip p .25. It took plain E, as the paper does.
    plain = table.assign(resolved_score_a=np.nan, resolved_score_b=np.nan)
    result = paired_comparison.compare_pairs(plain, 2, resamples=2000, seed=1).iloc[0]
    assert result["n_tasks"] == 4
    assert (round(-result["mean_high"], 1), round(-result["mean_low"], 1)) == (-10.4, 4.1)
    means = paired_comparison.task_means(
        table["emergence_score_a"].abs() - table["emergence_score_b"].abs(), table["task"].to_numpy(dtype=object)
    )
    assert paired_comparison.sign_flip_p_value(means, resamples=99, seed=1, key="k") == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("name", "metrics", "n_tasks", "contrast"),
    [
        ("accuracy_and_brier", ("acc", "target_conditioned_brier"), 9, True),
        # two filters of one answer: the metric is discontinuous under both
        ("big_bench_hard", ("exact_match,flexible-extract", "exact_match,strict-match"), 27, False),
    ],
)
def test_published_tasks_on_which_metrics_are_crossed(catalogue, name, metrics, n_tasks, contrast):
    # as their sources describe them: Wu & Lo (2024), nine tasks; BIG-Bench Hard, 27 tasks
    curves = frames.from_scores(default_scores(name)[0], catalogue)
    compared = swap_comparisons(metric_pairs.swaps(curves, catalogue), catalogue, 2, resamples=99, seed=1)
    row = compared[compared["grouping"] == "metric"].iloc[0]
    assert (row["name_a"], row["name_b"]) == metrics
    assert (row["n_tasks"], row["contrast"]) == (n_tasks, contrast)


def a_pair(catalogue, first, second, n_scales=6, **columns):
    """The swap of two metrics of one family, from their scores."""
    rows = [
        ("t", metric, "A", 0, 10.0**scale, score)
        for metric, scores in (("acc", first), ("brier_score", second))
        for scale, score in enumerate(scores, 6)
    ]
    scores = pd.DataFrame(rows, columns=["task", "metric", "model_family", "shots", "scale", "score"])
    return metric_pairs.swaps(curves_of(scores, catalogue).assign(**columns), catalogue).iloc[0]


@pytest.mark.parametrize(
    ("second", "status"),
    [
        ([0.9, 0.85, 0.7, 0.6, 0.2, 0.15], "function_of_other"),  # one minus the accuracy
        ([0.45, 0.425, 0.35, 0.3, 0.1, 0.075], "function_of_other"),  # half of that
        ([0.9, 0.85, 0.72, 0.6, 0.2, 0.15], "ok"),
        ([0.5] * 6, "ok"),  # a constant is not a function that varies
    ],
)
def test_a_metric_that_is_a_linear_function_of_the_other_is_no_evidence(catalogue, second, status):
    assert a_pair(catalogue, [0.1, 0.15, 0.3, 0.4, 0.8, 0.85], second)["status"] == status


def test_three_scales_and_other_members_are_not_compared(catalogue):
    assert a_pair(catalogue, [0.1, 0.15, 0.3], [0.9, 0.8, 0.4])["status"] == "too_few_scales"
    first, second = [0.1, 0.15, 0.3, 0.4], [0.9, 0.8, 0.4, 0.3]
    assert a_pair(catalogue, first, second, members=["x", "y"])["status"] == "different_members"
    assert a_pair(catalogue, first, second, members=["x", "x"])["status"] == "ok"


def test_pairs_of_unlike_metrics_come_first(catalogue):
    alike = pairs([5.0] * 6, [4.0] * 6, metrics=("acc", "exact_match"))
    unlike = pairs([5.0] * 2, [4.0] * 2, metrics=("acc", "target_conditioned_brier"))
    table = swap_comparisons(pd.concat([alike, unlike]), catalogue, 2, resamples=99, seed=1)
    by_metric = table[table["grouping"] == "metric"]
    assert by_metric["name_b"].tolist() == ["target_conditioned_brier", "exact_match"]
    assert by_metric["contrast"].tolist() == [True, False]


def test_q_values_agree_with_statsmodels_and_leave_undefined_ones_out():
    p = np.random.default_rng(4).uniform(size=50) ** 2
    q = false_discovery.q_values(np.append(p, [np.nan, np.nan]))
    np.testing.assert_allclose(q[:50], multipletests(p, method="fdr_bh")[1])
    assert np.isnan(q[50:]).all()
    assert np.isnan(false_discovery.q_values([np.nan])).all()


def test_metrics_with_sharp_curves_hand_worked():
    table = false_discovery.metrics_with_sharp_curves(
        ["grade", "grade", "exact", "bleu", "brier"],
        [120, -30, 200, 5, np.nan],
        [0.01, 0.2, np.nan, 0.01, np.nan],
        [10, 100],
    )
    # At 10: grade (twice) and exact are above; only the first curve of grade survives; exact has no q-value.
    assert table.loc[0, ["n_metrics", "n_metrics_above", "n_metrics_after"]].tolist() == [4, 2, 1]
    assert table.loc[0, ["n_curves_above", "n_curves_after", "n_untested_above", "n_undefined_score"]].tolist() == [3, 1, 1, 1]
    assert table.loc[0, "metrics_after"] == "grade"
    assert table.loc[1, ["n_curves_above", "n_curves_after"]].tolist() == [2, 1]
