"""Shares of variation: statsmodels' sums of squares, enumeration of all permutations, and confounded designs."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.anova import anova_lm

from emergence.statistics import variation
from emergence.statistics.variation import crossed_tasks, variation_shares


def crossed_curves(seed, n_tasks=6, families=("A", "B"), metrics=("exact", "grade", "brier"), metric_effect=0.0):
    generator = np.random.default_rng(seed)
    rows = [
        {
            "task": f"t{t}",
            "model_family": f,
            "metric": m,
            "emergence_score": generator.lognormal() + metric_effect * (m == "exact"),
        }
        for t in range(n_tasks)
        for f in families
        for m in metrics
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("dropped", [0, 7])
def test_shares_agree_with_statsmodels_type_two_sums_of_squares(dropped):
    # Balanced and unbalanced.
    curves = crossed_curves(1).sample(frac=1, random_state=0).iloc[dropped:]
    curves = curves[crossed_tasks(curves)]
    curves["rank"] = stats.rankdata(curves["emergence_score"].abs())
    reference = anova_lm(smf.ols("rank ~ C(metric) + C(task) + C(model_family)", curves).fit(), typ=2)
    total = np.square(curves["rank"] - curves["rank"].mean()).sum()
    table = variation_shares(curves, permutations=19, seed=1, min_tasks=1).set_index("factor")
    for factor in ("metric", "task", "model_family"):
        assert table.loc[factor, "share"] == pytest.approx(reference.loc[f"C({factor})", "sum_sq"] / total)
        assert table.loc[factor, "degrees_of_freedom"] == reference.loc[f"C({factor})", "df"]


def test_permutation_p_value_agrees_with_enumeration():
    # Five tasks, two metrics, one family: permuting within task swaps or keeps each pair, 32 ways.
    curves = crossed_curves(3, n_tasks=5, families=("A",), metrics=("exact", "grade"))
    ranked = curves.assign(rank=stats.rankdata(curves["emergence_score"]))
    difference = ranked.pivot_table(index="task", columns="metric", values="rank").diff(axis=1).iloc[:, -1].to_numpy()
    observed = abs(difference.sum())
    exact = np.mean([abs((np.array(signs) * difference).sum()) >= observed for signs in itertools.product([1, -1], repeat=5)])
    table = variation_shares(curves, permutations=4000, seed=1, min_tasks=1).set_index("factor")
    assert table.loc["metric", "p_value"] == pytest.approx(exact, abs=0.03)


def test_permutation_p_values_of_no_effect_are_uniform():
    # Simulation with known truth: the metric makes no difference.
    p = [variation_shares(crossed_curves(seed), permutations=99, seed=seed, min_tasks=1)["p_value"][0] for seed in range(150)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_a_metric_that_makes_the_difference_is_found():
    table = variation_shares(crossed_curves(5, metric_effect=50), permutations=499, seed=1, min_tasks=1).set_index("factor")
    assert table.loc["metric", "p_value"] == 1 / 500
    assert table.loc["metric", "share"] > 0.5


def test_only_crossed_tasks_count_and_the_others_are_counted():
    curves = crossed_curves(2)
    alone = pd.DataFrame({"task": ["x", "y"], "model_family": "A", "metric": ["exact", "bleu"], "emergence_score": [900.0, 1.0]})
    undefined = pd.DataFrame({"task": ["t0"], "model_family": ["C"], "metric": ["exact"], "emergence_score": [np.nan]})
    table = variation_shares(pd.concat([curves, alone, undefined]), permutations=49, seed=1, min_tasks=1)
    assert (table["n_curves"] == len(curves)).all()
    assert (table["n_not_crossed"] == 2).all()
    assert (table["n_undefined"] == 1).all()
    assert table["share"].equals(variation_shares(curves, permutations=49, seed=1, min_tasks=1)["share"])


def test_one_metric_a_task_is_confounded_and_gives_no_number():
    curves = crossed_curves(2)
    curves["metric"] = np.where(curves["task"] < "t3", "exact", "grade")
    table = variation_shares(curves, permutations=49, seed=1, min_tasks=1)
    assert set(table["status"]) == {"confounded"}
    assert table["share"].isna().all()


@pytest.mark.parametrize(
    ("change", "factor", "status"),
    [
        ({"model_family": "A"}, "model_family", "one_level"),
        ({"emergence_score": 3.0}, "metric", "nothing_varies"),
        ({"emergence_score": np.nan}, "metric", "no_curves"),
    ],
)
def test_degenerate_designs_have_a_status(change, factor, status):
    table = variation_shares(crossed_curves(2).assign(**change), permutations=9, seed=1, min_tasks=1).set_index("factor")
    assert table.loc[factor, "status"] == status
    assert np.isnan(table.loc[factor, "share"])


def test_no_curves_at_all():
    table = variation_shares(crossed_curves(2).iloc[:0], permutations=9, seed=1, min_tasks=1)
    assert set(table["status"]) == {"no_curves"}


def test_family_that_goes_with_the_task_is_confounded():
    curves = crossed_curves(2, families=("A",))
    curves["model_family"] = np.where(curves["task"] < "t3", "A", "B")
    table = variation_shares(curves, permutations=9, seed=1, min_tasks=1).set_index("factor")
    assert table.loc["model_family", "status"] == "confounded"
    assert table.loc["metric", "status"] == "ok"


def test_an_infinite_score_ranks_highest():
    curves = crossed_curves(2)
    largest = curves["emergence_score"].idxmax()
    infinite = curves.copy()
    infinite.loc[largest, "emergence_score"] = np.inf
    first, second = (variation_shares(table, permutations=99, seed=1, min_tasks=1) for table in (curves, infinite))
    assert first.equals(second)


def test_results_do_not_depend_on_the_order_of_the_rows():
    curves = crossed_curves(4)
    shuffled = curves.sample(frac=1, random_state=1)
    first, second = (variation_shares(table, permutations=99, seed=1, min_tasks=1) for table in (curves, shuffled))
    assert first.equals(second)


def many_tasks(metric_effect, seed=0, n_tasks=24):
    """Curves of tasks by metrics by families with a known effect of the metric and noise of the task."""
    generator = np.random.default_rng(seed)
    rows = [
        (f"t{task}", metric, family, 5 + metric_effect * number + level + generator.normal())
        for task in range(n_tasks)
        for level in [generator.normal()]
        for number, metric in enumerate(["a", "b"])
        for family in ["x", "y", "z"]
    ]
    return pd.DataFrame(rows, columns=["task", "metric", "model_family", "emergence_score"])


def test_shares_come_with_an_interval_and_with_what_chance_alone_gives():
    table = variation_shares(many_tasks(2.0), permutations=99, seed=1).set_index("factor")
    metric, family = table.loc["metric"], table.loc["model_family"]
    assert metric["share_low"] <= metric["share"] <= metric["share_high"]
    # one degree of freedom of 24 * 2 * 3 curves
    assert metric["expected_share"] == pytest.approx(1 / 143)
    assert metric["share_low"] > metric["expected_share"]
    # a family that makes no difference takes about what its degrees of freedom give
    assert family["share"] < 5 * family["expected_share"]


def test_the_interval_covers_the_share_of_many_more_tasks():
    # simulation with known truth: the share over 1,000 tasks; percentile intervals over 24 tasks run a little short
    truth = variation_shares(many_tasks(1.0, n_tasks=1000), permutations=99, seed=1).set_index("factor").at["metric", "share"]
    covered = 0
    for seed in range(40):
        row = variation_shares(many_tasks(1.0, seed=seed), permutations=99, seed=1).set_index("factor").loc["metric"]
        covered += row["share_low"] <= truth <= row["share_high"]
    assert covered >= 33


def test_fewer_than_eight_crossed_tasks_have_no_number():
    table = variation_shares(many_tasks(2.0, n_tasks=7), permutations=99, seed=1)
    assert set(table["status"]) == {"too_few_tasks"}
    assert table["share"].isna().all()
    assert set(variation_shares(many_tasks(2.0, n_tasks=8), permutations=99, seed=1)["status"]) == {"ok"}


def test_a_resample_in_which_every_task_comes_once_has_the_shares_of_the_data():
    curves = many_tasks(1.0).assign(emergence_score=lambda frame: frame["emergence_score"].abs())
    curves = curves.drop(index=[3, 20, 77]).reset_index(drop=True)
    rank = stats.rankdata(curves["emergence_score"])
    found = variation._shares_of_resamples(curves, rank - rank.mean(), variation.FACTORS, np.ones((2, 24)))
    table = variation_shares(curves, permutations=99, seed=1).set_index("factor")
    for factor, shares in found.items():
        np.testing.assert_allclose(shares, table.at[factor, "share"])
