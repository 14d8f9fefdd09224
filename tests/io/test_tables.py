"""Tables are written whole or not at all, checked against their description, and read back as they were."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emergence.io import descriptions, tables
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
    row = {"subtask": "", "shots": 1, "n_scales": 3, "status_a": "ok", "status_b": "ok", "status": "ok", **names}
    rows = [row, row | {"task": name + "."}]
    tables.write(pd.DataFrame(rows), "metric_swaps", tmp_path / "metric_swaps.csv")
    assert tables.read("metric_swaps", tmp_path / "metric_swaps.csv")[list(row)].to_dict("records") == rows


def row_of(table, fraction):
    """A frame of one row of a table, every fraction in it the same."""
    values = {
        "string": "x",
        "float": fraction,
        "integer": 2**53 - 1,
        "boolean": True,
        "float list": [fraction],
        "string list": ["x"],
        "integer list": [1],
    }
    return pd.DataFrame({column: [values[spec["type"]]] for column, spec in tables.description(table)["columns"].items()})


ROUNDED = [name for name, table in descriptions.every_table().items() if not table.get("exact")]


@pytest.mark.parametrize("table", ROUNDED)
def test_fractions_are_stored_to_the_digits_that_every_processor_gives(tmp_path, table):
    """Two results that differ in the twelfth digit are the same file, and reading and writing it again changes nothing."""
    files = [tmp_path / f"{name}{Path(tables.description(table)['path']).suffix}" for name in "abc"]
    one, other = (row_of(table, fraction) for fraction in (0.123456789012, 0.123456789013))
    key = [
        column for column in tables.description(table)["key"] if tables.description(table)["columns"][column]["type"] == "float"
    ]
    for path, frame in ((files[0], one), (files[1], other.assign(**one[key]))):
        tables.write(frame, table, path)
    assert files[0].read_bytes() == files[1].read_bytes()
    stored = tables.read(table, files[0])
    for column, spec in tables.description(table)["columns"].items():
        if spec["type"] == "float" and column not in key:
            assert stored[column].item() == 0.123456789
        elif spec["type"] == "float list":
            assert list(stored[column].item()) == [0.123456789]
        elif spec["type"] == "integer":
            assert stored[column].item() == 2**53 - 1
    tables.write(stored, table, files[2])
    assert files[2].read_bytes() == files[0].read_bytes()


def test_rounding_is_that_of_pythons_format_to_the_last_bit():
    """Against float(f"{x:.9g}"): of any size, halfway between two numbers of nine digits, next to powers of ten, and no numbers."""
    rng = np.random.default_rng(1)
    tens = 10.0 ** np.arange(-30, 31)
    numbers = np.concatenate(
        [
            rng.standard_normal(20_000) * 10.0 ** rng.integers(-30, 30, 20_000),
            rng.integers(0, 2000, 5000) / rng.integers(1, 3000, 5000),
            (rng.integers(1, 10**9, 5000) + 0.5) * 10.0 ** rng.integers(-20, 10, 5000),
            *(tens, np.nextafter(tens, 0), -np.nextafter(tens, np.inf), tens * (1 - 5e-10)),
            [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7e308, 1e-300, -123456789.987654321],
        ]
    )
    expected = np.array([float(f"{number:.9g}") for number in numbers])
    assert tables._to_known_digits(numbers).tobytes() == expected.tobytes()
    assert tables._lists_to_known_digits([[1 / 3, np.nan], [], [2 / 3]])[1:] == [[], [0.666666667]]


def test_scores_are_stored_to_the_letter(tmp_path):
    names = dict.fromkeys(("benchmark", "task", "subtask", "metric", "model_family", "model", "source"), "x")
    number = 0.1234567890123456
    tables.write(
        pd.DataFrame([names | {"scale": number, "score": number, "stderr": number}]), "scores", tmp_path / "scores.parquet"
    )
    (row,) = tables.read("scores", tmp_path / "scores.parquet").to_dict("records")
    assert row["scale"] == row["score"] == row["stderr"] == number


def test_csv_is_what_pandas_writes(tmp_path):
    # independent implementation: DataFrame.to_csv, with everything that a field may be
    frame = pd.DataFrame(
        {
            "number": [1.0, -0.0, 0.0, np.nan, 1e-5, 1e16, np.inf, 1 / 3],
            "whole": pd.array([1, None, 3, 4, 5, 6, 7, 8], dtype="Int64"),
            "text, with a comma": ['x"y', "a,b", None, "", "two\nlines", "é", "a", "a"],
            "mixed": [1, True, 1.0, None, "q", 2.5, np.float64(2), False],
            "category": pd.Categorical(["u", "v", None, "u", "u", "v", "u", "u"]),
            "yes": [True, False] * 4,
        }
    )
    for part in (frame, frame[["number"]], frame[["text, with a comma"]], frame.iloc[:0], pd.DataFrame()):
        tables.write_csv(part, tmp_path / "ours.csv")
        part.to_csv(tmp_path / "theirs.csv", index=False, lineterminator="\n")
        assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "theirs.csv").read_bytes()


def test_a_carriage_return_in_csv_is_in_quotes(tmp_path):
    tables.write_csv(pd.DataFrame({"text": ["a\rb", "c"], "number": [1, 2]}), tmp_path / "odd.csv")
    assert (tmp_path / "odd.csv").read_bytes() == b'text,number\n"a\rb",1\nc,2\n'
