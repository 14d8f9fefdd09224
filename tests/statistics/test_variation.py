"""Shares of variation: statsmodels' sums of squares, enumeration of all permutations, and confounded designs."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.anova import anova_lm

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
    table = variation_shares(curves, permutations=19, seed=1).set_index("factor")
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
    table = variation_shares(curves, permutations=4000, seed=1).set_index("factor")
    assert table.loc["metric", "p_value"] == pytest.approx(exact, abs=0.03)


def test_permutation_p_values_of_no_effect_are_uniform():
    # Simulation with known truth: the metric makes no difference.
    p = [variation_shares(crossed_curves(seed), permutations=99, seed=seed)["p_value"][0] for seed in range(150)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_a_metric_that_makes_the_difference_is_found():
    table = variation_shares(crossed_curves(5, metric_effect=50), permutations=499, seed=1).set_index("factor")
    assert table.loc["metric", "p_value"] == 1 / 500
    assert table.loc["metric", "share"] > 0.5


def test_only_crossed_tasks_count_and_the_others_are_counted():
    curves = crossed_curves(2)
    alone = pd.DataFrame({"task": ["x", "y"], "model_family": "A", "metric": ["exact", "bleu"], "emergence_score": [900.0, 1.0]})
    undefined = pd.DataFrame({"task": ["t0"], "model_family": ["C"], "metric": ["exact"], "emergence_score": [np.nan]})
    table = variation_shares(pd.concat([curves, alone, undefined]), permutations=49, seed=1)
    assert (table["n_curves"] == len(curves)).all()
    assert (table["n_not_crossed"] == 2).all()
    assert (table["n_undefined"] == 1).all()
    assert table["share"].equals(variation_shares(curves, permutations=49, seed=1)["share"])


def test_one_metric_a_task_is_confounded_and_gives_no_number():
    curves = crossed_curves(2)
    curves["metric"] = np.where(curves["task"] < "t3", "exact", "grade")
    table = variation_shares(curves, permutations=49, seed=1)
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
    table = variation_shares(crossed_curves(2).assign(**change), permutations=9, seed=1).set_index("factor")
    assert table.loc[factor, "status"] == status
    assert np.isnan(table.loc[factor, "share"])


def test_no_curves_at_all():
    table = variation_shares(crossed_curves(2).iloc[:0], permutations=9, seed=1)
    assert set(table["status"]) == {"no_curves"}


def test_family_that_goes_with_the_task_is_confounded():
    curves = crossed_curves(2, families=("A",))
    curves["model_family"] = np.where(curves["task"] < "t3", "A", "B")
    table = variation_shares(curves, permutations=9, seed=1).set_index("factor")
    assert table.loc["model_family", "status"] == "confounded"
    assert table.loc["metric", "status"] == "ok"


def test_an_infinite_score_ranks_highest():
    curves = crossed_curves(2)
    largest = curves["emergence_score"].idxmax()
    infinite = curves.copy()
    infinite.loc[largest, "emergence_score"] = np.inf
    first, second = (variation_shares(table, permutations=99, seed=1) for table in (curves, infinite))
    assert first.equals(second)


def test_results_do_not_depend_on_the_order_of_the_rows():
    curves = crossed_curves(4)
    shuffled = curves.sample(frac=1, random_state=1)
    first, second = (variation_shares(table, permutations=99, seed=1) for table in (curves, shuffled))
    assert first.equals(second)
