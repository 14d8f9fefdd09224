"""A Chromium on this machine, for tests of the explorer: found, or installed where Debian's packages are.

python tests/browser.py    install it where it is missing; otherwise say why it cannot be (exit code 1)
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program():
    """Path of the browser, None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def install():
    """Install Debian's Chromium if there is no browser; gives what went wrong, or None."""
    if program():
        return None
    if not (Path("/etc/debian_version").exists() and shutil.which("apt-get")):
        return f"no browser ({', '.join(PROGRAMS)}), and this is no Debian to install one on"
    if os.geteuid() != 0:
        return f"no browser ({', '.join(PROGRAMS)}), and only root can install one"
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            return f"`{' '.join(command)}` failed: {done.stderr.strip().splitlines()[-1:]}"
    return None if program() else "Debian's package chromium was installed, but brings no program of that name"


def main():
    problem = install()
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
