"""The questions about outputs: their tables by hand, sentences that follow the tables, figures with and without data."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from emergence.io import tables
from emergence.outputs import assessment, parity, rescoring
from emergence.outputs.paired_answers import N_KEPT
from emergence.questions.metric_chain import answer as chain_answer
from emergence.questions.metric_chain import figure as chain_figure
from emergence.questions.metric_chain import tables as chain_tables
from emergence.questions.metric_parity import answer as parity_answer
from emergence.questions.metric_parity import figure as parity_figure
from emergence.questions.metric_parity import tables as parity_tables
from emergence.questions.output_length import answer as length_answer
from emergence.questions.output_length import figure as length_figure
from emergence.questions.output_length import tables as length_tables
from emergence.questions.same_outputs import answer as same_answer
from emergence.questions.same_outputs import figure as same_figure
from emergence.questions.same_outputs import tables as same_tables
from emergence.questions.target_length import answer as target_answer
from emergence.questions.target_length import figure as target_figure
from emergence.questions.target_length import tables as target_tables
from invented_outputs import arrow, copied_digits, sums

BLOCK = {"format": "outputs_table", "answer": {}, "tokens": "characters"}


@pytest.fixture(scope="module")
def made(tmp_path_factory, catalogue):
    """The tables about outputs of two tasks, as read back from their files."""
    folder = tmp_path_factory.mktemp("outputs")
    frame = arrow(copied_digits(80, [1, 2, 3], task="copy") + sums(60, task="add")).to_pandas()
    tables.write(rescoring.as_table([frame], "outputs", "b"), "outputs", folder / "outputs.parquet")
    found = assessment.tables_of("b", BLOCK, folder / "outputs.parquet", catalogue, 1, 99, 0.95)
    return {name: tables.typed(table, name) for name, table in found.items()}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def pairs(rows):
    columns = ["task", "metric_a", "metric_b", "difference", "low", "high", "emergence_score_a", "emergence_score_b"]
    frame = pd.DataFrame(rows, columns=columns)
    spread = [np.linspace(low, high, N_KEPT) for low, high in zip(frame["low"], frame["high"], strict=True)]
    return frame.assign(subtask="", model_family="F", shots=0, status="ok", draws=spread)


NO_STEPS = pd.DataFrame({"metric": [], "p_holm": []})


def test_pairs_that_speak_to_the_question_come_first(catalogue):
    table = same_tables.by_pair(
        pairs(
            [
                ("t1", "acc", "brier_score", 50, 20, 90, 60, 10),
                ("t2", "acc", "brier_score", -1, -3, 2, np.inf, 6),
                ("t1", "brier_score", "logprob", -9, -12, -6, 1, 10),
                ("t2", "brier_score", "logprob", 0, -1, 1, 3, 3),
                ("t3", "brier_score", "logprob", 0, -1, 1, 3, 3),
            ]
        ),
        pd.DataFrame({"metric": ["acc"] * 4, "p_holm": [0.01, 0.2, np.nan, 0.05]}),
        catalogue,
        1,
        200,
        0.95,
    )
    # two nonlinear metrics have more curves, but do not decide anything
    assert list(table["metric_a"]) == ["acc", "brier_score"] and list(table["leads"]) == [True, False]
    first = table.iloc[0]
    assert (first["n_sharper_a"], first["n_sharper_b"], first["n_infinite"], first["n_tasks"]) == (1, 0, 1, 2)
    assert first["median_difference"] == 24.5
    assert first["low"] < 24.5 < first["high"]
    assert first["drawn"] == "examples"
    assert (first["n_steps"], first["n_steps_beyond_noise"]) == (4, 2)
    said = same_answer.on_pairs(table, catalogue)
    assert "compared with Brier score on 2 curves." in said.text
    assert "above 0 for 1 and below 0 for 0." in said.text
    assert "2 of 4 steps between neighbouring models are more than noise" in said.text
    assert "resampling examples of these tasks" in said.text


def test_with_ten_tasks_the_tasks_are_drawn_too(catalogue):
    # differences without any noise of their own: the interval is that of the median over resampled tasks
    rows = [(f"t{i}", "acc", "brier_score", i, i, i, 1, 1) for i in range(11)]
    (row,) = same_tables.by_pair(pairs(rows), NO_STEPS, catalogue, 1, 2000, 0.95).to_dict("records")
    assert row["drawn"] == "tasks and examples" and row["median_difference"] == 5
    assert 1 <= row["low"] <= 3 and 7 <= row["high"] <= 9
    (fixed,) = same_tables.by_pair(pairs(rows[:9]), NO_STEPS, catalogue, 1, 200, 0.95).to_dict("records")
    assert fixed["low"] == fixed["high"] == fixed["median_difference"] == 4


def test_curves_of_one_task_are_drawn_together(catalogue):
    # nine curves on the same questions, whose D moves as one: their median is as uncertain as each of them
    rows = [("t", "acc", "brier_score", 0, -1, 1, 1, 1)] * 9
    (row,) = same_tables.by_pair(pairs(rows), NO_STEPS, catalogue, 1, 2000, 0.95).to_dict("records")
    assert -1 <= row["low"] < -0.9 and 0.9 < row["high"] <= 1


def test_no_pair_speaks_to_the_question(catalogue):
    table = same_tables.by_pair(pairs([("t", "brier_score", "logprob", 1, 0, 2, 3, 2)]), NO_STEPS, catalogue, 1, 99, 0.95)
    assert "do not decide it" in same_answer.on_pairs(table, catalogue).text


def test_groups_are_counted_where_they_lie():
    groups = pd.DataFrame(
        {
            "accuracy": [0.5, 0.9, 0.1, 0.0],
            "predicted": [0.5, 0.5, 0.5, 0.001],
            "inside": [True, False, False, True],
            "below_resolution": [False, False, False, True],
        }
    ).assign(task="t", subtask="", metric="exact_match", model_family="F", shots=pd.array([None] * 4, "Int64"))
    (row,) = target_tables.by_curve(groups).to_dict("records")
    counts = {name: row[name] for name in ("n_groups", "n_tested", "n_inside", "n_above", "n_below", "n_below_resolution")}
    assert counts == {"n_groups": 4, "n_tested": 3, "n_inside": 1, "n_above": 1, "n_below": 1, "n_below_resolution": 1}
    text = target_answer.on_lengths(pd.DataFrame([row])).text
    assert "In 1 of 3 groups" in text and "above p^L in 1 and below it in 1" in text
    # both failures of the assumption are said, and neither where it holds
    assert "differ in difficulty" in text and "more evenly" in text
    holds = target_tables.by_curve(groups.assign(inside=True))
    assert "differ in difficulty" not in target_answer.on_lengths(holds).text


def test_independent_tokens_are_found_where_they_are(made):
    table = target_tables.by_curve(made["target_length"])
    assert table["n_inside"].sum() >= 0.85 * table["n_tested"].sum()
    figure, shown = target_figure.by_length(made["target_length"], "characters")
    assert len(figure.axes) == 2 and set(shown["task"]) == {"copy"}
    assert "Parameters" not in figure.axes[0].get_xlabel() and "characters" in figure.axes[0].get_xlabel()


def test_subtasks_of_one_length_each_are_drawn_together_from_one_seed(made):
    whole = made["target_length"]
    family = whole["model_family"].iat[0]
    own = whole[(whole["task"] == "copy") & (whole["model_family"] == family)]
    apart = own.assign(subtask=own["shortest"].map("first {}".format))
    # a family with two models per scale is before the other in the alphabet
    twice = pd.concat([apart, apart.assign(model=apart["model"] + " again")]).assign(model_family="a")
    _, shown = target_figure.by_length(pd.concat([twice, apart]), "characters")
    assert set(shown["shortest"]) == set(own["shortest"]) and len(set(own["shortest"])) > 1
    assert set(shown["model_family"]) == {family}


def test_the_largest_fall_is_named(made):
    table = chain_tables.by_link(made["metric_chain"])
    choices = table[table["kind"] == "choices"]
    assert list(choices["order"]) == [0, 1, 2, 3, 4]
    assert choices["change"].iloc[1:].to_numpy() == pytest.approx(np.diff(choices["median_correlation"]))
    said = chain_answer.on_chain(table, made["double_logarithm"])
    assert "The largest fall" in said.text and "multiple choice (1 curve)" in said.text
    # a chain that loses nothing says so
    rising = choices.assign(change=[np.nan, 0.0, 0.0, 0.1, 0.0])
    assert "It falls at no link" in chain_answer.on_chain(rising, made["double_logarithm"].head(0)).text
    figure, shown = chain_figure.by_link(made["metric_chain"], table)
    assert set(shown["kind"]) == {"choices"}
    assert len(figure.axes[0].get_xticks()) == 5


def test_flags_are_counted():
    flags = pd.DataFrame(
        {
            "metric": ["a", "a", "b"],
            "relative_emergence": [3.0, 0.5, np.inf],
            "length_made": [True, False, False],
            "few_examples": [False, False, True],
            "effective_examples": [30.0, 20.0, 1.0],
        }
    )
    table = length_tables.by_metric(flags)
    assert table.to_dict("list") == {
        "metric": ["a", "b"],
        "n_curves": [2, 1],
        "n_sharp": [1, 1],
        "n_length_made": [1, 0],
        "n_few_examples": [0, 1],
        "median_effective_examples": [25.0, 1.0],
    }
    said = length_answer.on_flags(table, "Answers are cut.")
    assert said.text.startswith("2 of 3 curves of outputs are at least twice as steep") and said.text.endswith("Answers are cut.")
    assert "1 is not once" in said.text and "1 rests on" in said.text
    # steep, or without a finite E, is not what the verdicts call sharp
    assert said.short == "of 2 steep curves, 1 by length and 1 by few examples"


def test_parity_is_said():
    rows = [
        {"task": "t", "metric": "acc", "n_stored": 10, "largest_difference": 0.0, "status": parity.EQUAL},
        {"task": "u", "metric": "acc", "n_stored": 10, "largest_difference": 0.5, "status": parity.DIFFERENT},
        {"task": "t", "metric": "rouge1", "n_stored": 10, "largest_difference": np.nan, "status": parity.NOT_COMPUTED},
    ]
    table = parity_tables.by_metric(pd.DataFrame(rows))
    text = parity_answer.on_parity(table).text
    assert "1 of 2 scores" in text and "acc differs in 1 score, by up to 0.5" in text and "Not computed here: rouge1." in text
    figure, _ = parity_figure.by_metric(table)
    assert [bar.get_width() for bar in figure.axes[0].patches] == [1, 0, 1, 0, 0, 1]


def test_figures_of_real_tables(made, catalogue):
    by_pair = same_tables.by_pair(made["same_outputs"], made["output_steps"], catalogue, 1, 99, 0.95)
    figure, shown = same_figure.differences(made["same_outputs"], by_pair, catalogue)
    assert len(shown) == 1 and shown["metric_a"].iat[0] in ("exact_match", "acc")
    figure, shown = length_figure.lengths(made["output_length"], "characters", "Parameters")
    assert shown["scale"].is_monotonic_increasing and len(shown) == 8
    assert figure.axes[0].get_xlabel() == "Parameters"


def test_nothing_to_answer(catalogue):
    empty = {name: tables.typed(pd.DataFrame(), name) for name in (*assessment.TABLES, "metric_parity")}
    by_pair = same_tables.by_pair(empty["same_outputs"], empty["output_steps"], catalogue, 1, 99, 0.95)
    found = [
        same_answer.on_pairs(tables.typed(by_pair, "same_outputs_by_pair"), catalogue),
        target_answer.on_lengths(target_tables.by_curve(empty["target_length"])),
        chain_answer.on_chain(chain_tables.by_link(empty["metric_chain"]), empty["double_logarithm"]),
        length_answer.on_flags(length_tables.by_metric(empty["output_flags"]), "Answers are the outputs."),
        parity_answer.on_parity(parity_tables.by_metric(empty["metric_parity"])),
    ]
    assert all(said.text and said.short for said in found)
    notices = [
        same_figure.differences(empty["same_outputs"], tables.typed(by_pair, "same_outputs_by_pair"), catalogue),
        target_figure.by_length(empty["target_length"], "characters"),
        chain_figure.by_link(empty["metric_chain"], by_pair),
        length_figure.lengths(empty["output_length"], "characters", "Parameters"),
        parity_figure.by_metric(parity_tables.by_metric(empty["metric_parity"])),
    ]
    assert all(len(figure.axes[0].texts) == 1 and data.empty for figure, data in notices)
