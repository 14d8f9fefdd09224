"""Runs that are killed, twice started, or that fail half-way: what is left is whole, and a rerun gives the same bytes."""

import os
import signal
from pathlib import Path

import pytest

import result_trees as made
from accidents import Run, is_alive, wait_for
from conftest import copy_of_workflow, digests, snakemake

pytestmark = pytest.mark.faults

# In running order: a file of each stage that is not the first that its job writes, so that others are there already.
STAGES = {
    "ingest_scores": "results/first/inputs.csv",
    "assess_curves": "results/first/examples_needed.parquet",
    "answer_curves": "results/first/swap_comparisons.csv",
    "draw_figures": "results/first/figures/metric_swaps.png",
    "write_report": "results/summary.txt",
}


@pytest.fixture
def start():
    """A maker of runs, which are ended with the test."""
    runs = []

    def make(*arguments, **keys):
        runs.append(Run(*arguments, **keys))
        return runs[-1]

    yield make
    for run in runs:
        run.clear()


def finish(folder, *arguments):
    done = snakemake(folder, "--cores", "2", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def check_what_is_left(folder, reference):
    """Whatever has its final name is whole; what is not has a hidden name."""
    for name, digest in digests(folder).items():
        if not Path(name).name.startswith("."):
            assert digest == reference[name], name


def end_left_over(run, pid):
    """Let a job of a killed run go on to its end; it must see that another one has taken its place."""
    run.go_on()
    wait_for(lambda: not is_alive(pid))
    assert "another job was started to make it" in run.said()


@pytest.mark.parametrize("whole_group", [True, False], ids=["with its jobs", "alone"])
def test_snakemake_killed_in_every_stage(tiny_workflow, finished, start, whole_group):
    """A run for each stage, each going on from what the one before has left. Jobs that live on end when all is made anew."""
    reference = digests(finished)
    left_over = []
    for file in STAGES.values():
        run = start(tiny_workflow, file, at=file)
        pid = run.reached()
        run.kill(whole_group)
        if whole_group:
            wait_for(lambda pid=pid: not is_alive(pid))
        else:
            assert is_alive(pid)
            left_over.append((run, pid))
        check_what_is_left(tiny_workflow, reference)
        assert not (tiny_workflow / file).exists()
        assert snakemake(tiny_workflow, "--unlock").returncode == 0
    finish(tiny_workflow)
    assert digests(tiny_workflow) == reference
    for run, pid in left_over:
        end_left_over(run, pid)
    assert digests(tiny_workflow) == reference
    assert "Nothing to be done" in finish(tiny_workflow)


def test_a_left_over_job_does_not_write_after_an_edit(tiny_workflow, start):
    """The worst case: the job that lives on computes from a configuration that is no longer the one of the results."""
    wanted = "results/first/null_models.parquet"
    run = start(tiny_workflow, wanted, at=wanted)
    pid = run.reached()
    run.kill(whole_group=False)
    path = tiny_workflow / "config/config.yaml"
    path.write_text(path.read_text() + "seed: 7\n")
    assert snakemake(tiny_workflow, "--unlock").returncode == 0
    finish(tiny_workflow, wanted)
    after = (tiny_workflow / wanted).read_bytes()
    end_left_over(run, pid)
    assert (tiny_workflow / wanted).read_bytes() == after
    assert "Nothing to be done" in finish(tiny_workflow, wanted)


def test_what_a_killed_run_asks_of_the_user(tiny_workflow, start):
    """A lock that is left cannot be told from one that is held: Snakemake says how to remove it, and no more is needed."""
    run = start(tiny_workflow, STAGES["ingest_scores"], at=STAGES["ingest_scores"])
    run.reached()
    run.kill(whole_group=True)
    refused = snakemake(tiny_workflow, "--cores", "2")
    assert refused.returncode != 0
    assert "It can be removed with the --unlock argument" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert snakemake(tiny_workflow, "--unlock").returncode == 0
    finish(tiny_workflow, STAGES["ingest_scores"])


def test_interrupted_during_the_report(again, finished, start):
    """Ctrl-C between the two files of the report: what is there is whole, no lock stays, and the same command goes on."""
    (again / "results/report.html").unlink()
    run = start(again, at="results/summary.txt")
    run.reached()
    assert (again / "results/report.html").exists()
    run.interrupt()
    assert run.ended() != 0
    assert "results/logs/write_report.log:\ninterrupted" in run.said()
    assert "Traceback" not in run.said()
    check_what_is_left(again, digests(finished))
    assert not (again / "results/summary.txt").exists()
    finish(again)
    assert digests(again) == digests(finished)


def test_a_job_killed_when_memory_runs_out(tiny_workflow, start):
    """SIGKILL for the job alone, as the system does it when memory runs out: the end of the output says which job and what to do."""
    wanted = "results/first/curves.parquet"
    run = start(tiny_workflow, wanted, at=wanted)
    os.kill(run.reached(), signal.SIGKILL)
    assert run.ended() != 0
    end = run.said().partition("What went wrong:\n")[2]
    assert "results/logs/assess_curves/first.log:\nthe job was killed before it was done." in end
    assert "run out of memory" in end
    assert "Traceback" not in run.said()
    assert not (tiny_workflow / wanted).exists()
    assert list((tiny_workflow / "results/first").glob(".curves.*"))
    finish(tiny_workflow, wanted)
    assert not list((tiny_workflow / "results/first").glob(".*"))


def test_a_shard_that_dies_twice_and_then_works(tmp_path, start):
    study = {"benchmarks": {"tree": {"format": "bigbench", "directory": "tree"}}}
    wanted = "results/tree/curves.parquet"
    folders = [copy_of_workflow(tmp_path / name, study) for name in ("undisturbed", "disturbed")]
    for folder in folders:
        made.tree_of_tasks(folder / "tree", ["arithmetic", "boolean", "dyck"])
    arguments = (wanted, "--set-scatter", "shards=2")
    finish(folders[0], *arguments)
    at = "results/tree/shards/2-of-2/scores.parquet"
    run = start(folders[1], *arguments, "--retries", "2", at=at, accident="die", lives=2)
    assert run.ended() == 0, run.said()
    assert run.said().count("died with <Signals.SIGKILL: 9>") == 2
    assert digests(folders[1]) == digests(folders[0])


def test_two_runs_at_once(again, finished, start):
    """The second is refused as long as the first runs, and the first goes on as if nothing had been."""
    (again / "results/summary.txt").unlink()
    run = start(again, at="results/summary.txt")
    run.reached()
    refused = snakemake(again, "--cores", "1")
    assert refused.returncode != 0
    assert "Directory cannot be locked" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    run.go_on()
    assert run.ended() == 0, run.said()
    assert digests(again) == digests(finished)


def test_two_runs_at_once_without_the_lock(again, finished, start):
    """Who forbids the lock gets whole files all the same; the job that was first leaves them to the other."""
    (again / "results/summary.txt").unlink()
    run = start(again, at="results/summary.txt")
    run.reached()
    finish(again, "--nolock")
    assert digests(again) == digests(finished)
    run.go_on()
    assert run.ended() != 0
    assert "another job was started to make it" in run.said()
    check_what_is_left(again, digests(finished))
    finish(again, "--nolock")
    assert digests(again) == digests(finished)
