"""Pairs of metrics on the same model outputs: what changing the metric, and nothing else, does to a curve."""

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.io import tables

OUTPUTS = ["task", "subtask", "model_family", "shots"]
_SIDE = ["emergence_score_a", "emergence_score_b", "status_a", "status_b"]
_ORDER = {"discontinuous": 0, "nonlinear": 1, "linear": 2, "unknown": 3}


def swaps(curves, catalogue):
    """Every pair of metrics on the same task, subtask, model family and shots, with E under each.

    Both are computed on the scales that have both metrics, so that only the metric differs. The first metric of a pair is the one
    that the theory expects to look sharper; see workflow/schemas/tables.yaml, `metric_swaps`.
    """
    if curves.empty:
        return pd.DataFrame(columns=[*OUTPUTS, "metric_a", "metric_b", "n_scales", *_SIDE])
    curves = curves.reset_index(drop=True)
    frame = pd.DataFrame(
        {"outputs": tables.key_positions(curves, OUTPUTS), "row": np.arange(len(curves)), "metric": curves["metric"]}
    )
    frame["order"] = frame["metric"].map(catalogue["kind"].map(_ORDER)).to_numpy(dtype=int)
    frame["name"] = tables.key_positions(frame, ["metric"])
    crossed = frame[frame.duplicated("outputs", keep=False)].drop(columns="metric")
    both = crossed.merge(crossed, on="outputs", suffixes=("_a", "_b"))
    first = (both["order_a"] < both["order_b"]) | ((both["order_a"] == both["order_b"]) & (both["name_a"] < both["name_b"]))
    both = both[first].sort_values(["outputs", "name_a", "name_b"])
    a, b = both["row_a"].to_numpy(), both["row_b"].to_numpy()
    table = curves.loc[a, OUTPUTS].reset_index(drop=True)
    names = curves["metric"].to_numpy()
    table["metric_a"], table["metric_b"] = names[a], names[b]
    table["n_scales"] = 0
    table[["emergence_score_a", "emergence_score_b"]] = np.nan
    table[["status_a", "status_b"]] = sharpness.TOO_FEW_SCALES
    for rows, y_a, y_b in _on_shared_scales(curves, catalogue, a, b):
        table.loc[rows, "n_scales"] = y_a.shape[1]
        if y_a.shape[1] >= sharpness.MIN_SCALES:
            for side, y in (("a", y_a), ("b", y_b)):
                table.loc[rows, f"status_{side}"] = sharpness.status(y)
                table.loc[rows, f"emergence_score_{side}"] = sharpness.emergence_score(y)
    return table[[*OUTPUTS, "metric_a", "metric_b", "n_scales", *_SIDE]]


def _on_shared_scales(curves, catalogue, a, b):
    """The scores of pairs of curves at the scales that both have, in batches of equally many.

    a, b: (pairs,) rows of the curves. Yields (positions of the pairs, scores of a, scores of b); scores have the shape
    (pairs, scales) and are oriented. Pairs without a common scale are in no batch.
    """
    sign = np.where(curves["metric"].map(catalogue["higher_is_better"]).to_numpy(dtype=bool), 1.0, -1.0)
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
