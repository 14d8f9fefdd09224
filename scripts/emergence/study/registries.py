"""Lists that a benchmark may bring: its tasks with the metric each prefers, the claimed emergent abilities, the models."""

from pathlib import Path

import numpy as np
import pandas as pd

from emergence.io.documents import nearest
from emergence.io.errors import InputError, told


def _load(path, required, unique=()):
    """A CSV file of names, all text. Raises InputError where it is not one or lacks a column."""
    try:
        # no compression is guessed from the name: the lists are small, and what is packed can be of any size
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8", compression=None)
    except pd.errors.EmptyDataError:
        raise InputError(f"{path}: the file is empty\n    allowed: a table with the columns {', '.join(required)}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a table that can be read: {error}") from None
    # of longer rows pandas takes the first cells for names of the rows and moves the others to the left
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(told(path, "rows with more cells than there are column names", "a name for every column"))
    have = ", ".join(map(repr, frame.columns))
    problems = [
        told(f"{path}: no column `{column}`", have, f"a column of that name{nearest(column, frame.columns)}")
        for column in required
        if column not in frame
    ]
    if not problems:
        for column in required:
            for row in (frame[column].fillna("").str.strip() == "").to_numpy().nonzero()[0]:
                problems.append(told(f"{path}: data row {row + 1}, column `{column}`", "nothing", "a name"))
        for column in unique:
            for row in frame.duplicated(column).to_numpy().nonzero()[0]:
                where = f"{path}: data row {row + 1}, column `{column}`"
                problems.append(told(where, f"`{frame[column].iat[row]}` again", "each name once"))
        if not len(frame):
            problems.append(told(path, "column names but no row", "at least one row"))
    if problems:
        raise InputError(problems)
    return frame.fillna("").apply(lambda column: column.str.strip())


def load_tasks(path):
    """The registry: one row a task, with columns task, preferred_metric and subtask_preferred_metrics (list of str)."""
    frame = _load(path, ["task", "preferred_metric"], unique=["task"])
    listed = frame.get("subtask_preferred_metrics", pd.Series("", index=frame.index))
    frame["subtask_preferred_metrics"] = [names.split("|") if names else [] for names in listed]
    return frame


def load_claims(path, tasks=None):
    """The claims: one row a claimed ability, with columns task and preferred_metric.

    tasks: the registry, if there is one; every claimed task must be in it, with the same preferred metric.
    """
    frame = _load(path, ["task", "preferred_metric"])
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


def load_lists(files, scores):
    """Return the claims and the tasks of a block: the list of tasks that it names, or what its scores say of their tasks.

    Parameters
    ----------
    files : dict
        {"claims": path} and, where the block names a list of tasks, {"tasks": path}.
    scores : callable
        Gives the score table, if it is needed.
    """
    if "tasks" in files:
        tasks = load_tasks(files["tasks"])
        return load_claims(files["claims"], tasks), tasks
    return load_claims(files["claims"]), from_scores(scores())


def load_models(path):
    """The models: {model: {"model_family": str, "scale": float}}, from a CSV file with columns model, model_family, scale."""
    frame = _load(path, ["model", "model_family", "scale"], unique=["model"])
    scales = pd.to_numeric(frame["scale"], errors="coerce")
    problems = [
        told(f"{path}: data row {row + 1}, column `scale`", f"`{frame['scale'].iat[row]}`", "a number above 0")
        for row in (~(scales > 0) | np.isinf(scales)).to_numpy().nonzero()[0]
    ]
    if problems:
        raise InputError(problems)
    records = zip(frame["model"], frame["model_family"], scales, strict=True)
    return {model: {"model_family": family, "scale": float(scale)} for model, family, scale in records}


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
    bad = values.isna()
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise InputError(told(f"{path}: data row {row + 1}, column `value`", f"`{frame['value'].iat[row]}`", "a number"))
    return frame.assign(value=values)
