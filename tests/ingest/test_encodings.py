"""Tables that are not plain UTF-8, and names of columns in several rows. Expected numbers and names are those that were written."""

import gzip
import json

import pytest
import yaml

from emergence.ingest import pipeline
from emergence.ingest.readers.table.reader import joined_names
from emergence.io import encodings
from emergence.io.errors import InputError
from emergence.study import configuration, registries, starter_blocks
from emergence.study.configuration import DEFAULT_METRICS

COLUMNS = {name: name for name in ("task", "metric", "model_family", "model", "scale", "score")}
TEXT = "task,metric,model_family,model,scale,score\nété,acc,F,fée-70m,7e7,0.5\nété,acc,F,fée-1b,1e9,0.6\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ingested(content, name="a.csv", **keys):
    with open(name, "wb") as file:
        file.write(content)
    block = {"format": "table", "files": [name], "columns": COLUMNS} | keys
    block = configuration.check({"benchmarks": {"mine": block}})["benchmarks"]["mine"]
    scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
    return scores.astype({"task": "str", "model": "str"}), account


def starter(name, metric="acc"):
    """The block that the starter writes for a file, with what only a person can know filled in."""
    text = starter_blocks.starter(name, "mine", DEFAULT_METRICS)
    text = text.replace("metric: # fill in", f"metric: {metric} # fill in").replace("family: }", "family: F }")
    text = text.replace("family: ,", "family: F,")
    block = configuration.check(yaml.safe_load(text))["benchmarks"]["mine"]
    scores, account, _ = pipeline.ingest("mine", block, DEFAULT_METRICS)
    return text, scores.astype({"task": "str", "metric": "str", "model": "str"}), account


def assert_whole(scores):
    assert set(scores["task"]) == {"été"}
    assert scores.set_index("model")["score"].to_dict() == {"fée-1b": 0.6, "fée-70m": 0.5}


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(here, name):
    scores, account = ingested(TEXT.encode(name))
    assert_whole(scores)
    noted = account.loc[account["outcome"] == "noted", "reason"].tolist()
    assert noted == ([] if "8" in name else [f"the text is in {name.upper()}, as its byte order mark says"])
    # packed, big-endian, and as JSON lines, the same
    assert_whole(ingested(gzip.compress(TEXT.encode(name)), "a.csv.gz")[0])
    assert_whole(ingested(b"\xfe\xff" + TEXT.encode("utf-16-be"))[0])
    rows = [dict(zip(COLUMNS, line.split(","), strict=True)) for line in TEXT.splitlines()[1:]]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    assert_whole(ingested(lines.encode(name), "a.jsonl")[0])


@pytest.mark.parametrize("name", ["windows-1252", "utf-16-le", "utf-16-be"])
def test_the_message_about_another_encoding_proposes_it(here, name):
    content = TEXT.encode(name)
    with pytest.raises(InputError, match=f"`encoding: {name}`") as error:
        ingested(content)
    assert "a.csv" in str(error.value) and "line" in str(error.value)
    assert ("`été,acc,F,fée-70m" in str(error.value)) == (name == "windows-1252")
    assert_whole(ingested(content, encoding=name)[0])
    # the starter puts it into the block
    text, scores, _ = starter("a.csv")
    assert f"encoding: {name} # check" in text
    assert_whole(scores)


def test_an_encoding_that_the_text_contradicts(here):
    with pytest.raises(InputError, match="text in UTF-8, where `encoding` says latin-1"):
        ingested(TEXT.encode(), encoding="latin-1")
    with pytest.raises(InputError, match="text that is not utf-16"):
        ingested(TEXT.encode("latin-1"), encoding="utf-16")
    # a byte order mark goes before the key, and what is plain ASCII is the same in both
    assert_whole(ingested(TEXT.encode("utf-16"), encoding="latin-1")[0])
    assert len(ingested(TEXT.replace("é", "e").encode(), encoding="latin-1")[0]) == 2


@pytest.mark.parametrize("name", ["latin-one", "base64", "a\0b"])
def test_what_is_no_encoding(here, name):
    with pytest.raises(InputError, match=r"benchmarks\.mine\.encoding"):
        ingested(TEXT.encode(), encoding=name)


def test_a_likely_encoding():
    # 0x81 is not assigned in Windows-1252
    assert encodings.likely(b"f\xe9e") == "windows-1252"
    assert encodings.likely(b"\x81\xe9") == "latin-1"
    assert encodings.not_utf8([b"a\n", "é\n".encode(), b"\xe9\n"]) == (3, b"\xe9\n")
    assert encodings.not_utf8([b"a\n"]) is None


def test_lists_beside_the_scores(here, catalogue):
    (here / "models.csv").write_bytes("model,model_family,scale\nfée,F,1.3B\n".encode("utf-16"))
    assert registries.load_models("models.csv") == {"fée": {"model_family": "F", "scale": 1.3e9}}
    (here / "tasks.csv").write_bytes("task,preferred_metric\nx,acc\nété,acc\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"line 3 would be `été,acc`") as error:
        registries.load_tasks("tasks.csv", catalogue)
    assert "save it so" in str(error.value)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        # as pandas writes them, and as merged cells leave them
        ([["", "a", "a"], ["m", "x", "y"]], ["m", "a|x", "a|y"]),
        ([["m", "a", ""], ["", "x", "y"]], ["m", "a|x", "a|y"]),
        ([["", "", "a", "", "b"], ["m", "n", "x", "y", "x"]], ["m", "n", "a|x", "a|y", "b|x"]),
        # three rows: what is merged below ends where what is merged above does
        ([["", "a", "", "b"], ["", "x", "", ""], ["m", "1", "2", "3"]], ["m", "a|x|1", "a|x|2", "b|3"]),
        # the name of an index alone in its row; rows of unlike length; a column without any name
        ([["", "a"], ["", "x"], ["m"]], ["m", "a|x"]),
        ([["a", "", ""], ["x", "y", ""]], ["a|x", "a|y", ""]),
        ([], []),
    ],
)
def test_names_in_several_rows(rows, names):
    assert joined_names(rows) == names


TWO_ROWS = {
    "merged cells": ",,MMLU,,ARC,\nModel,Params,acc,f1,acc,f1\n",
    "names above": "Model,Params,MMLU,MMLU,ARC,ARC\n,,acc,f1,acc,f1\n",
    "metrics above": "Model,Params,acc,acc,f1,f1\n,,MMLU,ARC,MMLU,ARC\n",
    "with a title": 'Results\n\n,,MMLU,,ARC,\n"Model",Params,acc,f1,acc,f1\n',
    "with the name of an index": ",,MMLU,MMLU,ARC,ARC\n,Params,acc,f1,acc,f1\nModel,,,,,\n",
}


@pytest.mark.parametrize("head", TWO_ROWS.values(), ids=TWO_ROWS)
def test_two_rows_of_names_from_the_starter_to_the_scores(here, head):
    # numbers by the position in the header: 0.1 to 0.4, and ten times that
    (here / "a.csv").write_text(f"{head}a,1e8,0.1,0.2,0.3,0.4\nb,1e9,0.5,0.6,0.7,0.8\n")
    text, scores, account = starter("a.csv")
    assert "header_rows: " in text
    found = scores.set_index(["task", "metric", "model"])["score"].to_dict()
    order = ["MMLU acc", "ARC acc", "MMLU f1", "ARC f1"] if "acc,acc" in head else ["MMLU acc", "MMLU f1", "ARC acc", "ARC f1"]
    expected = {
        (*name.split(), model): round(0.1 * i + 0.4 * j + 0.1, 1) for i, name in enumerate(order) for j, model in enumerate("ab")
    }
    assert found == expected
    assert account.groupby("outcome")["n"].sum()["kept"] == 8


def test_one_row_of_names_stays_one(here):
    for text in (
        "model,scale,arc,mmlu\na,1e8,0.1,0.2\nb,1e9,0.3,0.4\n",
        # rows of texts below complete names are rows
        "model,scale,arc,mmlu\na,1e8,-,-\nb,1e9,0.3,0.4\n",
        # a line of groups above names that tell the columns apart is left out
        ",,Science,Knowledge\nmodel,scale,arc,mmlu\na,1e8,0.1,0.2\nb,1e9,0.3,0.4\n",
    ):
        (here / "a.csv").write_text(text)
        block, scores, _ = starter("a.csv")
        assert "header_rows" not in block
        assert set(scores["task"]) == {"arc", "mmlu"}


def test_groups_above_tasks_are_no_metrics(here):
    (here / "a.csv").write_text(
        "Model,Size,Science,,Letters,\n,,ARC,PIQA,QA,Rhymes\na,70M,0.1,0.2,0.3,0.4\nb,1B,0.2,0.3,0.4,0.5\n"
    )
    _, scores, _ = starter("a.csv")
    assert set(scores["task"]) == {"Science|ARC", "Science|PIQA", "Letters|QA", "Letters|Rhymes"}


def test_messages_name_the_key_for_rows_of_names(here):
    keys = {
        "layout": "wide",
        "header": "{task}|{metric}",
        "columns": {"model": "m", "scale": "n"},
        "constants": {"model_family": "F"},
    }
    for text in (",,A,\nm,n,acc,f1\na,1,0.5,0.5\n", "m,n,acc,acc\na,1,0.5,0.5\n"):
        with pytest.raises(InputError, match="`header_rows: 2`"):
            ingested(text.encode(), **keys)
