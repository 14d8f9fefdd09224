"""`make` killed at any moment of its set-up, and run again: the environment is whole."""

import os
import shutil
import signal
import subprocess

import pytest

from conftest import ROOT

# In place of Python: it makes environments and installs in as many steps as one can be killed between. Like pip, it takes a package
# for installed whose first file is there.
PYTHON = """#!/bin/sh
step() {
  n=$(($(cat "$STEPS") + 1)); echo $n > "$STEPS"
  if [ "$n" = "$KILL_AT" ]; then kill -9 0; fi
}
case "$*" in
  "-m venv"*)
    mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; step; touch "$3/pip"; step ;;
  "-m pip"*)
    test -f .venv/pip || { echo "No module named pip" >&2; exit 1; }
    for last; do :; done
    name=.venv/$(basename "$last")
    if [ ! -f "$name.first" ]; then touch "$name.first"; step; touch "$name.second"; fi
    step ;;
esac
"""
PIECES = {"pip", "run.txt.first", "run.txt.second", "dev.txt.first", "dev.txt.second"}


def make(folder, kill_at):
    (folder / "steps").write_text("0")
    variables = {"STEPS": str(folder / "steps"), "KILL_AT": str(kill_at), "MAKEFLAGS": ""}
    command = ["make", f"PYTHON={folder / 'python'}", ".venv/dev.ready"]
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, start_new_session=True)
    return done, int((folder / "steps").read_text())


@pytest.fixture
def folder(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "workflow/envs").mkdir(parents=True)
    for name in ("run", "dev"):
        (tmp_path / f"workflow/envs/{name}.txt").touch()
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def is_whole(folder):
    return {piece for piece in PIECES if (folder / ".venv" / piece).exists()} == PIECES


def test_a_set_up_killed_at_any_moment_is_mended_by_the_same_command(folder):
    done, n_steps = make(folder, kill_at=0)
    assert (done.returncode, n_steps) == (0, 8), done.stderr
    assert is_whole(folder)
    # nothing is left to do
    assert make(folder, kill_at=0)[1] == 0
    for kill_at in range(1, n_steps + 1):
        shutil.rmtree(folder / ".venv")
        killed, _ = make(folder, kill_at)
        assert killed.returncode == -signal.SIGKILL
        done, _ = make(folder, kill_at=0)
        assert done.returncode == 0, done.stderr
        assert is_whole(folder), kill_at
        assert make(folder, kill_at=0)[1] == 0


def test_an_upgrade_killed_in_the_middle_is_mended_too(folder):
    assert make(folder, kill_at=0)[0].returncode == 0
    (folder / "workflow/envs/dev.txt").write_text("# newer\n")
    os.utime(folder / "workflow/envs/dev.txt", (2**31, 2**31))
    (folder / ".venv/dev.txt.first").unlink()
    (folder / ".venv/dev.txt.second").unlink()
    assert make(folder, kill_at=1)[0].returncode == -signal.SIGKILL
    assert make(folder, kill_at=0)[0].returncode == 0
    assert is_whole(folder)
