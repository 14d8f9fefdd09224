"""Small files that hold more than any memory are refused by name, and so is whatever else memory does not suffice for."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import result_trees as made
from conftest import COLUMNS, ROOT
from emergence.ingest import pipeline
from emergence.ingest.readers.bigbench import reader as bigbench_reader
from emergence.ingest.readers.lm_eval import reader as lm_eval_reader
from emergence.ingest.readers.table import reader as table_reader
from emergence.io.errors import InputError
from emergence.study import configuration, lists, registries

CATALOGUE = str(ROOT / "config/metrics.yaml")

# In a process that may take little memory, so that a bomb is an error there and not the end of the machine.
READ = """
import resource, sys
import pyarrow, pandas
from emergence.ingest.readers.table import reader
from emergence.io.errors import InputError

resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
try:
    reader.load(sys.argv[1], "parquet", lambda name: name != "unwanted")
except InputError as error:
    print(error)
"""


def repeated(text, n_rows):
    """A column of one text, as the dictionary in which a Parquet file keeps it."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), n_rows), pa.array([text]))


def said_of(path):
    done = subprocess.run(
        [sys.executable, "-c", READ, path], env={"PYTHONPATH": str(ROOT / "scripts")}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_text_repeated_a_million_times_is_refused(tmp_path):
    """64 kB that unpack to 60 GB: three million rows of one text of 20,000 letters."""
    path = tmp_path / "scores.parquet"
    pq.write_table(pa.table({"task": repeated("x" * 20_000, 3_000_000)}), path, compression="zstd")
    assert path.stat().st_size < 200_000
    assert f"{path}\n    found: 60,000,000,000 bytes in the columns task when they are unpacked" in said_of(path)


def test_pages_that_unpack_to_more_than_memory_are_refused_by_the_metadata(tmp_path, monkeypatch):
    path = tmp_path / "scores.parquet"
    zeros = pa.table({"score": pa.repeat(pa.scalar(0.5), 10_000_000), "task": repeated("t", 10_000_000)})
    with pq.ParquetWriter(path, zeros.schema, compression="zstd", use_dictionary=["task"]) as writer:
        for _ in range(2):
            writer.write_table(zeros, row_group_size=10_000_000)
    assert path.stat().st_size < 200_000
    # two times ten million numbers of eight bytes, and a little for the pages; nothing of them is read
    assert table_reader._bytes_in_pages(pq.read_metadata(path), ["score"]) == pytest.approx(160_000_000, rel=0.01)
    monkeypatch.setattr(table_reader, "_MOST_BYTES", 100_000_000)
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(InputError, match=r"found: 160,\d{3},\d{3} bytes in the columns score when they are unpacked"):
        table_reader.load(path, "parquet", lambda name: name == "score")


@pytest.mark.parametrize("limit", [100, 10_000])
def test_the_limit_counts_what_is_wanted_only(tmp_path, monkeypatch, limit):
    """By hand: 8 rows of an 8-byte number, and one text of 5 letters in 7 of 8 rows, 35 bytes."""
    path = tmp_path / "scores.parquet"
    texts = pa.array(["title"] * 7 + [None])
    pq.write_table(pa.table({"score": [0.5] * 8, "task": texts, "unwanted": ["y" * 5000] * 8}), path, use_dictionary=["task"])
    table = pq.ParquetFile(path, read_dictionary=["task"]).read(columns=["task"])
    assert table_reader._bytes_of_texts(table["task"]) == 35
    monkeypatch.setattr(table_reader, "_MOST_BYTES", limit)
    if limit == 100:
        with pytest.raises(InputError, match="bytes in the columns score, task when they are unpacked"):
            table_reader.load(path, "parquet", lambda name: name != "unwanted")
    else:
        _, read = table_reader.load(path, "parquet", lambda name: name != "unwanted")
        assert read["task"].to_pylist() == texts.to_pylist()


def no_memory(*_, **__):
    raise MemoryError


def ingest(block):
    return pipeline.ingest("mine", configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"], CATALOGUE)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "lm_eval", "bigbench", "models"])
def test_a_file_for_which_memory_does_not_suffice_is_named(tmp_path, monkeypatch, kind):
    if kind in ("csv", "jsonl", "parquet"):
        path = tmp_path / f"scores.{kind}"
        path.write_text("x")
        monkeypatch.setitem(table_reader._LOADERS, kind, no_memory)
        block = {"format": "table", "files": [str(path)], "columns": {name: name for name in COLUMNS}}
    elif kind == "lm_eval":
        path = tmp_path / "run.json"
        path.write_text("{}")
        monkeypatch.setattr(lm_eval_reader, "parse", no_memory)
        block = {"format": "lm_eval", "files": [str(path)], "models": {"m": {"family": "F", "scale": 1.0}}}
    elif kind == "bigbench":
        path = made.write(tmp_path, made.content("t", [made.entry("t", {"f1": 0.5})]))
        monkeypatch.setattr(bigbench_reader, "_decode", no_memory)
        block = {"format": "bigbench", "directory": str(tmp_path)}
    else:
        path = tmp_path / "models.csv"
        path.write_text("model,model_family,scale\n")
        monkeypatch.setattr(lists.csv, "reader", no_memory)
        with pytest.raises(InputError, match=f"{path}.*it needs more memory than there is"):
            registries.load_models(path)
        return
    with pytest.raises(InputError, match=f"{path}\n    found: it needs more memory than there is"):
        ingest(block)
