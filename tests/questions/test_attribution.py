"""Attribution: the paper's counts, the published base rates, exact intervals against scipy and statsmodels."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from conftest import ROOT
from emergence.questions.claims.tables import claims_by_metric, claims_by_top_metrics
from emergence.questions.sharpness.tables import by_metric, over_thresholds
from emergence.statistics import proportions
from emergence.study import registries

BIGBENCH = ROOT / "workflow/resources/bigbench"


@pytest.fixture(scope="module")
def lists():
    tasks = registries.load_tasks(BIGBENCH / "tasks.csv")
    return registries.load_claims(BIGBENCH / "claims.csv", tasks), tasks


def test_counts_of_figure_5c(lists, catalogue):
    # published: 67 claims, 51 / 11 / 3 / 2, the first two 92.5 %
    table = claims_by_metric(*lists, catalogue, 0.95).set_index("metric")
    claimed = table[table["n_claims"] > 0]["n_claims"]
    expected = {"multiple_choice_grade": 51, "exact_str_match": 11, "normalized_aggregate_score": 3, "bleu": 2}
    assert claimed.to_dict() == expected
    two = claims_by_top_metrics(*lists, 0.95).set_index("n_metrics").loc[2]
    assert (two["n_claims"], two["of_claims"]) == (62, 67)
    assert round(100 * two["share"], 1) == 92.5


def test_base_rates_of_the_published_tables(lists, catalogue):
    # odds ratios and p-values as the project's statistics document gives them
    table = claims_by_metric(*lists, catalogue, 0.95).set_index("metric")
    two = claims_by_top_metrics(*lists, 0.95).set_index("n_metrics").loc[2]
    assert (two["n_tasks"], two["of_tasks"]) == (141, 209)
    assert (round(two["odds_ratio"], 2), float(f"{two['p_value']:.1e}")) == (9.89, 3.1e-8)
    expected = {
        "multiple_choice_grade": (3.78, 4.8e-5),
        "exact_str_match": (1.80, 0.18),
        "normalized_aggregate_score": (0.08, 1.8e-7),
    }
    for metric, (odds_ratio, p_value) in expected.items():
        assert round(table.at[metric, "odds_ratio"], 2) == odds_ratio
        assert float(f"{table.at[metric, 'p_value']:.1e}") == p_value


def test_odds_ratio_and_q_values_are_statsmodels(lists, catalogue):
    table = claims_by_metric(*lists, catalogue, 0.95).set_index("metric")
    # 51 of 67 claimed and 65 of 142 other tasks prefer multiple_choice_grade
    assert table.at["multiple_choice_grade", "odds_ratio"] == pytest.approx(Table2x2([[51, 16], [65, 77]]).oddsratio)
    np.testing.assert_allclose(table["q_value"], multipletests(table["p_value"], method="fdr_bh")[1])


def test_exact_interval_is_clopper_pearson():
    successes, trials = np.array([0, 3, 62, 67]), np.array([67, 67, 67, 67])
    low, high = proportions.exact_interval(successes, trials, 0.95)
    expected = np.array([proportion_confint(k, n, method="beta") for k, n in zip(successes, trials, strict=True)])
    np.testing.assert_allclose(np.stack([low, high], axis=1), expected, atol=1e-12)
    single = stats.binomtest(62, 67).proportion_ci(0.95, "exact")
    assert (low[2], high[2]) == pytest.approx((single.low, single.high))


def test_exact_interval_of_no_trials_is_undefined():
    assert np.isnan(proportions.exact_interval([0], [0], 0.95)).all()


def test_all_tasks_claimed_has_no_odds_ratio(catalogue):
    tasks = pd.DataFrame({"task": ["a", "b"], "preferred_metric": ["acc", "bleu"]})
    table = claims_by_metric(tasks, tasks, catalogue, 0.95)
    assert table["n_tasks"].tolist() == [1, 1]
    assert "odds_ratio" not in table or table["odds_ratio"].isna().all()


def test_claims_without_a_registry_are_counted_all_the_same(lists, catalogue):
    claims, tasks = lists
    table = claims_by_metric(claims, tasks.iloc[:0], catalogue, 0.95)
    assert table["n_claims"].tolist() == [51, 11, 3, 2]
    assert "n_tasks" not in table


def test_registry_from_scores_takes_preferred_metrics_of_whole_tasks():
    scores = pd.DataFrame(
        {
            "task": ["a", "a", "a", "b"],
            "subtask": ["", "", "x", ""],
            "metric": ["acc", "bleu", "f1", "bleu"],
            "preferred": pd.array([True, False, True, None], dtype="boolean"),
        }
    )
    tasks = registries.from_scores(scores)
    assert tasks[["task", "preferred_metric"]].to_numpy().tolist() == [["a", "acc"]]


def curves_of(scores):
    """Curves of eleven scales, of which a straight line has E = 10; resolution halves the score."""
    frame = pd.DataFrame(scores, columns=["metric", "emergence_score", "status"])
    names = {"task": [f"t{i}" for i in frame.index], "subtask": "", "model_family": "f"}
    frame["n_scales"] = np.where(frame["status"] == "too_few_scales", 3, 11)
    score = frame["emergence_score"].astype(float)
    return frame.assign(
        **names,
        shots=pd.array([3] * len(frame), dtype="Int64"),
        emergence_score_resolved=score / 2,
        relative_emergence_score=score / 10,
        relative_emergence_score_resolved=score / 20,
        repeats_family=None,
    )


def test_by_metric_counts_every_curve_once(catalogue):
    curves = curves_of(
        [
            ("acc", 120, "ok"),
            ("acc", 10, "ok"),
            ("acc", 0, "constant"),
            ("acc", None, "zero_median_step"),
            ("bleu", None, "too_few_scales"),
            # three scales keep their E and are in no count
            ("f1", 500, "too_few_scales"),
        ]
    )
    table = by_metric(curves, catalogue, threshold=100, relative_threshold=2, level=0.95).set_index("metric")
    acc, bleu = table.loc["acc"], table.loc["bleu"]
    statuses = ["n_curves", "n_ok", "n_constant", "n_zero_median_step", "n_too_few_scales", "n_counted"]
    assert acc[statuses].tolist() == [4, 2, 1, 1, 0, 3]
    # one of the three curves that have a score; 120 is 6 times a line where resolution counts, 10 half of one
    assert (acc["n_above"], acc["n_above_relative"], acc["share_above"]) == (1, 1, pytest.approx(1 / 3))
    assert acc["sharpest"] == "t0 · f, 3-shot"
    assert (bleu["n_curves"], bleu["n_above"]) == (1, 0)
    assert pd.isna([bleu["max"], bleu["share_above"], bleu["share_low"], bleu["sharpest"]]).all()
    assert (table.at["f1", "max"], table.at["f1", "n_above"], table.at["f1", "n_above_relative"]) == (500, 0, 0)


def test_thresholds_by_five_readings():
    curves = curves_of([("acc", 120, "ok"), ("bleu", -60, "ok"), ("f1", None, "zero_median_step")])
    table = over_thresholds(curves, [10, 50, 100], [5], 0.95).set_index(["reading", "threshold"])
    assert table["n_metrics"].to_dict() == {
        **{("E", 10): 1, ("E", 50): 1, ("E", 100): 1, ("|E|", 10): 2, ("|E|", 50): 2, ("|E|", 100): 1},
        **{("resolution-limited E", 10): 1, ("resolution-limited E", 50): 1, ("resolution-limited E", 100): 0},
        **{("relative E", 5): 1, ("resolution-limited relative E", 5): 1},
    }
    # eleven scales: a straight line reaches 10; and no curve without a finite score is counted above
    assert table["trivial"].to_dict()["E", 10]
    assert not table["trivial"].to_dict()["E", 50]
    assert (table["of_curves"] == 2).all()
