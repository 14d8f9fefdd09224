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
  "-c"*)
    mkdir -p "$0.site"; echo "$0.site" ;;
  "-m venv"*)
    for folder; do :; done
    mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python"; step; touch "$folder/pip"; step ;;
  "-m pip"*)
    test -f .venv/pip || { echo "No module named pip" >&2; exit 1; }
    for last; do :; done
    folder=.venv
    if [ "$3" = --python ]; then folder=${4%/bin/python}; fi
    name=$folder/$(basename "$last")
    if [ ! -f "$name.first" ]; then touch "$name.first"; step; touch "$name.second"; fi
    step ;;
esac
"""
# What is made last, and what each environment holds when it is whole.
PIECES = {
    "dev.ready": ["pip", "run.txt.first", "run.txt.second", "dev.txt.first", "dev.txt.second"],
    "train.ready": ["pip", "run.txt.second", "train/bin/python.site/venv.pth", "train/train.txt.first", "train/train.txt.second"],
    "test-cluster.ready": ["pip", "dev.txt.second", "cluster/bin/python.site/venv.pth", "cluster/cluster.txt.second"],
    "test-browser.ready": ["pip", "dev.txt.second", "browser/bin/python.site/venv.pth", "browser/browser.txt.second"],
}


def make(folder, kill_at, target="dev.ready"):
    (folder / "steps").write_text("0")
    variables = {"STEPS": str(folder / "steps"), "KILL_AT": str(kill_at), "MAKEFLAGS": ""}
    command = ["make", f"PYTHON={folder / 'python'}", f".venv/{target}"]
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, start_new_session=True)
    return done, int((folder / "steps").read_text())


@pytest.fixture
def folder(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "workflow/envs").mkdir(parents=True)
    for name in ("run", "dev", "train", "cluster", "browser"):
        (tmp_path / f"workflow/envs/{name}.txt").touch()
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def is_whole(folder, target="dev.ready"):
    return all((folder / ".venv" / piece).exists() for piece in PIECES[target])


@pytest.mark.parametrize("target", PIECES)
def test_a_set_up_killed_at_any_moment_is_mended_by_the_same_command(folder, target):
    done, n_steps = make(folder, 0, target)
    assert done.returncode == 0, done.stderr
    assert n_steps >= 8
    assert is_whole(folder, target)
    # nothing is left to do
    assert make(folder, 0, target)[1] == 0
    for kill_at in range(1, n_steps + 1):
        shutil.rmtree(folder / ".venv")
        killed, _ = make(folder, kill_at, target)
        assert killed.returncode == -signal.SIGKILL
        done, _ = make(folder, 0, target)
        assert done.returncode == 0, done.stderr
        assert is_whole(folder, target), kill_at
        assert make(folder, 0, target)[1] == 0


def test_an_upgrade_killed_in_the_middle_is_mended_too(folder):
    assert make(folder, kill_at=0)[0].returncode == 0
    (folder / "workflow/envs/dev.txt").write_text("# newer\n")
    os.utime(folder / "workflow/envs/dev.txt", (2**31, 2**31))
    (folder / ".venv/dev.txt.first").unlink()
    (folder / ".venv/dev.txt.second").unlink()
    assert make(folder, kill_at=1)[0].returncode == -signal.SIGKILL
    assert make(folder, kill_at=0)[0].returncode == 0
    assert is_whole(folder)
