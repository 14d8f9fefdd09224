"""Base rates over comparable tasks: the published odds ratios, and hand-worked cases."""

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from emergence.io.errors import InputError
from emergence.questions.base_rates.answer import on_base_rates
from emergence.questions.base_rates.figure import base_rates as draw
from emergence.questions.base_rates.tables import base_rates
from emergence.study import registries

BIGBENCH = ROOT / "workflow/resources/bigbench"


@pytest.fixture(scope="module")
def lists(catalogue):
    tasks = registries.load_tasks(BIGBENCH / "tasks.csv", catalogue)
    return registries.load_claims(BIGBENCH / "claims.csv", catalogue, tasks), tasks


@pytest.fixture(scope="module")
def table(lists):
    return base_rates(*lists, {"kind": "json", "basis": "stated"}, 0.95).set_index(["comparison", "metrics"])


TWO, FIRST = "multiple_choice_grade|exact_str_match", "multiple_choice_grade"


# as an independent audit of the published lists found them
@pytest.mark.parametrize(
    ("comparison", "claims", "share", "odds_ratio", "low", "high", "p_value", "alone"),
    [
        ("all tasks", "62/67", 0.675, 9.89, 3.67, 33.1, 3.1e-8, (3.78, 4.8e-5)),
        ("kind = json", "62/65", 0.82, 7.44, 2.12, 39.7, 3.1e-4, (2.45, 0.018)),
        ("basis = stated", "62/64", 0.916, 4.32, 0.89, 41.2, 0.074, (1.51, 0.35)),
    ],
)
def test_published_odds_ratios(table, comparison, claims, share, odds_ratio, low, high, p_value, alone):
    row = table.loc[(comparison, TWO)]
    assert f"{row['n_claims']}/{row['of_claims']}" == claims
    assert row["task_share"] == pytest.approx(share, abs=0.006)
    assert round(row["odds_ratio"], 2) == odds_ratio
    assert (row["odds_ratio_low"], row["odds_ratio_high"]) == (pytest.approx(low, rel=0.005), pytest.approx(high, rel=0.005))
    assert float(f"{row['p_value']:.1e}") == p_value
    first = table.loc[(comparison, FIRST)]
    assert (round(first["odds_ratio"], 2), float(f"{first['p_value']:.1e}")) == alone


def test_the_two_metrics_against_each_other(table):
    row = table.loc[("one against the other", FIRST)]
    assert (round(row["odds_ratio"], 2), round(row["p_value"], 2)) == (1.0, 1.0)
    assert (row["odds_ratio_low"], row["odds_ratio_high"]) == (pytest.approx(0.38, abs=0.005), pytest.approx(2.66, abs=0.005))


def test_the_last_stratum_leads_and_the_sentence_says_what_it_shows(lists, table):
    assert table.index[table["leads"]].to_list() == [("basis = stated", TWO)]
    by_metric = pd.DataFrame({"metric": TWO.split("|"), "label": ["Grade", "Match"]})
    said = on_base_rates(table.reset_index(), by_metric)
    assert "The data do not show that these tasks are claimed more often" in said.text
    assert "odds ratio 4.32" in said.short
    without = on_base_rates(base_rates(*lists, {}, 0.95), by_metric)
    assert "These tasks are claimed more often than the others." in without.text
    assert "No strata are named" in without.text


def test_a_stratum_without_a_claim_has_no_odds_ratio():
    tasks = pd.DataFrame({"task": list("abcd"), "preferred_metric": ["acc", "bleu", "acc", "f1"], "kind": ["x", "x", "y", "y"]})
    claims = pd.DataFrame({"task": ["a"], "preferred_metric": ["acc"]})
    table = base_rates(claims, tasks, {"kind": "y"}, 0.95)
    row = table[table["comparison"] == "kind = y"].iloc[0]
    assert (row["of_claims"], row["n_claims"], row["of_tasks"]) == (0, 0, 0)
    assert np.isnan(row["odds_ratio"])


def test_without_a_list_of_tasks_there_is_no_row(catalogue):
    claims = pd.DataFrame({"task": ["a"], "preferred_metric": ["acc"]})
    table = base_rates(claims, pd.DataFrame({"task": [], "preferred_metric": []}), {}, 0.95)
    assert table.empty
    assert "no list of all tasks" in on_base_rates(table, None).short


def test_the_figure_draws_every_comparison_with_claims(table, catalogue):
    figure, shown = draw(table.reset_index(), catalogue)
    assert len(shown) == len(table)
    bold = [label.get_text() for label in figure.axes[0].get_yticklabels() if label.get_fontweight() == "bold"]
    assert len(bold) == 1
    assert bold[0].startswith("basis = stated (154)")


@pytest.mark.parametrize(
    ("strata", "expected"),
    [
        ({"kid": "json"}, ["strata: kid", "did you mean `kind`?"]),
        ({"kind": "jsno"}, ["which no task has", "did you mean `json`?"]),
    ],
)
def test_a_stratum_that_is_not_there_is_a_message(lists, strata, expected):
    with pytest.raises(InputError) as error:
        base_rates(*lists, strata, 0.95)
    for part in expected:
        assert part in str(error.value)
