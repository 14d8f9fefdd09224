"""Disks that are full or cannot be written: a message that names the file, nothing cut short, and a rerun that completes."""

import contextlib
import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from accidents import fill, read_only, small_disk
from conftest import copy_of_workflow, digests, snakemake
from emergence.io import tables
from emergence.questions import drawing

pytestmark = pytest.mark.faults
PAGE = 4096
BENCHMARKS = ("first", "second")


@contextlib.contextmanager
def full(tmp_path):
    """A folder on a disk without a free byte."""
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        fill(disk)
        yield disk


INPUTS = pd.DataFrame({"file": [f"{number}.csv" for number in range(2000)], "n_bytes": 1, "sha256": "0"})


def write_table(path):
    name = {".csv": "inputs", ".parquet": "scores"}[path.suffix]
    frame = INPUTS.sort_values("file") if name == "inputs" else pd.DataFrame(columns=list(tables.description(name)["columns"]))
    tables.write(frame, name, path)


def gather(path):
    part = path.parents[1] / "part.parquet"
    write_table(part)
    tables.gather("scores", [part], path)


def draw(path):
    others = {ending: path.parents[1] / f"figure.{ending}" for ending in ("svg", "png", "csv")}
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1])
    try:
        drawing.save(figure, INPUTS, **(others | {path.suffix[1:]: path}), dpi=100)
    finally:
        plt.close(figure)


def write_text(path):
    with tables.replacing(path) as temporary:
        temporary.write_text("a report" * 1000)


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (write_table, "scores.parquet"),
        (gather, "scores.parquet"),
        (write_table, "inputs.csv"),
        (draw, "figure.svg"),
        (draw, "figure.png"),
        (draw, "figure.csv"),
        (write_text, "report.html"),
    ],
)
def test_every_writer_names_its_file_and_leaves_the_old_one(tmp_path, write, name):
    with full(tmp_path) as disk:
        path = disk / name
        path.touch()
        with pytest.raises(OSError, match="No space left on device") as raised:
            write(path)
        assert (raised.value.filename, raised.value.strerror) == (str(path), "No space left on device")
        assert [found.name for found in disk.iterdir() if found.is_file()] == [name]
        assert path.stat().st_size == 0


# A file of each stage, and what is made before, while there is room.
FILLED = {
    "first/scores.parquet": [],
    "first/null_models.parquet": ["first/scores.parquet"],
    "first/claims_by_metric.csv": [],
    "first/figures/resolution.svg": ["first/q_values.parquet", "first/claims_by_metric.csv"],
    "report.html": [
        "provenance.json",
        "metrics_across_benchmarks.csv",
        *(f"{name}/figures/variation.svg" for name in BENCHMARKS),
    ],
}


def test_a_disk_that_fills_in_every_stage(tiny_workflow, finished):
    """Room for the log and for nothing else, in one stage after the other; with space again, the same command goes on."""
    reference = digests(finished)

    def run(*names):
        return snakemake(tiny_workflow, "--cores", "2", *(f"results/{name}" for name in names))

    with small_disk(tiny_workflow / "results", 16 << 20) as results:
        for name, before in FILLED.items():
            if before:
                done = run(*before)
                assert done.returncode == 0, done.stdout + done.stderr
            filler = fill(results, left=PAGE)
            done = run(name)
            filler.unlink()
            assert done.returncode != 0, name
            assert re.search(r"What went wrong:\n[^:]*:\nresults/\S+: No space left on device", done.stderr), done.stderr
            assert "Traceback" not in done.stdout + done.stderr
            assert digests(tiny_workflow).items() <= reference.items()
        done = run()
        assert done.returncode == 0, done.stdout + done.stderr
        assert digests(tiny_workflow) == reference


def test_a_disk_without_room_for_the_log(tiny_workflow):
    with small_disk(tiny_workflow / "results", 1 << 20) as results:
        fill(results)
        done = snakemake(tiny_workflow, "--cores", "1", "results/first/scores.parquet")
        assert done.returncode != 0
        assert "results/logs/ingest_scores/first.log: No space left on device" in done.stderr
        assert "results/logs/ingest_scores/first.log:\nthis log is empty" in done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert digests(tiny_workflow) == {}


def test_a_disk_that_is_full_for_snakemake_too(tmp_path, tiny_study, tiny_files, finished):
    """The whole folder on it. What Snakemake says then is its own; what is left must be whole, and a rerun the same."""
    wanted = "results/first/claims_by_metric.csv"
    with small_disk(tmp_path / "disk", 12 << 20) as folder:
        copy_of_workflow(folder, tiny_study)
        for name, text in tiny_files.items():
            (folder / name).write_text(text)
        for left in (2 * PAGE, 10 * PAGE):
            filler = fill(folder / "results", left)
            done = snakemake(folder, "--cores", "1", wanted)
            filler.unlink()
            assert done.returncode != 0
            assert not (folder / wanted).exists()
            assert "No space left on device" in done.stdout + done.stderr
            assert digests(folder).items() <= digests(finished).items()
            assert snakemake(folder, "--unlock").returncode == 0
        done = snakemake(folder, "--cores", "1", wanted)
        assert done.returncode == 0, done.stdout + done.stderr
        assert digests(folder).items() <= digests(finished).items()
        assert (folder / wanted).exists()


@pytest.mark.parametrize("with_results", [True, False])
def test_results_that_cannot_be_written(tiny_workflow, again, with_results):
    folder = again if with_results else tiny_workflow
    (folder / "config/config.yaml").write_text((folder / "config/config.yaml").read_text() + "seed: 7\n")
    with read_only(folder / "results"):
        done = snakemake(folder, "--cores", "2")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Write-protected output files" in said if with_results else "Read-only file system: 'results/" in said
    assert "Traceback" not in said


def test_a_log_folder_that_cannot_be_written(tiny_workflow):
    with read_only(tiny_workflow / "results/logs"):
        done = snakemake(tiny_workflow, "--cores", "2", "results/first/scores.parquet")
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
