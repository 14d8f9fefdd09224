"""Stored values against recomputed ones: whether a metric is what the file says it is."""

import functools

import numpy as np
import pandas as pd

from emergence.outputs import metrics
from emergence.outputs.examples import CHOICES, TEXT, curve_key, metric_name

EQUAL, DIFFERENT, NOT_COMPUTED = "equal", "different", "not_computed"

# BIG-bench's name for the grade of one example.
_GRADE = {(metrics.BIGBENCH, CHOICES, "correct"): "multiple_choice_grade"}

# Harnesses store float64; the order of their sums is not ours.
TOLERANCE = 1e-9


def compare(task, catalogue_spellings=None):
    """Stored and recomputed values of one task, one row per subtask, metric, model family, model and shots.

    A file stores a value for each example, or the score of all of them with each. Where all stored values of a model are equal
    they may be either, and the nearer one counts. Recomputed values are of the outputs as they are, before any extraction.

    task: emergence.outputs.rescoring.Task. catalogue_spellings: {spelling: name}, for stored names that are aliases.

    Returns a frame with the columns of the table `metric_parity` but for the benchmark.
    """
    examples, spellings = task.examples, catalogue_spellings or {}
    (names, labels), values = examples.lists.coded("stored_metrics"), examples.lists["stored_values"]
    usable = names.lengths == values.lengths
    owner = np.repeat(np.arange(len(examples))[usable], names.lengths[usable])
    code = names.flat[np.repeat(usable, names.lengths)]
    value = values.flat[np.repeat(usable, values.lengths)]
    # one number for each model of each series
    group, models = np.full(len(examples), -1), [(part, model) for part in task.series for model in part.models]
    firsts = np.cumsum([0, *(len(part.models) for part in task.series)])
    for first, part in zip(firsts[:-1].tolist(), task.series, strict=True):
        group[part.rows] = first + part.model
    plain = functools.cache(lambda: _plain_texts(task))
    found = []
    for label in sorted(labels):
        chosen = np.flatnonzero(code == labels.index(label))
        if not len(chosen):
            # a name of another task in the same file
            continue
        chosen = chosen[np.argsort(group[owner[chosen]], kind="stable")]
        groups, starts = np.unique(group[owner[chosen]], return_index=True)
        recomputed = {}
        for number, start, end in zip(groups.tolist(), starts, [*starts[1:], len(chosen)], strict=True):
            (part, model), places = models[number], chosen[start:end]
            own = _GRADE.get((task.settings.dialect, part.kind, label)) or spellings.get(label, label)
            metric = metrics.by_name(part.kind, own)
            if metric is not None and part.kind not in recomputed:
                recomputed[part.kind] = task.statistics_of(metric, plain() if part.kind == TEXT else None)
            key = curve_key(task.name, part, metric_name(label, part.filter)) | {"model": model}
            statistics = None if metric is None else recomputed[part.kind][owner[places]]
            found.append(key | _compared(value[places], metric, statistics))
    return pd.DataFrame(found)


def _plain_texts(task):
    """The texts of a task as they are: before answers are taken out of them, in characters."""
    settings = task.settings
    if not settings.answer and settings.tokens == "characters":
        return task.views[TEXT]
    return metrics.view(TEXT, task.examples, settings.dialect)


def _compared(value, metric, own):
    """One line of the table: stored and recomputed score, largest difference, status.

    value: (r,) stored values. own: (r, k) statistics of the same examples.
    """
    line = {"n_stored": len(value), "stored": value.mean() if len(value) else np.nan}
    if metric is None:
        return line | {"recomputed": np.nan, "largest_difference": np.nan, "n_different": 0, "status": NOT_COMPUTED}
    score = float(metric.aggregate(own.sum(axis=0)))
    candidates = []
    if own.shape[1] == 3:
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(own[:, 2] != 0, np.copysign(np.inf, own[:, 2]), own[:, 0] / own[:, 1])
        candidates.append(_differences(value, each))
    if (value == value[0]).all() or (np.isnan(value)).all():
        candidates.append(_differences(value, np.full(len(value), score)))
    if not candidates:
        return line | {"recomputed": score, "largest_difference": np.nan, "n_different": 0, "status": NOT_COMPUTED}
    difference = min(candidates, key=np.max)
    slack = TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(value), value, 1.0)))
    n_different = int((difference > slack).sum())
    return line | {
        "recomputed": score,
        "largest_difference": difference.max(),
        "n_different": n_different,
        "status": DIFFERENT if n_different else EQUAL,
    }


def _differences(a, b):
    """Absolute differences; equal infinities and two undefined values do not differ, an undefined one beside a number does."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
    difference = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, difference)
    return np.where(np.isnan(difference), np.inf, difference)
