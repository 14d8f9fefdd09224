"""Results of another version of the tables: made anew where Snakemake knows of them, never misread where it does not."""

import re
import shutil

import pyarrow.parquet as pq
import pytest

from conftest import digests, snakemake
from emergence.io import tables
from emergence.io.errors import InputError

VERSION = tables.description("scores")["version"]
REBUILD = "`snakemake --forceall` makes all tables anew"


def rewrite(source, target, columns, version=b"0"):
    """A Parquet table under another version, with columns (name: values) more, or less where the values are None."""
    table = pq.read_table(source)
    for name, values in columns.items():
        table = table.append_column(name, [values * len(table)]) if values else table.drop_columns(name)
    pq.write_table(table.replace_schema_metadata({b"emergence.version": version}), target)


@pytest.mark.parametrize("columns", [{}, {"weight": [1.0]}, {"source": None}])
@pytest.mark.parametrize("categories", [True, False])
def test_an_older_parquet_table_is_refused_with_the_way_out(finished, tmp_path, columns, categories):
    path = tmp_path / "scores.parquet"
    rewrite(finished / "results/first/scores.parquet", path, columns)
    with pytest.raises(InputError, match=f"written as version 0 of the scores table, this is version {VERSION}; {REBUILD}"):
        tables.read("scores", path, categories)
    with pytest.raises(InputError, match="written as version 0 of the scores table"):
        tables.gather("scores", [path], tmp_path / "all.parquet")


@pytest.mark.parametrize("categories", [True, False])
def test_a_parquet_table_that_lacks_a_column_is_refused_whatever_its_version(finished, tmp_path, categories):
    path = tmp_path / "scores.parquet"
    rewrite(finished / "results/first/scores.parquet", path, {"source": None}, version=str(VERSION).encode())
    with pytest.raises(InputError, match=r"missing columns \['source'\]; " + REBUILD):
        tables.read("scores", path, categories)


def test_a_csv_table_with_other_columns_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "inputs.csv"
    for head in ("file,n_bytes,sha256,date", "file,n_bytes"):
        path.write_text(f"{head}\na.csv,1,0{',2020' if 'date' in head else ''}\n")
        with pytest.raises(InputError, match=REBUILD):
            tables.read("inputs", path)


def raise_versions(folder):
    """Another version of every table that has one, as an upgrade brings it."""
    raised = 0
    for path in (folder / "workflow/schemas/tables.yaml", *folder.glob("scripts/emergence/questions/*/question.yaml")):
        text, n = re.subn(r"^( +)version: (\d+)$", r"\1version: 1\2", path.read_text(), flags=re.MULTILINE)
        path.write_text(text)
        raised += n
    assert raised > 5


def version(path):
    return pq.read_schema(path).metadata[b"emergence.version"]


def check_made_anew(folder, finished):
    """Every table with a version has the new one and the same rows; all other files but the record are as they were."""
    now, then = digests(folder), digests(finished)
    assert now.keys() == then.keys()
    for name in then:
        path = folder / "results" / name
        if name.endswith(".parquet"):
            assert version(path) == b"1" + version(finished / "results" / name)
            assert pq.read_table(path).equals(pq.read_table(finished / "results" / name))
        elif name != "provenance.json":
            assert now[name] == then[name], name


@pytest.mark.faults
def test_a_plain_run_makes_results_of_another_version_anew(again, finished):
    raise_versions(again)
    done = snakemake(again, "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    check_made_anew(again, finished)


@pytest.mark.faults
def test_results_without_snakemakes_record_are_not_misread(again, finished):
    """A results folder that was copied without .snakemake: a word at the start, an error where a table is read, one command."""
    shutil.rmtree(again / ".snakemake")
    done = snakemake(again, "--cores", "2")
    assert "results/ was copied here" in done.stderr
    assert "Nothing to be done" in done.stderr
    raise_versions(again)
    (again / "results/first/emergence_by_metric.csv").unlink()
    done = snakemake(again, "--cores", "2", "results/first/emergence_by_metric.csv")
    assert done.returncode != 0
    assert f"curves.parquet: written as version 2 of the curves table, this is version 12; {REBUILD}" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    done = snakemake(again, "--cores", "2", "--forceall", "results/first/emergence_by_metric.csv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert version(again / "results/first/curves.parquet") == b"12"
    assert digests(again)["first/emergence_by_metric.csv"] == digests(finished)["first/emergence_by_metric.csv"]
    assert "was copied here" not in snakemake(again, "--dry-run").stderr
