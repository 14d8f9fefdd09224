"""Studies through a real SLURM on this machine, by the profile that users have: `make test-cluster` runs these."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

import result_trees as made
import slurm_node
from conftest import copy_of_workflow, digests, environment

pytestmark = pytest.mark.cluster

SHARDS = 7
TASKS = ["arithmetic", "boolean", "codenames", "dyck", "emoji", "figures", "geometry", "hindi", "irony", "jokes"]
TARGET = "first/scores.parquet"
PER_SHARD = ("ingest_shard", "assess_shard")
LOCAL = ("gather_scores", "gather_curves", "answer_study", "record_provenance", "write_explorer", "write_report")


# the shipped profile, asking for the state of the jobs more often
SLURM = ("--profile", "profiles/slurm", "--set-scatter", f"shards={SHARDS}", "--slurm-init-seconds-before-status-checks", "8")
ONE_JOB = (*SLURM, f"results/{TARGET}", "--slurm-init-seconds-before-status-checks", "3")


class Run:
    """A running Snakemake. Its messages go to a file: a pipe would be held open by whatever outlives it."""

    def __init__(self, node, folder, *arguments):
        self.output = folder / "snakemake.out"
        with open(self.output, "wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *arguments],
                cwd=folder,
                env=environment(folder) | node.settings,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    def said(self):
        return self.output.read_text(errors="replace")

    def wait(self, seconds=240):
        """The exit code. Fails the test if Snakemake does not end in time."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"Snakemake did not end within {seconds} seconds; it said:\n{self.said()}")

    def kill(self):
        # at SIGTERM Snakemake would wait for its jobs
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def running(node, folder, *arguments):
    """A run that a test may disturb; killed with its jobs when the block ends, if it has not ended by then."""
    run = Run(node, folder, *arguments)
    try:
        yield run
    finally:
        run.kill()
        node.command("scancel", "--user=root")


def run_to_the_end(node, folder, *arguments):
    with running(node, folder, *arguments) as run:
        assert run.wait() == 0, run.said()
        return run


def results(folder):
    """Digests of every file that a run leaves, but of messages and of the tables of single shards."""
    return {name: digest for name, digest in digests(folder).items() if "/shards/" not in name}


@pytest.fixture(scope="module")
def node():
    problem = slurm_node.why_not() or slurm_node.missing_packages()
    if problem:
        pytest.skip(f"no SLURM on this machine: {problem}")
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="`make test-cluster` installs it")
    with slurm_node.SlurmNode() as started:
        yield started


@pytest.fixture(scope="module")
def new_study(tmp_path_factory, tiny_study, tiny_files):
    """A maker of copies of the workflow with a table and a tree of BIG-bench files to read, not yet run."""

    def make(name):
        tree = {"format": "bigbench", "directory": "tree"}
        study = tiny_study | {"benchmarks": {"first": tiny_study["benchmarks"]["first"], "tree": tree}}
        folder = copy_of_workflow(tmp_path_factory.mktemp(name), study)
        for file, text in tiny_files.items():
            (folder / file).write_text(text)
        made.tree_of_tasks(folder / "tree", TASKS)
        return folder

    return make


@pytest.fixture(scope="module")
def local(node, new_study):
    """The results of one core, without shards."""
    folder = new_study("local")
    run_to_the_end(node, folder, "--cores", "1")
    return results(folder)


@pytest.fixture(scope="module")
def finished_by_slurm(node, new_study):
    """A study that has run through SLURM: its folder and the comments of its jobs, which name rule and wildcards."""
    folder = new_study("slurm")
    before = {number for number, *_ in node.jobs()}
    run_to_the_end(node, folder, *SLURM)
    jobs = [job for job in node.jobs() if job[0] not in before]
    assert {state for _, state, _ in jobs} == {"COMPLETED"}
    return folder, [comment for *_, comment in jobs]


def test_results_of_slurm_and_shards_are_those_of_one_core(local, finished_by_slurm):
    folder, _ = finished_by_slurm
    there = results(folder)
    assert sorted(there) == sorted(local)
    assert [name for name in local if there[name] != local[name]] == []


def test_results_of_two_cores_in_shards_are_those_of_one_core(node, local, new_study):
    folder = new_study("two_cores")
    run_to_the_end(node, folder, "--cores", "2", "--set-scatter", f"shards={SHARDS}")
    here = results(folder)
    assert [name for name in local if here.get(name) != local[name]] == []


def test_the_jobs_went_through_slurm_and_the_tiny_steps_did_not(finished_by_slurm):
    _, comments = finished_by_slurm
    for rule in PER_SHARD:
        shards = sorted(f"rule_{rule}_wildcards_tree_{number}-of-{SHARDS}" for number in range(1, SHARDS + 1))
        assert sorted(comment for comment in comments if comment.startswith(f"rule_{rule}_")) == shards
    for rule in ("ingest_scores", "assess_curves", "answer_curves_claims"):
        assert f"rule_{rule}_wildcards_first" in comments
    assert [comment for comment in comments for rule in LOCAL if comment.startswith(f"rule_{rule}")] == []


def test_after_a_run_through_slurm_there_is_nothing_to_do_here(node, finished_by_slurm):
    folder, _ = finished_by_slurm
    run = run_to_the_end(node, folder, "--cores", "1", "--dry-run", "--set-scatter", f"shards={SHARDS}")
    assert "Nothing to be done" in run.said()


def test_a_job_that_slurm_does_not_take_is_a_message(node, new_study):
    folder = new_study("refused")
    with running(node, folder, *ONE_JOB, "--retries", "0", "--default-resources", "slurm_partition=nowhere") as run:
        assert run.wait(60) != 0
    assert "SLURM sbatch failed" in run.said()
    assert "invalid partition specified: nowhere" in run.said()
    assert "Traceback" not in run.said()


def running_job(node, comment, seconds=60):
    """The id of the job with this comment, as soon as it runs."""
    patience = time.monotonic() + seconds
    while time.monotonic() < patience:
        for number, state, found in node.jobs():
            if found == comment and state == "RUNNING":
                return number
        time.sleep(0.1)
    pytest.fail(f"no job `{comment}` has run within {seconds} seconds; there were {node.jobs()}")


def test_a_cancelled_job_is_a_message_and_a_rerun_finishes(node, local, new_study):
    folder = new_study("cancelled")
    with running(node, folder, *ONE_JOB, "--retries", "0") as run:
        number = running_job(node, "rule_ingest_scores_wildcards_first")
        node.command("scancel", str(number))
        assert run.wait() != 0
    assert f"SLURM-job '{number}' failed, SLURM status is: 'CANCELLED'" in run.said()
    assert f"rule_ingest_scores/first/{number}.log" in run.said()
    assert "Traceback" not in run.said()
    assert TARGET not in results(folder)
    run_to_the_end(node, folder, *ONE_JOB)
    assert results(folder)[TARGET] == local[TARGET]


def test_a_job_that_was_killed_for_its_memory_gets_more_at_the_next_attempt(node, local, new_study):
    folder = new_study("memory")
    before = {number for number, *_ in node.jobs()}
    # Snakemake alone needs more than the first attempt has
    more = "ingest_scores:mem_mb=50 if attempt == 1 else 1000"
    run = run_to_the_end(node, folder, *ONE_JOB, "--set-resources", more)
    jobs = [job for job in node.jobs() if job[0] not in before]
    assert [comment for *_, comment in jobs] == ["rule_ingest_scores_wildcards_first"] * 2
    (killed, reason, _), (_, state, _) = jobs
    # without control groups SLURM 22.05 calls such a job FAILED
    assert reason in ("OUT_OF_MEMORY", "FAILED")
    assert state == "COMPLETED"
    log = folder / f".snakemake/slurm_logs/rule_ingest_scores/first/{killed}.log"
    assert str(log) in run.said()
    assert "exceeded memory limit" in log.read_text().lower()
    assert results(folder)[TARGET] == local[TARGET]
