"""Pairs of metrics on the same model outputs: what changing the metric, and nothing else, does to a curve."""

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.io import tables
from emergence.statuses import DIFFERENT_MEMBERS, FUNCTION_OF_OTHER, NO_FINITE_SCORE, OK, TOO_FEW_SCALES

OUTPUTS = ["task", "subtask", "model_family", "shots"]
_COLUMNS = ["metric_a", "metric_b", "n_scales"]
_COLUMNS += [f"{column}_{side}" for column in ("emergence_score", "resolved_score", "status") for side in "ab"] + ["status"]
_ORDER = {"discontinuous": 0, "nonlinear": 1, "linear": 2, "unknown": 3}


def pairs(curves, catalogue):
    """Every pair of metrics on the same task, subtask, model family and shots.

    The first metric of a pair is the one that the theory expects to look sharper; see workflow/schemas/tables.yaml,
    `metric_swaps`.

    Returns
    -------
    table : DataFrame
        One row per pair, sorted: the columns of OUTPUTS, metric_a, metric_b.
    a, b : (pairs,) ndarray of int
        Positions in `curves` of the curves under the two metrics.
    """
    if curves.empty:
        return pd.DataFrame(columns=[*OUTPUTS, "metric_a", "metric_b"]), np.empty(0, dtype=int), np.empty(0, dtype=int)
    frame = pd.DataFrame(
        {"outputs": tables.key_positions(curves, OUTPUTS), "row": np.arange(len(curves)), "metric": curves["metric"].to_numpy()}
    )
    frame["order"] = frame["metric"].map(catalogue["kind"].map(_ORDER)).to_numpy(dtype=int)
    frame["name"] = tables.key_positions(frame, ["metric"])
    crossed = frame[frame.duplicated("outputs", keep=False)].drop(columns="metric")
    both = crossed.merge(crossed, on="outputs", suffixes=("_a", "_b"))
    first = (both["order_a"] < both["order_b"]) | ((both["order_a"] == both["order_b"]) & (both["name_a"] < both["name_b"]))
    both = both[first].sort_values(["outputs", "name_a", "name_b"])
    a, b = both["row_a"].to_numpy(), both["row_b"].to_numpy()
    table = curves[OUTPUTS].iloc[a].reset_index(drop=True)
    names = curves["metric"].to_numpy()
    return table.assign(metric_a=names[a], metric_b=names[b]), a, b


def swaps(curves, catalogue):
    """Return every pair of metrics on the same task, subtask, model family and shots, with E under each.

    Both are computed on the scales that have both metrics, so that only the metric differs. The first metric of a pair is the one
    that the theory expects to look sharper. A pair is compared (status `ok`) where it has four scales or more and a finite score
    under both, where both metrics of a group are averages over the same members, and where one metric is not a linear function of
    the other: such a pair says nothing about the change of metric.

    Parameters
    ----------
    curves : DataFrame
        Curves with resolution, rounding and, where groups of tasks have them, members.
    catalogue : DataFrame
        Metrics with higher_is_better and kind.

    Returns
    -------
    DataFrame
        The columns of `metric_swaps` in questions/metric_swaps/question.yaml.
    """
    if curves.empty:
        return pd.DataFrame(columns=[*OUTPUTS, *_COLUMNS])
    table, a, b = pairs(curves, catalogue)
    table["n_scales"] = 0
    table[[f"{column}_{side}" for column in ("emergence_score", "resolved_score") for side in "ab"]] = np.nan
    table[["status_a", "status_b"]] = TOO_FEW_SCALES
    is_function = np.zeros(len(table), dtype=bool)
    least = curves[["resolution", "rounding"]].to_numpy(dtype=float)
    for rows, y_a, y_b in on_shared_scales(curves, catalogue, a, b):
        table.loc[rows, "n_scales"] = y_a.shape[1]
        if y_a.shape[1] >= sharpness.MIN_SCALES:
            for side, curve, y in (("a", a, y_a), ("b", b, y_b)):
                found = sharpness.measure(y, *least[curve[rows]].T)
                table.loc[rows, f"status_{side}"] = found["status"]
                table.loc[rows, f"emergence_score_{side}"] = found["emergence_score"]
                table.loc[rows, f"resolved_score_{side}"] = found["emergence_score_resolved"]
            is_function[rows] = _is_linear_function(y_a, y_b, least[a[rows], 1], least[b[rows], 1])
    members = curves["members"].to_numpy(dtype=object) if "members" in curves else np.full(len(curves), None, dtype=object)
    known = [sharpest(table, side).notna().to_numpy() for side in "ab"]
    table["status"] = np.select(
        [
            table["n_scales"].to_numpy() < sharpness.MIN_SCALES_COUNTED,
            pd.Series(members[a]).fillna("").to_numpy() != pd.Series(members[b]).fillna("").to_numpy(),
            is_function,
            ~(known[0] & known[1]),
        ],
        [TOO_FEW_SCALES, DIFFERENT_MEMBERS, FUNCTION_OF_OTHER, NO_FINITE_SCORE],
        default=OK,
    )
    return table[[*OUTPUTS, *_COLUMNS]]


def sharpest(table, side):
    """Return what the comparisons take for the sharpness of one side: resolution-limited E, or E where no resolution is known."""
    return table[f"resolved_score_{side}"].fillna(table[f"emergence_score_{side}"])


def functions_of_others(curves, catalogue, chosen, others):
    """Which of the chosen curves are a linear function of one of the others, on the same outputs.

    Such a curve is the other one under another name: a Brier score is one minus the accuracy where all probabilities are 0 or 1.

    curves, catalogue: as for swaps. chosen, others: (curves,) of bool. Returns (curves,) of bool.
    """
    found = np.zeros(len(curves), dtype=bool)
    _, a, b = pairs(curves, catalogue)
    unlike = chosen[a] & others[b] | chosen[b] & others[a]
    a, b = a[unlike], b[unlike]
    rounding = curves["rounding"].to_numpy(dtype=float)
    for rows, y_a, y_b in on_shared_scales(curves, catalogue, a, b):
        same = _is_linear_function(y_a, y_b, rounding[a[rows]], rounding[b[rows]])
        found[np.where(chosen[a[rows]], a[rows], b[rows])[same]] = True
    return found


def _is_linear_function(y_a, y_b, rounding_a, rounding_b):
    """Which curves lie on one straight line against one another, up to the rounding of their digits.

    Curves that do not vary do not, nor do those that have two levels only: a line goes through any two points.

    y_a, y_b: (pairs, scales). rounding_a, rounding_b: (pairs,), NaN where unknown.
    """
    if y_a.shape[1] < sharpness.MIN_SCALES_COUNTED:
        return np.zeros(len(y_a), dtype=bool)
    moved_a, moved_b = (y - y.mean(axis=1, keepdims=True) for y in (y_a, y_b))
    moment = np.square(moved_a).sum(axis=1)
    slope = np.divide((moved_a * moved_b).sum(axis=1), moment, out=np.zeros(len(y_a)), where=moment > 0)
    apart = np.abs(moved_b - slope[:, None] * moved_a).max(axis=1)
    size = np.abs(moved_b).max(axis=1)
    # half a unit of the last digit each
    slack = (np.nan_to_num(rounding_b) + np.abs(slope) * np.nan_to_num(rounding_a)) / 2 + 1e-9 * size
    # what is left within two levels, on both sides of the widest gap
    ordered = np.sort(moved_b, axis=1)
    gap = np.diff(ordered, axis=1).argmax(axis=1)[:, None]
    below, above = (np.take_along_axis(ordered, place, axis=1)[:, 0] for place in (gap, gap + 1))
    within = np.maximum(below - ordered[:, 0], ordered[:, -1] - above)
    return (moment > 0) & (size > 4 * slack) & (apart <= slack) & (within > 2 * slack)


def on_shared_scales(curves, catalogue, a, b):
    """The scores of pairs of curves at the scales that both have, in batches of equally many.

    a, b: (pairs,) rows of the curves. Yields (positions of the pairs, scores of a, scores of b); scores have the shape
    (pairs, scales) and are oriented. Pairs without a common scale are in no batch.
    """
    if not len(a):
        return
    sign = np.where(curves["higher_is_better"].to_numpy(dtype=bool), 1.0, -1.0)
    scales, scores = curves["scales"].to_numpy(), curves["scores"].to_numpy()
    lengths = curves["n_scales"].to_numpy(dtype=int)
    start, flat = np.cumsum(lengths) - lengths, np.concatenate(scores)
    # nearly always both have the same scales, and then arrays do; the others are cut to what they share, one by one
    same = pd.factorize(np.array([values.tobytes() for values in scales], dtype=object))[0]
    equal = same[a] == same[b]
    for n_scales in np.unique(lengths[a[equal]]):
        pairs = np.flatnonzero(equal & (lengths[a] == n_scales))
        points = np.arange(n_scales)
        yield pairs, *(sign[side[pairs], None] * flat[start[side[pairs], None] + points] for side in (a, b))
    unequal = {}
    for pair in np.flatnonzero(~equal):
        _, of_a, of_b = np.intersect1d(scales[a[pair]], scales[b[pair]], assume_unique=True, return_indices=True)
        cut = (sign[a[pair]] * scores[a[pair]][of_a], sign[b[pair]] * scores[b[pair]][of_b])
        if len(of_a):
            unequal.setdefault(len(of_a), []).append((pair, *cut))
    for cuts in unequal.values():
        pairs, y_a, y_b = zip(*cuts, strict=True)
        yield np.array(pairs), np.stack(y_a), np.stack(y_b)
