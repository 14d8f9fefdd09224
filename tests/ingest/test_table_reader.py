"""The table reader: four file types, long and wide, replaced values, models from elsewhere, and what is refused.

Every file is written here by hand; expected scores are the ones written.
"""

import bz2
import gzip
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from conftest import ROOT, copy_of_workflow
from emergence.ingest import pipeline
from emergence.ingest.readers.table import reader
from emergence.io.errors import InputError
from emergence.study import configuration
from emergence.study.configuration import DEFAULT_METRICS

COLUMNS = {name: name for name in ("task", "metric", "model_family", "model", "scale", "score")}

ROWS = [
    {"task": "t", "metric": "acc", "model_family": "F", "model": "a", "scale": 1e6, "score": 0.1},
    {"task": "t", "metric": "acc", "model_family": "F", "model": "b", "scale": 1e7, "score": 0.3},
    {"task": "u", "metric": "acc", "model_family": "F", "model": "b", "scale": 1e7, "score": 0.2},
]


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Ingests files in a folder, given as {name: text or bytes}, by a block of `format: table`: gives (scores, account)."""
    monkeypatch.chdir(tmp_path)

    def ingest(files, **keys):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        block = {"format": "table", "files": [name for name in files if name != "models.csv"], "columns": COLUMNS} | keys
        block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
        scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
        return scores, account

    return ingest


def as_text(delimiter):
    head = delimiter.join(COLUMNS)
    return "\n".join([head, *(delimiter.join(str(row[name]) for name in COLUMNS) for row in ROWS)]) + "\n"


def as_parquet(frame):
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink)
    return sink.getvalue().to_pybytes()


FILES = {
    "scores.csv": as_text(","),
    "scores.tsv": as_text("\t"),
    "scores.csv.gz": gzip.compress(as_text(",").encode()),
    "scores.parquet": as_parquet(pd.DataFrame(ROWS)),
    "scores.jsonl": pd.DataFrame(ROWS).to_json(orient="records", lines=True),
    "scores.jsonl.gz": gzip.compress(pd.DataFrame(ROWS).to_json(orient="records", lines=True).encode()),
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_type_gives_the_same_scores(read, name):
    scores, account = read({name: FILES[name]})
    expected, _ = read({"scores.csv": as_text(",")})
    pd.testing.assert_frame_equal(scores.drop(columns="source"), expected.drop(columns="source"))
    assert scores["score"].to_list() == [0.1, 0.3, 0.2]
    assert account.set_index("outcome")["n"].to_dict() == {"kept": 3, "read": 3}


def test_file_type_overrules_the_ending(read):
    scores, _ = read({"scores.txt": as_text("\t")}, file_type="tsv")
    assert len(scores) == 3


def test_json_lines_as_people_write_them(read):
    # text beside numbers, a name left out, an empty line, a column nobody asked for, text that looks like a date
    lines = [
        '{"task": "t", "metric": "acc", "model_family": "F", "model": "2020-01-01", "scale": "1e6", "score": 0.5, "notes": [1]}',
        "",
        '{"task": "t", "metric": "acc", "model_family": "F", "model": "b", "scale": 1e7, "score": null}',
        '{"task": "t", "metric": "acc", "model_family": "F", "model": "c", "scale": 100000000}',
    ]
    scores, account = read({"scores.jsonl": "\n".join(lines)})
    assert scores["model"].to_list() == ["2020-01-01"]
    assert scores["scale"].to_list() == [1e6]
    assert account.set_index("outcome")["n"].to_dict() == {"empty": 2, "ignored": 1, "kept": 1, "read": 3}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"task": "t"\n', ["line 1", "a JSON object on every line"]),
        ('{"task": "t", "score": 1}\n[1]\n', ["line 2", "no JSON object"]),
        ('{"score": 0.1, "score": 0.2}\n', ["line 1", "the key `score` is given twice"]),
        ('{"task": "t", "scoer": 1}\n', ["no column `score`", "did you mean `scoer`?"]),
        (FILES["scores.jsonl"].replace("0.3", "NaN"), ["data row 2, column `score`", "allowed: a number"]),
    ],
)
def test_bad_json_lines(read, text, expected):
    with pytest.raises(InputError) as error:
        read({"scores.jsonl": text})
    for part in ["scores.jsonl", *expected]:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # of the first two Arrow's own reader ends the process, the others it lets through
        ("null", "no JSON object"),
        ('{"notes": ' + "[" * 20_000 + "]" * 20_000 + "}", "maximum recursion depth exceeded"),
        ('{"task": "\\ud800"}', "surrogates not allowed"),
    ],
)
@pytest.mark.parametrize("before", ["", FILES["scores.jsonl"]])
def test_json_lines_that_arrow_does_not_survive(read, line, expected, before):
    with pytest.raises(InputError) as error:
        read({"scores.jsonl": before + line + "\n" + FILES["scores.jsonl"]})
    assert f"scores.jsonl: line {before.count(chr(10)) + 1}\n" in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize("long", ["_" * 100_000, "_" * 400], ids=len)
def test_headers_that_can_be_split_in_endless_ways(read, long):
    # a pattern of several fields tries every way before it gives up
    keys = {"layout": "wide", "header": "{task}_{subtask}_{metric}_{shots}"}
    keys["columns"] = {"model": "who", "model_family": "who", "scale": "size"}
    start = time.monotonic()
    scores, account = read({"scores.csv": f'who,size,"a\nb_c_acc_2",{long}\nm,1,0.5,x\n'}, **keys)
    assert time.monotonic() - start < 10
    assert scores[["task", "subtask", "metric", "shots"]].to_numpy().tolist() == [["a\nb", "c", "acc", 2]]
    assert account.set_index("outcome").loc["ignored", "example"] == long


@pytest.mark.parametrize("name", ["scores.csv", "scores.jsonl", "scores.parquet"])
def test_text_that_is_no_utf8(read, name):
    content = FILES[name] if isinstance(FILES[name], bytes) else FILES[name].encode()
    # bytes in the middle of a Parquet file may be anything, and so may be what is wrong with it
    message = "not a table of type parquet that can be read" if name.endswith("parquet") else "found: text that is not UTF-8"
    with pytest.raises(InputError, match=rf"scores\.{name[7:]}(\n    |: ){message}"):
        read({name: content.replace(b"u", b"\xff")})


@pytest.mark.parametrize("cells", [[[1], [2], [3]], [[{"a": 1}], [{"a": 2}], [{"a": 3}]]])
def test_parquet_columns_that_are_no_numbers_or_text(read, cells):
    table = pa.Table.from_pandas(pd.DataFrame(ROWS)).set_column(1, "metric", pa.array(cells))
    pyarrow.parquet.write_table(table, sink := pa.BufferOutputStream())
    with pytest.raises(InputError, match=r"the column `metric`\n    found: cells of type .*\n    allowed: numbers, or text"):
        read({"scores.parquet": sink.getvalue().to_pybytes()})


@pytest.mark.parametrize("name", ["scores.csv.gz", "scores.jsonl.gz"])
def test_packed_files_that_are_cut_short_damaged_or_too_large(read, name, monkeypatch):
    for content in (FILES[name][:-12], FILES[name][:12] + b"\xff" * 8 + FILES[name][20:]):
        with pytest.raises(InputError, match=rf"scores\.{name[7:]}: not a table of type"):
            read({name: content})
    # a packed file of a few megabytes can hold more than any memory
    monkeypatch.setattr(reader, "_MOST_BYTES", 100)
    with pytest.raises(InputError, match="found: more than 100 bytes when it is unpacked\n    allowed: a smaller packed file"):
        read({name: FILES[name]})


def test_no_other_packing_is_guessed_from_a_name(read):
    with pytest.raises(InputError, match=r"scores\.csv\.bz2"):
        read({"scores.csv.bz2": bz2.compress(as_text(",").encode())})


def test_parquet_files_of_more_rows_than_fit(read, monkeypatch):
    # a run of one value takes no room in the file, however long it is
    monkeypatch.setattr(reader, "_MOST_ROWS", 2)
    with pytest.raises(InputError, match="found: 3 rows\n    allowed: at most 2 rows in a Parquet file"):
        read({"scores.parquet": FILES["scores.parquet"]})


def test_a_quotation_mark_that_is_never_closed(read):
    with pytest.raises(InputError, match="or a quotation mark that is never closed"):
        read({"scores.csv": as_text(",") + 't,"acc,' + "x" * 3_000_000})


def test_parquet_tells_missing_from_nan(read):
    frame = pd.DataFrame(ROWS)
    nulls = pa.Table.from_pandas(frame).set_column(5, "score", pa.array([0.1, None, 0.2]))
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(nulls, sink)
    scores, account = read({"scores.parquet": sink.getvalue().to_pybytes()})
    assert scores["score"].to_list() == [0.1, 0.2]
    assert account.set_index("outcome")["n"]["empty"] == 1
    table = pa.Table.from_pandas(frame).set_column(5, "score", pa.array([0.1, np.nan, 0.2]))
    pyarrow.parquet.write_table(table, sink := pa.BufferOutputStream())
    with pytest.raises(InputError, match="data row 2, column `score`\n    found: `nan`"):
        read({"scores.parquet": sink.getvalue().to_pybytes()})


def test_a_file_that_is_no_parquet(read):
    with pytest.raises(InputError, match=r"scores\.parquet: not a table of type parquet"):
        read({"scores.parquet": "task,metric\n"})


def test_values_multiply_constants_and_facts_of_tasks(read):
    text = "eval,measure,size,percent\nA,Accuracy,7B,50\nB,Accuracy,13B,25\nB,Accuracy,70,75\n"
    scores, account = read(
        {"scores.csv": text},
        columns={"task": "eval", "metric": "measure", "model": "size", "scale": "size", "score": "percent"},
        values={"metric": {"Accuracy": "acc", "F1": "f1"}, "scale": {"7B": 7, "13B": 13}},
        multiply={"scale": 1e9, "score": 0.01},
        constants={"model_family": "F", "shots": 3},
        by_task={"n_examples": {"A": 100}, "chance": {"B": 0.25}},
    )
    scores = scores.set_index("model")
    assert scores["scale"].to_dict() == {"7B": 7e9, "13B": 13e9, "70": 70e9}
    assert scores["score"].to_dict() == {"7B": 0.5, "13B": 0.25, "70": 0.75}
    assert set(scores["metric"]) == {"acc"}
    assert set(scores["shots"]) == {3}
    assert scores["n_examples"].fillna(0).to_dict() == {"7B": 100, "13B": 0, "70": 0}
    assert scores["chance"].fillna(-1).to_dict() == {"7B": -1, "13B": 0.25, "70": 0.25}
    # a line of the block that fits nothing is not passed over in silence
    assert "values.metric names `F1`, which no row has" in account["reason"].to_list()


def test_wide(read):
    text = "who,size,t_0_acc,t_5_acc,u_v_0_acc_norm,remark\na,1,0.1,0.2,0.3,x\nb,2,0.4,,0.6,y\n"
    scores, account = read(
        {"scores.csv": text},
        layout="wide",
        header="{task}_{shots}_{metric}",
        columns={"model": "who", "scale": "size"},
        constants={"model_family": "F"},
    )
    found = scores.set_index(["task", "shots", "metric", "model"])["score"].to_dict()
    assert found == {
        ("t", 0, "acc", "a"): 0.1,
        ("t", 0, "acc", "b"): 0.4,
        ("t", 5, "acc", "a"): 0.2,
        ("u_v", 0, "acc_norm", "a"): 0.3,
        ("u_v", 0, "acc_norm", "b"): 0.6,
    }
    assert account.set_index("outcome")["n"].to_dict() == {"empty": 1, "ignored": 1, "kept": 5, "read": 6}


FEWER = {name: name for name in ("task", "metric", "model", "score")}
WITHOUT = "task,metric,model,score\nt,acc,a,0.1\nt,acc,b,0.2\nt,acc,b-large,0.3\nu,acc,b-large,0.4\n"
LISTED = {"a": {"family": "F", "scale": 1.0e6}, "b": {"family": "F", "scale": 1.0e7}}


def test_models_from_the_block(read):
    # the size in b-large's name is not looked at: it is left out and named
    scores, account = read({"scores.csv": WITHOUT}, columns=FEWER, models=LISTED)
    assert scores[["model", "model_family", "scale"]].to_numpy().tolist() == [["a", "F", 1e6], ["b", "F", 1e7]]
    left_out = account.set_index("outcome").loc["left_out"]
    assert left_out["n"] == 2
    assert "the model has no family and no scale" in left_out["reason"]
    assert "models: `b-large`" in left_out["example"]
    counts = account.set_index("outcome")["n"]
    assert counts["read"] == counts["kept"] + counts["left_out"] == 4


def test_models_from_a_file(read):
    models = "model,model_family,scale\na,F,1000000\nb,F,1e7\n"
    scores, _ = read({"scores.csv": WITHOUT, "models.csv": models}, columns=FEWER, models_file="models.csv")
    by_block, _ = read({"scores.csv": WITHOUT}, columns=FEWER, models=LISTED)
    pd.testing.assert_frame_equal(scores, by_block)
    # both may be given, as long as they do not disagree
    both, _ = read({"scores.csv": WITHOUT, "models.csv": models}, columns=FEWER, models_file="models.csv", models=LISTED)
    pd.testing.assert_frame_equal(both, by_block)
    with pytest.raises(InputError, match=r"the scale of `b`\n    found: 5, and 10000000\.0 in models\.csv"):
        read({"scores.csv": WITHOUT, "models.csv": models}, columns=FEWER, models_file="models.csv", models={"b": {"scale": 5}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model,scale\na,1\n", "no column `model_family`"),
        ("model,model_family,scale\na,F,big\n", "found: `big`"),
        ("model,model_family,scale\na,F,-1\n", "a number above 0"),
        ("model,model_family,scale\na,F,1\na,F,2\n", "`a` again"),
    ],
)
def test_bad_file_of_models(read, text, expected):
    with pytest.raises(InputError, match=expected):
        read({"scores.csv": WITHOUT, "models.csv": text}, columns=FEWER, models_file="models.csv")


def test_the_files_say_it_first(read):
    # what the file says stays, what it leaves open comes from the block, and two different statements are refused
    text = "task,metric,model_family,model,scale,score\nt,acc,F,a,1000000,0.1\nt,acc,,b,,0.2\n"
    scores, _ = read({"scores.csv": text}, models={"b": LISTED["b"]})
    assert scores["scale"].to_list() == [1e6, 1e7]
    assert set(scores["model_family"]) == {"F"}
    with pytest.raises(InputError, match="scale 1000000 in the file, 5 in the block"):
        read({"scores.csv": text}, models={"a": {"scale": 5}, "b": LISTED["b"]})
    # where the block lists no models, a gap is a mistake of the file
    with pytest.raises(InputError, match="data row 2, column `scale`\n    found: nothing"):
        read({"scores.csv": text.replace("t,acc,,b", "t,acc,F,b")})


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"layout": "wide"}, ["mine.header", "this key is missing", "mine.columns.score"]),
        ({"header": "{task}"}, ["mine.header", "for wide tables only"]),
        ({"columns": FEWER}, ["mine.columns.scale", "mine.columns.model_family", "given nowhere", "`models`"]),
        ({"constants": {"task": "t"}}, ["mine.constants.task", "the field `task` again"]),
        ({"columns": FEWER, "constants": {"model_family": "F"}, "multiply": {"scale": 2}}, ["multiply.scale", "columns.scale"]),
        ({"values": {"shots": {"zero": 0}}}, ["mine.values.shots", "no column gives"]),
        ({"file_type": "xlsx"}, ["mine.file_type", "`csv` or `tsv` or `parquet` or `jsonl`"]),
        ({"models": {"a": {"familly": "F"}}}, ["mine.models.a.familly", "did you mean `family`?"]),
        ({"models": {"a": {"scale": -1}}}, ["mine.models.a.scale", "at least 0"]),
        (
            {"layout": "wide", "header": "{task}_{mteric}", "columns": {"model": "m", "scale": "s", "model_family": "f"}},
            ["the field `mteric`", "did you mean `metric`?", "mine.columns.metric"],
        ),
    ],
)
def test_blocks_are_refused_before_any_job(tmp_path, monkeypatch, keys, expected):
    # the check of the configuration reads no table, and reports all mistakes at once
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").touch()
    block = {"format": "table", "files": ["scores.csv"], "columns": COLUMNS} | keys
    with pytest.raises(InputError) as error:
        configuration.check({"benchmarks": {"mine": block}})
    for part in expected:
        assert part in str(error.value)


def test_the_configuration_is_checked_without_pandas():
    # every job of a cluster pays for what the Snakefile imports
    asked = "from emergence.ingest import readers; readers.key_problems({'format': 'lm_eval'})"
    code = f"import sys; {asked}; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_new_format_is_a_new_folder(tmp_path):
    folder = copy_of_workflow(tmp_path / "workflow")
    reader = folder / "scripts/emergence/ingest/readers/toy"
    reader.mkdir()
    (reader / "schema.yaml").write_text(
        "title: toy\ndescription: One score.\nproperties:\n  answer: {description: It., type: number}\nrequired: [answer]\n"
    )
    (reader / "reader.py").write_text(
        "import pandas as pd\nfrom emergence.ingest.readers import Rows\n\ndef read(block, account):\n"
        "    account.count('toy', 'read', 1)\n"
        "    row = dict(task='t', metric='acc', model_family='F', model='m', scale=1.0, score=block['answer'])\n"
        "    return Rows(pd.DataFrame([row | dict(source='toy', file='toy')]), lambda row, field: 'toy')\n"
    )
    code = """
from emergence.ingest import pipeline
from emergence.study import configuration
block = configuration.check({"benchmarks": {"mine": {"format": "toy", "answer": 0.5}}})["benchmarks"]["mine"]
print(pipeline.ingest("mine", block, configuration.DEFAULT_METRICS)[0]["score"].to_list())
try:
    configuration.check({"benchmarks": {"mine": {"format": "toy", "anwser": 0.5}}})
except Exception as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder / "scripts", capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[0.5]")
    assert "did you mean `answer`?" in done.stdout
