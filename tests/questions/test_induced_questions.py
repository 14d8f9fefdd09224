"""The questions about sizes shown, thresholds, groups and the known truth: tables in, sentences and figures out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from conftest import ROOT
from emergence import questions
from emergence.outputs import all_of_k, threshold_sweep
from emergence.questions import drawing
from emergence.questions.all_of_k import answer as groups
from emergence.questions.known_truth import answer as truth
from emergence.questions.shown_sizes import answer as sizes
from emergence.questions.threshold_sweep import answer as sweep
from emergence.training import shipping
from invented_outputs import examples_of

FOLDER = ROOT / "workflow" / "resources" / "induced"
NAMES = ("shown_sizes", "known_truth", "threshold_sweep", "all_of_k")


@pytest.fixture(autouse=True)
def look():
    drawing.style()
    yield
    plt.close("all")


def draw(name, catalogue, **tables):
    """The one figure of a question and its data."""
    given = SimpleNamespace(table=tables.__getitem__, catalogue=catalogue, block={"scale_label": "Parameters"})
    drawn = questions.every_question()[name].module("figure").draw(given)
    assert set(drawn) == {name}
    figure, data = drawn[name]
    figure.draw_without_rendering()
    return figure, data


def by_pair(rows):
    columns = ["metric_a", "metric_b", "n_curves", "n_open", "share_a_sharper", "share_b_sharper"]
    return pd.DataFrame(rows, columns=[*columns, "ratio_low", "ratio_median", "ratio_high"])


SHOWN = by_pair(
    [("exact_match", "brier_score", 2, 1, 0.7, 0.2, 0.5, 1.4, 17.0), ("acc", "brier_score", 1, 0, 1, 0, None, None, None)]
)
CURVES = pd.DataFrame(
    {"share_a_sharper": [0.4, 1.0, 1.0], "share_b_sharper": [0.4, 0.0, 0.0], "is_sampled": [False, True, False]}
)


def test_which_sizes_are_shown_in_words(catalogue):
    said = sizes.on_shown_sizes(CURVES, SHOWN, catalogue)
    assert "For 1 of 3 pairs of curves some choice of four scales makes either metric the sharper one (33.3 %)." in said.text
    assert "Exact match is sharper than Brier score in 70.0 % of the choices and less sharp in 20.0 %" in said.text
    assert "from 0.5 to 17" in said.text
    assert "For 1 pair of curves 5,000 random choices were looked at, not all." in said.text
    assert "cannot be answered" in sizes.on_shown_sizes(CURVES.iloc[:0], SHOWN.iloc[:0], catalogue).text


def test_which_sizes_are_shown_in_a_figure(catalogue):
    figure, data = draw("shown_sizes", catalogue, shown_sizes_by_pair=SHOWN)
    assert len(data) == 2
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    # by colour: first sharper, equally sharp, second sharper; in percent of each pair they are all
    np.testing.assert_allclose(widths, [70, 100, 10, 0, 20, 0])
    draw("shown_sizes", catalogue, shown_sizes_by_pair=SHOWN.iloc[:0])


def known_truth_table():
    return pd.DataFrame(
        {
            "task": ["a", "a", "b"],
            "metric": ["exact_match", "brier_score", "exact_match"],
            "emergence_score": [5.0, 8.0, None],
            "emergence_score_resolved": [5.0, 8.0, 350.0],
            "true_emergence_score": [6.0, 8.0, 34.0],
        }
    )


def test_known_truth_in_words_and_in_a_figure(catalogue):
    said = truth.on_known_truth(known_truth_table()).text
    # errors of a sixth and of nothing
    assert "within 8.3 % of the truth" in said
    assert "from 0.83 to 1" in said
    assert "1 curve has no finite score" in said
    assert "cannot be answered" in truth.on_known_truth(known_truth_table().iloc[2:]).text
    _, data = draw("known_truth", catalogue, known_truth=known_truth_table())
    assert data["drawn"].tolist() == [5, 8, 350]
    draw("known_truth", catalogue, known_truth=known_truth_table().iloc[:0])


@pytest.fixture(scope="module")
def swept(catalogue):
    rows = shipping.read(FOLDER / "autoencoder.parquet").to_pandas()
    outputs = rows.assign(
        kind="loglikelihood",
        log_probs=[[value] for value in rows["log_density"]],
        credits=[[]] * len(rows),
        filter="",
        shots=pd.array([pd.NA] * len(rows), dtype="Int64"),
        stored_metrics=[["squared_error"]] * len(rows),
        stored_values=[[value] for value in rows["squared_error"]],
    )
    return threshold_sweep.sweep([examples_of(outputs)], catalogue)


def test_thresholds_of_the_shipped_autoencoders(swept, catalogue):
    said = sweep.on_thresholds(swept)
    assert "digits_autoencoder, mean of seeds: |E| of the squared_error itself is 9.1" in said.text
    assert "from 8.6 (at 0.5) to 1788.0" in said.text
    _, data = draw("threshold_sweep", catalogue, threshold_sweep=swept)
    assert set(data["model_family"]) == {"mean of seeds"}
    row = swept[(swept["model_family"] == "mean of seeds") & (swept["threshold"] == 0.05)].iloc[0]
    drawn = data[data["threshold"] == 0.05]
    np.testing.assert_allclose(drawn["score"], row["shares"])
    assert "cannot be answered" in sweep.on_thresholds(swept.iloc[:0]).text
    draw("threshold_sweep", catalogue, threshold_sweep=swept.iloc[:0])


@pytest.mark.parametrize(
    ("of_mean", "words"),
    [
        (0.0, "the value itself does not change with scale (1 curve)"),
        # 3 / 2.5, which is not "1 times"
        (2.5, "the choice of the threshold changes |E| up to 1.2 times that of the value itself (1 curve)"),
    ],
)
def test_a_threshold_that_changes_little(of_mean, words):
    series = {"task": "t", "subtask": "", "model_family": "f", "shots": 0, "filter": "", "value": "v"}
    table = pd.DataFrame({"threshold": [0.1, 0.2], "emergence_score_resolved": [-3.0, 1.0]})
    assert sweep.on_thresholds(table.assign(emergence_score_of_mean=of_mean, **series)).short == words


def test_groups_of_the_shipped_classifiers(catalogue):
    rows = shipping.read(FOLDER / "digits_cnn.parquet").to_pandas()
    right = np.stack(rows["log_probs"]).argmax(axis=1) == rows["gold"]
    key = ["task", "subtask", "model_family", "model", "scale"]
    scores = rows[key].assign(score=right.astype(float)).groupby(key, as_index=False)["score"].mean()
    scores = scores.assign(benchmark="b", metric="acc", n_examples=500, chance=np.nan, stderr=np.nan)
    scores["preferred"] = pd.array([pd.NA] * len(scores), dtype="boolean")
    scores["shots"] = pd.array([pd.NA] * len(scores), dtype="Int64")
    table = all_of_k.by_group_size(scores, catalogue)
    said = groups.on_groups(table, catalogue)
    # the counterexample: all of five is less sharp than accuracy, for every seed and for their mean
    assert "makes 0 of 4 curves sharper" in said.text
    assert (table.query("model_family == 'mean of seeds' and group_size == 5")["emergence_score"] < 11).all()
    _, data = draw("all_of_k", catalogue, all_of_k=table)
    assert data["score"].between(0, 1).all()
    assert "cannot be answered" in groups.on_groups(table.iloc[:0], catalogue).text
    draw("all_of_k", catalogue, all_of_k=table.iloc[:0])


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_caption_with_its_limits(name):
    question = questions.every_question()[name]
    for figure in question.figures:
        assert "Limits:" in question.caption(figure)
