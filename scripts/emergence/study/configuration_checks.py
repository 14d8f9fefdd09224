"""What can be wrong about a configuration besides its keys and values: the file itself, and where its inputs are.

Every job on a cluster imports this module, so it needs nothing heavier than YAML.
"""

import os
import sys
from pathlib import Path

from emergence.io.documents import in_words, load_yaml, message
from emergence.io.errors import InputError, mistake

# What the workflow writes; see results/README.md.
RESULTS = "results"


def check_file(path):
    """Look at a configuration file before Snakemake does, whose messages do not say what is wrong in which line.

    Parameters
    ----------
    path : str or Path
        The file, whether or not it is there.

    Raises
    ------
    InputError
        Where it is missing, is not a file, is not YAML, or holds something else than keys and values.
    """
    content = load_yaml(path)
    if not isinstance(content, dict):
        raise InputError(
            message(path, (), in_words(content), "keys and values, of which `benchmarks:` is required; see config/README.md")
        )


def check_place(folder):
    """Raise InputError where the workflow itself is in a folder from which Snakemake cannot run it."""
    if {"{", "}"} & set(str(folder)):
        found = "a path with `{` or `}`, which Snakemake takes for wildcards"
        raise InputError(
            mistake(f"the folder of the workflow: {folder}", found, "a path without them; move or rename the folder")
        )


def path_problems(named):
    """The mistakes about where the named inputs are.

    Parameters
    ----------
    named : iterable of (tuple, str, str)
        Of each input its path in the configuration, the file or folder, and which of both it should be.

    Yields
    ------
    (tuple, str, str)
        The path in the configuration, what was found, what is allowed.
    """
    for path, name, kind in named:
        if kind == "file" and name.endswith(("/", os.sep)) and not os.path.isdir(name):
            yield path, f"{name}: a file's name that ends in `/`", "the name without it"
        elif is_result(name):
            yield path, f"{name}: it is inside {RESULTS}/, which the run writes and may delete", f"a {kind} outside of {RESULTS}/"
        elif holds_results(name):
            yield path, f"{name}: a folder that holds {RESULTS}/, which the run writes", f"a folder without {RESULTS}/ in it"


def is_result(name):
    """Whether a path, links followed, is the folder of results or inside it."""
    return _real(name).is_relative_to(_real(RESULTS))


def holds_results(name):
    """Whether a folder, links followed, has the folder of results below it: what a run writes would become its input."""
    return os.path.isdir(name) and _real(RESULTS).is_relative_to(_real(name))


def _real(path):
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        # such as a name with a null character, which no file can have
        return Path(os.path.abspath(path.replace("\0", "?")))


def main(files):
    """Check configuration files one after the other; the exit status.

    Snakemake reads the file that `--configfile` names before it reads this workflow, and its own messages do not name it.
    """
    try:
        for file in files:
            check_file(file)
    except InputError as error:
        print(f"The configuration cannot be used.\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
