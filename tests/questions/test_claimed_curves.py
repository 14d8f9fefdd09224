"""The curves of the claims themselves: cases by hand, and the published claims."""

from types import SimpleNamespace

import pandas as pd

from conftest import default_scores
from emergence.curves import frames
from emergence.questions.claimed_curves.answer import on_claimed_curves
from emergence.questions.claimed_curves.tables import claimed_curves, compute
from emergence.study import registries


def tables_of(*rows):
    """Curves and verdicts from (task, metric, family, shots, scales, E, word)."""
    names = ["task", "metric", "model_family", "shots", "n_scales", "emergence_score", "word"]
    frame = pd.DataFrame(rows, columns=names).assign(subtask="", relative_emergence_score_resolved=1.0, verdict="gradual")
    frame["shots"] = frame["shots"].astype("Int64")
    return frame, frame


CLAIMS = pd.DataFrame(
    {
        "task": ["a", "a", "b", "c"],
        "preferred_metric": ["acc", "acc", "acc", "bleu"],
        "model_family": ["GPT-3", "PaLM", "PaLM", "LaMDA"],
    }
)


def test_a_claim_has_the_curve_of_its_own_family_under_its_own_metric():
    curves, verdicts = tables_of(
        ("a", "acc", "GPT", 0, 8, 3.0, "gradual"),
        ("a", "acc", "GPT", 3, 9, 4.0, "sharp"),
        ("a", "bleu", "GPT", 3, 12, 5.0, "no_change"),
        ("b", "bleu", "PaLM", None, 3, 1.4, "cannot_tell"),
        ("c", "bleu", "PaLM", 0, 3, 1.0, "cannot_tell"),
    )
    table = claimed_curves(CLAIMS, curves, verdicts, {"GPT-3": "GPT"}).set_index("claim")
    # those with a curve first
    assert table.index.tolist() == [1, 3, 2, 4]
    assert table["n_curves"].tolist() == [3, 1, 0, 0]
    # under the claimed metric, the longest; under another only where there is no other
    assert table.loc[1, ["metric", "n_scales", "emergence_score", "word"]].tolist() == ["acc", 9, 4.0, "sharp"]
    assert table.loc[3, ["metric", "word"]].tolist() == ["bleu", "cannot_tell"]
    assert table["model_family"].isna().tolist() == [False, False, True, True]
    said = on_claimed_curves(table.reset_index())
    assert said.text.startswith(
        "2 of 4 claims have a curve of the claimed task and family in these files. By what the tests say: 1 sharp"
    )
    # the curve of claim 3 has three scales: nothing is known of its noise from that
    assert "1 sharp and 1 with fewer than four scales." in said.text
    assert "For the other 2 claims this run says nothing" in said.text


def test_without_families_or_curves_nothing_is_claimed_to_be_known():
    curves, verdicts = tables_of()
    table = claimed_curves(CLAIMS.drop(columns="model_family"), curves, verdicts, {})
    assert table["n_curves"].tolist() == [0] * 4
    assert "4 claims name no family (column `model_family`), so no curve can be theirs." in on_claimed_curves(table).text
    assert "cannot be tested here" in on_claimed_curves(table).text
    one = on_claimed_curves(table.head(1))
    assert "0 of 1 claim has" in one.text and one.short == "0 of 1 claim has a curve here"


def test_claims_without_a_list_of_tasks_are_enough(tmp_path, catalogue):
    # as in config/examples/bigbench.yaml: the block names its claims, and the scores say what the tasks are
    claims = tmp_path / "claims.csv"
    claims.write_text("task,preferred_metric,model_family\na,bleu,PaLM\n", encoding="utf-8")
    curves, verdicts = tables_of(("a", "bleu", "PaLM", 0, 3, 1.4, "cannot_tell"))
    table = {"curves": curves, "verdicts": verdicts}.__getitem__
    given = SimpleNamespace(files={"claims": claims}, catalogue=catalogue, block={"claimed_families": {}}, table=table)
    found = compute(given)["claimed_curves"]
    assert found[["task", "n_curves", "word"]].to_numpy().tolist() == [["a", 1, "cannot_tell"]]


def test_published_claims_and_the_curves_that_are_here(catalogue):
    # the project's audit: 13 of 67 claims have a curve of the claimed family in the default study, 9 of PaLM with three scales each,
    # and 4 of GPT. Three of them are of one subtask that the source does not name, which is not the claimed task
    scores, block = default_scores("big_bench")
    curves = frames.measure(frames.from_scores(scores, catalogue), catalogue).assign(word="gradual", verdict="gradual")
    claims = registries.load_claims(block["claims"], catalogue, registries.load_tasks(block["tasks"], catalogue))
    table = claimed_curves(claims, curves, curves, block["claimed_families"])
    here = table[table[["n_curves", "n_subtask_curves"]].sum(axis=1) > 0]
    assert (len(table), len(here)) == (67, 13)
    assert here["claimed_family"].value_counts().to_dict() == {"PaLM": 9, "GPT-3": 4}
    whole = table[table["n_curves"] > 0]
    assert set(whole.loc[whole["model_family"] == "PaLM", "n_scales"]) == {3}
    assert set(here.loc[here["n_curves"] == 0, "task"]) == {"conceptual_combinations", "logical_deduction", "strange_stories"}
    text = on_claimed_curves(table).text
    assert text.startswith(
        "10 of 67 claims have a curve of the claimed task and family in these files. 3 more have only curves of"
    )
