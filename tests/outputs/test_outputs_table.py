"""Tables of outputs: every column in every form, and what is wrong with them."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import output_files
from emergence.study import starter_blocks
from output_files import counted

ingest, message = pytest.fixture(output_files.ingest), pytest.fixture(output_files.message)

CHOICES = {"task": "task", "model": "model", "example": "id", "log_probs": "lp", "choices": "choices", "gold": "gold"}
TEXTS = {"task": "task", "model": "model", "example": "id", "output": "out", "targets": "target"}


def table(folder, rows, kind="csv"):
    """A table file from dictionaries; lists are written as JSON in a CSV file."""
    path = folder / f"table.{kind}"
    if kind == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        cells = [{key: json.dumps(value) if isinstance(value, list) else value for key, value in row.items()} for row in rows]
        pd.DataFrame(cells).to_csv(path, index=False)
    return path


def choices(**keys):
    row = {"task": "t", "id": "q1", "lp": [-1.5, -2.25], "choices": ["x", "é y"], "gold": 1}
    return [row | {"model": model} | keys for model in ("a", "b")]


def texts(**keys):
    return [{"task": "t", "model": model, "id": "q1", "out": " 4 ok", "target": "4"} | keys for model in ("a", "b")]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_multiple_choice_in_each_type_of_file(tmp_path, ingest, kind):
    path = table(tmp_path, choices(), kind)
    frame, account = ingest("outputs_table", files=[str(path)], columns=CHOICES)
    assert frame["model"].tolist() == ["a", "b"]
    found = frame.iloc[0]
    assert (found["kind"], found["example"], found["log_probs"].tolist()) == ("choices", "q1", [-1.5, -2.25])
    assert (found["credits"].tolist(), found["targets"].tolist()) == ([0, 1], ["x", "é y"])
    assert (found["n_characters"].tolist(), found["n_bytes"].tolist(), found["n_words"].tolist()) == ([1, 3], [1, 4], [1, 2])
    assert account["outcome"].tolist() == ["kept", "read"]


@pytest.mark.parametrize("gold", ["1", 1, 1.0, "é y", [1], "[1]"])
def test_the_right_choice_in_every_form(tmp_path, ingest, gold):
    path = table(tmp_path, choices(gold=gold), "jsonl")
    assert ingest("outputs_table", files=[str(path)], columns=CHOICES)[0]["credits"].iat[0].tolist() == [0, 1]


def test_soft_credits(tmp_path, ingest):
    columns = {**CHOICES, "credits": "credits"}
    del columns["gold"]
    path = table(tmp_path, choices(credits=[0.5, 0.25]))
    frame, account = ingest("outputs_table", files=[str(path)], columns=columns)
    assert frame["credits"].iat[0].tolist() == [0.5, 0.25]
    assert counted(account, "noted") == {"a choice is partly right": 2}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("4", ["4"]),
        (4, ["4"]),
        (4.0, ["4.0"]),
        (["4", "four"], ["4", "four"]),
        ('["4", "four"]', ["4", "four"]),
        ("[1, 2]", ["[1, 2]"]),
    ],
)
def test_targets_in_every_form(tmp_path, ingest, target, expected):
    path = table(tmp_path, texts(target=target), "jsonl")
    assert ingest("outputs_table", files=[str(path)], columns=TEXTS)[0]["targets"].iat[0].tolist() == expected


def test_an_empty_cell_of_a_csv_file_is_an_empty_answer_and_null_is_none(tmp_path, ingest):
    path = table(tmp_path, texts(out=""))
    frame, account = ingest("outputs_table", files=[str(path)], columns=TEXTS)
    assert frame["output"].tolist() == ["", ""]
    assert counted(account, "noted") == {"an empty output": 2}
    path = table(tmp_path, texts() + texts(id="q2", out=None), "jsonl")
    frame, account = ingest("outputs_table", files=[str(path)], columns=TEXTS)
    assert frame["example"].tolist() == ["q1", "q1"]
    assert counted(account, "empty") == {"no output": 2}


def test_log_likelihoods_and_what_greedy_decoding_gives(tmp_path, ingest):
    rows = [
        {"task": "t", "model": model, "ll": -1.5, "target": "a b", "greedy": greedy}
        for model, greedy in (("a", "True"), ("b", "no"))
    ]
    columns = {"task": "task", "model": "model", "log_probs": "ll", "targets": "target", "is_greedy": "greedy"}
    frame, _ = ingest("outputs_table", files=[str(table(tmp_path, rows))], columns=columns)
    assert frame["kind"].tolist() == ["loglikelihood"] * 2
    assert frame["is_greedy"].tolist() == [True, False]
    assert [values.tolist() for values in frame["n_words"]] == [[2], [2]]


def test_examples_without_ids_are_told_by_their_position(tmp_path, ingest):
    rows = [{"task": task, "model": model, "out": str(i), "target": "4"} for i in range(11) for model in "ab" for task in "ut"]
    columns = {field: header for field, header in TEXTS.items() if field != "example"}
    frame, _ = ingest("outputs_table", files=[str(table(tmp_path, rows))], columns=columns)
    assert frame["task"].tolist() == ["t"] * 22 + ["u"] * 22
    assert frame["example"].tolist() == [f"{i:02d}" for i in range(11)] * 4
    assert frame["output"].tolist() == [str(i) for i in range(11)] * 4


def test_stored_values_questions_clusters_and_units(tmp_path, ingest):
    rows = [
        row | {"em": em, "q": "What?", "passage": "p", "size": size}
        for row, em, size in zip(texts(), ("1", ""), (1, 7), strict=True)
    ]
    columns = {**TEXTS, "question": "q", "cluster": "passage", "scale": "size"}
    keys = {"constants": {"model_family": "F"}, "multiply": {"scale": 1e9}, "stored": {"em": "em"}}
    frame, _ = ingest("outputs_table", files=[str(table(tmp_path, rows))], columns=columns, **keys, models={"a": {"family": "F"}})
    assert frame["model"].tolist() == ["a", "b"]
    assert frame["scale"].tolist() == [1e9, 7e9]
    assert [values.tolist() for values in frame["stored_values"]] == [[1], []]
    assert (frame["cluster"].tolist(), frame["input_hash"].nunique()) == (["p", "p"], 1)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (choices(lp="[-1, x]"), CHOICES, "data row 1, column `lp`\n    found: `[-1, x]`\n    allowed: a number, or a list"),
        (choices(lp="[-1, NaN]"), CHOICES, "data row 1, column `lp`\n    found: nan\n    allowed: a number of at most 0"),
        (choices(lp="[-1, null]"), CHOICES, "data row 1, column `lp`\n    found: nan"),
        (choices(lp="[-1, 0.25]"), CHOICES, "found: 0.25\n    allowed: natural logarithms"),
        (choices(lp="[0.0, 0.0]"), CHOICES, "found: only log-probabilities of 0"),
        (choices(gold=2), CHOICES, "data row 1, column `gold`\n    found: `2` of 2 choices\n    allowed: a position from 0 to 1"),
        (choices(gold="z"), CHOICES, "column `gold`\n    found: `z` of 2 choices"),
        (choices(choices=["x"]), CHOICES, "not one of everything for each choice"),
        (choices(choices="x, y"), CHOICES, "column `choices`\n    found: `x, y`"),
        (choices(model=""), CHOICES, "data row 1, column `model`\n    found: nothing\n    allowed: the name of a model"),
        (choices(id=""), CHOICES, "column `id`\n    found: nothing\n    allowed: the name of an example"),
        (choices(shots="few"), {**CHOICES, "shots": "shots"}, "column `shots`\n    found: `few`"),
        (choices(kind="essay"), {**CHOICES, "kind": "kind"}, "the kind `essay`\n    allowed: choices or text or loglikelihood"),
        (choices(), {**CHOICES, "choices": "chioces"}, "no column `chioces`"),
    ],
)
def test_what_is_wrong_is_one_clear_message(tmp_path, message, rows, columns, expected):
    path = table(tmp_path, rows)
    said = message("outputs_table", files=[str(path)], columns=columns)
    assert str(path) in said
    assert expected in said


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"task": "t", "model": "m"}, "neither `output` nor `log_probs`"),
        ({**TEXTS, "log_probs": "lp"}, "both `output` and `log_probs`, and no `kind`"),
        ({"task": "t", "model": "m", "output": "o"}, "`output` without `targets`"),
        ({**CHOICES, "credits": "c"}, "both `gold` and `credits`"),
        ({"model": "m", "output": "o", "targets": "x"}, "benchmarks.mine.columns.task\n    found: this field is given nowhere"),
    ],
)
def test_keys_that_do_not_go_together(tmp_path, message, columns, expected):
    assert expected in message("outputs_table", files=[str(table(tmp_path, texts()))], columns=columns)


def test_an_example_table_survives_in_any_order_of_its_rows(tmp_path, ingest):
    # the order of examples changes nothing
    rng = np.random.default_rng(3)
    rows = [row for i in range(20) for row in choices(id=f"q{i}", lp=[-float(i + 1), -2.0])]
    first, _ = ingest("outputs_table", files=[str(table(tmp_path, rows))], columns=CHOICES)
    again, _ = ingest("outputs_table", files=[str(table(tmp_path, [rows[i] for i in rng.permutation(40)]))], columns=CHOICES)
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("shots", [float("inf")] * 2, "column `shots`\n    found: `inf`\n    allowed: a whole number, or nothing"),
        ("shots", [1e30] * 2, "column `shots`\n    found: `1e+30`\n    allowed: a whole number, or nothing"),
        ("target", [float("nan")] * 2, "found: no right answer"),
        ("id", [1.0, float("nan")], "column `id`\n    found: nothing\n    allowed: the name of an example"),
        ("repeat", [-1, -1], "column `repeat`\n    found: -1\n    allowed: the number of the run: 0, 1, 2 and so on"),
        ("repeat", [0.5, 0.5], "column `repeat`\n    found: 0.5\n    allowed: the number of the run"),
        ("repeat", [1e30, 1e30], "column `repeat`\n    found: 1e+30\n    allowed: the number of the run"),
    ],
)
def test_numbers_in_columns_of_floating_point(tmp_path, message, field, values, expected):
    path = tmp_path / "table.parquet"
    cells = pd.DataFrame(texts()).drop(columns=field, errors="ignore")
    content = pa.Table.from_pandas(cells).append_column(field, pa.array(values, from_pandas=False))
    pq.write_table(content, path)
    columns = TEXTS if field in TEXTS.values() else {**TEXTS, field: field}
    assert expected in message("outputs_table", files=[str(path)], columns=columns)


def test_a_run_without_a_number_is_the_first(tmp_path, ingest):
    path = table(tmp_path, [{**row, "repeat": None if row["model"] == "a" else 0} for row in texts()], "jsonl")
    frame, _ = ingest("outputs_table", files=[str(path)], columns={**TEXTS, "repeat": "repeat"})
    assert frame["repeat"].tolist() == [0, 0]


def test_a_table_without_rows_is_counted_and_bytes_have_a_starter(tmp_path, ingest):
    (tmp_path / "table.csv").write_text("task,model,id,out,target\n")
    frame, account = ingest("outputs_table", files=[str(tmp_path / "table.csv")], columns=TEXTS)
    assert len(frame) == 0
    assert counted(account, "ignored") == {"a file without a sample": 1}
    table(tmp_path, [{**row, "out": b"\xff"} for row in texts()], "parquet")
    assert "task" in starter_blocks.starter(tmp_path / "table.parquet", "mine")
