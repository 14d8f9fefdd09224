"""What a run was made from: configuration, versions, input digests, commit."""

import importlib.metadata
import os
import platform
import subprocess
import sys

from emergence.io import contents, tables
from emergence.io.documents import ROOT
from emergence.io.errors import InputError, mistake

PACKAGES = ("snakemake", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "seaborn", "jsonschema", "jinja2", "msgspec")


def commit():
    """The commit of the workflow, with `+changes` where files differ from it; None outside a git checkout."""
    try:
        # the workflow's own repository only, not one that it happens to lie in
        top = _git("rev-parse", "--show-toplevel")
        if not top or ROOT.resolve().as_posix() != top:
            return None
        return _git("rev-parse", "HEAD") + ("+changes" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603, S607


def record(study, files, results):
    """The provenance of a run, ready to be written as JSON.

    study: dict, the resolved configuration. files: the input files. results: the tables that the run made.
    There is no time of day in it: the same inputs give the same record.

    Raises InputError where an input is no longer the file that the scores were read from.
    """
    inputs = {str(path): contents.digest(path) for path in files}
    _check_unchanged(inputs, [path for path in results if os.path.basename(path) == "inputs.csv"])
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "inputs": inputs,
        "results": {str(path): contents.digest(path) for path in results},
        "configuration": study,
    }


def _check_unchanged(inputs, read):
    """inputs: {path: digest}, as they are now. read: the tables of the files that were read, with their digests then."""
    then = {os.path.normpath(row.file): row.sha256 for path in read for row in tables.read("inputs", path).itertuples()}
    allowed = "the same file throughout a run; run again, with --forceall if that does not help"
    changed = [path for path, digest in inputs.items() if then.get(os.path.normpath(path), digest) != digest]
    if changed:
        raise InputError([mistake(path, "another content than when its scores were read", allowed) for path in changed])
