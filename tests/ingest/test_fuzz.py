"""Any bytes in place of a file that users write give a table or a clear message: never another exception, and never a hang.

The files are random bytes, valid files with bytes turned, cut, doubled and put in, and valid JSON with values of the wrong kind in
random places. `make fuzz` looks for longer than `make test` does.
"""

import contextlib
import copy
import functools
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_lm_eval import OLD, current

import result_trees
from conftest import COLUMNS, ROOT
from emergence.ingest import pipeline
from emergence.io import documents, tables
from emergence.io.errors import InputError
from emergence.study import configuration, metric_catalogue, registries, starter_blocks
from emergence.study.configuration import DEFAULT_METRICS

# No message is longer than this, whatever the file holds: it must fit a terminal.
LONGEST_MESSAGE = 40_000

# Seconds that reading a small file may take on a slow machine.
PATIENCE = 20

# Of the examples that the profile asks for: the files are many, and each example is read several times.
some = settings(max_examples=settings().max_examples // 3)

FRAGMENTS = [
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\r",
    b"\n\n",
    b'"',
    b"'",
    b",",
    b"\t",
    b"{",
    b"}",
    b"]",
    b":",
    b"\\",
    b"\\ud800",
    b"\\u0000",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"1e400",
    b"-1e400",
    b"NaN",
    b"Infinity",
    b"null",
    b"true",
    b"9" * 5000,
    b"[" * 3000,
    b'{"a":' * 3000,
    b"x" * 70_000,
]

ODD_VALUES = [
    None,
    True,
    False,
    0,
    -1,
    0.5,
    10**20,
    10**400,
    -(10**400),
    5e-324,
    1.7e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x",
    "\x00",
    "\ud800",
    "\u200b",
    "a\nb",
    "x" * 50_000,
    "1e400",
    "N/A",
    [],
    {},
    [1],
    [[]],
    ["t"],
    {"a": 1},
    {"": None},
    [None] * 3,
]


@contextlib.contextmanager
def in_time():
    """Fail where the inside takes longer than a small file may."""

    def too_long(*_):
        raise AssertionError(f"not done in {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read_or_refused(read, path):
    """What read(path) gives, in time; None where it refuses the file with a message as it should be."""
    with in_time():
        try:
            return read(path)
        except InputError as error:
            check_message(error, path)
            return None


@st.composite
def damaged(draw, seeds):
    """One of the valid files with one to four pieces of damage, or no file at all but random bytes."""
    content = draw(st.sampled_from([*seeds, b""]))
    if not content:
        return draw(st.binary(max_size=300))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([1, 2, 5, 20, 100, 10_000])))
        new = draw(
            st.one_of(
                st.just(b""),
                st.just(content[start:end] * 2),
                st.sampled_from(FRAGMENTS),
                st.binary(min_size=1, max_size=4),
            )
        )
        kept = draw(st.booleans())
        content = content[:start] + new + content[start if kept else end :]
    return content


def places(value, path=()):
    """The paths of all values in a JSON document."""
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*path, key))


@st.composite
def altered(draw, documents):
    """One of the documents with one to three values replaced by odd ones, renamed or taken out; as JSON in some encoding."""
    value = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(value))))
        if not path:
            continue
        inside = value
        for key in path[:-1]:
            inside = inside[key]
        action = draw(st.sampled_from(["replace", "replace", "replace", "remove", "rename"]))
        if action == "replace":
            inside[path[-1]] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
        elif action == "remove":
            del inside[path[-1]]
        elif isinstance(inside, dict):
            inside[draw(st.sampled_from([key for key in ODD_VALUES if isinstance(key, str)]))] = inside.pop(path[-1])
    text = json.dumps(value, indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    return text.encode(encoding, "surrogatepass")


def check_message(error, *files):
    """What every message to a user must be: about a file, readable, and no longer than a person reads."""
    text = str(error)
    assert len(text) < LONGEST_MESSAGE
    assert any(str(file) in text for file in files), text
    assert ("\n    found: " in text) <= ("\n    allowed: " in text), text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text), repr(text)
    text.encode()


def check_ingest(block, folder, *files):
    """Ingest with both `on_error`, and hold what is promised of score table and account."""
    for on_error in ("stop", "skip"):
        with in_time():
            try:
                scores, account, inputs = pipeline.ingest("mine", block | {"on_error": on_error}, DEFAULT_METRICS)
            except InputError as error:
                check_message(error, *files, DEFAULT_METRICS)
                continue
            typed = tables.typed(scores, "scores")
            assert tables.faults(typed, "scores") == []
            counts = account.pivot_table(index="file", columns="outcome", values="n", aggfunc="sum", fill_value=0)
            counts = counts.reindex(columns=["read", "kept", "merged", "empty", "left_out", "refused"], fill_value=0)
            assert (counts["read"] == counts.drop(columns="read").sum(axis=1)).all(), account.to_string()
            assert counts["kept"].sum() == len(scores)
            for name, frame in (("scores", scores), ("ingest_account", account), ("inputs", inputs)):
                path = folder / tables.description(name)["path"].rpartition("/")[2]
                tables.write(frame, name, path)
                pd.testing.assert_frame_equal(
                    tables.read(name, path), tables.typed(frame, name).reset_index(drop=True), check_dtype=False
                )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module", autouse=True)
def catalogue_once():
    """The shipped catalogue is read once for all the files of this module."""
    with pytest.MonkeyPatch.context() as patch:
        loaded = {}
        load = metric_catalogue.load

        def once(path):
            return (
                (loaded[path] if path in loaded else loaded.setdefault(path, load(path)))
                if path == DEFAULT_METRICS
                else load(path)
            )

        patch.setattr(metric_catalogue, "load", once)
        yield


def block_for(path, **keys):
    return configuration.check({"benchmarks": {"mine": {"files": [str(path)], **keys}}})["benchmarks"]["mine"]


ROWS = [
    {"task": "t", "metric": "acc", "model_family": "F", "model": "a", "scale": 1e6, "score": 0.1},
    {"task": "t", "metric": "acc", "model_family": "F", "model": "b", "scale": 1e7, "score": 0.3},
    {"task": "u, v", "metric": "f1", "model_family": "Ü", "model": "b", "scale": 1e7, "score": None},
]
LONG = pd.DataFrame(ROWS)
WIDE = pd.DataFrame({"who": ["a", "b"], "size": [1, 2], "t_0_acc": [0.1, 0.2], "u_v_5_f1": [0.5, None]})
WIDE_KEYS = {
    "layout": "wide",
    "header": "{task}_{shots}_{metric}",
    "columns": {"model": "who", "scale": "size"},
    "constants": {"model_family": "F"},
    "multiply": {"scale": 1e9},
}


def as_parquet(frame):
    sink = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink)
    return sink.getvalue()


WRITERS = {
    "csv": lambda frame: frame.to_csv(index=False).encode(),
    "tsv": lambda frame: frame.to_csv(index=False, sep="\t").encode(),
    "parquet": as_parquet,
    "jsonl": lambda frame: frame.to_json(orient="records", lines=True).encode(),
    "csv.gz": lambda frame: gzip.compress(frame.to_csv(index=False).encode(), mtime=0),
    "jsonl.gz": lambda frame: gzip.compress(frame.to_json(orient="records", lines=True).encode(), mtime=0),
}


@pytest.mark.parametrize("layout", ["long", "wide"])
@pytest.mark.parametrize("ending", WRITERS)
@some
@given(data=st.data())
def test_tables(folder, layout, ending, data):
    path = folder / f"{layout}.{ending}"
    content = WRITERS[ending](LONG if layout == "long" else WIDE)
    path.write_bytes(data.draw(damaged([content])))
    keys = WIDE_KEYS if layout == "wide" else {"columns": {name: name for name in COLUMNS}}
    check_ingest(block_for(path, format="table", **keys), folder, path)


@some
@given(data=st.data())
def test_tables_in_json_lines_of_wrong_kinds(folder, data):
    path = folder / "kinds.jsonl"
    path.write_bytes(b"\n".join(data.draw(altered([ROWS[0]])) for _ in range(2)))
    check_ingest(block_for(path, format="table", columns={name: name for name in COLUMNS}), folder, path)


KINDS = [
    pa.null(),
    pa.bool_(),
    pa.int8(),
    pa.uint64(),
    pa.float16(),
    pa.float64(),
    pa.decimal128(38, 2),
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.date32(),
    pa.timestamp("ns"),
    pa.time64("us"),
    pa.duration("s"),
    pa.list_(pa.int64()),
    pa.struct([("a", pa.int64())]),
    pa.map_(pa.string(), pa.int64()),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int8(), pa.float64()),
]


@some
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=6, max_size=6), data=st.data())
def test_parquet_columns_of_any_kind(folder, kinds, data):
    path = folder / "kinds.parquet"
    columns = {}
    for name, kind in zip(COLUMNS, kinds, strict=True):
        if data.draw(st.booleans()):
            columns[name] = pa.array([row[name] for row in ROWS])
        else:
            columns[name] = data.draw(st.sampled_from([EXAMPLES_OF[kind], pa.nulls(3, kind)]))
    pa.parquet.write_table(pa.table(columns), path)
    check_ingest(block_for(path, format="table", columns={name: name for name in COLUMNS}), folder, path)


def example_of(kind):
    values = {
        "bool": [True, False, None],
        "binary": [b"t", b"\xff", None],
        "struct<a: int64>": [{"a": 1}, None, {"a": None}],
        "list<item: int64>": [[1], [], None],
        "map<string, int64>": [[("a", 1)], [], None],
    }
    texts = kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()))
    if pa.types.is_floating(kind):
        return pa.array(np.array([1, np.nan, np.inf]), pa.float64()).cast(kind)
    if pa.types.is_dictionary(kind) and not texts:
        return pa.array([1.5, None, np.inf]).dictionary_encode()
    return (
        pa.array(values.get(str(kind), ["t", "", None] if texts else [1, 2, None]), kind)
        if not pa.types.is_null(kind)
        else pa.nulls(3)
    )


EXAMPLES_OF = {kind: example_of(kind) for kind in KINDS}

RESULTS = [current(), OLD]
LM_EVAL_KEYS = {
    "format": "lm_eval",
    "models": {name: {"family": "F", "scale": 7000} for name in ("org/small", "org/small@step3000")},
}


@pytest.mark.parametrize("repeated_runs", ["refuse", "latest"])
@some
@given(content=st.one_of(altered(RESULTS), damaged([json.dumps(value).encode() for value in RESULTS])))
def test_lm_eval(folder, repeated_runs, content):
    path = folder / "results_2023-11-14T22-13-20.json"
    path.write_bytes(content)
    keys = LM_EVAL_KEYS | {"repeated_runs": repeated_runs, "scale_from": "parameters"}
    check_ingest(block_for(path, **keys), folder, path)


SCORE_FILE = result_trees.content(
    "t",
    [
        result_trees.entry("t", {"multiple_choice_grade": 0.5, "calibration_multiple_choice_brier_score": 0.25}),
        result_trees.entry("t:part", {"exact_str_match": 0.5}, shots=3),
    ],
)


@some
@given(content=st.one_of(altered([SCORE_FILE]), damaged([json.dumps(SCORE_FILE).encode()])))
def test_bigbench(folder, content):
    tree = folder / "tree"
    path = result_trees.write(tree, content, "scores_F_m.json", "t")
    result_trees.write(tree, SCORE_FILE)
    check_ingest(result_trees.block(tree), folder, path, tree)


CONFIG = {
    "benchmarks": {
        "first": {"format": "table", "files": ["README.md"], "columns": {name: name for name in COLUMNS}, "title": "A title"},
        "second": {"format": "lm_eval", "files": ["README.md"], "models": {"m": {"family": "F", "scale": 1.0}}},
        "third": {"format": "bigbench", "directory": "config", "answers_over": {"entries": "tasks"}},
        "fourth": {"format": "table", "files": ["README.md"], **WIDE_KEYS, "values": {"metric": {"Accuracy": "acc"}}},
    },
    "emergence": {"thresholds": [5, 10]},
    "null_models": {"draws": 10},
    "figures": {"dpi": 50},
}
YAML_FRAGMENTS = [
    b"&a ",
    b"*a",
    b"<<: ",
    b"? ",
    b"- ",
    b"!!python/name:os.system ",
    b"!!float ",
    b"!!set ",
    b"2024-99-99",
    b"0b_",
    b"1:99",
    b".nan",
    b".inf",
    b"1_0",
    b"\n  ",
]


@st.composite
def yaml_of(draw, value):
    """A YAML document with damage of both kinds."""
    if draw(st.booleans()):
        return draw(altered([value]))
    content = draw(damaged([yaml.safe_dump(value, allow_unicode=True).encode()]))
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.sampled_from([b"", *YAML_FRAGMENTS])) + content[at:]


@some
@given(content=yaml_of(CONFIG))
def test_configuration(folder, content):
    path = folder / "config.yaml"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch, in_time():
        patch.chdir(ROOT)
        try:
            study = documents.load_yaml(path)
            checked = configuration.check(study, [path])
        except InputError as error:
            check_message(error, path)
            return
        json.dumps(checked, allow_nan=False).encode()


SHORT_CATALOGUE = {"metrics": dict(list(yaml.safe_load(DEFAULT_METRICS.read_text())["metrics"].items())[:3])}


@some
@given(content=yaml_of(SHORT_CATALOGUE))
def test_catalogue(folder, content):
    path = folder / "metrics.yaml"
    path.write_bytes(content)
    catalogue = read_or_refused(metric_catalogue.load, path)
    if catalogue is None:
        return
    assert (catalogue["low"] < catalogue["high"]).all()
    assert all(isinstance(name, str) for name in metric_catalogue.spellings(catalogue))


CATALOGUE = metric_catalogue.load(ROOT / "config" / "metrics.yaml")
LISTS = {
    "tasks.csv": (
        functools.partial(registries.load_tasks, catalogue=CATALOGUE),
        b"task,preferred_metric,subtask_preferred_metrics\nt,acc,acc|f1\nu,f1,\n",
    ),
    "claims.csv": (functools.partial(registries.load_claims, catalogue=CATALOGUE), b"task,preferred_metric\nt,acc\nt,acc\n"),
    "models.csv": (registries.load_models, b'model,model_family,scale\na,F,1e6\n"b, c",F,1e7\n'),
    "paper.csv": (registries.load_paper_figures, b"figure,quantity,metric,value\n5B,share,acc,0.5\n"),
}


@pytest.mark.parametrize("name", LISTS)
@some
@given(data=st.data())
def test_lists(folder, name, data):
    load, content = LISTS[name]
    path = folder / name
    path.write_bytes(data.draw(damaged([content])))
    found = read_or_refused(load, path)
    if found is None:
        return
    assert len(found)
    if isinstance(found, pd.DataFrame):
        assert found.notna().all(axis=None)


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet", "scores.jsonl", "results.json", "tree"])
@some
@given(data=st.data())
def test_starters(folder, name, data):
    path = folder / "starters" / name
    seeds = {"results.json": [json.dumps(value).encode() for value in RESULTS], "tree": [json.dumps(SCORE_FILE).encode()]}
    if name in seeds:
        written = data.draw(st.one_of(damaged(seeds[name]), altered(RESULTS if name == "results.json" else [SCORE_FILE])))
    else:
        written = data.draw(damaged([WRITERS[name.partition(".")[2]](frame) for frame in (LONG, WIDE)]))
    if name == "tree":
        result_trees.write(path, written, "scores_F_m.json", "t")
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written)
    text = read_or_refused(starter_blocks.starter, path)
    if text is None:
        return
    # whatever the file holds, what comes is one block of YAML
    assert list(yaml.safe_load(text)["benchmarks"]) == [path.name.partition(".")[0]]


def heavy_files(folder):
    """Small or plain files that would take all memory if they were read without a look: {name: part of the message}."""
    packed = gzip.compress(b"t,acc,F,a,1,0.5\n" * 3_000_000, compresslevel=1)
    lines = {
        "row.csv": (",".join(COLUMNS).encode() + b"\n" + b"x" * 50_000_000, "a row of more than a megabyte"),
        "quote.csv": (",".join(COLUMNS).encode() + b'\n"' + b"\n" * 50_000_000, "a quotation mark that is never closed"),
        "columns.csv": (b",".join(b"c%d" % number for number in range(1_000_000)), "not a table of type csv"),
        "deep.jsonl": (b'{"task": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}", "line 1"),
        "name.jsonl": (b'{"' + b"x" * 20_000_000 + b'": 1}', "no column `task`"),
        # packed pieces one after the other are one packed file
        "packed.csv.gz": (gzip.compress(",".join(COLUMNS).encode() + b"\n") + packed * 60, "more than 2,000,000,000 bytes"),
    }
    for name, (content, _) in lines.items():
        (folder / name).write_bytes(content)
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, dtype=np.int32)), pa.array(["t" * 100]))
    rows = pa.table(dict.fromkeys(COLUMNS, same))
    with pa.parquet.ParquetWriter(folder / "rows.parquet", rows.schema) as writer:
        for _ in range(21):
            writer.write_table(rows)
    return {name: expected for name, (_, expected) in lines.items()} | {"rows.parquet": "found: 21,000,000 rows"}


READ_AND_MEASURE = """
import json, resource, sys
from emergence.ingest import pipeline
from emergence.io.errors import InputError
from emergence.study import configuration

said = {}
for name in sys.argv[2:]:
    block = {"format": "table", "files": [name], "columns": json.loads(sys.argv[1])}
    try:
        study = configuration.check({"benchmarks": {"mine": block}})
        pipeline.ingest("mine", study["benchmarks"]["mine"], configuration.DEFAULT_METRICS)
    except InputError as error:
        said[name] = str(error)
print(json.dumps([said, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def test_memory_stays_small(tmp_path):
    """In a process of its own, whose highest use of memory the system knows."""
    expected = heavy_files(tmp_path)
    command = [sys.executable, "-c", READ_AND_MEASURE, json.dumps({name: name for name in COLUMNS}), *expected]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said, kilobytes = json.loads(done.stdout)
    assert {name for name, part in expected.items() if part not in said.get(name, "")} == set()
    assert all(len(text) < LONGEST_MESSAGE for text in said.values())
    assert kilobytes < 800_000
