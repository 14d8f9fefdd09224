"""Starter blocks for tables in the layouts that people export: each runs once the values that only a person knows are filled in.

Expected scores are those written into the tables by hand.
"""

import re

import pandas as pd
import pytest
import yaml

from emergence.ingest import pipeline
from emergence.io.errors import InputError
from emergence.study import configuration, starter_blocks
from emergence.study.configuration import DEFAULT_METRICS


def filled(text, metric="acc"):
    """A starter's text with what only a person knows: families, sizes that no file says, and what the scores are."""
    text = re.sub(r"\{family: (?=[,}])", "{family: F", text)
    text = re.sub(r"scale: (?=\})", "scale: 5.0e+9", text)
    return re.sub(r"metric: # fill in.*", f"metric: {metric}", text)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Write a table, and read it with its starter block: (block, scores, account)."""
    monkeypatch.chdir(tmp_path)

    def made(content, name="table.csv", encoding="utf-8"):
        (tmp_path / name).write_bytes(content.encode(encoding))
        study = yaml.safe_load(filled(starter_blocks.starter(name, "mine")))
        (block,) = study["benchmarks"].values()
        complete = configuration.check(study)["benchmarks"]["mine"]
        scores, account, _ = pipeline.ingest("mine", complete, DEFAULT_METRICS)
        return block, scores, account

    return made


def by_key(scores, *fields):
    fields = fields or ("task", "model")
    return scores.astype(dict.fromkeys(fields, "str")).set_index(list(fields))["score"].to_dict()


GERMAN = """\
Modell;Familie;Parameter;ARC;HellaSwag;Durchschnitt
Tiny-70M;Tiny;70.000.000;25,1;30,25;27,7
Tiny-1B;Tiny;1.000.000.000;35,5;45,0;40,25
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_german_spreadsheet(run, encoding, end):
    block, scores, _ = run(GERMAN.replace("\n", end), encoding=encoding)
    assert block["leave_out"]["columns"] == ["Durchschnitt"]
    assert by_key(scores) == pytest.approx(
        {("ARC", "Tiny-70M"): 0.251, ("ARC", "Tiny-1B"): 0.355, ("HellaSwag", "Tiny-70M"): 0.3025, ("HellaSwag", "Tiny-1B"): 0.45}
    )
    assert sorted(set(scores["scale"])) == [7e7, 1e9]


@pytest.mark.parametrize(
    ("head", "sizes", "first"),
    [
        # French, with unbreakable spaces; Swiss, with apostrophes and a decimal point; as R's write.csv2 has them
        ("Modèle;Famille;Taille;Tâche;Métrique;Valeur", ("1\u202f300\u202f000\u202f000", "6\u00a0700\u00a0000\u00a0000"), "0,55"),
        ("Modell;Familie;Parameter;Aufgabe;Metrik;Wert", ("1’300’000’000", "6'700'000'000"), "0.55"),
        ('"model";"family";"params";"task";"metric";"score"', ("1,3e9", "6,7e9"), "0,55"),
    ],
)
def test_long_tables_of_other_countries(run, head, sizes, first):
    lines = [head, f"A;T;{sizes[0]};piqa;acc;{first}", f"B;T;{sizes[1]};piqa;acc;NA"]
    _, scores, account = run("\n".join(lines) + "\n")
    assert by_key(scores, "model", "model_family") == {("A", "T"): 0.55}
    assert scores["scale"].tolist() == [1.3e9]
    assert account.set_index("outcome")["n"][["read", "empty", "kept"]].tolist() == [2, 1, 1]


def test_a_table_from_google_sheets(run):
    lines = ["Model\tFamily\tParams (B)\tPIQA\tARC-c\tAverage", "A\tT\t1.3\t55.10%\t30.00%\t42.55%", "B\tT\t6.7\t#N/A\t35.50%\t"]
    block, scores, _ = run("\n".join(lines) + "\n", "sheet.tsv")
    assert block["leave_out"] == {"columns": ["Average"]}
    assert by_key(scores) == pytest.approx({("PIQA", "A"): 0.551, ("ARC-c", "A"): 0.3, ("ARC-c", "B"): 0.355})
    assert sorted(set(scores["scale"])) == [1.3e9, 6.7e9]


# the layout of ryoungj/ObsScaling, eval_results/base_llm_benchmark_eval.csv
OBSERVATIONS = """\
Model,Model Family,Model Size (B),Pretraining Data Size (T),FLOPs (1E21),MMLU,ARC-C,HellaSwag,Arena-Elo
a-7b,a,7.0,2.0,84.0,0.43,0.53,0.77,
a-13b,a,13.0,2.0,156.0,0.54,0.58,0.81,900
a-70b,a,70.0,2.0,840.0,0.69,0.68,0.87,1000
"""


def test_columns_of_training_are_not_scores_and_do_not_make_percent_of_shares(run):
    block, scores, _ = run(OBSERVATIONS)
    assert block["multiply"] == {"scale": 1e9}
    assert block["leave_out"]["columns"] == ["Pretraining Data Size (T)", "FLOPs (1E21)", "Arena-Elo"]
    assert set(scores["task"]) == {"MMLU", "ARC-C", "HellaSwag"}
    assert by_key(scores)["MMLU", "a-7b"] == 0.43


def test_numbers_far_larger_than_scores_are_left_out_whatever_they_are_called(run):
    lines = ["model,family,params,piqa,arc,boolq,zorg", "a,F,1e9,0.5,0.3,0.6,512", "b,F,2e9,0.6,0.4,0.7,2048"]
    block, scores, _ = run("\n".join(lines) + "\n")
    assert block["leave_out"]["columns"] == ["zorg"]
    assert set(scores["task"]) == {"piqa", "arc", "boolq"}


def test_the_average_of_all_others_is_found_by_its_numbers(run):
    lines = ["model,family,params,mmlu,arc,piqa,Gesamtnote", "a,F,1e9,0.5,0.35,0.1,0.317", "b,F,2e9,0.6,0.4,0.3,0.433"]
    lines.append("c,F,3e9,0.7,0.6,0.2,0.5")
    block, scores, _ = run("\n".join(lines) + "\n")
    assert block["leave_out"]["columns"] == ["Gesamtnote"]
    assert set(scores["task"]) == {"mmlu", "arc", "piqa"}


# the layout of the Open LLM Leaderboard v2: a link as the name of the model, copies of scores, sizes of -1, two rows of one model
LEADERBOARD_2 = """\
,eval_name,Precision,Model,fullname,Average ⬆️,Hub ❤️,#Params (B),MoE,CO₂ cost (kg),IFEval Raw,IFEval,BBH Raw,BBH,Generation
0,a-1b_bf16,bfloat16,<a href="x">o/a-1b</a>,o/a-1b,5.1,21,1.1,False,0.5,0.2,20.0,0.3,3.0,0
1,a-3b_bf16,bfloat16,<a href="x">o/a-3b</a>,o/a-3b,9.1,210,3.1,False,0.9,0.3,30.0,0.35,8.0,0
2,b-7b_bf16,bfloat16,<a href="x">o/b-7b</a>,o/b-7b,9.1,210,-1.0,False,0.9,0.4,40.0,0.45,18.0,0
3,c-7b_bf16,bfloat16,<a href="x">o/c-7b</a>,o/c-7b,9.1,210,7,False,0.9,0.4,40.0,0.45,18.0,0
4,c-7b_fp16,float16,<a href="x">o/c-7b</a>,o/c-7b,9.2,210,7,False,0.9,0.41,41.0,0.45,18.0,0
"""


def test_an_export_of_the_second_leaderboard(run):
    block, scores, _account = run(LEADERBOARD_2)
    assert block["columns"] == {"model": "fullname", "scale": "#Params (B)"}
    assert block["leave_out"]["models"] == ["o/c-7b"]
    assert by_key(scores) == {
        ("IFEval Raw", "o/a-1b"): 0.2,
        ("BBH Raw", "o/a-1b"): 0.3,
        ("IFEval Raw", "o/a-3b"): 0.3,
        ("BBH Raw", "o/a-3b"): 0.35,
        ("IFEval Raw", "o/b-7b"): 0.4,
        ("BBH Raw", "o/b-7b"): 0.45,
    }
    # the size that no cell says is read from the name, to be checked
    assert scores.astype({"model": "str"}).set_index("model").loc["o/b-7b", "scale"].tolist() == [7e9, 7e9]


def test_rows_that_repeat_a_model_are_marked_where_families_are_filled_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("emergence.ingest.readers.table.starter.MOST_MODELS", 2)
    monkeypatch.setattr(starter_blocks, "MOST_MODELS", 2)
    (tmp_path / "table.csv").write_text(LEADERBOARD_2)
    text = starter_blocks.starter("table.csv", "mine")
    assert "models:" not in text.replace("mine_models:", "")
    listed = pd.read_csv("mine_models.csv").set_index("model")
    assert "different scores" in listed.loc["o/c-7b", "note"]


def test_the_latest_of_several_rows_of_a_model(run):
    lines = [
        "Model,params,ARC,MMLU,Average,date",
        "a-1b,1,0.3,0.25,0.275,2024-05-01T10:00:00Z",
        "a-1b,1,0.4,0.26,0.33,2023-05-01",
        "a-3b,3,0.5,0.27,0.385,",
        # without a date that differs, nothing tells which is meant
        "a-7b,7,0.6,0.28,0.44,2024-01-01",
        "a-7b,7,0.7,0.29,0.495,2024-01-01",
    ]
    block, scores, account = run("\n".join(lines) + "\n")
    assert (block["repeated_runs"], block["columns"]["date"]) == ("latest", "date")
    assert block["leave_out"]["models"] == ["a-7b"]
    assert by_key(scores) == {("ARC", "a-1b"): 0.3, ("MMLU", "a-1b"): 0.25, ("ARC", "a-3b"): 0.5, ("MMLU", "a-3b"): 0.27}
    left_out = account[account["outcome"] == "left_out"].set_index("reason")["n"]
    assert left_out["a later row has this score"] == 2


@pytest.mark.parametrize("first", ["Task", "Benchmark", ""])
def test_a_transposed_table(run, first):
    lines = [f"{first},Tiny-70M,Tiny 1.3B,Tiny-7B", "piqa,0.5,0.6,0.7", "arc,0.3,0.4,-"]
    block, scores, _ = run("\n".join(lines) + "\n")
    assert (block["header"], block["columns"]) == ("{model}", {"task": first})
    assert by_key(scores) == {
        ("piqa", "Tiny-70M"): 0.5,
        ("piqa", "Tiny 1.3B"): 0.6,
        ("piqa", "Tiny-7B"): 0.7,
        ("arc", "Tiny-70M"): 0.3,
        ("arc", "Tiny 1.3B"): 0.4,
    }
    assert sorted(set(scores["scale"])) == [7e7, 1.3e9, 7e9]


def test_columns_of_metrics_beside_a_column_of_tasks(run):
    lines = ["model,params,task,acc,f1", "a,1e9,piqa,0.5,0.55", "b,2e9,piqa,0.6,0.65"]
    block, scores, _ = run("\n".join(lines) + "\n")
    assert block["header"] == "{metric}"
    assert by_key(scores, "task", "metric", "model")["piqa", "f1", "b"] == 0.65


def test_columns_of_tasks_beside_a_column_of_metrics(run):
    lines = ["model,params,metric,piqa,arc", "a,1e9,acc,0.5,0.3", "a,1e9,acc_norm,0.51,0.31"]
    _, scores, _ = run("\n".join(lines) + "\n")
    assert by_key(scores, "task", "metric")["arc", "acc_norm"] == 0.31


@pytest.mark.parametrize(
    "headers",
    [["arc_easy_acc_norm", "arc_easy_acc", "squad_exact_match"], ["acc_norm_arc_easy", "acc_arc_easy", "exact_match_squad"]],
)
def test_metrics_whose_names_hold_the_separator(run, headers):
    lines = ["model,params," + ",".join(headers), "a,1e9,0.31,0.3,0.2"]
    _block, scores, _ = run("\n".join(lines) + "\n")
    assert by_key(scores, "task", "metric") == {
        ("arc_easy", "acc_norm"): 0.31,
        ("arc_easy", "acc"): 0.3,
        ("squad", "exact_match"): 0.2,
    }


def test_titles_and_empty_rows_around_a_table(run):
    lines = ["Results of our evaluation;;;;;;", "", "Modell;Familie;Parameter;ARC;MMLU;PIQA;", "a;F;1,3B;25,5;26,1;55;"]
    block, scores, _ = run("\n".join([*lines, "b;F;6,7B;35,5;27,1;65;", ";;;;;;", ";;;;;;"]) + "\n")
    assert block["skip_rows"] == 2
    assert by_key(scores)["ARC", "b"] == pytest.approx(0.355)
    assert sorted(set(scores["scale"])) == pytest.approx([1.3e9, 6.7e9])


def test_a_size_that_a_cell_does_not_say_is_asked_for(run):
    lines = ["Modell;Parameter (Mio.);PIQA", "a-7b;-;0,5", "b;1.300;0,6", "c;n/a;0,7"]
    block, scores, _ = run("\n".join(lines) + "\n")
    assert block["models"] == {"a-7b": {"family": "F", "scale": 7e9}, "b": {"family": "F"}, "c": {"family": "F", "scale": 5e9}}
    assert scores.astype({"model": "str"}).set_index("model")["scale"].to_dict() == {"a-7b": 7e9, "b": 1.3e9, "c": 5e9}


def test_a_table_of_which_every_column_is_left_out_says_so(run):
    with pytest.raises(
        InputError, match=r"found: no score is left of 4 that were read\n.*\n    4 left out: the column is named by"
    ):
        _, _, account = run("model,params,MMLU,ARC\na,1e9,about 25,x\nb,2e9,35 or 36,y\n")
        pipeline.stop_without_scores("mine", [account])


def test_cells_that_are_not_numbers_are_listed(tmp_path):
    path = tmp_path / "table.csv"
    lines = [
        "model,params,piqa,arc,shots",
        "a,7B-chat,0.5,NaN,5-shot",
        "b,8x7B,#DIV/0!,0.3 (5),5-shot",
        "c,560m,0.4,0.2,0",
        "d,1b,0.5,0.3,0",
    ]
    path.write_text("\n".join(lines) + "\n")
    (block,) = yaml.safe_load(starter_blocks.starter(path))["benchmarks"].values()
    assert block["values"] == {
        "scale": {"7B-chat": 7e9, "8x7B": None},
        "shots": {"5-shot": 5},
        "score": {"NaN": "", "#DIV/0!": "", "0.3 (5)": None},
    }


def test_names_that_a_spreadsheet_emptied(run):
    lines = [
        "Task,Metric,Model,Family,Params,Score",
        "piqa,acc,a,F,1e9,0.5",
        ",,b,F,2e9,0.6",
        ",f1,a,F,1e9,0.7",
        "arc,acc,a,F,1e9,0.8",
    ]
    block, scores, account = run("\n".join(lines) + "\n")
    assert block["fill_down"] == ["task", "metric"]
    found = scores.astype("str").set_index(["task", "metric", "model"])["score"].to_dict()
    assert found == {
        ("piqa", "acc", "a"): "0.5",
        ("piqa", "acc", "b"): "0.6",
        ("piqa", "f1", "a"): "0.7",
        ("arc", "acc", "a"): "0.8",
    }
    assert account[account["reason"].fillna("").str.contains("fill_down")]["n"].tolist() == [1, 2]


def test_a_family_that_is_missing_is_not_filled_in(tmp_path):
    path = tmp_path / "table.csv"
    for head in ("Model,Family", "Family,Model"):
        rows = ["a,F,1e9,0.5", "b,,2e9,0.6"] if head.startswith("Model") else ["F,a,1e9,0.5", ",b,2e9,0.6"]
        path.write_text("\n".join([f"{head},Params,piqa", *rows]) + "\n")
        text = starter_blocks.starter(path)
        assert "# 1 cells of the column Family are empty; where cells were merged, `fill_down: [model_family]`" in text
        assert "b: {family: }" in text and "\n    fill_down" not in text


def test_a_size_that_is_missing_is_not_that_of_the_row_above(tmp_path):
    frame = pd.DataFrame({"params": [7e7, None], "piqa": [0.5, 0.6]}, index=pd.Index(["a", "b"], name="model"))
    frame.to_parquet(tmp_path / "table.parquet")
    frame.reset_index()[["params", "model", "piqa"]].to_csv(tmp_path / "table.csv", index=False)
    for name in ("table.parquet", "table.csv"):
        text = starter_blocks.starter(tmp_path / name)
        assert "fill_down" not in text and "b: {family: , scale: }" in text


def test_a_failed_run_is_not_taken_for_a_missing_score(run):
    block, scores, account = run(
        '{"model": "a", "params": 1e8, "piqa": NaN}\n{"model": "b", "params": 1e9, "piqa": 0.5}\n', "t.jsonl"
    )
    assert set(block["models"]) == {"a", "b"} and block["values"]["score"] == {"nan": ""}
    assert len(scores) == 1 and account.query("outcome == 'empty'")["n"].sum() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model,task,metric,score\n", "names of columns but no row"),
        ("model,task,metric,score\n,,,\n", "names of columns but no row"),
        ("", "the file is empty"),
        ("\n\n", "no row and no name of a column"),
        ("model,params,PIQA,PIQA\na,1e9,0.5,0.5\n", "the column `PIQA` twice"),
        (b"\xff\xfem\0o", "text that is not utf-16"),
    ],
)
def test_what_is_not_a_table_of_scores(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as error:
        starter_blocks.starter(path)
    assert len(error.value.problems) == 1
