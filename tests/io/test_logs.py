"""What a job leaves in its log, and what is made of the logs after a failure."""

import subprocess
import sys

from conftest import ROOT
from emergence.io import logs

SCRIPT = """
import os, sys
from emergence.io import logs, tables


def main():
    with tables.replacing("table.csv") as temporary:
        temporary.write_text("late")
        {meanwhile}


logs.run(main, "logs/job.log")
"""


def run_job(folder, meanwhile="pass"):
    """A job that writes table.csv, with something that happens before the file gets its name."""
    command = [sys.executable, "-c", SCRIPT.format(meanwhile=meanwhile)]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT / "scripts")}, capture_output=True, text=True)


def test_a_job_says_that_it_started_and_that_it_is_done(tmp_path):
    assert run_job(tmp_path).returncode == 0
    assert (tmp_path / "logs/job.log").read_text() == "started\ndone\n"
    assert logs.failures(tmp_path / "logs", since=0).startswith("What went wrong is above")


def test_a_job_gives_way_to_one_that_was_started_later(tmp_path):
    """The later one begins the log anew, which is all that the first can see of it."""
    (tmp_path / "table.csv").write_text("of the later job")
    done = run_job(tmp_path, "os.unlink('logs/job.log'); open('logs/job.log', 'w').close()")
    assert done.returncode == 1
    assert "table.csv: not written, since another job was started to make it" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "table.csv").read_text() == "of the later job"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "table.csv"]


def test_a_log_that_was_tidied_away_stops_no_job(tmp_path):
    assert run_job(tmp_path, "os.unlink('logs/job.log')").returncode == 0
    assert (tmp_path / "table.csv").read_text() == "late"


def test_what_killed_jobs_left_of_the_same_file_is_removed_and_no_other(tmp_path):
    for name in (
        ".table.1-0123abcd.csv",
        ".table.22-0123abcd.csv",
        ".table.1-0123abcd.png",
        ".tables.1-0123abcd.csv",
        ".table.csv",
    ):
        (tmp_path / name).touch()
    assert run_job(tmp_path).returncode == 0
    left = [".table.1-0123abcd.png", ".table.csv", ".tables.1-0123abcd.csv", "logs", "table.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_every_way_to_fail_is_told(tmp_path):
    said = {
        "bad.log": "started\n2020-01-01 00:00:00,000 ERROR a.csv: data row 1\n    found: x\n",
        "done.log": "started\ndone\n",
        "full.log": "",
        "killed.log": "started\n2020-01-01 00:00:00,000 INFO half-way done\n",
    }
    for name, text in said.items():
        (tmp_path / name).write_text(text)
    lines = logs.failures(tmp_path, since=0).split("\n\n")
    assert lines[0] == "What went wrong:"
    assert lines[1] == f"{tmp_path / 'bad.log'}:\na.csv: data row 1\n    found: x"
    assert (
        lines[2]
        == f"{tmp_path / 'full.log'}:\nthis log is empty: a cluster did not start the job (see above), or the disk is full"
    )
    assert lines[3].startswith(f"{tmp_path / 'killed.log'}:\nthe job was killed before it was done.")
    assert len(lines) == 4
