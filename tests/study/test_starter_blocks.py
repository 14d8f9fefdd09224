"""Starter blocks: what they hold, that they are valid but for what is marked to be filled in, and that they run once it is."""

import csv
import json
import re
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml
from test_lm_eval import PATH, current

import result_trees
from conftest import ROOT
from emergence.ingest import pipeline
from emergence.io.errors import InputError
from emergence.study import configuration, starter_blocks
from emergence.study.configuration import DEFAULT_METRICS
from odd_names import NAMES
from samples import sample


def checked(text):
    """(the block as a dictionary, the problems of the configuration)."""
    study = yaml.safe_load(text)
    try:
        configuration.check(study)
    except InputError as error:
        return study, error.problems
    return study, []


def only(study):
    (block,) = study["benchmarks"].values()
    return block


@pytest.mark.parametrize(
    ("path", "n_scores"),
    [("workflow/resources/bigbench/scores.csv", 2130), ("workflow/resources/open_llms/scores.csv", 613)],
)
def test_a_table_that_says_everything_needs_nothing_filled_in(path, n_scores, monkeypatch):
    # the two tables of the default study, with the number of scores that its own blocks read
    monkeypatch.chdir(ROOT)
    text = starter_blocks.starter(path)
    assert starter_blocks.FILL not in text
    study, problems = checked(text)
    assert problems == []
    block = only(configuration.check(study))
    scores, _, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
    assert len(scores) == n_scores


@pytest.mark.parametrize("path", ["table_long.csv", "table_wide.tsv", "lm_eval"])
def test_every_problem_of_a_block_is_marked(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = starter_blocks.starter(f"config/examples/data/{path}", "mine")
    _, problems = checked(text)
    assert problems
    assert len(problems) == sum(starter_blocks.FILL in line for line in text.splitlines())
    assert all("found: nothing" in problem for problem in problems)


def test_results_of_the_harness(tmp_path):
    folder = tmp_path / "out"
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).write_text(json.dumps(current()))
    (folder / "second.json").write_text(json.dumps(current("org/other", config={"model_args": "pretrained=org/other"})))
    (folder / "notes.json").write_text("{}")
    text = starter_blocks.starter(folder, "mine")
    block = only(yaml.safe_load(text))
    # one of the models records its parameters
    assert block["scale_from"] == "parameters"
    assert block["models"] == {"org/small": {"family": None}, "org/other": {"family": None, "scale": None}}
    assert "1 of the 3 JSON files hold no results" in text
    assert "models: 2; tasks: 3; groups of tasks: 1" in text
    assert "acc (8)" in text
    assert "exact_match,strict-match (2)" in text
    assert "filters: [flexible-extract, strict-match]" in text
    # filled in, it runs
    filled = text.replace("family: ", "family: F").replace("scale: }", "scale: 5.0}")
    study, problems = checked(filled)
    assert problems == []
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert set(scores["scale"]) == {7000, 5}


def test_runs_that_disagree_are_pointed_out(tmp_path):
    def write(**scores):
        for name, score in scores.items():
            path = tmp_path / f"{name.replace('__', '/')}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(current(results={"task": {"acc,none": score}}, date=None)))
        return starter_blocks.starter(tmp_path)

    # nothing tells which is meant
    text = write(a=0.1, b=0.2)
    assert "# 1 scores differ between runs of one model, as in" in text
    # the folder of one of them does
    (tmp_path / "a.json").unlink()
    text = write(old__a=0.1)
    assert only(yaml.safe_load(text))["files"] == [str(tmp_path), f"!{tmp_path}/**/old"]
    (tmp_path / "old" / "a.json").unlink()
    # dates tell which is the latest, and it is taken
    (tmp_path / "b.json").unlink()
    text = write(**{"results_2024-06-01T10-00-00": 0.1, "results_2024-06-02T10-00-00": 0.2})
    assert only(yaml.safe_load(text))["repeated_runs"] == "latest"
    study, problems = checked(filled(text))
    assert problems == []
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert scores["score"].tolist() == [0.2]


def test_metrics_and_scales_in_words(tmp_path):
    path = tmp_path / "my scores (v2).csv"
    path.write_text("Dataset,Measure,Model,Size,Result\nt,Acc.,a,7B,0.1\nt,quality,b,13B,0.2\n")
    text = starter_blocks.starter(path)
    study, _ = checked(text)
    assert list(study["benchmarks"]) == ["my_scores_v2"]
    block = only(study)
    assert block["columns"] == {"task": "Dataset", "metric": "Measure", "model": "Model", "scale": "Size", "score": "Result"}
    # `7B` is read as a number, and said to be
    assert block["values"] == {"metric": {"Acc.": None, "quality": None}}
    assert "# check: 2 different cells have a unit after the number, as in `1.3B`; the first is 7B" in text
    assert block["models"] == {"a": {"family": None}, "b": {"family": None}}
    # the lines that the catalogue lacks stand below as comments
    assert "#  quality:" in text and "#    higher_is_better: # true or false" in text


@pytest.mark.parametrize("kind", ["table", "lm_eval", "bigbench"])
def test_names_from_files_are_data_and_no_yaml(tmp_path, kind):
    """Whatever the names are, the block is one block, and every name in it is the name of the file."""
    names = [*NAMES, "a: b", "# c", "- d", "a, b]", "}", "no", "7", "k" * 1000]
    folder = tmp_path / "a, b] #"
    folder.mkdir()
    stripped = sorted(name.strip() for name in names)
    if kind == "table":
        rows = pd.DataFrame({"task": names, "metric": names, "model": names, "scale": names, "score": 0.5})
        rows.to_csv(folder / "a, b] #.csv", index=False, quoting=csv.QUOTE_ALL)
    for number, name in enumerate(names):
        if kind == "lm_eval":
            content = current(results={name: {f"{name},none": 0.5}}, model_name=name)
            (folder / f"{number}.json").write_text(json.dumps(content))
        elif kind == "bigbench":
            value = result_trees.content(name, [result_trees.entry(name, {name: 0.5})], family=name)
            result_trees.write(folder, value, f"scores_{number}.json", str(number))
    text = starter_blocks.starter(folder, "mine")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    (block,) = yaml.safe_load(text)["benchmarks"].values()
    if kind != "bigbench":
        assert sorted(name.strip() for name in block["models"]) == stripped
    if kind == "table":
        assert sorted(block["values"]["metric"]) == stripped


def test_the_published_results_of_pythia():
    text = starter_blocks.starter(sample("lm_eval_pythia"))
    block = only(yaml.safe_load(text))
    assert len(block["models"]) == 7
    sizes = {name.rpartition("-")[2].partition("@")[0]: model for name, model in block["models"].items()}
    scales = {"70m": 7e7, "160m": 1.6e8, "410m": 4.1e8, "1b": 1e9, "1.4b": 1.4e9, "2.8b": 2.8e9, "6.9b": 6.9e9, "12b": 1.2e10}
    assert all(model == {"family": None, "scale": scales[size]} for size, model in sizes.items())
    assert "models: 7; tasks: 87; groups of tasks: 0" in text
    assert "ppl (14)" in text


@pytest.mark.parametrize("name", ["scores.txt", "absent.csv"])
def test_what_no_reader_knows(tmp_path, name):
    (tmp_path / "scores.txt").write_text("hello\n")
    with pytest.raises(InputError, match=name):
        starter_blocks.starter(tmp_path / name)


@pytest.mark.parametrize("name", ["scores.csv", "scores.tsv", "scores.parquet"])
def test_a_column_that_stands_twice(tmp_path, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        pyarrow.parquet.write_table(pa.table([pa.array(["t"]), pa.array([1])], names=["size", "size"]), path)
    else:
        path.write_text("size{0}size\nt{0}1\n".format("," if name.endswith("csv") else "\t"))
    with pytest.raises(InputError, match=r"scores\..*\s*found: the column `size` twice"):
        starter_blocks.starter(path)


def test_names_that_are_no_keys_of_yaml(tmp_path):
    path, long = tmp_path / "scores.csv", "x" * 5000
    path.write_text(f"task,metric,model,scale,score\nt,{long},a,{long},0.5\nt,odd,{long},7B,0.5\n")
    text = starter_blocks.starter(path)
    block = only(yaml.safe_load(text))
    assert (block["values"], list(block["models"])) == ({"metric": {"odd": None}}, ["a"])
    assert text.count("# 1 names of more than 1000 letters cannot stand here") == 3


def test_a_name_that_no_block_may_have():
    with pytest.raises(InputError, match="the name of the block\n    found: `a: b`\n    allowed: letters, digits"):
        starter_blocks.starter(ROOT / "config/examples/data/table_long.csv", "a: b")


def test_the_command(tmp_path):
    command = [sys.executable, "scripts/describe_benchmark.py"]
    done = subprocess.run([*command, "config/examples/data/lm_eval", "--name", "mine"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert list(yaml.safe_load(done.stdout)["benchmarks"]) == ["mine"]
    assert "5 values are left to fill in" in done.stderr
    done = subprocess.run([*command, str(tmp_path / "absent")], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no such file" in done.stderr


def test_a_tree_of_bigbench_results(tmp_path):
    # one whole file of two metrics, and one cut short: the block says so, and it is a valid one
    results = tmp_path / "tree" / "sorting" / "results"
    results.mkdir(parents=True)
    model = {"model_family": "NGram", "model_name": "1k", "total_params": 1000, "non_embedding_params": 900}
    entry = {"score_dict": {"multiple_choice_grade": 0.5, "mystery": 1}, "subtask_description": "sorting"}
    whole = {"scores": [entry], "model": model, "task": {"task_name": "sorting"}}
    (results / "scores_NGram_1k.json").write_text(json.dumps(whole))
    (results / "scores_NGram_2k.json").write_text('{"scores": [')
    lines = starter_blocks.starter(tmp_path / "tree", "mine", DEFAULT_METRICS)
    block = yaml.safe_load(lines)["benchmarks"]["mine"]
    assert (block["format"], block["on_error"], block["scale_axis"]) == ("bigbench", "skip", "non_embedding_params")
    assert "multiple_choice_grade (1)" in lines
    assert "not in the catalogue: mystery" in lines
    assert "NGram (1)" in lines
    configuration.check(yaml.safe_load(lines))


LEADERBOARD = (
    "Model,Average ⬆️,ARC,HellaSwag,date_understanding,Type,#Params (B),Hub ❤️,Rank\n"
    "org/m-1b,40.0,31.0,46.0,25.0,base,1,21,2\norg/m-3b,42.0,37.0,48.0,26.0,base,3,143,1\n"
)


def filled(text, family="F"):
    """A starter's text with the values that only a person can know."""
    return text.replace("{family: ", f"{{family: {family}")


def test_a_leaderboard_export_runs_at_the_first_try(tmp_path):
    (tmp_path / "lb.csv").write_text(LEADERBOARD)
    text = starter_blocks.starter(tmp_path / "lb.csv")
    block = only(yaml.safe_load(text))
    assert block["leave_out"]["columns"] == ["Average ⬆️", "Type", "Hub ❤️", "Rank"]
    assert block["multiply"] == {"scale": 1e9, "score": 0.01}
    # two kinds of values are open: what the scores are, and the family of each model
    study, problems = checked(filled(text).replace("metric: # fill in", "metric: acc # filled in"))
    assert problems == []
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert set(scores["task"]) == {"ARC", "HellaSwag", "date_understanding"}
    assert scores["score"].tolist() == pytest.approx([0.31, 0.37, 0.46, 0.48, 0.25, 0.26])
    assert set(scores["scale"]) == {1e9, 3e9}


def test_nested_groups_run_at_the_first_try(tmp_path):
    for size in ("1b", "2b"):
        path = tmp_path / "out" / size / "results.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(current(f"org/m-{size}", config={"model_args": f"pretrained=org/m-{size}"})))
    study, problems = checked(filled(starter_blocks.starter(tmp_path / "out")))
    assert problems == []
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    # the scale is read from the name, as the block says with a word to check it
    assert set(scores["scale"]) == {1e9, 2e9}
    assert set(scores["task"]) == {"mmlu", "gsm8k", "triviaqa"}


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_checkpoints_named_by_path_run_at_the_first_try(tmp_path, kind):
    for step in (0, 100, 2000):
        folder = tmp_path / "runs" / "run_a" / f"step{step}"
        folder.mkdir(parents=True)
        if kind == "json":
            content = {"results": {"piqa": {"acc": step / 1e4}}, "config": {"model": "neox", "model_args": {"iteration": step}}}
            (folder / "results.json").write_text(json.dumps(content))
        else:
            (folder / "scores.csv").write_text(f"task,metric,score\npiqa,acc,{step / 1e4}\n")
    study, problems = checked(starter_blocks.starter(tmp_path / "runs"))
    assert problems == []
    scores, account, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    found = scores.astype({"model": "str"}).set_index("model")
    assert found[["scale", "score"]].to_dict("index") == {
        "run_a@100": {"scale": 100, "score": 0.01},
        "run_a@2000": {"scale": 2000, "score": 0.2},
    }
    assert set(found["model_family"]) == {"run_a"}
    assert account.query("outcome == 'left_out'")["n"].sum() == 1


def test_checkpoints_named_by_file_alone(tmp_path):
    for run, step, score in (("m-160m", 1000, 0.1), ("m-160m", 2000, 0.2), ("m-410m", 2000, 0.3)):
        content = {"results": {"piqa": {"acc": score}}, "config": {"model": "neox", "model_args": {}}}
        (tmp_path / f"{run}-step{step}.json").write_text(json.dumps(content))
    study, problems = checked(starter_blocks.starter(tmp_path))
    assert problems == [] and only(study)["model_from"] == "{model}-step{step}.json"
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    found = scores.astype({"model": "str"}).set_index("model")["score"].to_dict()
    assert found == {"m-160m@1000": 0.1, "m-160m@2000": 0.2, "m-410m@2000": 0.3}


def test_checkpoints_named_by_the_folder_that_was_loaded(tmp_path):
    for number, step in enumerate((1000, 2000)):
        content = current(f"./out/run_a/checkpoint-{step}", config={"model_args": f"pretrained=./out/run_a/checkpoint-{step}"})
        (tmp_path / f"m{number}").mkdir()
        (tmp_path / f"m{number}" / "results.json").write_text(json.dumps(content))
    study, problems = checked(starter_blocks.starter(tmp_path))
    assert problems == []
    assert only(study)["models"] == {
        "./out/run_a/checkpoint-1000": {"family": "out/run_a", "scale": 1000},
        "./out/run_a/checkpoint-2000": {"family": "out/run_a", "scale": 2000},
    }


def test_revisions_are_checkpoints(tmp_path):
    for step in (0, 512):
        content = current(config={"model_args": f"pretrained=org/m,revision=step{step}"}, model_name="org/m")
        (tmp_path / f"{step}.json").write_text(json.dumps(content))
    study, problems = checked(starter_blocks.starter(tmp_path))
    assert problems == []
    assert only(study)["models"] == {
        "org/m@step0": {"family": "org/m", "scale": 0},
        "org/m@step512": {"family": "org/m", "scale": 512},
    }
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert set(scores["scale"]) == {512}


def test_recorded_numbers_of_parameters_are_shown_and_doubted(tmp_path):
    for name, n in (("org/m-1b", 1.1e9), ("org/m-8b-GPTQ", 2e9)):
        content = current(name, config={"model_args": f"pretrained={name}", "model_num_parameters": n})
        (tmp_path / f"{n:.0f}.json").write_text(json.dumps(content))
    text = starter_blocks.starter(tmp_path)
    assert only(yaml.safe_load(text))["models"] == {"org/m-1b": {"family": None}, "org/m-8b-GPTQ": {"family": None, "scale": 8e9}}
    assert "1.1e+09 parameters recorded" in text
    assert "2e+09 parameters recorded, but the model is quantised" in text


def test_many_models_are_listed_in_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"org/m{number}-{number + 1}b" for number in range(6812)]
    pd.DataFrame({"task": "t", "metric": "acc", "model": names, "score": 0.5}).to_csv("scores.csv", index=False)
    text = starter_blocks.starter("scores.csv", "mine")
    assert len(text.splitlines()) < 20
    listed = pd.read_csv("mine_models.csv")
    assert listed["model"].tolist() == sorted(names)
    assert listed.set_index("model").loc["org/m6-7b", ["scale", "note"]].tolist() == [
        7e9,
        "check: the scale is read from the name",
    ]
    assert listed["model_family"].isna().all()
    # filled in for two of them, it runs; the others are left out, with one row of the account
    listed["model_family"] = ["F", "F", *[None] * 6810]
    listed.to_csv("mine_models.csv", index=False)
    study, problems = checked(text)
    assert problems == []
    scores, account, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert len(scores) == 2 and account.set_index("outcome")["n"].to_dict() == {"kept": 2, "left_out": 6810, "read": 6812}
    # what has been filled in is not written over
    with pytest.raises(InputError, match=r"mine_models\.csv"):
        starter_blocks.starter("scores.csv", "mine")


def test_a_table_of_a_paper(tmp_path):
    path = tmp_path / "paper.csv"
    path.write_text(
        'Model,Params,PIQA (acc),GSM8K (acc)\nT,70M,55.1 ± 1.2,0.5 ± 0.2\nT,"1,300M",64.2 ± 1.1,-\nT,6.7B,71.0%,14.6%\n'
    )
    text = starter_blocks.starter(path)
    assert starter_blocks.FILL not in text
    study, problems = checked(text)
    assert problems == []
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert scores.loc[scores["task"] == "PIQA"].set_index("scale")["score"].to_dict() == pytest.approx(
        {7e7: 0.551, 1.3e9: 0.642, 6.7e9: 0.71}
    )


def test_standard_errors_belong_to_their_scores(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("model,size,piqa_acc,piqa_acc_stderr,arc_acc,arc_acc_stderr\na,1000,0.5,0.01,0.4,0.02\n")
    text = starter_blocks.starter(path)
    block = only(yaml.safe_load(text))
    assert (block["header"], block["stderr_header"]) == ("{task}_{metric}", "{task}_{metric}_stderr")
    study, problems = checked(filled(text))
    assert problems == []
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert scores[["score", "stderr"]].to_numpy().tolist() == [[0.4, 0.02], [0.5, 0.01]]


@pytest.mark.parametrize("header", ["acc.piqa", "acc/piqa", "piqa (acc)", "piqa acc", "acc_piqa"])
def test_headers_that_hold_a_metric(tmp_path, header):
    path = tmp_path / "wide.csv"
    path.write_text(f"model,size,{header}\na,1000,0.5\n")
    study, _ = checked(filled(starter_blocks.starter(path)))
    scores, _, _ = pipeline.ingest("mine", only(configuration.check(study)), DEFAULT_METRICS)
    assert scores[["task", "metric"]].astype(str).to_numpy().tolist() == [["piqa", "acc"]]


def test_files_of_other_programs_are_named_once(tmp_path):
    runs = {f"arc+{number}": {f"2022-07-07-14-24-{number:02}": {"acc": 0.5}} for number in range(60)}
    (tmp_path / "merged.json").write_text(json.dumps({"results": runs}))
    for path in (tmp_path, tmp_path / "merged.json"):
        with pytest.raises(InputError, match="not a results file of the harness") as error:
            starter_blocks.starter(path)
        assert len(error.value.problems) == 1


@pytest.mark.parametrize("content", [{"arc": 0.5}, {"results": None}, {"results": {"arc": 0.5}}, "text", 7])
def test_json_that_nobody_knows_has_a_way_on(tmp_path, content):
    (tmp_path / "r.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="JSON of a form that no reader knows\n    allowed: write them as a table"):
        starter_blocks.starter(tmp_path / "r.json")
