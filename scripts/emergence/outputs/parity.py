"""Stored values against recomputed ones: whether a metric is what the file says it is."""

import numpy as np
import pandas as pd

from emergence.outputs import metrics
from emergence.outputs.examples import CHOICES, curve_key, metric_name

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
    owner = np.repeat(np.arange(len(examples)), names.lengths)
    usable = names.lengths == values.lengths
    if not len(owner) or not usable.any():
        return pd.DataFrame()
    named = pd.Categorical.from_codes(names.flat[usable[owner]], labels).reorder_categories(sorted(labels))
    stored = pd.DataFrame({"row": owner[usable[owner]], "metric": named})
    stored["value"] = values.flat[np.repeat(usable, values.lengths)]
    found, views, recomputed = [], {}, {}
    for part in task.series:
        model_of = np.full(len(examples), -1)
        model_of[part.rows] = part.model
        model = model_of[stored["row"].to_numpy()]
        inside = stored[model >= 0].assign(model=model[model >= 0])
        for label, group in inside.groupby("metric", sort=True, observed=True):
            own = _GRADE.get((task.settings.dialect, part.kind, label)) or spellings.get(label, label)
            metric = metrics.by_name(part.kind, own)
            key = curve_key(task.name, part, metric_name(label, part.filter))
            if metric is not None and (part.kind, own) not in recomputed:
                if part.kind not in views:
                    views[part.kind] = metrics.view(part.kind, examples, task.settings.dialect)
                recomputed[part.kind, own] = task.statistics_of(metric, views[part.kind])
            for model, rows in group.groupby("model", sort=True):
                found.append(
                    key
                    | {"model": part.models[model]}
                    | _compared(rows, metric, None if metric is None else recomputed[part.kind, own])
                )
    return pd.DataFrame(found)


def _compared(rows, metric, statistics):
    """One line of the table: stored and recomputed score, largest difference, status."""
    value = rows["value"].to_numpy(dtype=float)
    line = {"n_stored": len(value), "stored": value.mean() if len(value) else np.nan}
    if metric is None:
        return line | {"recomputed": np.nan, "largest_difference": np.nan, "n_different": 0, "status": NOT_COMPUTED}
    own = statistics[rows["row"].to_numpy()]
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
