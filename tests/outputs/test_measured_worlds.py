"""What benchmarks/measure_worlds.py counts, on tables by hand."""

import numpy as np
import pandas as pd
import pytest

from conftest import benchmark


@pytest.fixture(scope="module")
def worlds():
    return benchmark("measure_worlds")


def test_one_verdict_for_each_family_however_many_metrics(worlds):
    table = pd.DataFrame(
        {
            "task": ["t", "t", "t", "t", "u"],
            "model_family": ["1", "1", "2", "2", "1"],
            "metric": ["a", "b", "a", "b", "a"],
            "verdict": ["metric", "metric", "gradual", "gradual", "sharp_under_all"],
        }
    )
    counts = worlds.verdict_counts({("power_law", 200): table, ("break", 200): table})
    assert counts[counts["world"] == "break"][["task", "verdict", "n", "of"]].to_numpy().tolist() == [
        ["t", "gradual", 1, 2],
        ["t", "metric", 1, 2],
        ["u", "sharp_under_all", 1, 1],
    ]
    wrong = worlds.wrong_verdicts(counts)
    assert wrong == {"power_law": (1, 3), worlds.SMALLER: (0, 0), "break": (1, 3)}
    # the exact upper limit for 1 of 3: that at which one or none is found in 5 %
    limit = float(worlds.in_words({"break": (1, 3)}).split("at most ")[1].split(" %")[0]) / 100
    assert (1 - limit) ** 3 + 3 * limit * (1 - limit) ** 2 == pytest.approx(0.05, abs=2e-3)
    header, _, first, *_ = worlds.markdown(worlds.shown_counts(counts)).splitlines()
    assert header == "| world | n_examples | task | `gradual` | `metric` | `sharp_under_all` |"
    assert first == "| power_law | 200 | t | 50 | 50 | 0 |"


def test_never_is_never_for_the_two_worlds_that_were_named(worlds):
    assert worlds.too_often({"power_law": (0, 1600), worlds.SMALLER: (16, 1600), "break": (0, 1600)}) == []
    assert worlds.too_often({"power_law": (1, 1600), worlds.SMALLER: (17, 1600), "break": (1, 1600)}) == list(worlds.WORLDS)


def test_scores_beside_the_truth(worlds):
    truth = pd.DataFrame(
        {
            "task": "t",
            "metric": "a",
            "true_emergence_score": 6.0,
            "emergence_score": [4.0, 6.0, 8.0, np.nan],
            "emergence_score_resolved": [4.0, 6.0, 8.0, 100.0],
        }
    )
    row = worlds.score_errors({("power_law", 200): truth}).loc[("power_law", 200, "t", "a")]
    assert (row["true E"], row["median"], row["without E"]) == (6, 6, 1)


def test_a_smooth_world_is_not_sharp_under_all_and_a_break_is_not_the_metric(worlds, catalogue):
    # the whole way from outputs to verdicts, for a few seeds; benchmarks/measure_worlds.py has the error rates
    counts = worlds.verdict_counts({(world, 1000): worlds.measure(world, 1000, 5, 999, catalogue)[0] for world in worlds.WORLDS})
    assert all(n == 0 for n, _ in worlds.wrong_verdicts(counts).values())
    of_ten = counts[counts["task"] == "answers_of_10_tokens"].set_index(["world", "verdict"])["n"]
    # and the verdicts that they must have can be reached
    assert of_ten.get((worlds.SMALLER, "metric"), 0) >= 2
    assert of_ten["break", "sharp_under_all"] == 5
