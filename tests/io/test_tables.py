"""Tables are written whole or not at all, checked against their description, and read back as they were."""

import pandas as pd
import pytest

from emergence.io import tables
from emergence.io.errors import InputError
from odd_names import NAMES

INPUTS = pd.DataFrame({"file": ["a.csv"], "n_bytes": [3], "sha256": ["0" * 64]})


def test_csv_round_trip(tmp_path):
    account = pd.DataFrame({"file": ["a, b"], "outcome": ["read"], "reason": [None], "n": [2], "example": ['say "NA"']})
    tables.write(account, "ingest_account", tmp_path / "account.csv")
    (row,) = tables.read("ingest_account", tmp_path / "account.csv").to_dict("records")
    assert (row["file"], row["n"], row["example"]) == ("a, b", 2, 'say "NA"')
    assert pd.isna(row["reason"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_bytes": [-1]}, "not at least 0"),
        ({"file": [None]}, "1 empty values"),
        ({"more": [1]}, r"unknown columns \['more'\]"),
    ],
)
def test_a_frame_that_breaks_the_description_is_not_written(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        tables.write(INPUTS.assign(**change), "inputs", tmp_path / "inputs.csv")
    assert not list(tmp_path.iterdir())


def test_a_repeated_key_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="repeat the key"):
        tables.write(pd.concat([INPUTS, INPUTS]), "inputs", tmp_path / "inputs.csv")


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write_half():
        with tables.replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_another_version_is_recognised(tmp_path, monkeypatch):
    curves = pd.DataFrame(columns=list(tables.description("curves")["columns"]))
    path = tmp_path / "curves.parquet"
    tables.write(curves, "curves", path)
    monkeypatch.setitem(tables.description("curves"), "version", 99)
    tables._arrow_schema.cache_clear()
    with pytest.raises(InputError, match="written as version 2 of the curves table, this is version 99"):
        tables.read("curves", path)
    tables._arrow_schema.cache_clear()


def test_a_truncated_table_is_a_clear_error(tmp_path):
    curves = pd.DataFrame(columns=list(tables.description("curves")["columns"]))
    path = tmp_path / "curves.parquet"
    tables.write(curves, "curves", path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a curves table"):
        tables.read("curves", path)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_from_the_disk(tmp_path, name):
    names = dict.fromkeys(("task", "model_family", "metric_a", "metric_b"), name)
    row = {"subtask": "", "shots": 1, "n_scales": 3, "status_a": "ok", "status_b": "ok", **names}
    rows = [row, row | {"task": name + "."}]
    tables.write(pd.DataFrame(rows), "metric_swaps", tmp_path / "metric_swaps.csv")
    assert tables.read("metric_swaps", tmp_path / "metric_swaps.csv")[list(row)].to_dict("records") == rows
