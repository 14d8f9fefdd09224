"""Starter blocks for outputs: what they say, and that they run once what is marked is filled in."""

import json

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from emergence.io.errors import InputError
from emergence.outputs import pipeline
from emergence.study import configuration, starter_blocks
from output_files import LIST, choices, log, results, scored, text, write_log, write_samples
from samples import sample

GOOD = [choices(i, [-1.5, -2.0 - i], 0) for i in range(3)]


def filled_in(text):
    """The block of a starter, with what is marked filled in."""
    ((_, block),) = yaml.safe_load(text)["benchmarks"].items()
    for number, about in enumerate(block.get("models", {}).values()):
        about |= {key: ("F" if key == "family" else 10.0**number) for key in about}
    return configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]


def test_samples_come_before_the_results_files_beside_them(tmp_path):
    for model in LIST:
        content = results(model, {"t": "multiple_choice", "u": "generate_until"})
        write_samples(tmp_path, model, "t", GOOD if model == "a" else GOOD[:2], content=content)
        write_samples(tmp_path, model, "u", [text(0, "x", "x", filter="strict")], content=content)
    said = starter_blocks.starter(tmp_path, "mine")
    assert "format: lm_eval_samples" in said
    assert "`format: lm_eval` reads the scores of the results files only" in said
    assert "# examples: 5 of multiple choice, 2 texts that the models wrote; tasks: 2; models: 2" in said
    assert "acc (5), acc_norm (5), exact_match (2)" in said
    assert "filters: [strict]" in said
    assert "examples: shared # in 1 of 2 tasks not every model was asked the same questions, such as t" in said
    account, _ = pipeline.ingest("mine", filled_in(said), tmp_path / "o.parquet")
    assert account.set_index("outcome").loc["kept", "n"].sum() == 6


def test_what_the_outputs_can_give_and_how_answers_are_taken(tmp_path):
    write_samples(tmp_path / "texts", "a", "u", [text(0, "x", "x")], content=results("a", {"u": "generate_until"}))
    said = starter_blocks.starter(tmp_path / "texts", "mine")
    assert "# metrics: [exact_match, " in said and "edit_distance" in said and "brier_score" not in said
    assert "# answer: {strip: true} # " in said and "# tokens: characters # " in said
    # as keys they are ones that the schema knows
    uncommented = said.replace("# answer:", "answer:").replace("# tokens:", "tokens:").replace("# metrics:", "metrics:")
    block = filled_in(uncommented)
    assert block["answer"] == {"strip": True} and block["tokens"] == "characters" and "chrf" in block["metrics"]
    write_samples(tmp_path / "choices", "a", "t", GOOD, content=results("a", {"t": "multiple_choice"}))
    said = starter_blocks.starter(tmp_path / "choices", "mine")
    assert "brier_score" in said and "# answer:" not in said and "# tokens:" not in said


def test_the_table_of_the_examples_is_one_of_outputs():
    said = starter_blocks.starter(ROOT / "config/examples/data/outputs_table.csv", "mine")
    assert "format: outputs_table" in said and "output: answer" in said and "targets: target" in said


def test_results_files_alone_are_scores(tmp_path):
    (tmp_path / "results_x.json").write_text(json.dumps(results("a", {"t": "multiple_choice"})))
    assert "format: lm_eval\n" in starter_blocks.starter(tmp_path, "mine")


def test_several_runs_and_lines_that_cannot_be_read(tmp_path):
    write_samples(tmp_path, "a", "t", GOOD)
    write_samples(tmp_path, "a", "t", b'{"doc_id": 1\n' + json.dumps(GOOD[0]).encode(), date="2024-06-01T00-00-00.000000")
    said = starter_blocks.starter(tmp_path, "mine")
    assert "repeated_runs: latest # 1 times a model has several runs" in said
    assert "on_error: skip # 1 lines or files cannot be read" in said


def test_samples_of_which_nothing_can_be_read(tmp_path):
    path = write_samples(tmp_path, "a", "t", GOOD)
    next(iter(path.parent.glob("results_*.json"))).unlink()
    with pytest.raises(InputError, match="no results file of the same run"):
        starter_blocks.starter(tmp_path, "mine")


def test_a_tree_of_logs_unless_some_score_files_have_none(tmp_path, tmp_path_factory):
    samples = [scored(0, [-1.0, -2.0], {"a": 0, "b": 1})]
    path = write_log(tmp_path, log("sorting", "m1", [("cond_log_prob", 0, samples)]))
    said = starter_blocks.starter(tmp_path, "mine")
    assert "format: bigbench_logs" in said
    assert starter_blocks.FILL not in said
    pipeline.ingest("mine", filled_in(said), tmp_path_factory.mktemp("read") / "o.parquet")
    content = json.loads(path.read_text())
    entry = {"score_dict": {"multiple_choice_grade": 1}, "subtask_description": "sorting", "number_of_shots": 0}
    content["scores"] = [entry]
    path.with_name("scores_F_m1.json").write_text(json.dumps(content))
    assert "format: bigbench_logs" in starter_blocks.starter(tmp_path, "mine")
    path.with_name("scores_F_m2.json").write_text(json.dumps(content))
    said = starter_blocks.starter(tmp_path, "mine")
    assert "format: bigbench\n" in said
    assert "full logs: 1, whose outputs `format: bigbench_logs` scores again" in said


def test_a_table_of_outputs_is_told_from_one_of_scores(tmp_path):
    path = tmp_path / "table.csv"
    frame = pd.DataFrame(
        {"Task": "t", "model": ["a", "b"], "response": "x", "target": "x", "doc_id": 1, "family": "F", "params": [1, 2]}
    )
    frame.to_csv(path, index=False)
    said = starter_blocks.starter(path, "mine")
    assert "format: outputs_table" in said
    assert starter_blocks.FILL not in said
    account, _ = pipeline.ingest("mine", filled_in(said), tmp_path / "o.parquet")
    assert account.set_index("outcome").at["kept", "n"] == 2
    frame.drop(columns=["Task", "params"]).to_csv(path, index=False)
    said = starter_blocks.starter(path, "mine")
    assert f"  task: {starter_blocks.FILL}" in said
    frame.rename(columns={"response": "score"}).drop(columns="target").to_csv(path, index=False)
    assert "format: table" in starter_blocks.starter(path, "mine")


def test_the_samples_of_the_real_harness(tmp_path):
    said = starter_blocks.starter(sample("lm_eval_samples/out"), "mine")
    assert "1,400 of multiple choice, 1,540 log-likelihoods, 2,800 texts that the models wrote; tasks: 4; models: 7" in said
    account, _ = pipeline.ingest("mine", filled_in(said), tmp_path / "o.parquet")
    assert account.loc[account["outcome"] == "kept", "n"].sum() == 5740
