"""Ingest: every kind of bad input is one clear message, or is counted; nothing leaves in silence."""

import pytest

from conftest import COLUMNS, ROOT
from emergence.ingest import pipeline
from emergence.io import tables
from emergence.io.errors import InputError

CATALOGUE = str(ROOT / "config/metrics.yaml")
HEAD = ",".join(COLUMNS)
GOOD = ["t,acc,f,a,1000000,0.1", "t,acc,f,b,10000000,0.2", "t,acc,f,c,100000000,0.5"]


def message(block):
    with pytest.raises(InputError) as error:
        pipeline.ingest("mine", block, CATALOGUE)
    return str(error.value)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"", ["scores.csv", "empty"]),
        ([HEAD], ["scores.csv", "no row"]),
        ([HEAD.replace("score", "scoer"), *GOOD], ["no column `score`", "'scoer'", "did you mean `scoer`?"]),
        ([HEAD, GOOD[0].replace("0.1", "high"), *GOOD[1:]], ["data row 1, column `score`", "found: `high`", "allowed: a number"]),
        ([HEAD, *GOOD, "t,acc,f,d,1e9,NaN"], ["data row 4, column `score`", "found: `NaN`"]),
        ([HEAD, *GOOD, "t,acc,f,d,1e9,inf"], ["data row 4", "found: `inf`"]),
        ([HEAD, *GOOD, "t,acc,f,d,-5,0.2"], ["data row 4, column `scale`", "found: `-5`", "above 0"]),
        ([HEAD, *GOOD, "t,acc,f,d,,0.2"], ["column `scale`", "found: nothing"]),
        ([HEAD, *GOOD, "t,acc,f,c,100000000,0.6"], ["data row 4", "the same task", "0.6", "0.5", "one score for each"]),
        ([HEAD, *GOOD, "t,acc,f,d,1e9,1.5"], ["found: 1.5", "allowed: 0 to 1, the range of `acc`"]),
        ([HEAD, *GOOD, "t,accc,f,d,1e9,0.5"], ["the metric `accc`", "did you mean `acc`?", "higher_is_better:"]),
        ([HEAD, *GOOD, "t,acc,f,,1e9,0.5"], ["data row 4, column `model`", "found: nothing", "the name of a model"]),
        ([HEAD, *GOOD, "t,acc,f,d,1e9"], ["scores.csv", "Expected 6 columns, got 5"]),
        (b"task,metric\n\xff\xfe\x00,\xff\n", ["scores.csv"]),
        ([HEAD + ",score", *[line + ",0.5" for line in GOOD]], ["the column `score` twice"]),
    ],
)
def test_bad_input_is_one_clear_message(table_block, lines, expected):
    text = message(table_block(lines))
    for part in expected:
        assert part in text


def test_a_whole_number_that_is_too_large_to_be_one_is_refused(table_block):
    lines = [HEAD + ",shots", "t,acc,f,a,1e6,0.1,100000000000000000000"]
    block = table_block(lines, columns={column: column for column in (*COLUMNS, "shots")})
    assert "data row 1, column `shots`\n    found: `1e+20`\n    allowed: a whole number" in message(block)


def test_many_bad_rows_are_listed_from_the_top_and_counted(table_block):
    text = message(table_block([HEAD, *[f"t,acc,f,m{i},{i + 1},bad" for i in range(50)]]))
    assert text.count("found: `bad`") == InputError.SHOWN
    assert f"and {50 - InputError.SHOWN} more" in text


def test_skip_leaves_bad_rows_out_and_counts_each(table_block):
    bad = ["t,acc,f,d,1e9,high", "t,acc,f,e,-1,0.5", "t,acc,f,g,1e9,7", "t,nope,f,h,1e9,0.5", "t,acc,f,a,1000000,0.9"]
    lines = [HEAD, *GOOD, *bad, GOOD[1], "t,acc,f,i,1e9,"]
    scores, account, _ = pipeline.ingest("mine", table_block(lines, on_error="skip"), CATALOGUE)
    # the row that contradicts the first takes the first with it: nothing says which is right
    assert scores["model"].tolist() == ["b", "c"]
    counts = account.groupby("outcome")["n"].sum().to_dict()
    assert counts == {"read": 10, "kept": 2, "merged": 1, "empty": 1, "refused": 6}
    assert account.loc[account["outcome"] == "refused", "example"].str.contains("data row").all()


def test_account_adds_up_for_the_shipped_benchmarks():
    from emergence.io.documents import load_yaml
    from emergence.study.configuration import check, reads_outputs

    study = check(load_yaml(ROOT / "config/config.yaml") | {"metrics": CATALOGUE})
    for name, block in study["benchmarks"].items():
        if reads_outputs(block):
            continue
        scores, account, inputs = pipeline.ingest(name, block, CATALOGUE)
        counts = account.groupby("outcome")["n"].sum()
        assert counts["read"] == counts.drop(["read", "noted", "ignored"], errors="ignore").sum()
        assert counts["kept"] == len(scores)
        assert inputs["sha256"].str.fullmatch("[0-9a-f]{64}").all()


def test_all_rows_refused_leaves_an_empty_table(table_block, tmp_path):
    scores, account, _ = pipeline.ingest("mine", table_block([HEAD, "t,acc,f,a,-1,0.5"], on_error="skip"), CATALOGUE)
    assert len(scores) == 0
    tables.write(scores, "scores", tmp_path / "scores.parquet")
    assert len(tables.read("scores", tmp_path / "scores.parquet")) == 0
    assert account.set_index("outcome")["n"].to_dict() == {"read": 1, "refused": 1}


def test_alias_is_stored_under_the_metrics_own_name(table_block):
    lines = [HEAD, "t,overall gender bias,f,a,1e6,-0.5"]
    scores, account, _ = pipeline.ingest("mine", table_block(lines), CATALOGUE)
    assert scores["metric"].tolist() == ["overall_gender_bias"]
    assert "renamed" in set(account["outcome"])


def test_wide_table_by_its_headers(table_block):
    lines = ["Model,Family,Size (B),sort_it_2_acc,sort_it_0_f1,Note", "a,f,0.5,25,,x", "b,f,7,50,0.4,y"]
    block = table_block(
        lines,
        layout="wide",
        header="{task}_{shots}_{metric}",
        columns={"model": "Model", "model_family": "Family", "scale": "Size (B)"},
        multiply={"scale": 1e9, "score": 0.01},
        by_task={"n_examples": {"sort_it": 40}},
    )
    scores, account, _ = pipeline.ingest("mine", block, CATALOGUE)
    found = scores[["task", "metric", "shots", "model", "scale", "score", "n_examples"]].to_numpy().tolist()
    assert found == [
        ["sort_it", "acc", 2, "a", 0.5e9, 0.25, 40],
        ["sort_it", "acc", 2, "b", 7e9, 0.5, 40],
        ["sort_it", "f1", 0, "b", 7e9, 0.004, 40],
    ]
    assert account.set_index("outcome")["n"].to_dict() == {"read": 4, "kept": 3, "empty": 1, "ignored": 1}
    assert account.set_index("outcome").at["ignored", "example"] == "Note"


def test_registry_says_which_metric_is_preferred():
    # by hand: irony_identification prefers multiple_choice_grade, so its Brier scores are not preferred
    from emergence.io.documents import load_yaml
    from emergence.study.configuration import check

    study = check(load_yaml(ROOT / "config/config.yaml") | {"metrics": CATALOGUE})
    scores, _, _ = pipeline.ingest("big_bench", study["benchmarks"]["big_bench"], CATALOGUE)
    rows = scores[scores["task"] == "irony_identification"]
    assert rows.groupby("metric")["preferred"].agg(["all", "any"]).to_dict("index") == {
        "calibration_multiple_choice_brier_score": {"all": False, "any": False},
        "multiple_choice_grade": {"all": True, "any": True},
    }


def test_score_table_survives_the_disk(table_block, tmp_path):
    scores, _, _ = pipeline.ingest("mine", table_block([HEAD, *GOOD]), CATALOGUE)
    tables.write(scores, "scores", tmp_path / "scores.parquet")
    read = tables.read("scores", tmp_path / "scores.parquet")
    assert read.equals(tables.typed(scores, "scores"))
    assert list(read.columns) == list(tables.description("scores")["columns"])
