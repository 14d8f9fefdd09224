"""Lists that a benchmark may bring: its tasks with the metric each prefers, the claimed emergent abilities, the models."""

import numpy as np
import pandas as pd

from emergence.ingest.readers.table.numbers import decimal_sign, read_column
from emergence.io.documents import nearest
from emergence.io.errors import InputError, mistake
from emergence.study import lists, metric_catalogue


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
    return _frame(*lists.load_tasks(path, metric_catalogue.spellings(catalogue)))


def _frame(names, records):
    return pd.DataFrame(records, columns=names)


def load_claims(path, catalogue, tasks=None):
    """The claims: one row per claimed ability, with columns task and preferred_metric.

    catalogue: the metric catalogue; see load_tasks. tasks: the registry, if there is one; every claimed task must be in it, with the
    same preferred metric.
    """
    known = None if tasks is None else tasks.to_dict("records")
    return _frame(*lists.load_claims(path, metric_catalogue.spellings(catalogue), known))


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
        raise InputError(mistake(f"strata: {column}", "the list of tasks has no such column", allowed))
    found = tasks[column].astype("str") == str(value)
    if not found.any():
        values = sorted(tasks[column].astype("str").unique())
        allowed = f"one of {', '.join(values[:20])}{nearest(value, values)}"
        raise InputError(mistake(f"strata: {column}", f"`{value}`, which no task has", allowed))
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
    frame = _frame(*lists.load_models(path)).astype("str")
    scales, is_bad = _numbers(frame["scale"])
    is_bad |= scales < 0
    problems = [
        mistake(f"{path}: model `{frame['model'].iat[row]}`, column `scale`", f"`{frame['scale'].iat[row]}`", _SIZE)
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
    columns = ["task", "subtask", "metric"]
    said = scores.loc[scores["preferred"].fillna(False).to_numpy(dtype=bool), columns]
    counts = said.groupby(columns, observed=True).size().reset_index(name="count").astype(dict.fromkeys(columns, "str"))
    counts = counts.sort_values(["task", "subtask", "count", "metric"], ascending=[True, True, False, True])
    chosen = {}
    for task, subtask, metric in counts.drop_duplicates(["task", "subtask"])[columns].itertuples(index=False):
        chosen.setdefault(task, {})[subtask] = metric
    records = []
    for task, entries in chosen.items():
        own = entries.pop("", None)
        names = sorted(set(entries.values()))
        if own is not None:
            prefers = own
        elif len(entries) == 1 or names == ["multiple_choice_grade"]:
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
    names, rows = lists.load(path, ["figure", "quantity", "metric", "value"])
    frame = pd.DataFrame(list(rows.values()), columns=names)
    values = pd.to_numeric(frame["value"], errors="coerce")
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise InputError(mistake(f"{path}: data row {row + 1}, column `value`", f"`{frame['value'].iat[row]}`", "a number"))
    return frame.assign(value=values)
