"""Curves: the scores of one task, subtask, metric, model family and number of shots, sorted by scale.

A frame of curves has one row a curve, with lists for what differs along it; a batch holds all curves of equal length as arrays
of shape (curves, scales), which is what the statistics take. Nothing here loops over curves.
"""

import dataclasses

import numpy as np
import pandas as pd

from emergence import sharpness, tables

KEY = tuple(tables.description("curves")["key"])
ALONG = ("scales", "scores", "n_models", "n_examples", "stderr")
MEASURES = ("emergence_score", "emergence_score_resolved", "score_range", "largest_step_share", "linearity", "kendall_tau")


@dataclasses.dataclass(frozen=True)
class Batch:
    """Curves with the same number of scales.

    positions: (curves,) rows of the frame that they come from.
    scales, n_models, n_examples, stderr: (curves, scales); NaN where unknown.
    oriented: (curves, scales), scores with higher as better, in the metric's own units.
    """

    positions: np.ndarray
    scales: np.ndarray
    oriented: np.ndarray
    n_models: np.ndarray
    n_examples: np.ndarray
    stderr: np.ndarray


def from_scores(scores, catalogue):
    """The curves of a score table, without any statistic yet.

    Models of one curve at the same scale are averaged: the mean score, the standard error of that mean where all of them are
    known, the smallest number of test examples.

    scores: frame of the score table. catalogue: frame of emergence.metrics.load. Returns a frame with the key, the columns
    of ALONG (lists), n_scales, n_scores, chance, preferred and higher_is_better, sorted by key.
    """
    key = list(KEY)
    if scores.empty:
        return pd.DataFrame(columns=[*key, "preferred", "higher_is_better", "n_scales", "n_scores", *ALONG, "chance"])
    scores = scores.sort_values([*key, "scale"], kind="stable", ignore_index=True)
    curve = scores.groupby(key, dropna=False, sort=False).ngroup().to_numpy()
    scale = scores["scale"].to_numpy()
    # a point is a scale of a curve; both starts mark the first row of each in the sorted table
    new_curve = np.diff(curve, prepend=-1) != 0
    point_start = np.flatnonzero(new_curve | (np.diff(scale, prepend=np.nan) != 0))
    n_models = np.diff(point_start, append=len(scores)).astype(float)

    def mean(values):
        return np.add.reduceat(values, point_start) / n_models

    numbers = {
        column: scores[column].to_numpy(dtype=float, na_value=np.nan) for column in ("score", "n_examples", "stderr", "chance")
    }
    along = {
        "scales": scale[point_start],
        "scores": mean(numbers["score"]),
        "n_models": n_models,
        "n_examples": np.minimum.reduceat(numbers["n_examples"], point_start),
        "stderr": np.sqrt(mean(np.square(numbers["stderr"])) / n_models),
    }
    curve_start = np.flatnonzero(new_curve)
    cuts = np.searchsorted(point_start, curve_start)
    frame = scores.loc[curve_start, [*key, "preferred"]].reset_index(drop=True)
    frame["higher_is_better"] = catalogue["higher_is_better"].reindex(frame["metric"]).to_numpy(dtype=bool)
    frame["n_scales"] = np.diff(cuts, append=len(point_start))
    frame["n_scores"] = np.diff(curve_start, append=len(scores))
    for column, values in along.items():
        frame[column] = np.split(values, cuts[1:])
    # the score of guessing belongs to the task; where models of one curve disagree about it, it is not known
    lowest, highest = (extreme.reduceat(numbers["chance"], curve_start) for extreme in (np.minimum, np.maximum))
    frame["chance"] = np.where(lowest == highest, lowest, np.nan)
    return frame


def batches(curves):
    """The curves of a frame in batches of equal length, shortest first."""
    for n_scales, rows in curves.groupby("n_scales", sort=True).indices.items():
        along = {column: np.concatenate(curves[column].to_numpy()[rows]).reshape(len(rows), n_scales) for column in ALONG}
        sign = np.where(curves["higher_is_better"].to_numpy(dtype=bool)[rows], 1.0, -1.0)[:, None]
        yield Batch(rows, along["scales"], sign * along["scores"], along["n_models"], along["n_examples"], along["stderr"])


def resolution(curves, catalogue):
    """The smallest difference that the test set of each curve can show: the range of the metric over the number of examples.

    That number is the smallest along the curve, so the coarsest. NaN where an example count is unknown or the metric has an open
    range. For a metric that grades each example right or wrong it is exact; for others it is a convention.

    Returns (curves,), in units of the metric.
    """
    span = (catalogue["high"] - catalogue["low"]).reindex(curves["metric"]).to_numpy(dtype=float)
    fewest = np.array([values.min() for values in curves["n_examples"]], dtype=float).reshape(len(curves))
    return np.where(np.isfinite(span), span, np.nan) / fewest


def measure(curves, catalogue):
    """The frame with `status` and the columns of MEASURES, for all curves at once; see emergence.sharpness for each."""
    measured = {column: np.full(len(curves), np.nan) for column in MEASURES}
    status = np.full(len(curves), sharpness.TOO_FEW_SCALES, dtype=object)
    finest = resolution(curves, catalogue)
    for batch in batches(curves):
        rows, y = batch.positions, batch.oriented
        measured["score_range"][rows] = np.abs(sharpness.signed_range(y))
        status[rows] = sharpness.status(y)
        if y.shape[1] < sharpness.MIN_SCALES:
            continue
        measured["emergence_score"][rows] = sharpness.emergence_score(y)
        measured["emergence_score_resolved"][rows] = sharpness.emergence_score(y, finest[rows])
        measured["largest_step_share"][rows] = sharpness.largest_step_share(y)
        measured["linearity"][rows] = sharpness.linearity(y)
        measured["kendall_tau"][rows] = sharpness.kendall_tau(y)
    return curves.assign(status=status, **measured, repeats_family=_repeated_families(curves, status))


def _repeated_families(curves, status):
    """For each curve the earlier model family, if any, with the very same scores on the same task, metric and shots.

    Families can be one set of models under two settings that a metric does not see, such as the sampling temperature for multiple
    choice: their curves are copies, not evidence twice. Constant curves agree without being copies and are left out.
    """
    same = ["task", "subtask", "metric", "shots", "scores"]
    varying = np.asarray(status != sharpness.CONSTANT) & (curves["n_scales"].to_numpy(dtype=int) >= sharpness.MIN_SCALES)
    keyed = curves.loc[varying, [*same, "model_family"]].assign(
        scores=[values.tobytes() for values in curves.loc[varying, "scores"]]
    )
    first = keyed.groupby(same, dropna=False, sort=False)["model_family"].transform("first")
    return first.where(first != keyed["model_family"]).reindex(curves.index)


def names(curves):
    """A name a person can read for each curve: task, subtask, metric, model family, shots. Returns a Series of str."""
    shots = ["" if pd.isna(shots) else f", {int(shots)}-shot" for shots in curves["shots"]]
    subtasks = [f": {subtask}" if subtask else "" for subtask in curves["subtask"]]
    parts = zip(curves["task"], subtasks, curves["model_family"], shots, strict=True)
    return pd.Series(
        [f"{task}{subtask} · {family}{shot}" for task, subtask, family, shot in parts], index=curves.index, dtype=object
    )
