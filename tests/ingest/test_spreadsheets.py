"""Tables as spreadsheets, papers and leaderboards have them. Expected numbers are those that the cells say, worked by hand."""

import math
import time
import zipfile

import numpy as np
import pandas as pd
import pytest

from emergence.ingest import pipeline, readers
from emergence.ingest.accounts import Account
from emergence.ingest.readers.table import expressions, numbers
from emergence.io.errors import InputError
from emergence.study import configuration
from emergence.study.configuration import DEFAULT_METRICS

COLUMNS = {name: name for name in ("task", "metric", "model_family", "model", "scale", "score")}
HEAD = ";".join(COLUMNS)


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def ingest(content, name="scores.csv", **keys):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        block = {"format": "table", "files": [name], "columns": COLUMNS} | keys
        block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
        scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
        return scores, account

    return ingest


@pytest.mark.parametrize(
    ("text", "field", "decimal", "value"),
    [
        ("1.3B", "scale", ".", 1.3e9),
        ("70M", "scale", None, 7e7),
        ("1,300M", "scale", ".", 1.3e9),
        ("1,3B", "scale", ",", 1.3e9),
        ("7 billion", "scale", ".", 7e9),
        ("70,000,000", "scale", None, 7e7),
        ("70.000.000", "scale", None, 7e7),
        ("70 000 000", "scale", None, 7e7),
        ("70\u202f000\u202f000", "scale", None, 7e7),
        ("1'300'000", "scale", None, 1.3e6),
        ("1,234.5", "scale", None, 1234.5),
        ("1.234,5", "scale", None, 1234.5),
        ("\u22120.52", "score", ".", -0.52),
        ("\u20130.52", "score", ".", -0.52),
        ("0,55", "score", ",", 0.55),
        ("-0,55", "score", ",", -0.55),
        ("1,3e9", "scale", ",", 1.3e9),
        ("1b3", "scale", ".", 1.3e9),
        ("7B1", "scale", ".", 7.1e9),
        ("350M params", "scale", ".", 3.5e8),
        ("1.3 billion parameters", "scale", ".", 1.3e9),
        ("45.2*", "score", ".", 45.2),
        ("69.3 \u2020", "score", ".", 69.3),
        ("**86.4***", "score", ".", 86.4),
        ("27,3*", "score", ",", 27.3),
        (r"\textbf{45.2}", "score", ".", 45.2),
        ("<b>45.2</b>*", "score", ".", 45.2),
        # what can mean two things, or nothing
        ("1,300", "scale", None, None),
        ("0,55", "score", None, None),
        ("0,55", "score", ".", None),
        ("1.300", "scale", ",", 1300),
        ("1,30,000", "scale", None, None),
        ("8x7B", "scale", ".", None),
        ("~7B", "scale", ".", None),
        ("7B", "score", ".", None),
        # in brackets without a decimal sign: a number of shots, a rank, or digits of an error
        ("86.4 (5)", "score", ".", None),
        ("0.551(12)", "score", ".", None),
        ("0.5 (0.1)", "stderr", ".", None),
        ("NaN", "score", ".", None),
        ("#DIV/0!", "score", ".", None),
        ("1 2", "score", ".", None),
        ("%", "score", ".", None),
        ("**", "score", ".", None),
        ("4*5", "score", ".", None),
        # a power or a footnote
        ("45\u00b2", "score", ".", None),
        ("45<sup>2</sup>", "score", ".", None),
        ("", "score", ".", None),
    ],
)
def test_cells(text, field, decimal, value):
    found = numbers.understood(text, field, decimal)
    assert (found and found.value) == (value if value is None else pytest.approx(value))


def test_cells_with_more_than_a_number():
    assert numbers.understood("55.1 ± 1.2", "score", ".")[:3] == (55.1, 1.2, False)
    assert numbers.understood("55.1% +/- 1.2%", "score", ".")[:3] == (55.1, 1.2, True)
    assert numbers.understood("71 %", "score", ".")[:3] == (71, None, True)
    assert numbers.understood("55.1 (1.2)", "score", ".")[:3] == (55.1, 1.2, False)
    assert numbers.understood("55,1(1,2)", "score", ",")[:3] == (55.1, 1.2, False)
    assert numbers.understood("55.1% (1.2%)", "score", ".")[:3] == (55.1, 1.2, True)
    assert numbers.understood("**55.1** ± 1.2*", "score", ".")[:3] == (55.1, 1.2, False)
    assert numbers.understood("55 ± x", "score", ".") is None
    # a long cell is not a number, and patterns do not take long to say so
    assert numbers.understood("1" + " " * 1_000_000 + "x", "score", ".") is None
    assert numbers.understood("55 ± 1", "scale", ".") is None
    assert [numbers.understood(dash, "score", ".").value for dash in ("-", "\u2014", "\u2013\u2013")] == [None] * 3


@pytest.mark.parametrize("text", ["-", "—", "n/a", "NA", "#N/A", "#NV", "n.a.", "None", "null", " N/A "])
def test_what_stands_for_no_number(read, text):
    assert numbers.understood(text, "score", ".").value is None
    lines = [HEAD, "t;acc;F;a;1e9;0.5", f"t;acc;F;b;2e9;{text}"]
    scores, account = read("\n".join(lines) + "\n")
    assert scores["score"].tolist() == [0.5]
    assert account.set_index("outcome")["n"][["read", "kept", "empty"]].tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["0,55", "7000000"], ","),
        (["0.55", "1,300"], "."),
        (["1,300,000"], "."),
        (["1.300.000"], ","),
        (["1,300"], None),
        (["1.300"], None),
        (["0,5", "0.5"], None),
        (["6.7B", "1,300M"], "."),
        ([], None),
    ],
)
def test_the_decimal_sign_is_told_by_the_cells(texts, sign):
    assert numbers.decimal_sign(texts) == sign


def test_semicolons_and_decimal_commas(read):
    text = "\ufeff" + HEAD + "\r\nt;acc;F;a;70000000;0,55\r\nt;acc;F;b;1000000000;0,64\r\n"
    scores, account = read(text)
    assert scores["score"].tolist() == [0.55, 0.64]
    noted = " ".join(account.loc[account["outcome"] == "noted", "reason"])
    assert "separated by ';'" in noted and "the decimal sign is `,`" in noted
    # by its keys, without a word
    scores, account = read(text, separator=";", decimal=",")
    assert scores["score"].tolist() == [0.55, 0.64] and "noted" not in set(account["outcome"])


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_separators_are_told(read, sign):
    text = f"{HEAD}\nt;acc;F;a;1000;0.5\n".replace(";", sign)
    assert read(text)[0]["score"].tolist() == [0.5]


def test_an_unclear_comma_is_refused_and_the_key_is_named(read):
    text = 'task,metric,model_family,model,scale,score\nt,acc,F,a,"1,300",1\nt,acc,F,b,"2,600",1\n'
    with pytest.raises(InputError, match="`1,300`") as error:
        read(text)
    assert "`decimal`" in str(error.value)
    assert read(text, decimal=".")[0]["scale"].tolist() == [1300, 2600]


def test_trailing_columns_and_rows_and_titles(read):
    text = "Results of our runs\n\n" + HEAD.replace(";", ",") + ",,\nt,acc,F,a,1000,0.5,,\n,,,,,,,\n"
    with pytest.raises(InputError, match="skip_rows"):
        read(text)
    scores, account = read(text, skip_rows=2)
    assert len(scores) == 1
    assert account.query("outcome == 'empty'")["n"].sum() == 1


def test_percent_is_in_the_unit_of_its_metric(read):
    text = HEAD + "\nt;acc;F;a;1000;71.0%\nt;bleu;F;a;1000;27.3 %\nt;acc;F;b;2000;0.8\n"
    scores, account = read(text)
    assert scores["score"].tolist() == pytest.approx([0.71, 0.8, 27.3])
    assert "noted" in set(account["outcome"])
    with pytest.raises(InputError, match=r"found: 5%"):
        read(HEAD + "\nt;ppl;F;a;1000;5%\n")
    # where the block multiplies percent, cells with and without the sign are alike
    text = HEAD + "\nt;acc;F;a;1000;71.0%\nt;acc;F;b;2000;80\n"
    assert read(text, multiply={"score": 0.01})[0]["score"].tolist() == pytest.approx([0.71, 0.8])


def test_plus_minus(read):
    text = HEAD + "\nt;acc;F;a;70M;55.1 ± 1.2\nt;acc;F;b;1.3B;64.2\nt;acc;F;c;6.7B;\u2014\n"
    scores, account = read(text, multiply={"score": 0.01})
    assert scores["scale"].tolist() == pytest.approx([7e7, 1.3e9])
    assert scores["score"].tolist() == pytest.approx([0.551, 0.642]) and scores["stderr"].isna().all()
    assert any("see `plus_minus`" in reason for reason in account["reason"].dropna())
    scores, _ = read(text, multiply={"score": 0.01}, plus_minus="stderr")
    assert scores["stderr"].tolist()[0] == pytest.approx(0.012) and math.isnan(scores["stderr"].tolist()[1])
    with pytest.raises(InputError, match="standard errors from two places"):
        read(text, plus_minus="stderr", columns=COLUMNS | {"stderr": "x"})


def test_marks_of_footnotes_are_noted(read):
    scores, account = read(HEAD + "\nt;acc;F;a;1e8;0.25*\nt;acc;F;b;1e9;**0.5**\nt;acc;F;c;1e10;\u2020\n", on_error="skip")
    assert scores["score"].tolist() == [0.25, 0.5]
    noted = account[account["outcome"] == "noted"].iloc[0]
    assert noted["n"] == 2 and "footnote" in noted["reason"] and noted["example"] == "column `score`: 0.25*"
    assert account.query("outcome == 'refused'")["n"].tolist() == [1]


def test_a_size_with_its_unit_is_not_multiplied_again(read):
    with pytest.raises(InputError, match=r"found: `1\.3B`"):
        read(HEAD + "\nt;acc;F;a;1.3B;0.5\n", multiply={"scale": 1.0e9})


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.csv", b'[{"a": 1}]', "a JSON array"),
        ("a.jsonl", b'[\n {"a": 1}]', "a JSON array"),
        ("a.json", b'{\n  "a": 1\n}', "a JSON document over several lines"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(50), "Excel"),
        ("a.csv", b"PAR1" + bytes(20), "Parquet"),
        ("a.csv", b"<!DOCTYPE html><html>", "a web page"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("a.csv", b"\x1f\x8b" + bytes(20), "gzip"),
        ("a.db", b"SQLite format 3\0", "SQLite"),
    ],
)
def test_what_is_not_a_table_is_named(read, name, content, what):
    with pytest.raises(InputError, match=what):
        read(content, name)


def test_an_excel_file_is_named(tmp_path, read):
    with zipfile.ZipFile(tmp_path / "book", "w") as book:
        book.writestr("xl/workbook.xml", "")
    with pytest.raises(InputError, match="an Excel file\n    allowed: save the sheet as CSV"):
        read((tmp_path / "book").read_bytes(), "book.data")


WIDE = "Model,Params,acc.piqa,piqa_acc_stderr,Average,T,u | exact_match\na,1000,0.5,0.01,0.5,x,0.3\nb,2000,0.6,0.02,0.6,y,0.4\n"
OF_WIDE = {"layout": "wide", "columns": {"model": "Model", "scale": "Params"}}


def test_several_patterns_of_headers_and_standard_errors(read):
    keys = OF_WIDE | {"constants": {"model_family": "F"}, "header": ["{metric}.{task}", "{task} | {metric}"]}
    scores, _ = read(WIDE, **keys, stderr_header="{task}_{metric}_stderr")
    found = scores.astype({"task": "str", "metric": "str"}).set_index(["task", "metric", "model"])
    assert found["score"].to_dict() == {
        ("piqa", "acc", "a"): 0.5,
        ("piqa", "acc", "b"): 0.6,
        ("u", "exact_match", "a"): 0.3,
        ("u", "exact_match", "b"): 0.4,
    }
    assert found["stderr"].dropna().to_dict() == {("piqa", "acc", "a"): 0.01, ("piqa", "acc", "b"): 0.02}


def test_a_constant_completes_patterns_without_the_field(read):
    keys = OF_WIDE | {"header": ["{task} | {metric}", "{task}"], "constants": {"model_family": "F", "metric": "acc"}}
    scores, account = read(WIDE, **keys, leave_out={"columns": ["*stderr", "T", "acc.*"]})
    found = (
        scores.astype({"task": "str", "metric": "str"}).groupby(["task", "metric"], observed=True)["score"].apply(list).to_dict()
    )
    assert found == {("Average", "acc"): [0.5, 0.6], ("u", "exact_match"): [0.3, 0.4]}
    counts = account.groupby("outcome")["n"].sum()
    assert counts["left_out"] == 6 and counts["read"] == 10 == counts["kept"] + counts["left_out"]
    # an average is marked, so that nothing takes it for a task of its own
    assert scores.loc[scores["task"] == "Average", "aggregate"].all()
    assert any("says that it averages others" in reason for reason in account["reason"].dropna())
    # the other way round
    scores, _ = read(WIDE, **keys, only={"columns": ["u *"]})
    assert set(scores["task"]) == {"u"}


def test_columns_that_no_file_has_are_noted(read):
    keys = OF_WIDE | {"header": "{task} | {metric}", "constants": {"model_family": "F"}}
    _, account = read(WIDE, **keys, leave_out={"columns": ["likes"]})
    assert account.query("outcome == 'ignored' and n == 0")["example"].tolist() == ["likes"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"header": ["{task}", "{task}_{metric}"]}, "patterns with and without the field `metric`"),
        ({"header": "{task}_{metric}", "stderr_header": "{task}_{shots}_se"}, "a field that `header` does not have"),
        ({"header": "{task}_{metric}", "scale_from": "N *"}, "numbers, names of columns"),
        ({"header": "{task}_{metric}", "scale_from": "__import__('os')"}, "numbers, names of columns"),
        ({"header": "{task}_{metric}", "scale_from": "6 * N"}, "the field `scale` again"),
        ({"header": "{task}_{metric}", "separator": ";;"}, "one character"),
        ({"header": "{task}_{metric}", "separator": ",", "decimal": ","}, "two different characters"),
        ({"header": "{task}_{metric}", "model_from": "{nodel}/*"}, "the field `{nodel}`"),
    ],
)
def test_keys_that_do_not_fit_one_another(read, keys, expected):
    with pytest.raises(InputError) as error:
        read(WIDE, **OF_WIDE | {"constants": {"model_family": "F"}} | keys)
    assert expected in str(error.value)


def test_a_scale_from_several_columns(read):
    text = "task;metric;model_family;model;N (M);D;score\nt;acc;F;a;70;3e11;0.5\nt;acc;F;b;1,300;?;0.6\n"
    columns = {key: value for key, value in COLUMNS.items() if key != "scale"}
    keys = {"columns": columns, "scale_from": "6 * `N (M)` * 1e6 * D", "decimal": "."}
    with pytest.raises(InputError, match=r"6 \* `N \(M\)` \* 1e6 \* D with N \(M\) = 1300.0, D = \?"):
        read(text, **keys)
    scores, _ = read(text.replace("?", "2e11"), **keys)
    assert scores["scale"].tolist() == [6 * 70e6 * 3e11, 6 * 1300e6 * 2e11]
    assert read(text.replace("?", "2e11"), **keys, multiply={"scale": 0.5})[0]["scale"].iat[0] == 3 * 70e6 * 3e11


@pytest.mark.parametrize(
    "text",
    [
        "",
        "N.a",
        "N[0]",
        "f(N)",
        "N if N else 1",
        "2",
        "'a' * N",
        "N; N",
        "N @ N",
        "lambda: N",
        "N" * 10 + "(",
        "True * N",
        "(" * 5000 + "N",
    ],
)
def test_nothing_but_arithmetic_is_allowed(text):
    with pytest.raises(expressions.ExpressionError):
        expressions.columns_of(text)


def test_arithmetic():
    values = {"N": np.array([2.0, 3.0]), "D x": np.array([5.0, 7.0])}
    assert expressions.evaluate("6 * N * `D x` - -N ** 2 / 2 + 1", values).tolist() == [63.0, 131.5]
    assert np.isinf(expressions.evaluate("N ** 9 ** 9", values)).all()


def test_index_columns_of_parquet(tmp_path, read):
    frame = pd.DataFrame({("acc", "piqa"): [0.5, 0.6], ("acc", "arc"): [0.1, 0.2]}, index=["a", "b"])
    frame.columns = [str(name) for name in frame.columns]
    frame.to_parquet(tmp_path / "x.parquet")
    keys = {"layout": "wide", "header": "('{metric}', '{task}')", "columns": {"model": "__index_level_0__"}}
    models = {"a": {"family": "F", "scale": 1}, "b": {"family": "F", "scale": 2}}
    scores, _ = read((tmp_path / "x.parquet").read_bytes(), "scores.parquet", **keys, models=models)
    assert scores["score"].tolist() == [0.1, 0.2, 0.5, 0.6]


def test_repeated_rows_are_refused_with_the_way_on(read):
    lines = [HEAD + ";day", "t;acc;F;a;1e9;0.5;2024-01-01", "t;acc;F;a;1e9;0.6;2024-02-01"]
    text = "\n".join(lines) + "\n"
    with pytest.raises(InputError, match="`repeated_runs: latest` takes that with the latest date"):
        read(text)
    scores, account = read(text, columns=COLUMNS | {"date": "day"}, repeated_runs="latest")
    assert scores["score"].tolist() == [0.6]
    assert account.set_index("outcome")["n"].to_dict() == {"kept": 1, "left_out": 1, "noted": 0, "read": 2}
    # several names of one model are one model
    two_names = text.replace("a;1e9;0.6", "org/a;1e9;0.6")
    dated = {"columns": COLUMNS | {"date": "day"}, "repeated_runs": "latest"}
    assert read(two_names, rename={"models": {"org/*": "a"}}, **dated)[0]["score"].tolist() == [0.6]
    with pytest.raises(InputError, match=r"columns\.date"):
        read(text, repeated_runs="latest")
    # dates that cannot be read tell nothing
    with pytest.raises(InputError, match="one score for each"):
        read(text.replace("2024-01-01", "1/2/24"), columns=COLUMNS | {"date": "day"}, repeated_runs="latest")


def test_tables_named_by_their_paths(tmp_path, read):
    for name, score in (("a/step1", 0.1), ("a/step20", 0.2), ("b/step1", 0.3)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "scores.csv").write_text(f"task,metric,score\nt,acc,{score}\n")
    keys = {"columns": {name: name for name in ("task", "metric", "score")}, "model_from": "{model}/step{step}/*.csv"}
    scores, _ = read("unused", "other.txt", **keys, files=["*/*/scores.csv", "!b/*"])
    assert scores.astype({"model": "str"})[["model", "scale", "score"]].to_numpy().tolist() == [
        ["a@1", 1, 0.1],
        ["a@20", 20, 0.2],
    ]


def test_many_columns_cost_no_more_than_many_rows(tmp_path):
    """100,000 scores in 2,000 columns and in as many rows, in one process: CPU seconds, so that other work does not count."""
    score = np.random.default_rng(0).random((50, 2000)).round(6)
    wide = pd.DataFrame(score, columns=[f"t{i}_acc" for i in range(2000)])
    wide.insert(0, "model", [f"m{i}" for i in range(50)])
    wide.insert(1, "scale", np.arange(1, 51) * 1e6)
    long = wide.melt(["model", "scale"], var_name="task", value_name="score").assign(metric="acc")
    wide.to_csv(tmp_path / "wide.csv", index=False)
    long.to_csv(tmp_path / "long.csv", index=False)
    columns = {"model": "model", "scale": "scale"}
    blocks = {
        "wide": {"layout": "wide", "header": "{task}_{metric}", "columns": columns},
        "long": {"columns": columns | {"task": "task", "score": "score", "metric": "metric"}},
    }
    seconds = {}
    for name, block in blocks.items():
        block = {"format": "table", "files": [str(tmp_path / f"{name}.csv")], "constants": {"model_family": "F"}} | block
        block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
        taken = []
        for _ in range(3):
            start = time.process_time()
            assert len(readers.read(block, Account()).frame) == 100_000
            taken.append(time.process_time() - start)
        seconds[name] = min(taken)
    # a frame for each column cost 9 times as much; what is left is the names of the columns
    assert seconds["wide"] < 4 * seconds["long"] + 0.1
