"""Lists that a benchmark may bring beside its scores: its tasks, the claimed abilities, the models.

They are looked at before any job starts, so this module needs nothing heavier than the standard library.
"""

import csv
import io
from pathlib import Path

from emergence.ingest import foreign
from emergence.io import encodings
from emergence.io.documents import is_there, nearest
from emergence.io.errors import InputError, mistake
from emergence.io.separators import separator_of

_IN_UTF8 = "text in UTF-8; save it so (in Excel: `CSV UTF-8`)"


def load(path, required, unique=()):
    """A list as text, stripped of surrounding space.

    What separates cells is told by the first rows, as for tables of scores; rows without any text are empty lines.

    Parameters
    ----------
    path : str or Path
    required : sequence of str
        The columns that it must have, with a name in every row.
    unique : sequence of str
        The columns in which no name may return.

    Returns
    -------
    list of str, dict of int to list of str
        The names of its columns, and its rows by their number from 1.

    Raises
    ------
    InputError
        With all mistakes of a kind.
    """
    rows = _rows(path, required)
    names = rows.pop(0)
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise InputError([mistake(path, f"the column `{name}` more than once", "every column name once") for name in repeated])
    have = ", ".join(map(repr, names))
    problems = [
        mistake(f"{path}: no column `{column}`", have, f"a column of that name{nearest(column, names)}")
        for column in required
        if column not in names
    ]
    if not problems:
        for column in required:
            place = names.index(column)
            empty = [number for number, row in rows.items() if not row[place]]
            problems += [mistake(f"{path}: data row {number}, column `{column}`", "nothing", "a name") for number in empty]
        for column in unique:
            place, met = names.index(column), set()
            for number, row in rows.items():
                if row[place] in met:
                    where = f"{path}: data row {number}, column `{column}`"
                    problems.append(mistake(where, f"`{row[place]}` again", "each name once"))
                met |= {row[place]} - {""}
        if not rows:
            problems.append(mistake(path, "column names but no row", "at least one row"))
    if problems:
        raise InputError(problems)
    return names, rows


def _rows(path, required):
    """{number: cells} of all rows that are not blank; 0 is that of the names."""
    known = foreign.beginning(path, "list")
    if known:
        raise InputError(mistake(path, known[0], "a table as plain text, such as CSV, in UTF-8"))
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: not a table that can be read: {error.strerror}") from None
    encoding = encodings.marked(content) or "utf-8"
    odd = encodings.not_utf8(content.splitlines(keepends=True)) if encoding == "utf-8" else None
    if odd:
        likely = encodings.likely(odd[1])
        found = f"text that is not UTF-8; in {likely}, line {odd[0]} would be `{encodings.excerpt(odd[1], likely)}`"
        raise InputError(mistake(path, found, _IN_UTF8))
    try:
        text = content.decode(encoding)
        cells = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text[: 1 << 16]), strict=True)
        rows = [[cell.strip() for cell in row] for row in cells if row]
    except UnicodeError:
        raise InputError(mistake(path, f"text that is not {encoding}", _IN_UTF8)) from None
    except MemoryError:
        raise InputError(f"{path}: not a table that can be read: it needs more memory than there is") from None
    except csv.Error as error:
        raise InputError(f"{path}: not a table that can be read: {error}") from None
    if not rows:
        raise InputError(f"{path}: the file is empty\n    allowed: a table with the columns {', '.join(required)}")
    width = len(rows[0])
    long = next((number for number, row in enumerate(rows) if len(row) > width), None)
    if long:
        where = f"{path}: data row {long}"
        raise InputError(mistake(where, "a row with more cells than there are column names", "a name for every column"))
    return {number: row + [""] * (width - len(row)) for number, row in enumerate(rows) if any(row) or not number}


def load_tasks(path, spellings):
    """A list of tasks whose metrics have the catalogue's own names.

    Parameters
    ----------
    path : str or Path
    spellings : dict of str to str
        The name of a metric in the catalogue by each of its spellings.

    Returns
    -------
    list of str, list of dict
        The names of its columns, and its rows: texts, `subtask_preferred_metrics` lists of str.

    Raises
    ------
    InputError
        With all mistakes of a kind.
    """
    names, rows = load(path, ["task", "preferred_metric"], unique=["task"])
    records = _with_own_names(names, rows, path, spellings)
    column = "subtask_preferred_metrics"
    listed = {
        number: [name.strip() for name in record.get(column, "").split("|") if name.strip()] for number, record in records.items()
    }
    listed = _own_names(listed, path, column, spellings)
    names = names if column in names else [*names, column]
    return names, [record | {column: listed[number]} for number, record in records.items()]


def load_claims(path, spellings, tasks=None):
    """The claims, as load_tasks gives tasks.

    tasks: the rows of the list of tasks, if there is one; every claimed task must be in it, with the same preferred metric.
    """
    names, rows = load(path, ["task", "preferred_metric"])
    records = _with_own_names(names, rows, path, spellings)
    if tasks is not None:
        prefers = {record["task"]: record["preferred_metric"] for record in tasks}
        problems = []
        for number, record in records.items():
            where, metric = f"{path}: data row {number}, task `{record['task']}`", prefers.get(record["task"])
            if metric is None:
                allowed = f"a task of the registry{nearest(record['task'], prefers)}"
                problems.append(mistake(where, "no such task in the registry", allowed))
            elif metric != record["preferred_metric"]:
                found = f"the preferred metric `{record['preferred_metric']}`"
                problems.append(mistake(where, found, f"`{metric}`, as the registry says"))
        if problems:
            raise InputError(problems)
    return names, list(records.values())


def load_models(path):
    """A list of models with the columns model, model_family and scale, all as text, as load_tasks gives tasks."""
    names, rows = load(path, ["model"], unique=["model"])
    problems = [
        mistake(
            f"{path}: no column `{column}`",
            ", ".join(map(repr, names)),
            f"a column of that name, which may be empty{nearest(column, names)}",
        )
        for column in ("model_family", "scale")
        if column not in names
    ]
    if problems:
        raise InputError(problems)
    return names, [dict(zip(names, row, strict=True)) for row in rows.values()]


def _with_own_names(names, rows, path, spellings):
    """{number: row} whose preferred metrics have the catalogue's own names."""
    records = {number: dict(zip(names, row, strict=True)) for number, row in rows.items()}
    listed = {number: [record["preferred_metric"]] for number, record in records.items()}
    own = _own_names(listed, path, "preferred_metric", spellings)
    return {number: record | {"preferred_metric": own[number][0]} for number, record in records.items()}


def _own_names(listed, path, column, spellings):
    """Names of metrics, {number of the row: list of names}, as the catalogue's own. Raises InputError for those that it lacks."""
    problems = [
        mistake(
            f"{path}: data row {number}, column `{column}`",
            f"the metric `{name}`, which is not in the metric catalogue",
            f"a metric of the catalogue{nearest(name, spellings)}",
        )
        for number, names in listed.items()
        for name in names
        if name not in spellings
    ]
    if problems:
        raise InputError(problems)
    return {number: [spellings[name] for name in names] for number, names in listed.items()}


def check(blocks, metrics):
    """Look at the lists of all blocks.

    Parameters
    ----------
    blocks : iterable of dict
        The blocks of a configuration; what is no path of a file is passed over.
    metrics : dict
        The metrics of the catalogue, as metric_catalogue.entries gives them.

    Raises
    ------
    InputError
        With every mistake in all lists.
    """
    spellings = {spelling: name for name, entry in metrics.items() for spelling in (name, *entry["aliases"])}
    problems = {}

    def looked_at(load, *arguments):
        try:
            return load(*arguments)[1]
        except InputError as error:
            # blocks may share a list
            problems.update(dict.fromkeys(error.problems))
            return None

    for block in blocks:
        paths = {key: block.get(key) for key in ("tasks", "claims", "models_file")}
        paths = {key: path for key, path in paths.items() if isinstance(path, str) and is_there(path, "file")}
        tasks = looked_at(load_tasks, paths["tasks"], spellings) if "tasks" in paths else None
        if "claims" in paths:
            looked_at(load_claims, paths["claims"], spellings, tasks)
        if "models_file" in paths:
            looked_at(load_models, paths["models_file"])
    if problems:
        raise InputError(list(problems))
