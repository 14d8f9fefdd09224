"""Accidents on purpose: jobs that stop at a chosen place, runs that are killed there, disks that are full.

Nothing in the workflow knows of them. Python imports `sitecustomize` before anything else wherever it finds one, and the one here
wraps the call that puts a finished file in its place.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import environment

PATIENCE = 120

_SITECUSTOMIZE = """
import os, signal, time
from pathlib import Path

plain_replace = os.replace
accidents = Path(__file__).parent


def stop_here():
    (accidents / "pid.part").write_text(str(os.getpid()))
    plain_replace(accidents / "pid.part", accidents / "pid")
    while not (accidents / "go").exists():
        time.sleep(0.02)


def die_here():
    left = int((accidents / "lives").read_text())
    if left:
        (accidents / "lives").write_text(str(left - 1))
        os.kill(os.getpid(), signal.SIGKILL)


def replace(source, target):
    if str(target) == os.environ["ACCIDENT_AT"]:
        {"stop": stop_here, "die": die_here}[os.environ["ACCIDENT"]]()
    plain_replace(source, target)


os.replace = replace
"""


class Run:
    """A Snakemake that is running, in a process group of its own, with one accident in its jobs.

    at: the file (as the workflow names it) at whose writing the accident happens, when all of it is in the temporary file.
    """

    def __init__(self, folder, *arguments, at, accident="stop", lives=0):
        self.accidents = Path(str(folder) + f".accidents-{time.monotonic_ns()}")
        self.accidents.mkdir()
        (self.accidents / "sitecustomize.py").write_text(_SITECUSTOMIZE)
        (self.accidents / "lives").write_text(str(lives))
        inherited = environment(folder)
        path = os.pathsep.join([str(self.accidents), inherited["PYTHONPATH"]])
        settings = {"PYTHONPATH": path, "ACCIDENT_AT": at, "ACCIDENT": accident}
        with open(self.accidents / "said", "wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=inherited | settings,
            )

    def reached(self):
        """Wait until a job stops at the chosen place; its process id."""
        wait_for(lambda: (self.accidents / "pid").exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()
        return int((self.accidents / "pid").read_text())

    def go_on(self):
        """Let the stopped job go on."""
        (self.accidents / "go").touch()

    def kill(self, whole_group):
        """SIGKILL for Snakemake, and for its jobs as well where the whole group is meant."""
        (os.killpg if whole_group else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def interrupt(self):
        """What Ctrl-C at a terminal does: SIGINT for the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self):
        """Wait for the end; the exit status."""
        return self.process.wait(PATIENCE)

    def said(self):
        return (self.accidents / "said").read_text()

    def clear(self):
        """End whatever is left of it."""
        self.go_on()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def is_alive(pid):
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def small_disk(folder, n_bytes):
    """A disk of that size at a folder; skips the test where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def read_only(folder):
    """A folder that nobody can write to, not even root."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("--bind", folder, folder)
    try:
        _mount("-o", "remount,bind,ro", folder)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(*arguments):
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


def fill(folder, left=0):
    """Fill the disk of a folder of results but for some bytes; the file that does."""
    filler = folder / "logs" / "filler"
    filler.parent.mkdir(parents=True, exist_ok=True)
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    filler.write_bytes(bytes(max(0, free - left)))
    return filler
