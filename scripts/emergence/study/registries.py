"""Lists that a benchmark may bring: its tasks with the metric each prefers, the claimed emergent abilities, the models."""

from pathlib import Path

import numpy as np
import pandas as pd

from emergence.ingest import foreign
from emergence.ingest.readers.table.numbers import decimal_sign, read_column, separator_of
from emergence.io.documents import nearest
from emergence.io.errors import InputError, told
from emergence.study import metric_catalogue


def _load(path, required, unique=()):
    """A table of names, all text, stripped of surrounding space. Raises InputError where it is not one or lacks a column.

    What separates cells is told by the first rows, as for tables of scores; rows without any text are empty lines.
    """
    known = foreign.beginning(path, "list")
    if known:
        raise InputError(told(path, known[0], "a table as plain text, such as CSV, in UTF-8"))
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as content:
            sign = separator_of(content.read(1 << 16))
        # no compression is guessed from the name: the lists are small, and what is packed can be of any size
        frame = pd.read_csv(path, dtype=str, header=None, keep_default_na=False, encoding="utf-8-sig", compression=None, sep=sign)
    except pd.errors.EmptyDataError:
        raise InputError(f"{path}: the file is empty\n    allowed: a table with the columns {', '.join(required)}") from None
    except pd.errors.ParserError as error:
        if "Expected" not in str(error):
            raise InputError(f"{path}: not a table that can be read: {error}") from None
        raise InputError(told(path, "a row with more cells than there are column names", "a name for every column")) from None
    except UnicodeDecodeError:
        raise InputError(told(path, "text that is not UTF-8", "text in UTF-8; save it so (in Excel: `CSV UTF-8`)")) from None
    except (OSError, ValueError, MemoryError) as error:
        raise InputError(f"{path}: not a table that can be read: {str(error) or 'it needs more memory than there is'}") from None
    frame = frame.fillna("").apply(lambda column: column.str.strip())
    # the names of columns are a row like any other: pandas would rename the second of two that are the same
    names = frame.iloc[0].tolist()
    rows = frame.iloc[1:]
    # numbered as in the file, for messages
    frame = rows[(rows != "").any(axis=1)].set_axis(names, axis="columns")
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise InputError([told(path, f"the column `{name}` more than once", "every column name once") for name in repeated])
    have = ", ".join(map(repr, names))
    problems = [
        told(f"{path}: no column `{column}`", have, f"a column of that name{nearest(column, names)}")
        for column in required
        if column not in frame
    ]
    if not problems:
        for column in required:
            for row in frame.index[frame[column] == ""]:
                problems.append(told(f"{path}: data row {row}, column `{column}`", "nothing", "a name"))
        for column in unique:
            for row in frame.index[frame.duplicated(column) & (frame[column] != "")]:
                where = f"{path}: data row {row}, column `{column}`"
                problems.append(told(where, f"`{frame.at[row, column]}` again", "each name once"))
        if not len(frame):
            problems.append(told(path, "column names but no row", "at least one row"))
    if problems:
        raise InputError(problems)
    return frame.reset_index(drop=True)


def _own_names(names, path, column, catalogue):
    """Names of metrics, whichever spelling they have, as the catalogue's own. Raises InputError for those that it does not have.

    names: one list of str per data row, which may be empty.
    """
    spellings = metric_catalogue.spellings(catalogue)
    problems = [
        told(
            f"{path}: data row {row}, column `{column}`",
            f"the metric `{name}`, which is not in the metric catalogue",
            f"a metric of the catalogue{nearest(name, spellings)}",
        )
        for row, listed in enumerate(names, start=1)
        for name in listed
        if name not in spellings
    ]
    if problems:
        raise InputError(problems)
    return [[spellings[name] for name in listed] for listed in names]


def _with_own_names(frame, path, catalogue):
    """A list whose preferred metrics have the catalogue's own names."""
    names = _own_names([[name] for name in frame["preferred_metric"]], path, "preferred_metric", catalogue)
    return frame.assign(preferred_metric=[name for (name,) in names])


def load_tasks(path, catalogue):
    """The registry of a benchmark's tasks.

    Parameters
    ----------
    path : str
        A CSV file; see the key `tasks` of a block.
    catalogue : pandas.DataFrame
        The metric catalogue. Every metric must be in it, under any of its spellings.

    Returns
    -------
    pandas.DataFrame
        One row per task, with columns task, preferred_metric and subtask_preferred_metrics (list of str).

    Raises
    ------
    InputError
        With all mistakes of a kind.
    """
    frame = _with_own_names(_load(path, ["task", "preferred_metric"], unique=["task"]), path, catalogue)
    listed = frame.get("subtask_preferred_metrics", pd.Series("", index=frame.index))
    listed = [[name.strip() for name in names.split("|") if name.strip()] for names in listed]
    frame["subtask_preferred_metrics"] = _own_names(listed, path, "subtask_preferred_metrics", catalogue)
    return frame


def load_claims(path, catalogue, tasks=None):
    """The claims: one row per claimed ability, with columns task and preferred_metric.

    catalogue: the metric catalogue; see load_tasks. tasks: the registry, if there is one; every claimed task must be in it, with the
    same preferred metric.
    """
    frame = _with_own_names(_load(path, ["task", "preferred_metric"]), path, catalogue)
    if tasks is None:
        return frame
    prefers = dict(zip(tasks["task"], tasks["preferred_metric"], strict=True))
    problems = []
    for row, (task, metric) in enumerate(zip(frame["task"], frame["preferred_metric"], strict=True), start=1):
        where = f"{path}: data row {row}, task `{task}`"
        if task not in prefers:
            problems.append(told(where, "no such task in the registry", f"a task of the registry{nearest(task, prefers)}"))
        elif prefers[task] != metric:
            problems.append(told(where, f"the preferred metric `{metric}`", f"`{prefers[task]}`, as the registry says"))
    if problems:
        raise InputError(problems)
    return frame


def checked_claims(files, catalogue):
    """Return the claims of a block, checked against its list of tasks where it names one; see load_claims.

    files: {"claims": path} and, where there is one, {"tasks": path}.
    """
    tasks = [load_tasks(files["tasks"], catalogue)] if "tasks" in files else []
    return load_claims(files["claims"], catalogue, *tasks)


def has_value(tasks, column, value):
    """Return which tasks of a list have a value in a column, as a boolean Series.

    Raises
    ------
    InputError
        Where the list has no such column, or no task has the value.
    """
    if column not in tasks:
        allowed = f"a column of the list of tasks: {', '.join(tasks.columns)}{nearest(column, tasks.columns)}"
        raise InputError(told(f"strata: {column}", "the list of tasks has no such column", allowed))
    found = tasks[column].astype("str") == str(value)
    if not found.any():
        values = sorted(tasks[column].astype("str").unique())
        allowed = f"one of {', '.join(values[:20])}{nearest(value, values)}"
        raise InputError(told(f"strata: {column}", f"`{value}`, which no task has", allowed))
    return found


def load_lists(files, catalogue, scores):
    """Return the claims and the tasks of a block: the list of tasks that it names, or what its scores say of their tasks.

    Parameters
    ----------
    files : dict
        {"claims": path} and, where the block names a list of tasks, {"tasks": path}.
    catalogue : pandas.DataFrame
        The metric catalogue; see load_tasks.
    scores : callable
        Gives the score table, if it is needed.
    """
    if "tasks" in files:
        tasks = load_tasks(files["tasks"], catalogue)
        return load_claims(files["claims"], catalogue, tasks), tasks
    return load_claims(files["claims"], catalogue), from_scores(scores())


_SIZE = "a number above 0 (`1.3B` is read, too), or nothing"


def _numbers(cells):
    """Cells as numbers, written as in tables of scores, NaN where there is none; and which of them cannot be read as such."""
    read = read_column(cells, "scale", decimal_sign(cells.unique()), lambda cell: True)[0]
    numbers = pd.to_numeric(read, errors="coerce").astype(float)
    return numbers, (read.astype("str") != "") & ~np.isfinite(numbers)


def load_models(path):
    """The models: {model: {"model_family": str or None, "scale": float or None}}, from a CSV file with these three columns.

    A cell that is left empty says nothing, so that a long list can be filled in for the models that are wanted.
    """
    frame = _load(path, ["model"], unique=["model"])
    problems = [
        told(
            f"{path}: no column `{column}`",
            ", ".join(map(repr, frame.columns)),
            f"a column of that name, which may be empty{nearest(column, frame.columns)}",
        )
        for column in ("model_family", "scale")
        if column not in frame
    ]
    if problems:
        raise InputError(problems)
    scales, is_bad = _numbers(frame["scale"])
    is_bad |= scales < 0
    problems = [
        told(f"{path}: model `{frame['model'].iat[row]}`, column `scale`", f"`{frame['scale'].iat[row]}`", _SIZE)
        for row in is_bad.to_numpy().nonzero()[0]
    ]
    if problems:
        raise InputError(problems)
    records = zip(frame["model"], frame["model_family"], scales, strict=True)
    return {
        model: {"model_family": family or None, "scale": None if np.isnan(scale) else float(scale)}
        for model, family, scale in records
    }


def from_scores(scores):
    """A registry taken from a score table whose files say which metric each entry prefers; empty where they do not.

    A task prefers what its own entry prefers; where models differ, what most of its scores say, and the first by name of equals.
    A task of which the files hold subtasks only prefers what BIG-bench's rule of aggregation gives: the metric of its one
    subtask, or multiple_choice_grade where all subtasks prefer it, or else normalized_aggregate_score.

    scores: frame with task, subtask, metric and preferred. Returns the columns of load_tasks.
    """
    said = scores.loc[scores["preferred"].fillna(False).to_numpy(dtype=bool), ["task", "subtask", "metric"]].astype("str")
    counts = (
        said.value_counts().reset_index().sort_values(["task", "subtask", "count", "metric"], ascending=[True, True, False, True])
    )
    chosen = counts.drop_duplicates(["task", "subtask"])
    records = []
    for task, entries in chosen.groupby("task", sort=True):
        of_subtasks = entries.loc[entries["subtask"] != "", "metric"]
        own = entries.loc[entries["subtask"] == "", "metric"]
        names = sorted(set(of_subtasks))
        if len(own):
            prefers = own.iat[0]
        elif len(of_subtasks) == 1 or names == ["multiple_choice_grade"]:
            prefers = names[0]
        else:
            prefers = "normalized_aggregate_score"
        records.append((task, prefers, names or [prefers]))
    return pd.DataFrame(records, columns=["task", "preferred_metric", "subtask_preferred_metrics"])


def preferred(frame, tasks):
    """Whether the registry prefers the metric of each score: for a task its own, for a subtask that of some subtask.

    frame: score-table columns task, subtask, metric. Returns a boolean Series, empty for tasks that the registry does not have.
    """
    own = frame["task"].map(dict(zip(tasks["task"], tasks["preferred_metric"], strict=True)))
    pairs = tasks[["task", "subtask_preferred_metrics"]].explode("subtask_preferred_metrics").dropna()
    of_subtask = pd.MultiIndex.from_frame(frame[["task", "metric"]]).isin(pd.MultiIndex.from_frame(pairs))
    chosen = (own == frame["metric"]).where(frame["subtask"] == "", of_subtask)
    return chosen.astype("boolean").where(own.notna())


def load_paper_figures(path):
    """Published numbers to compare with: columns figure, quantity, metric, value (float). Raises InputError."""
    frame = _load(Path(path), ["figure", "quantity", "metric", "value"])
    values = pd.to_numeric(frame["value"], errors="coerce")
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise InputError(told(f"{path}: data row {row + 1}, column `value`", f"`{frame['value'].iat[row]}`", "a number"))
    return frame.assign(value=values)
