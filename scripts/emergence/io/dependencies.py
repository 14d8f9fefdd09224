"""Which library files a script depends on, so that an edit reruns the rules that use them and no others.

Snakemake notices an edited script, not an edited module that the script imports.
"""

import functools
import hashlib
import re
from pathlib import Path

import emergence
from emergence.io import descriptions

SCRIPTS = Path(__file__).resolve().parents[2]
ROOT = SCRIPTS.parent

# Every Snakemake that starts looks through the library, those of cluster jobs too: a pattern finds the imports in a tenth of the
# time that Python's own parser takes.
_IMPORT = re.compile(r"^[ \t]*from (emergence[\w.]*) import (\([^)]*\)|[^\n#]*)|^[ \t]*import (emergence[\w.]*)", re.MULTILINE)


@functools.cache
def _imports(path):
    """The library files that one file imports."""
    found = set()
    for package, names, module in _IMPORT.findall(path.read_text(encoding="utf-8")):
        modules = [module or package, *(f"{package}.{name}" for name in re.findall(r"\w+", names))]
        for name in modules:
            target = SCRIPTS.joinpath(*name.split("."))
            found |= {file for file in (target.with_suffix(".py"), target / "__init__.py") if file.is_file()}
    return frozenset(found)


@functools.cache
def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def digests(script, *others, tables=()):
    """Return digests of what is behind a script: {path below the repository, or table: digest}.

    Parameters
    ----------
    script, others : str
        Paths below the repository, `others` being files that the script loads without an import statement. What any of them
        imports from the library, directly or not, counts too. The script itself does not: Snakemake knows it.
    tables : iterable of str
        The tables that it reads and writes: a change of their columns counts, a change of what is said of them does not.

    Returns
    -------
    dict
        Where the library is installed without the scripts, its version in place of the files.
    """
    shapes = {f"table {name}": descriptions.shape(name) for name in tables}
    if not (ROOT / script).is_file():
        return {"emergence": emergence.__version__} | shapes
    found = {ROOT / path for path in others}
    waiting = [*found, ROOT / script]
    while waiting:
        path = waiting.pop()
        new = _imports(path) - found if path.suffix == ".py" else set()
        found |= new
        waiting += new
    return {path.relative_to(ROOT).as_posix(): _digest(path) for path in sorted(found)} | shapes
