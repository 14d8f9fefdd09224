"""What every table of a run is: where it is, what identifies a row, which columns it has.

Tables that pass from stage to stage are described in workflow/schemas/tables.yaml, the tables of a question in its own folder. The
Snakefile reads these descriptions too, so nothing heavier than YAML is needed here.
"""

import functools
import hashlib
import json
from pathlib import Path

from emergence.io.documents import SCHEMAS, load_schema

QUESTIONS = Path(__file__).resolve().parents[1] / "questions"


@functools.cache
def every_table():
    """Return the description of every table, {name: description}: those of the stages first, then those of each question."""
    found = dict(load_schema(SCHEMAS / "tables.yaml"))
    for path in sorted(QUESTIONS.glob("*/question.yaml")):
        for name, table in load_schema(path).get("tables", {}).items():
            if name in found:
                raise ValueError(f"{path}: the table `{name}` is described elsewhere too")
            found[name] = table
    return found


def description(name):
    """Return what is said of one table: path, description, key, columns, version."""
    return every_table()[name]


def path_of(name, benchmark="{benchmark}"):
    """Return the path of a table below the folder of the run."""
    return description(name)["path"].replace("{benchmark}", benchmark)


@functools.cache
def shape(name):
    """Return a short digest of a table's form: version, key, and the columns with their types, not what is said of them."""
    table = description(name)
    columns = {
        column: {key: value for key, value in spec.items() if key != "description"} for column, spec in table["columns"].items()
    }
    form = [table.get("version", 1), table["key"], columns]
    return hashlib.sha256(json.dumps(form).encode()).hexdigest()[:12]
