"""Global tests and the floor of the p-value: hand-worked numbers and simulation with known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emergence.statistics import false_discovery


def test_simes_by_hand():
    # 3 * 0.01 / 1 = 0.03, 3 * 0.04 / 2 = 0.06, 3 * 0.5 / 3 = 0.5.
    assert false_discovery.simes([0.5, 0.01, 0.04, np.nan]) == pytest.approx(0.03)
    assert np.isnan(false_discovery.simes([np.nan]))


def test_fisher_agrees_with_scipy():
    p = np.random.default_rng(0).uniform(size=9)
    assert false_discovery.fisher(p) == pytest.approx(stats.combine_pvalues(p, method="fisher").pvalue)
    assert np.isnan(false_discovery.fisher([]))


def test_excess_of_small_agrees_with_scipy_binomtest():
    p = np.r_[np.full(4, 0.01), np.full(16, 0.6)]
    assert false_discovery.excess_of_small(p) == pytest.approx(stats.binomtest(4, 20, 0.05, alternative="greater").pvalue)
    assert false_discovery.excess_of_small([0.5, 0.7]) == pytest.approx(1)


def test_the_global_test_holds_its_level_where_curves_of_a_task_are_dependent():
    # Simulation with known truth: six curves for each of 20 tasks, whose z correlate by 0.8 within a task.
    generator = np.random.default_rng(1)
    task = np.repeat(np.arange(20), 6)
    rejected = []
    for _ in range(400):
        z = np.sqrt(0.8) * np.repeat(generator.normal(size=20), 6) + np.sqrt(0.2) * generator.normal(size=120)
        rejected.append(false_discovery.global_test(stats.norm.sf(z), task)["p_fisher"] <= 0.05)
    assert np.mean(rejected) <= 0.08
    weak = stats.norm.sf(generator.normal(loc=1.0, size=120))
    assert false_discovery.global_test(weak, task)["p_fisher"] < 1e-4


def test_global_tests_count_the_family_alone():
    table = pd.DataFrame(
        {"task": ["a", "a", "b", "c"], "metric": ["acc", "acc", "acc", "bleu"], "p_flat": [0.01, 0.2, np.nan, 0.6]}
    )
    found = false_discovery.global_tests(table, ["flat"]).set_index("metric")
    assert found.loc["all", ["n_curves", "n_tasks", "n_small", "n_tasks_small"]].tolist() == [3, 2, 1, 1]
    assert found.at["bleu", "p_fisher"] == pytest.approx(0.6)
    assert found.at["acc", "p_fisher"] == pytest.approx(0.02)


def test_the_floor_is_said_before_a_run():
    # Hand-worked: a lone discovery among 86,000 curves needs p <= 0.05 / 86,000 = 1 / 1,720,000.
    assert false_discovery.curves_needed_at_floor(10_000, 86_000) == 172
    text = false_discovery.warn_floor(10_000, 86_000)
    assert "172 curves" in text
    assert "1,719,999" in text
    assert "Among 86,000 curves" in text
    assert "Among about 86,000 curves" in false_discovery.warn_floor(10_000, 86_000, about=True)
    assert false_discovery.warn_floor(1_719_999, 86_000) == ""
    assert false_discovery.warn_floor(10_000, 219) == ""
    assert false_discovery.warn_floor(0, 86_000) == ""


def test_what_is_said_to_be_enough_is_just_enough():
    for n_curves in (1, 7, 501, 86_000):
        enough = int(np.ceil(n_curves / 0.05 - 1e-9)) - 1
        assert false_discovery.curves_needed_at_floor(enough, n_curves) == 1
        if enough > 100:
            assert false_discovery.curves_needed_at_floor(enough - 1, n_curves) == 2
