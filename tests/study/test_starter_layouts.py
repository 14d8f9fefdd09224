"""Layouts of public result tables, from the starter's block to the scores. Expected numbers are those that the cells say."""

import json

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from emergence.ingest import pipeline
from emergence.io.documents import nearest
from emergence.io.errors import InputError
from emergence.study import configuration, starter_blocks
from emergence.study.configuration import DEFAULT_METRICS


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Write a table, and read it with its starter block, in which families and the metric are filled in."""
    monkeypatch.chdir(tmp_path)

    def made(content, name="table.csv", metric="acc"):
        if callable(content):
            content(name)
        else:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content)
        text = (
            starter_blocks.starter(name.partition("/")[0], "mine")
            .replace("family: }", "family: F}")
            .replace("family: ,", "family: F,")
        )
        text = text.replace("metric: # fill in", f"metric: {metric} # fill in")
        study = yaml.safe_load(text)
        scores, account, _ = pipeline.ingest("mine", configuration.check(study)["benchmarks"]["mine"], DEFAULT_METRICS)
        return study["benchmarks"]["mine"], scores, account

    return made


def by_key(scores, *fields):
    fields = fields or ("task", "metric", "model")
    return scores.astype(dict.fromkeys(fields, "str")).set_index(list(fields))["score"].round(9).to_dict()


def test_a_summary_of_opencompass(run):
    lines = [
        "dataset,version,metric,mode,llama-7b-hf,llama-13b-hf",
        "--------- Exam ---------,-,-,-,-,-",
        "ceval,-,naive_average,gen,27.3,33.5",
        "--------- Language ---------,-,-,-,-,-",
        "WiC,d06864,accuracy,ppl,49.22,50.0",
        "siqa,e8d8c5,accuracy,ppl,48.3,-",
    ]
    block, scores, account = run("\n".join(lines) + "\n")
    assert block["leave_out"]["metrics"] == ["naive_average"] and "values" not in block
    assert by_key(scores, "task", "model") == {
        ("WiC", "llama-7b-hf"): 0.4922,
        ("WiC", "llama-13b-hf"): 0.5,
        ("siqa", "llama-7b-hf"): 0.483,
    }
    counts = account.groupby("outcome")["n"].sum()
    assert counts["read"] == counts["kept"] + counts["empty"] + counts["left_out"]


def test_a_table_of_helm(run):
    lines = [
        "Model,Mean win rate,MMLU - EM,BoolQ - EM,QuAC - F1",
        "Pythia (6.9B),0.2,0.236,0.631,0.31",
        "Pythia (12B),0.26,0.274,-,0.4",
    ]
    block, scores, _ = run("\n".join(lines) + "\n")
    # both differ from the catalogue's names in case only
    assert block["values"]["metric"] == {"EM": "em", "F1": "f1"}
    assert by_key(scores) == {
        ("MMLU", "em", "Pythia (6.9B)"): 0.236,
        ("MMLU", "em", "Pythia (12B)"): 0.274,
        ("BoolQ", "em", "Pythia (6.9B)"): 0.631,
        ("QuAC", "f1", "Pythia (6.9B)"): 0.31,
        ("QuAC", "f1", "Pythia (12B)"): 0.4,
    }


def test_a_table_of_papers_with_footnotes_and_an_empty_column(run):
    lines = [
        "Rank,Model,Accuracy,Params,Paper,Result,Year",
        "1,PaLM 540B,**69.3**†,540B,PaLM,,2022",
        "2,Chinchilla,67.5*,70B,Chinchilla,,2022",
        "3,Gopher,29.5,7.1 billion,Gopher,,2021",
    ]
    block, scores, account = run("\n".join(lines) + "\n")
    assert "score" not in block["columns"]
    assert by_key(scores, "model") == {"PaLM 540B": 0.693, "Chinchilla": 0.675, "Gopher": 0.295}
    assert account[account["reason"].fillna("").str.contains("footnote")]["n"].sum() == 2


NESTED = [
    {"model": "a", "params": 1e8, "results": {"piqa": {"acc": 0.5}, "arc": {"acc": 0.2}}},
    {"model": "b", "params": 1e9, "results": {"piqa": {"acc": 0.6}, "arc": {"acc": "n/a"}}},
]


def test_nested_values_are_columns(run):
    expected = {("piqa", "acc", "a"): 0.5, ("piqa", "acc", "b"): 0.6, ("arc", "acc", "a"): 0.2}
    block, scores, _ = run("".join(json.dumps(row) + "\n" for row in NESTED), "table.jsonl")
    assert block["header"] == "results.{task}.{metric}"
    assert by_key(scores) == expected
    # the same where Arrow reads the lines, and as Parquet
    rows = [NESTED[0], {**NESTED[1], "results": {"piqa": {"acc": 0.6}, "arc": {"acc": None}}}]
    assert by_key(run("".join(json.dumps(row) + "\n" for row in rows), "table.jsonl")[1]) == expected
    block, scores, _ = run(lambda name: pyarrow.parquet.write_table(pa.Table.from_pylist(rows), name), "table.parquet")
    assert block["header"] == "results.{task}.{metric}"
    assert by_key(scores) == expected


@pytest.mark.parametrize("other", ["0.5", '"x"'])
def test_nested_values_under_a_name_that_is_taken(run, other):
    with pytest.raises(InputError, match=r"`r\.acc` "):
        run(f'{{"model": "a", "params": 1, "r": {{"acc": 1}}, "r.acc": {other}}}\n', "table.jsonl")


def test_metrics_of_olmes(run):
    rows = [
        {
            "task_name": task,
            "model_config": {"model": model, "model_type": "hf"},
            "task_config": {"num_shots": 5},
            "metrics": {"acc": score, "acc_norm": score / 2},
            "num_instances": 100,
            "processing_time": 1.5,
        }
        for task, model, score in (("piqa", "olmo-1b", 0.5), ("piqa", "olmo-7b", 0.6), ("arc", "olmo-1b", 0.2))
    ]
    block, scores, _ = run("".join(json.dumps(row) + "\n" for row in rows), "metrics-all.jsonl")
    assert block["header"] == "metrics.{metric}"
    assert by_key(scores)["piqa", "acc_norm", "olmo-7b"] == 0.3
    assert len(scores) == 6 and set(scores["shots"]) == {5} and set(scores["n_examples"]) == {100}


STDERR = {
    "model,params,arc (acc_norm),arc (acc_norm_stderr),piqa (acc),piqa (acc_stderr)": ("acc_norm", "acc"),
    'Name,params,"arc/acc,none","arc/acc_stderr,none","piqa/acc,none","piqa/acc_stderr,none"': ("acc", "acc"),
    "Name,params,acc/arc,acc_stderr/arc,acc/piqa,acc_stderr/piqa": ("acc", "acc"),
}


@pytest.mark.parametrize(("head", "metrics"), STDERR.items())
def test_standard_errors_that_are_named_within_the_header(run, head, metrics):
    _, scores, _ = run(f"{head}\na,1e8,0.2,0.01,0.5,0.02\nb,1e9,0.3,0.01,0.6,0.02\n")
    names = [("arc", metrics[0]), ("piqa", metrics[1])]
    found = scores.astype({"task": "str", "metric": "str"}).groupby(["task", "metric"])["stderr"].apply(list).to_dict()
    assert found == dict(zip(names, ([0.01, 0.01], [0.02, 0.02]), strict=True))


def test_metrics_above_models(run):
    block, scores, _ = run(",acc,,f1,\nTask,Tiny-70M,Tiny-1B,Tiny-70M,Tiny-1B\nPIQA,.5,.6,10,20\nARC,.1,.2,30,40\n")
    assert block["header"] == "{metric}|{model}" and block["header_rows"] == 2
    assert block["models"] == {"Tiny-70M": {"family": "F", "scale": 7e7}, "Tiny-1B": {"family": "F", "scale": 1e9}}
    assert by_key(scores)["ARC", "f1", "Tiny-1B"] == 40 and by_key(scores)["PIQA", "acc", "Tiny-70M"] == 0.5


def test_percent_beside_perplexities(run):
    lines = ["task,metric,model,params,score", "piqa,acc,a,1e8,59.8", "piqa,acc,b,1e9,70", "l,ppl,a,1e8,130.9", "l,ppl,b,1e9,6.1"]
    block, scores, _ = run("\n".join(lines) + "\n")
    assert block["multiply"] == {"score": {"acc": 0.01}}
    assert by_key(scores, "task", "model") == {("piqa", "a"): 0.598, ("piqa", "b"): 0.7, ("l", "a"): 130.9, ("l", "b"): 6.1}


def test_a_factor_of_a_metric_that_no_row_has(run, tmp_path):
    (tmp_path / "a.csv").write_text("task,metric,model,scale,score\nt,accuracy,a,1e8,50\n")
    block = {
        "format": "table",
        "files": ["a.csv"],
        "columns": {name: name for name in ("task", "metric", "model", "scale", "score")},
        "constants": {"model_family": "F"},
        "values": {"metric": {"accuracy": "acc"}},
        "multiply": {"score": {"acc": 0.01, "accuracy": 0.1}},
    }
    checked = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
    scores, account, _ = pipeline.ingest("mine", checked, DEFAULT_METRICS)
    # after `values`, the metric is `acc`
    assert scores["score"].tolist() == [0.5]
    assert account.query("outcome == 'ignored'")["example"].tolist() == ["accuracy"]
    for wrong in ({}, {"acc": 0}, {"acc": "x"}):
        with pytest.raises(InputError, match=r"multiply\.score"):
            configuration.check({"benchmarks": {"mine": block | {"multiply": {"score": wrong}}}})


def test_fractions_beside_percent_are_noted(run):
    text = "model,params,piqa,lambada\na,1e8,59.8,0.185\nb,1e9,62.3,0.327\n"
    block, _, account = run(text)
    assert block["multiply"] == {"score": 0.01}
    noted = account[account["reason"].fillna("").str.contains("fractions already")]
    assert noted["n"].tolist() == [2] and noted["example"].tolist() == ["lambada"]


def test_columns_without_a_metric_beside_columns_with_one(run):
    text = "model,params,piqa_acc,arc_acc,boolq\na,1e8,0.5,0.2,0.6\nb,1e9,0.6,0.3,0.7\n"
    block, scores, _ = run(text, metric="exact_match")
    assert block["header"] == ["{task}_{metric}", "{task}"]
    assert by_key(scores)["boolq", "exact_match", "b"] == 0.7 and len(scores) == 6


def test_models_are_named_as_the_cells_are_written(run):
    _, scores, _ = run("Model,Size,piqa\nTiny,70M,0.5\nTiny,1.3 billion,0.6\nBig,7,0.6\nBig,70,0.7\n")
    assert set(scores["model"].astype("str")) == {"70M", "1.3 billion", "7", "70"}


def test_rows_without_scores_are_no_models(run):
    block, scores, account = run("Model,Params,piqa\na,1e8,0.5\nb,1e9,0.6\nSource: our runs,,\n")
    assert set(block["models"]) == {"a", "b"}
    assert len(scores) == 2 and account.query("outcome == 'empty'")["n"].sum() == 1


@pytest.mark.parametrize("name", ["table.md", "table.csv"])
def test_a_markdown_table_is_named(run, name):
    with pytest.raises(InputError, match="a table in Markdown") as error:
        run("| Model | Size | PIQA |\n|:---|---:|---|\n| a | 70M | 0.6 |\n", name)
    assert name in str(error.value)


def test_the_nearest_name_may_differ_in_case():
    assert nearest("ACC", ["bleu", "mcc", "acc"]) == "; did you mean `acc`?"
    assert nearest("piqa", ["PIQA", "pika"]) == "; did you mean `PIQA`?"


def test_tables_that_are_named_for_their_models(run, tmp_path):
    text = "task,acc,acc_stderr\npiqa,0.5,0.01\narc,0.2,0.02\n"
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "tiny-70m.csv").write_text(text.replace("0.5", "0.4"))
    block, scores, _ = run(text, "runs/tiny-1b.csv")
    assert block["model_from"] == "{model}.csv" and block["header"] == "{metric}"
    assert block["models"] == {"tiny-70m": {"family": "F", "scale": 7e7}, "tiny-1b": {"family": "F", "scale": 1e9}}
    assert by_key(scores) == {
        ("piqa", "acc", "tiny-70m"): 0.4,
        ("piqa", "acc", "tiny-1b"): 0.5,
        ("arc", "acc", "tiny-70m"): 0.2,
        ("arc", "acc", "tiny-1b"): 0.2,
    }
    assert sorted(scores["stderr"]) == [0.01, 0.01, 0.02, 0.02]


def test_logs_of_training_that_are_named_for_their_models(run, tmp_path):
    head = "throughput/total_tokens,throughput/total_Gflops,eval/downstream/piqa_acc,eval/downstream/arc_acc,optim/learning_rate"
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.csv").write_text(f"{head}\n100,2e9,0.5,0.2,1e-4\n200,4e9,0.6,0.3,1e-5\n")
    block, scores, _ = run(f"{head}\n100,2e9,0.7,0.4,1e-4\n200,4e9,0.8,0.5,1e-5\n", "logs/b.csv")
    assert block["header"] == "eval/downstream/{task}_{metric}" and block["columns"] == {"step": "throughput/total_tokens"}
    assert by_key(scores, "task", "model")["arc", "b@200"] == 0.5 and len(scores) == 8
    assert set(scores["model_family"].astype("str")) == {"a", "b"} and set(scores["scale"]) == {100, 200}


def test_how_many_of_how_many_after_a_score(run):
    lines = ["dataset,version,metric,mode,total_count,a-7b,a-13b", "gsm8k,1,accuracy,gen,8,87.5 (7/8),100.0 (8/8)"]
    block, scores, account = run("\n".join([*lines, "mmlu,1,accuracy,gen,80,42.0,50"]) + "\n")
    assert by_key(scores, "task", "model") == {
        ("gsm8k", "a-7b"): 0.875,
        ("gsm8k", "a-13b"): 1.0,
        ("mmlu", "a-7b"): 0.42,
        ("mmlu", "a-13b"): 0.5,
    }
    assert block["leave_out"]["columns"] == ["version", "mode", "total_count"]
    assert account[account["reason"].fillna("").str.contains("number of examples after the score")]["n"].sum() == 2


@pytest.mark.parametrize("entry", [{"acc,none": 0.6, "acc_stderr,none": 0.1, "alias": "arc"}, {"acc": 0.6, "acc_stderr": 0.1}])
def test_the_inside_of_results_is_named(run, entry):
    with pytest.raises(InputError, match="the inside of `results` of lm-evaluation-harness"):
        run(json.dumps({"arc": entry}), "run.json")


@pytest.mark.parametrize(("name", "pattern"), [("tiny-70m.json", "{model}.json"), ("tiny-70m/results_1.json", "{model}/*.json")])
def test_one_file_without_a_name_of_a_model(tmp_path, monkeypatch, name, pattern):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(json.dumps({"results": {"arc": {"acc,none": 0.6}}, "limit": 200}))
    (block,) = yaml.safe_load(starter_blocks.starter(name, "mine"))["benchmarks"].values()
    assert block["model_from"] == pattern
    assert block["models"] == {"tiny-70m": {"family": None, "scale": 7e7}}


def test_a_table_with_another_ending(run, tmp_path):
    _, scores, _ = run("model\tparams\tpiqa\na\t1e8\t0.5\nb\t1e9\t0.6\n", "scores.txt")
    assert by_key(scores, "model") == {"a": 0.5, "b": 0.6}
    for text in ("Some words, and more of them.\n", "one\ntwo\nthree\n", ""):
        with pytest.raises(InputError, match="no reader knows these files"):
            run(text, "notes.txt")
