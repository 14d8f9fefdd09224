"""Inputs and results that were replaced, deleted or edited: noticed, named and made again, whatever their times say."""

import os
import re
import shutil

import pytest

import result_trees as made
from conftest import copy_of_workflow, digests, snakemake

OLD = 1_500_000_000


def jobs(folder, *arguments):
    """The rules that Snakemake would run, and what it says."""
    done = snakemake(folder, *arguments, "--dry-run", "--quiet", "reason")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return set(re.findall(r"^(?:local)?rule (\w+):", said, re.MULTILINE)) - {"all"}, said


def make_again(folder, finished):
    done = snakemake(folder, "--cores", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(folder) == digests(finished)
    assert jobs(folder)[0] == set()


@pytest.mark.parametrize(
    ("file", "found", "replaced", "first_job"),
    [("first.csv", "0.55", "0.56", "ingest_scores"), ("claims.csv", "sorting", "naming", "answer_curves_claims")],
)
def test_an_input_replaced_by_an_older_file_is_noticed(again, file, found, replaced, first_job):
    text = (again / file).read_text()
    new = again / "new"
    new.write_text(text.replace(found, replaced))
    os.utime(new, (OLD, OLD))
    new.replace(again / file)
    named, _ = jobs(again)
    assert {first_job, "write_report"} <= named
    # and back again, older still: nothing has to be done
    (again / file).write_text(text)
    os.utime(again / file, (OLD - 1, OLD - 1))
    assert jobs(again)[0] == set()


def test_deleted_tables_and_figures_are_made_again(again, finished):
    for file in ("first/ingest_account.csv", "second/figures/variation.png", "first/figures/base_rates.csv"):
        (again / "results" / file).unlink()
    named, _ = jobs(again)
    assert {"ingest_scores", "draw_figures"} <= named
    make_again(again, finished)


@pytest.mark.parametrize("time", [None, OLD])
def test_edited_results_are_named_and_made_again(again, finished, time):
    """A table that is read as CSV, one that is read as Parquet, a figure and the report; edited just now, or long before."""
    edited = ["first/emergence_by_metric.csv", "second/curves.parquet", "first/figures/variation.svg", "report.html"]
    for file in edited:
        path = again / "results" / file
        # an edit that whoever reads the file would not notice
        path.write_bytes(path.read_bytes().replace(b"exact_match", b"exact_mitch") + b"\n")
        if time:
            os.utime(path, (time, time))
    named, said = jobs(again)
    assert {"answer_curves_claims", "assess_curves", "draw_figures", "draw_figures_claims", "write_report"} <= named
    assert "ingest_scores" not in named
    for file in edited:
        assert f"results/{file} was changed after the workflow wrote it" in said
    make_again(again, finished)


def edit_with_size_and_time_kept(path, old, new):
    status, text = path.stat(), path.read_text()
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size


def test_the_folder_of_the_explorer_is_made_again(again, finished):
    path = again / "results/explorer/0.js"
    edit_with_size_and_time_kept(path, "0", "1")
    named, said = jobs(again)
    assert named == {"write_explorer"}
    assert "results/explorer was changed after the workflow wrote it" in said
    path.unlink()
    assert jobs(again)[0] == {"write_explorer"}
    shutil.rmtree(path.parent)
    assert jobs(again)[0] == {"write_explorer"}
    make_again(again, finished)


def test_a_table_edited_in_place_with_its_size_and_time_kept(again, finished):
    path = again / "results/first/swap_comparisons.csv"
    edit_with_size_and_time_kept(path, "exact_match", "exact_mitch")
    assert "results/first/swap_comparisons.csv was changed" in jobs(again)[1]
    make_again(again, finished)


def test_touched_results_and_a_copied_folder_are_left_alone(again):
    for path in (again / "results").rglob("*.csv"):
        os.utime(path, (OLD, OLD))
    _, said = jobs(again)
    assert "was changed" not in said


def test_an_edited_table_of_a_shard_is_made_again(tmp_path):
    folder = copy_of_workflow(tmp_path / "study", {"benchmarks": {"tree": {"format": "bigbench", "directory": "tree"}}})
    made.tree_of_tasks(folder / "tree", ["arithmetic", "boolean", "dyck"])
    arguments = ("results/tree/scores.parquet", "--set-scatter", "shards=2")
    assert snakemake(folder, "--cores", "1", *arguments).returncode == 0
    before = digests(folder)
    path = folder / "results/tree/shards/1-of-2/ingest_account.csv"
    path.write_text(path.read_text() + "tree,empty,,1,\n")
    os.utime(path, (OLD, OLD))
    named, said = jobs(folder, *arguments)
    assert "shards/1-of-2/ingest_account.csv was changed" in said
    assert named == {"ingest_shard", "gather_scores"}
    assert snakemake(folder, "--cores", "1", *arguments).returncode == 0
    assert digests(folder) == before
