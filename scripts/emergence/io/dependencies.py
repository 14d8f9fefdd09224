"""Which library files a script depends on, so that an edit reruns the rules that use them and no others.

Snakemake notices an edited script, not an edited module that the script imports.
"""

import ast
import functools
import hashlib
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
ROOT = SCRIPTS.parent

# Read by the library rather than imported: the descriptions of tables and of the metric catalogue.
SHARED = ("workflow/schemas/tables.yaml", "workflow/schemas/metrics.schema.yaml")


@functools.cache
def _imports(path):
    """The library files that one file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            target = SCRIPTS.joinpath(*name.split("."))
            for candidate in (target.with_suffix(".py"), target / "__init__.py"):
                if name.startswith("emergence") and candidate.is_file():
                    found.add(candidate)
    return frozenset(found)


@functools.cache
def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def digests(script, *others):
    """Digests of the files behind a script: {path below the repository: digest}.

    script, others: paths below the repository, `others` being files that the script loads without an import statement. What any
    of them imports from the library, directly or not, counts too, and so do the SHARED descriptions. The script itself does not:
    Snakemake knows it.
    """
    waiting = [ROOT / path for path in (*others, *SHARED)]
    found = set(waiting)
    waiting.append(ROOT / script)
    while waiting:
        path = waiting.pop()
        new = _imports(path) - found if path.suffix == ".py" else set()
        found |= new
        waiting += new
    return {path.relative_to(ROOT).as_posix(): _digest(path) for path in sorted(found)}
