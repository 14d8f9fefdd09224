"""Answers in words, each sentence against the columns that it speaks of: tables are written by hand."""

import re

import numpy as np
import pandas as pd
import pytest

from conftest import COLUMNS, ROOT
from emergence.curves import frames
from emergence.ingest import pipeline
from emergence.io import tables
from emergence.questions.given import Given
from emergence.questions.metric_swaps.answer import on_swaps
from emergence.questions.sharpness.answer import on_sharpness
from emergence.questions.sharpness.tables import by_metric, over_thresholds
from emergence.questions.test_set_size.answer import on_resolution
from emergence.questions.verdicts import tables as verdict_tables
from emergence.statistics import curve_tests
from emergence.study import metric_catalogue
from emergence.study.configuration import check

QUESTIONS = ROOT / "scripts/emergence/questions"


@pytest.mark.parametrize(
    "path", sorted([*QUESTIONS.glob("*/answer.py"), *QUESTIONS.glob("*/*.rst")]), ids=lambda path: path.parent.name
)
def test_no_answer_takes_scales_for_parameters_of_models(path):
    """A scale may be tokens or steps of one model; what a block calls it is its `scale_label`."""
    said = re.sub(r"(?m)^ *Parameters\n *-+$", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"(?i)\b(largest|smaller|smallest) models?\b|\bparameters\b|\bmodel sizes?\b", said)


NOTHING = {"n_tested": 0, "n_above_chance": 0, "n_known": 0, "n_under_resolved": 0, "n_at_or_below_chance": 0}


@pytest.mark.parametrize(
    ("statuses", "sentence", "cell"),
    [
        (
            ["unknown_examples"] * 3,
            "For 3 proportions the number of test examples is not known; `n_examples` would make the test possible.",
            "needs n_examples",
        ),
        (
            ["unknown_chance"],
            "For 1 proportion the chance-level score is not known; `chance` would make the test possible.",
            "needs chance",
        ),
        (
            ["unknown_examples_and_chance"] * 2,
            "neither the number of test examples nor the chance-level score is known; `n_examples` and `chance` would make",
            "needs n_examples and chance",
        ),
        (["not_a_proportion"] * 2, "This cannot be answered: no score is a proportion.", "no score is a proportion"),
    ],
)
def test_without_an_answer_about_test_sets_the_missing_column_is_named(statuses, sentence, cell):
    resolution = pd.DataFrame([{"metric": "all", "median_needed": np.nan, "median_at_hand": np.nan} | NOTHING])
    said = on_resolution(resolution, pd.DataFrame({"status": statuses}))
    assert said.text.startswith("This cannot be answered: ")
    assert sentence in said.text
    assert said.cell == cell
    # no column is named that is not missing
    for name in ("`n_examples`", "`chance`"):
        assert (name in said.text) == (name in sentence)


def comparison(**columns):
    """One comparison of accuracy with a Brier score, of five pairs of curves of five tasks."""
    row = {"grouping": "metric", "name_a": "acc", "name_b": "brier_score", "contrast": True, "n_pairs": 5, "n_compared": 5}
    row |= {"n_tasks": 5, "n_only_a": 0, "n_only_b": 0, "n_both": 0, "n_neither": 5, "mcnemar_p": np.nan, "ratio": 1.5}
    row |= {"ratio_low": 0.9, "ratio_high": 2.5, "sign_flip_p": 0.25, "n_functions": 0, "n_left_out": 0}
    return pd.DataFrame([row | columns])


def test_mcnemar_is_said_only_where_some_curve_is_sharp_under_one_metric(catalogue):
    nothing = on_swaps(comparison(), catalogue, 2)
    assert "No curve is steep under either." in nothing.text
    assert "McNemar" not in nothing.text
    assert nothing.cell == "0 steep"
    alike = on_swaps(comparison(n_both=2, n_neither=3), catalogue, 2)
    assert "under both: 2." in alike.text
    assert "McNemar" not in alike.text
    some = on_swaps(comparison(n_only_a=4, n_neither=1, mcnemar_p=0.125), catalogue, 2)
    assert "Steep under the first only: 4; under the second only: 0; under both: 0 (McNemar's p = 0.12)." in some.text


def test_pairs_that_are_no_evidence_are_said(catalogue):
    said = on_swaps(comparison(n_functions=2, n_left_out=1), catalogue, 2).text
    assert "Not compared: 2 pairs of linearly dependent metrics and 1 pair with too few scales" in said
    none_left = on_swaps(comparison(n_compared=0, n_functions=5), catalogue, 2)
    assert "none of 5 pairs of curves can be compared" in none_left.text
    assert "5 pairs of linearly dependent metrics" in none_left.text


def table_of(curves_by_task, **constants):
    """A score table of accuracies: {task: scores}; sizes are powers of ten."""
    rows = [(task, 10.0**place, score) for task, scores in curves_by_task.items() for place, score in enumerate(scores, 6)]
    frame = pd.DataFrame(rows, columns=["task", "scale", "score"])
    plain = {"benchmark": "b", "subtask": "", "metric": "acc", "model_family": "f", "preferred": None, "chance": np.nan}
    frame = frame.assign(**plain, stderr=np.nan, n_examples=100, model=frame["scale"].astype(str), **constants)
    return frame.assign(shots=pd.array([pd.NA] * len(frame), dtype="Int64"))


def test_headline_counts_leave_out_curves_without_a_score(catalogue):
    """By hand: of five curves, two scales and three scales are in no count; nor is one without any finite score."""
    scores = table_of(
        {
            "line": [0.1, 0.2, 0.3, 0.4],
            "steep": [0.1, 0.12, 0.14, 0.9],
            "two": [0.1, 0.9],
            "three": [0.1, 0.2, 0.9],
            "raw": [0.2] * 4,
        }
    )
    raw = scores["task"] == "raw"
    # full digits, of an unknown number of examples: no resolution, and half of the steps are zero
    scores.loc[raw, "score"] = [np.pi / 10] * 3 + [np.e / 4]
    scores["n_examples"] = scores["n_examples"].astype(float).mask(raw)
    made = frames.measure(frames.from_scores(scores, catalogue), catalogue)
    emergence = {"threshold": 100.0, "relative_threshold": 2.0}
    found = by_metric(made, catalogue, 100.0, 2.0, 0.95)
    said = on_sharpness(made, found, over_thresholds(made, [100.0], [2.0], 0.95), emergence)
    assert "2 of 5 curves are counted." in said.text
    assert "Not counted: 2 with fewer than four scales and 1 without a finite score." in said.text
    assert "1 counted curve has a relative E of 2 or more" in said.text
    assert said.short.startswith("relative E of 2 or more: 1 of 2 curves")


def test_from_a_table_of_scores_to_the_table_of_verdicts(tmp_path):
    """OLMo-ladder made small, through the whole way: a file of scores, read, tested, judged, and written as verdicts.csv.

    100 checkpoints, loss nearly straight in log tokens, accuracy of 1,000 questions that jumps half way. Losses are better when
    lower. By E alone the answer would be upside down.
    """
    random = np.random.default_rng(21)
    tokens = np.logspace(9, 12.5, 100)
    loss = np.linspace(3.2, 2.2, 100) + 0.001 * random.standard_normal(100)
    accuracy = random.binomial(1000, np.where(np.arange(100) < 60, 0.26, 0.72)) / 1000
    lines = [",".join((*COLUMNS, "n_examples", "stderr"))]
    for number, scale in enumerate(tokens.tolist()):
        lines += [
            f"t,acc,f,step{number},{scale!r},{accuracy[number]},1000,",
            f"t,cross_entropy,f,step{number},{scale!r},{loss[number]:.6f},,0.001",
        ]
    (tmp_path / "scores.csv").write_text("\n".join(lines) + "\n")
    columns = {name: name for name in (*COLUMNS, "n_examples", "stderr")}
    study = check({"benchmarks": {"mine": {"format": "table", "files": [str(tmp_path / "scores.csv")], "columns": columns}}})
    metrics = str(ROOT / "config/metrics.yaml")
    catalogue = metric_catalogue.load(metrics)
    scores, _, _ = pipeline.ingest("mine", study["benchmarks"]["mine"], metrics)
    curves = tables.typed(frames.measure(frames.from_scores(scores, catalogue), catalogue), "curves")
    given = Given({}, study, study["benchmarks"]["mine"], metric_catalogue.entries(metrics), {}, "mine")
    given.put("curves", curves)
    given.put("null_models", curve_tests.assess(frames.attach_scatter(curves, scores), catalogue, 200, 1)["null_models"])
    tables.write(verdict_tables.compute(given)["verdicts"], "verdicts", tmp_path / "verdicts.csv")
    table = tables.read("verdicts", tmp_path / "verdicts.csv").set_index("metric")
    assert abs(table.at["cross_entropy", "emergence_score"]) > abs(table.at["acc", "emergence_score"])
    assert table["word"].to_dict() == {"acc": "sharp", "cross_entropy": "gradual"}
    assert set(table["verdict"]) == {"metric"}
    # where accuracy jumps, the loss does not: that scale is the 61st of 100
    assert table.at["acc", "step_scale"] == pytest.approx(tokens[60])
    # no smooth link from the loss explains the jump
    assert table.at["acc", "p_link"] < 0.001
