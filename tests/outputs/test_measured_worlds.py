"""What benchmarks/measure_worlds.py counts, on tables by hand."""

import importlib.util

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from emergence.study import configuration


@pytest.fixture(scope="module")
def worlds():
    found = importlib.util.spec_from_file_location("measure_worlds", ROOT / "benchmarks" / "measure_worlds.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_one_verdict_for_each_family_however_many_metrics(worlds):
    verdicts = pd.DataFrame(
        {
            "task": ["t", "t", "t", "t", "u"],
            "model_family": ["1", "1", "2", "2", "1"],
            "metric": ["a", "b", "a", "b", "a"],
            "verdict": ["metric", "metric", "gradual", "gradual", "sharp_under_all"],
        }
    )
    shares = worlds.verdict_shares({"power_law": verdicts})
    assert shares.loc[("power_law", "t"), ["gradual", "metric", "n"]].tolist() == [0.5, 0.5, 2]
    assert shares.loc[("power_law", "u"), "sharp_under_all"] == 1
    assert worlds.broken_rules({"power_law": verdicts, "break": verdicts}) == {"power_law": 1, "break": 1}
    assert worlds.markdown(shares).splitlines()[0] == "| world | task | gradual | metric | sharp_under_all | n |"


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
    row = worlds.score_errors({"power_law": truth}).loc[("power_law", "t", "a")]
    assert (row["true E"], row["median"], row["without E"]) == (6, 6, 1)


def test_its_configuration_names_keys_that_there_are(worlds):
    blocks = worlds.study(3, 10)["benchmarks"]
    for block in blocks.values():
        # the metrics of outputs are keys of their own
        configuration.check({"benchmarks": {"b": {key: value for key, value in block.items() if key != "metrics"}}})
