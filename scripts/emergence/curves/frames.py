"""Curves: the scores of one task, subtask, metric, model family and number of shots, sorted by scale.

A frame of curves has one row a curve, with lists for what differs along it; a batch holds all curves of equal length as arrays
of shape (curves, scales), which is what the statistics take. Nothing here loops over curves.
"""

import dataclasses
import itertools

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.io import tables

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

    scores: frame of the score table. catalogue: frame of metric_catalogue.load. Returns a frame with the key, the columns
    of ALONG (lists), n_scales, n_scores, chance, preferred and higher_is_better, sorted by key.
    """
    key = list(KEY)
    if scores.empty:
        return pd.DataFrame(columns=[*key, "preferred", "higher_is_better", "n_scales", "n_scores", *ALONG, "chance"])
    curve, scale = tables.key_positions(scores, key), scores["scale"].to_numpy(dtype=float)
    order = np.lexsort((scale, curve))
    curve, scale = curve[order], scale[order]
    # a point is a scale of a curve; both starts mark the first row of each in the sorted table
    new_curve = np.diff(curve, prepend=-1) != 0
    point_start = np.flatnonzero(new_curve | (np.diff(scale, prepend=np.nan) != 0))
    n_models = np.diff(point_start, append=len(scores)).astype(float)

    def mean(values):
        return np.add.reduceat(values, point_start) / n_models

    numbers = {
        column: scores[column].to_numpy(dtype=float, na_value=np.nan)[order]
        for column in ("score", "n_examples", "stderr", "chance")
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
    frame = scores[[*key, "preferred"]].iloc[order[curve_start]].reset_index(drop=True)
    frame["higher_is_better"] = frame["metric"].map(catalogue["higher_is_better"]).to_numpy(dtype=bool)
    frame["n_scales"] = np.diff(cuts, append=len(point_start))
    frame["n_scores"] = np.diff(curve_start, append=len(scores))
    bounds = list(itertools.pairwise([*cuts.tolist(), len(point_start)]))
    for column, values in along.items():
        frame[column] = [values[start:end] for start, end in bounds]
    # the score of guessing belongs to the task; where models of one curve disagree about it, it is not known
    lowest, highest = (extreme.reduceat(numbers["chance"], curve_start) for extreme in (np.minimum, np.maximum))
    frame["chance"] = np.where(lowest == highest, lowest, np.nan)
    return frame


def batches(curves):
    """The curves of a frame in batches of equal length, shortest first."""
    if curves.empty:
        return
    lengths = curves["n_scales"].to_numpy(dtype=int)
    start = np.cumsum(lengths) - lengths
    flat = {column: np.concatenate(curves[column].to_numpy()) for column in ALONG}
    signs = np.where(curves["higher_is_better"].to_numpy(dtype=bool), 1.0, -1.0)
    for n_scales in np.unique(lengths):
        rows = np.flatnonzero(lengths == n_scales)
        points = start[rows][:, None] + np.arange(n_scales)
        along = {column: values[points] for column, values in flat.items()}
        sign = signs[rows][:, None]
        yield Batch(rows, along["scales"], sign * along["scores"], along["n_models"], along["n_examples"], along["stderr"])


def resolution(curves, catalogue):
    """The smallest difference that the test set of each curve can show: the range of the metric over the number of examples.

    That number is the smallest along the curve, so the coarsest. NaN where an example count is unknown or the metric has an open
    range. For a metric that grades each example right or wrong it is exact; for others it is a convention.

    Returns (curves,), in units of the metric.
    """
    if curves.empty:
        return np.empty(0)
    span = curves["metric"].map(catalogue["high"] - catalogue["low"]).to_numpy(dtype=float)
    lengths = curves["n_scales"].to_numpy(dtype=int)
    fewest = np.minimum.reduceat(np.concatenate(curves["n_examples"].to_numpy()), np.cumsum(lengths) - lengths)
    return np.where(np.isfinite(span), span, np.nan) / fewest


def measure(curves, catalogue):
    """The frame with `status` and the columns of MEASURES, for all curves at once; see emergence.curves.sharpness for each."""
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
    family = curves["model_family"].to_numpy(dtype=object)
    repeated = np.full(len(curves), None, dtype=object)
    varying = np.flatnonzero((status != sharpness.CONSTANT) & (curves["n_scales"].to_numpy(dtype=int) >= sharpness.MIN_SCALES))
    if len(varying):
        # a curve's scores as bytes: the same number for the same scores
        content = pd.factorize(np.array([values.tobytes() for values in curves["scores"].to_numpy()[varying]], dtype=object))[0]
        outputs = tables.key_positions(curves.iloc[varying], ["task", "subtask", "metric", "shots"])
        same = np.unique(outputs, return_inverse=True)[1] * (content.max() + 1) + content
        _, first, group = np.unique(same, return_index=True, return_inverse=True)
        earlier = varying[first[group]]
        differs = family[earlier] != family[varying]
        repeated[varying[differs]] = family[earlier[differs]]
    return pd.Series(repeated, index=curves.index, dtype="str")


def chosen(curves, entries, metrics="all"):
    """Return the curves that answers are taken over.

    Parameters
    ----------
    curves : DataFrame
        With columns subtask and preferred.
    entries : {"all", "tasks", "subtasks"}
        Both, whole tasks only, or subtasks only.
    metrics : {"all", "preferred"}
        Every metric, or those that the benchmark prefers for the entry; a curve of which it does not say stays.
    """
    whole = curves["subtask"] == ""
    kept = {"all": whole | True, "tasks": whole, "subtasks": ~whole}[entries]
    if metrics == "preferred":
        kept &= curves["preferred"].fillna(True).astype(bool)
    return curves[kept].reset_index(drop=True)


def rows_of(table, curves):
    """Return the rows of a table, such as one of tests or of scores, that belong to some curves, in the table's order."""
    key = list(KEY)
    # a merge takes unknown numbers of shots as equal
    wanted = table[key].merge(curves[key].drop_duplicates().assign(wanted=True), on=key, how="left")["wanted"]
    return table[wanted.notna().to_numpy()].reset_index(drop=True)


def with_infinite(score, status):
    """Return E with a zero median step as infinite: sharper than any finite one, which is how it is counted and ranked."""
    return score.where(status != sharpness.ZERO_MEDIAN_STEP, np.inf)


def names(curves):
    """A name a person can read for each curve: task, subtask, metric, model family, shots. Returns a Series of str."""
    shots = ["" if pd.isna(shots) else f", {int(shots)}-shot" for shots in curves["shots"]]
    subtasks = [f": {subtask}" if subtask else "" for subtask in curves["subtask"]]
    parts = zip(curves["task"], subtasks, curves["model_family"], shots, strict=True)
    return pd.Series(
        [f"{task}{subtask} · {family}{shot}" for task, subtask, family, shot in parts], index=curves.index, dtype=object
    )
