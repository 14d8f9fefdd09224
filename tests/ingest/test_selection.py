"""What a block asks for: names, groups, a choice, directions, checkpoints. Expected scores are those written by hand."""

import numpy as np
import pandas as pd
import pytest

from emergence.curves import frames, metric_pairs
from emergence.ingest import groups, pipeline, selection
from emergence.io.errors import InputError
from emergence.study import configuration, metric_catalogue
from emergence.study.configuration import DEFAULT_METRICS

COLUMNS = {name: name for name in ("task", "metric", "model", "score")}
LINES = [
    "hendrycksTest-law,acc,org/m-1b,0.2",
    "hendrycksTest-art,acc,org/m-1b,0.4",
    "mmlu,acc,org/m-1b,0.3",
    "hendrycksTest-law,acc,m-2b,0.4",
    "hendrycksTest-art,acc,m-2b,0.6",
    "mmlu,acc,m-2b,0.5",
    "piqa,acc,m-2b,0.9",
    "piqa,exact_match,m-2b,0.8",
]
MODELS = {"m-1b": {"family": "F", "scale": 1.0e9}, "m-2b": {"family": "F", "scale": 2.0e9}}


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def ingest(lines=LINES, head="task,metric,model,score", **keys):
        (tmp_path / "scores.csv").write_text("\n".join([head, *lines]) + "\n")
        block = {"format": "table", "files": ["scores.csv"], "columns": COLUMNS, "models": MODELS} | keys
        block = {key: value for key, value in block.items() if value is not None}
        block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
        scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
        return scores, account

    return ingest


def adds_up(account):
    counts = account.groupby("outcome")["n"].sum()
    return counts["read"] == counts.drop(["read", "noted", "ignored", "renamed"], errors="ignore").sum()


@pytest.mark.parametrize(
    ("keys", "n_kept", "n_left_out"),
    [
        ({"leave_out": {"tasks": ["mmlu", "hendrycks*"]}}, 2, 6),
        ({"only": {"tasks": ["piqa"]}}, 2, 6),
        ({"only": {"tasks": ["piqa"], "metrics": ["acc"]}}, 1, 7),
        ({"leave_out": {"tasks": ["piqa"], "metrics": ["exact_match"]}}, 6, 2),
        # by the name that `rename` gives
        ({"only": {"models": ["m-1b"]}}, 3, 5),
        ({"leave_out": {"tasks": ["[hm]*"]}}, 2, 6),
        # small and capital letters differ
        ({"leave_out": {"tasks": ["PIQA"]}}, 8, 0),
    ],
)
def test_scores_are_chosen_by_name_and_pattern(read, keys, n_kept, n_left_out):
    scores, account = read(rename={"models": {"org/*": "m-1b"}}, **keys)
    assert len(scores) == n_kept
    assert account.query("outcome == 'left_out'")["n"].sum() == n_left_out
    assert adds_up(account)


def test_what_is_left_out_cannot_be_a_mistake(read):
    # neither a text for a score nor an unknown metric stops the run where the block does not ask for it
    lines = [*LINES[3:], "broken,acc,m-2b,high", "piqa,nobody_knows,m-2b,0.5"]
    scores, _ = read(lines, leave_out={"tasks": ["broken"], "metrics": ["nobody*"]})
    assert len(scores) == 5
    with pytest.raises(InputError, match="found: `high`"):
        read(lines, leave_out={"metrics": ["nobody*"]})


def test_a_pattern_that_fits_nothing_is_noted(read):
    _, account = read(
        rename={"models": {"org/*": "m-1b", "absent": "x"}},
        only={"tasks": ["*", "none"]},
        groups={"g": "glue_*"},
        leave_out={"metrics": ["bleu"]},
    )
    ignored = account.query("outcome == 'ignored'")
    assert sorted(ignored["example"]) == ["absent", "bleu", "glue_*", "none"]
    assert (ignored["n"] == 0).all()


def test_several_names_of_one_model_become_one(read):
    scores, _ = read(rename={"models": {"org/m-1b": "m-1b"}, "tasks": {"mmlu": "MMLU"}})
    assert set(scores["model"].astype(str)) == {"m-1b", "m-2b"}
    assert "MMLU" in set(scores["task"].astype(str))


def test_a_group_by_a_key(read):
    scores, _ = read(rename={"models": {"org/m-1b": "m-1b"}}, groups={"mmlu": "hendrycksTest-*"})
    rows = scores.astype({"task": "str", "subtask": "str"}).set_index(["task", "subtask", "model"])
    assert set(rows.index.get_level_values("task")) == {"mmlu", "piqa"}
    assert rows.loc[("mmlu", "hendrycksTest-law", "m-1b"), "score"].item() == 0.2
    assert rows["aggregate"].fillna(False).groupby(level=["task", "subtask"]).all().to_dict() == {
        ("mmlu", ""): True,
        ("mmlu", "hendrycksTest-art"): False,
        ("mmlu", "hendrycksTest-law"): False,
        ("piqa", ""): False,
    }
    # the digest is that of the members, in any order
    assert set(rows.loc[("mmlu", ""), "members"]) == {groups.members_digest(["hendrycksTest-law", "hendrycksTest-art"])}


def test_members_of_two_metrics_differ(read):
    lines = ["g_a,acc,m-2b,0.1", "g_b,acc,m-2b,0.3", "g,acc,m-2b,0.2", "g_a,exact_match,m-2b,0.5", "g,exact_match,m-2b,0.5"]
    scores, _ = read(lines, groups={"g": ["g_a", "g_b"]})
    own = scores[scores["subtask"] == ""].astype({"metric": "str"}).set_index("metric")["members"]
    assert own["acc"] != own["exact_match"] == groups.members_digest(["g_a"])
    # the curves have them, too; one whose models average different members is like no other
    catalogue = metric_catalogue.load(DEFAULT_METRICS)
    curves = frames.from_scores(scores, catalogue).astype({"metric": "str", "subtask": "str"}).set_index(["subtask", "metric"])
    assert curves["members"].dropna().to_dict() == {("", "acc"): own["acc"], ("", "exact_match"): own["exact_match"]}
    assert curves["aggregate"].astype(bool).to_dict() == {key: key[0] == "" for key in curves.index}
    other = scores.assign(model="m-1b", scale=1e9, members=scores["members"].where(scores["members"].isna(), "other"))
    both = pd.concat([scores, other], ignore_index=True)
    mixed = frames.from_scores(both, catalogue).set_index(["subtask", "metric"])["members"]
    assert mixed["", "acc"] == groups.members_digest([own["acc"], "other"])


def test_tasks_of_groups_that_share_a_task_are_one():
    # by hand: a > (b > x, y), z; c shares y with a; d and e have no task in common with them; f without a score is only a list
    members = {"a": ["b", "z"], "b": ["x", "y"], "c": ["y", "w"], "d": ["v"], "f": ["d", "a"]}
    owner = groups.tasks_of(members, {"a", "b", "c", "d", "x", "y", "z", "w", "v"})
    assert owner == dict.fromkeys("abcxyzw", "a") | dict.fromkeys("dv", "d")
    # a group that joins two others makes one of the three, whatever the order
    joined = groups.tasks_of({"a": ["1", "2"], "b": ["3", "4"], "c": ["2", "3"]}, set("abc1234"))
    assert set(joined.values()) == {"a"} and set(joined) == set("abc1234")
    assert groups.tasks_of({}, {"a"}) == {}
    # a group in itself ends
    assert groups.tasks_of({"a": ["a", "b"]}, {"a", "b"}) == {"a": "a", "b": "a"}


def test_the_direction_of_one_task_is_turned(read):
    # y is exact_match turned: its curve falls by 0.4 and so gets better; acc of the same task stays as it is
    lines = [
        f"{task},{metric},{model},{score}"
        for task, metric, scores in [("y", "exact_match", (0.6, 0.2)), ("y", "acc", (0.1, 0.3)), ("z", "exact_match", (0.6, 0.2))]
        for model, score in zip(("m-1b", "m-2b"), scores, strict=True)
    ]
    scores, _ = read(lines, by_task={"higher_is_better": {"y": {"exact_match": False}}})
    catalogue = metric_catalogue.load(DEFAULT_METRICS)
    curves = frames.from_scores(scores, catalogue)
    found = curves.astype({"task": "str", "metric": "str"}).set_index(["task", "metric"])["higher_is_better"].to_dict()
    assert found == {("y", "acc"): True, ("y", "exact_match"): False, ("z", "exact_match"): True}
    (batch,) = frames.batches(curves)
    rises = dict(
        zip(
            curves["task"].astype(str) + " " + curves["metric"].astype(str),
            batch.oriented[:, 1] - batch.oriented[:, 0],
            strict=True,
        )
    )
    assert {key: round(value, 12) for key, value in rises.items()} == {"y acc": 0.2, "y exact_match": 0.4, "z exact_match": -0.4}
    for _, a, b in metric_pairs.on_shared_scales(curves, catalogue, np.array([0]), np.array([1])):
        assert (a[0, 1] > a[0, 0]) and (b[0, 1] > b[0, 0])
    whole, _ = read(lines, by_task={"higher_is_better": {"y": False}})
    assert whole.astype({"task": "str"}).groupby("task")["higher_is_better"].apply(
        lambda said: said.fillna(True).any()
    ).to_dict() == {"y": False, "z": True}


def test_checkpoints_of_a_training_run(read):
    # the step is the scale, each step is a model, step 0 is left out by name
    lines = [f"t,acc,run,{step},{score}" for step, score in ((0, 0.1), (1000, 0.2), ("2000.0", 0.4))]
    scores, account = read(lines, "task,metric,model,step,score", columns=COLUMNS | {"step": "step"}, models=None)
    assert scores[["model_family", "model", "scale", "score"]].astype({"model": "str"}).to_numpy().tolist() == [
        ["run", "run@1000", 1000, 0.2],
        ["run", "run@2000", 2000, 0.4],
    ]
    left_out = account.set_index("outcome").loc["left_out"]
    assert (left_out["n"], left_out["reason"]) == (1, "scale 0, which a logarithmic axis cannot show")
    # a family for all checkpoints of a run, and another scale for one of them
    models = {"run": {"family": "G"}, "run@2000": {"family": "G", "scale": 5}}
    scores, _ = read(lines, "task,metric,model,step,score", columns=COLUMNS | {"step": "step"}, models=models)
    assert scores.astype({"model": "str"}).set_index("model")["scale"].to_dict() == {"run@1000": 1000, "run@2000": 5}
    assert set(scores["model_family"]) == {"G"}


def test_one_model_in_a_table_of_its_own(read):
    lines = ["t,acc,10,0.1", "t,acc,100,0.3"]
    columns = {"task": "task", "metric": "metric", "scale": "tokens", "score": "score"}
    scores, _ = read(lines, "task,metric,tokens,score", columns=columns, constants={"model": "run"}, models=None)
    assert scores["model"].astype(str).tolist() == ["run@10", "run@100"]
    assert set(scores["model_family"].astype(str)) == {"run"}


def test_a_scale_of_zero_in_the_block_is_left_out(read):
    models = MODELS | {"m-1b": {"family": "F", "scale": 0}}
    scores, account = read(rename={"models": {"org/m-1b": "m-1b"}}, models=models)
    assert set(scores["scale"]) == {2e9}
    assert account.set_index("outcome").loc["left_out", "n"] == 3


def test_the_account_has_one_row_per_reason(read):
    lines = [f"t,acc,model {number},0.5" for number in range(1000)]
    scores, account = read(lines)
    assert scores.empty
    left_out = account.query("outcome == 'left_out'")
    assert len(left_out) == 1 and left_out["n"].item() == 1000
    assert "models: `model 0`" in left_out["example"].item() and "and 990 more" in left_out["example"].item()


def test_names_with_brackets_are_names_first():
    assert selection.matcher("[a]")("[a]") and selection.matcher("[a]")("a")
    chosen, unused = selection.fitting(["x (1)", "y"], ["x (?)", "z*"])
    assert chosen.tolist() == [True, False] and unused == ["z*"]
    assert selection.fitting([], ["a"])[1] == ["a"]


def test_no_rows_are_a_case(read):
    scores, _ = read(only={"tasks": ["none"]}, rename={"tasks": {"a": "b"}}, groups={"g": "*"})
    assert isinstance(scores, pd.DataFrame) and scores.empty
