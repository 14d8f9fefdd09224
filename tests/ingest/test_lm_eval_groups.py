"""Groups of the harness in three levels, groups that share tasks, tags, unlike weights, and folders with files that are broken.

The fixtures are in the form of real files; every expected number is worked by hand from them.
"""

import json

import pandas as pd
import pytest

from emergence.ingest import pipeline
from emergence.io.errors import InputError
from emergence.study import configuration, starter_blocks
from emergence.study.configuration import DEFAULT_METRICS

SIZES = {"org/m-1b": 1.0e9, "org/m-2b": 2.0e9}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def run(model, scores, sizes=None, **beside):
    """A results file of 0.4: scores {entry: acc}, sizes {task: number of examples}."""
    results = {name: {"acc,none": acc, "acc_stderr,none": "N/A", "alias": name} for name, acc in scores.items()}
    counts = {name: {"original": n, "effective": n} for name, n in (sizes or {}).items()}
    return {"results": results, "n-samples": counts, "config": {"model": "hf", "model_args": f"pretrained={model}"}} | beside


def write(folder, runs):
    for number, content in enumerate(runs):
        (folder / f"results_{number}.json").write_text(json.dumps(content))


def ingested(**keys):
    block = {"format": "lm_eval", "files": ["out"], "models": {name: {"family": "F", "scale": n} for name, n in SIZES.items()}}
    block = configuration.check({"benchmarks": {"mine": block | keys}})["benchmarks"]["mine"]
    scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
    return scores.astype({"task": "str", "subtask": "str", "model": "str"}), account


def one_model(scores, field):
    """{(task, subtask): field} of the smaller model."""
    of_model = scores[scores["model"] == "org/m-1b"]
    return {(row.task, row.subtask): getattr(row, field) for row in of_model.itertuples()}


def test_three_levels(folder):
    members = {"top": ["left", "right"], "left": ["low", "c"], "low": ["a", "b"], "right": ["d"]}
    sizes = {"a": 10, "b": 30, "c": 40, "d": 20}
    # low: (10 * .4 + 30 * .8) / 40; left: (40 * .7 + 40 * .5) / 80; top: (80 * .6 + 20 * .1) / 100
    scores = {"top": 0.5, "left": 0.6, "low": 0.7, "a": 0.4, "b": 0.8, "c": 0.5, "right": 0.1, "d": 0.1, "alone": 0.3}
    write(folder, [run(model, scores, sizes, group_subtasks=members) for model in SIZES])
    found, account = ingested()
    n_examples = one_model(found, "n_examples")
    assert n_examples[("top", "")] == 100 and n_examples[("top", "left")] == 80 and n_examples[("top", "low")] == 40
    assert {key for key, is_one in one_model(found, "aggregate").items() if is_one} == {
        ("top", ""),
        ("top", "left"),
        ("top", "low"),
        ("top", "right"),
    }
    assert set(found["task"]) == {"top", "alone"}
    assert account.groupby("outcome")["n"].sum()["kept"] == 18


def test_a_task_in_two_groups_is_counted_once(folder):
    members = {"one": ["a", "b"], "two": ["b", "c"]}
    scores = {"one": 0.2, "two": 0.3, "a": 0.2, "b": 0.2, "c": 0.4}
    write(folder, [run(model, scores, dict.fromkeys("abc", 10), group_subtasks=members) for model in SIZES])
    found, _ = ingested()
    # groups that share a question are one task, and each question is in it once
    assert set(found["task"]) == {"one"}
    assert sorted(one_model(found, "score")) == [("one", ""), ("one", "a"), ("one", "b"), ("one", "c"), ("one", "two")]
    # taken apart, the other one still holds its tasks
    found, account = ingested(groups={"one": []})
    assert sorted(one_model(found, "score")) == [("a", ""), ("two", ""), ("two", "b"), ("two", "c")]
    assert account.query("outcome == 'left_out'")["n"].sum() == 2


def test_a_tag_is_only_a_list_of_tasks(folder):
    runs = [
        run(model, {"a": 0.2, "b": 0.4, "g": 0.3, "c": 0.3}, group_subtasks={"tag": ["a", "g"], "g": ["c"]}) for model in SIZES
    ]
    for content in runs:
        content["results"]["tag"] = {" ": " ", "alias": "tag"}
    write(folder, runs)
    found, _ = ingested()
    assert sorted(one_model(found, "score")) == [("a", ""), ("b", ""), ("g", ""), ("g", "c")]


@pytest.mark.parametrize(("score", "n_examples"), [(0.38, 100), (0.3, None)])
def test_a_group_of_which_the_tasks_have_equal_weights_has_no_number_of_examples(folder, score, n_examples):
    # .2 on 10 and .4 on 90: .38 over the examples, .3 with equal weights (weight_by_size: false)
    scores = {"g": score, "a": 0.2, "b": 0.4}
    write(folder, [run(model, scores, {"a": 10, "b": 90}, group_subtasks={"g": ["a", "b"]}) for model in SIZES])
    found = one_model(ingested()[0], "n_examples")["g", ""]
    assert pd.isna(found) if n_examples is None else found == n_examples


def test_a_group_without_its_tasks_is_one_aggregate(folder):
    write(folder, [run(model, {"g": 0.3}, {"a": 10, "b": 90}, group_subtasks={"g": ["a", "b"]}) for model in SIZES])
    found, _ = ingested()
    assert one_model(found, "aggregate") == {("g", ""): True}
    assert found["n_examples"].isna().all()


def test_groups_of_a_file_without_aliases_are_left_out(folder):
    runs = [run(model, {"exam": 0.3, "exam_a": 0.2, "exam_b": 0.4, "piqa": 0.5}) for model in SIZES]
    for content in runs:
        content["results"] = {name: {"acc,none": entry["acc,none"]} for name, entry in content["results"].items()}
        content["groups"] = {"exam": content["results"]["exam"]}
    write(folder, runs)
    # exam may average any of the others, and its questions would be counted twice
    found, account = ingested()
    assert set(found["task"]) == {"exam_a", "exam_b", "piqa"}
    left_out = account[account["outcome"] == "left_out"]
    assert left_out["n"].sum() == 2 and left_out["reason"].str.contains("see `groups`").all()
    assert "exam" in starter_blocks.starter("out", "mine").split("# groups: {")[1]
    # the key says what is in it
    found, _ = ingested(groups={"exam": "exam_*"})
    assert sorted(one_model(found, "score")) == [("exam", ""), ("exam", "exam_a"), ("exam", "exam_b"), ("piqa", "")]


@pytest.mark.parametrize("broken", [b"{", b"", b'{"results": {"caf\xe9": {}}}', b'{"results": {}, "date": -1}', b"[1]"])
def test_a_broken_file_does_not_take_the_others_with_it(folder, broken):
    write(folder, [run(model, {"a": 0.3}) for model in SIZES])
    (folder / "broken.json").write_bytes(broken)
    # a list is JSON without results, and is passed over
    outcome = "ignored" if broken == b"[1]" else "refused"
    found, account = ingested(on_error="skip")
    assert len(found) == 2
    assert account.query("outcome == @outcome")["file"].tolist() == ["out/broken.json"]
    text = starter_blocks.starter("out", "mine")
    assert "org/m-1b: {family:" in text and (outcome == "ignored") == ("broken.json" not in text)
    if outcome == "refused":
        with pytest.raises(InputError, match=r"broken\.json") as error:
            ingested()
        assert len(error.value.problems) == 1


def test_a_broken_table_does_not_take_the_others_with_it(folder):
    columns = {name: name for name in ("task", "metric", "model", "scale", "score")}
    (folder / "a.csv").write_text("task,metric,model,scale,score\nt,acc,a,1,0.5\n")
    (folder / "b.csv").write_text("task,metric,model,size,score\nt,acc,b,2,0.5\n")
    keys = {"format": "table", "files": ["out/*.csv"], "columns": columns, "constants": {"model_family": "F"}}

    def read(**more):
        block = configuration.check({"benchmarks": {"mine": keys | more}})["benchmarks"]["mine"]
        return pipeline.ingest("mine", block, DEFAULT_METRICS)[:2]

    with pytest.raises(InputError, match=r"out/b\.csv: no column `scale`"):
        read()
    scores, account = read(on_error="skip", leave_out={"columns": ["size"]})
    assert scores["model"].astype("str").tolist() == ["a"]
    assert account.query("outcome == 'refused'")["file"].tolist() == ["out/b.csv"]


def test_results_with_a_byte_order_mark(folder):
    for number, (model, name) in enumerate(zip(SIZES, ("utf-8-sig", "utf-16"), strict=True)):
        (folder / f"results_{number}.json").write_bytes(json.dumps(run(model, {"a": 0.3})).encode(name))
    assert len(ingested()[0]) == 2


def test_runs_as_json_lines_are_named(folder):
    (folder / "runs.jsonl").write_text("".join(json.dumps(run(model, {"a": 0.3})) + "\n" for model in SIZES))
    with pytest.raises(InputError, match="results of lm-evaluation-harness, one run on each line"):
        starter_blocks.starter("out", "mine")


def test_results_without_a_score(folder):
    write(folder, [run("org/m-1b", {})])
    with pytest.raises(InputError, match="1 results files without a score"):
        starter_blocks.starter("out", "mine")
