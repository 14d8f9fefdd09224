"""Input files that change while a run reads them: what is recorded is what was read, or the run refuses."""

import hashlib
import json

import pandas as pd
import pytest

import result_trees as made
from conftest import COLUMNS, ROOT
from emergence.ingest import pipeline
from emergence.ingest.readers.bigbench import reader as bigbench_reader
from emergence.ingest.readers.lm_eval import reader as lm_eval_reader
from emergence.ingest.readers.table import reader as table_reader
from emergence.io import contents, provenance, tables
from emergence.io.errors import InputError
from emergence.study import configuration

CATALOGUE = str(ROOT / "config/metrics.yaml")


def ingested(block):
    scores, _, inputs = pipeline.ingest("mine", block, CATALOGUE)
    return scores["score"].tolist(), inputs["sha256"].tolist()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_table_that_changes_while_it_is_read_is_refused(table_block, monkeypatch, moment):
    """Before its rows are parsed, or after: the time and the size of the file stay what they are."""
    block = table_block([",".join(COLUMNS), "sorting,exact_match,Tiny,t1,1e6,0.25"])
    path, load = block["files"][0], table_reader._LOADERS["csv"]

    def change():
        with open(path, "r+b") as file:
            content = file.read().replace(b"0.25", b"0.75")
            file.seek(0)
            file.write(content)

    def loading(*arguments):
        if moment == "before":
            change()
        loaded = load(*arguments)
        if moment == "after":
            change()
        return loaded

    monkeypatch.setitem(table_reader._LOADERS, "csv", loading)
    with pytest.raises(InputError) as raised:
        ingested(block)
    assert str(raised.value) == (
        f"{path}\n    found: another content than when reading began\n"
        "    allowed: a file that nobody writes to; run again when it is whole"
    )
    monkeypatch.undo()
    assert ingested(block) == ([0.75], [contents.digest(path)])


def result_file(score):
    return json.dumps({"results": {"sorting": {"exact_match,none": score}}, "model_name": "tiny"}).encode()


def test_the_digest_of_a_results_file_is_of_what_was_parsed(tmp_path, monkeypatch):
    """A file of lm-evaluation-harness that is written anew as soon as it has been parsed."""
    path = tmp_path / "results.json"
    path.write_bytes(result_file(0.25))
    parse = lm_eval_reader.parse

    def parsing(file, written):
        path.write_bytes(result_file(0.75))
        return parse(file, written)

    monkeypatch.setattr(lm_eval_reader, "parse", parsing)
    models = {"tiny": {"family": "Tiny", "scale": 1e3}}
    keys = {"format": "lm_eval", "files": [str(path)], "models": models}
    block = configuration.check({"benchmarks": {"mine": keys}})["benchmarks"]["mine"]
    assert ingested(block) == ([0.25], [sha256(result_file(0.25))])


def test_the_digest_of_a_bigbench_file_is_of_what_was_parsed(tmp_path, monkeypatch):
    """A score file that is written anew as soon as its bytes are there."""
    first, second = (made.content("sorting", [made.entry("sorting", {"exact_str_match": score})]) for score in (0.25, 0.75))
    path = made.write(tmp_path, first)
    content, read = path.read_bytes(), bigbench_reader._parse

    def parsing(written):
        made.write(tmp_path, second)
        return read(written)

    monkeypatch.setattr(bigbench_reader, "_parse", parsing)
    assert ingested(made.block(tmp_path)) == ([0.25], [sha256(content)])


def test_a_file_that_changes_between_reading_and_the_record_is_refused(tmp_path):
    path, read = tmp_path / "first.csv", tmp_path / "inputs.csv"
    path.write_text("before")
    tables.write(pd.DataFrame({"file": [str(path)], "n_bytes": [6], "sha256": [contents.digest(path)]}), "inputs", read)
    assert provenance.record({}, [path], [read])["inputs"] == {str(path): sha256(b"before")}
    path.write_text("after")
    with pytest.raises(InputError, match=r"first\.csv\n    found: another content than when its scores were read"):
        provenance.record({}, [path], [read])
