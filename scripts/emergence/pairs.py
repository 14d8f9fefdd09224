"""Pairs of metrics on the same model outputs: what changing the metric, and nothing else, does to a curve."""

import numpy as np
import pandas as pd

from emergence import sharpness

OUTPUTS = ["task", "subtask", "model_family", "shots"]
_ORDER = {"discontinuous": 0, "nonlinear": 1, "linear": 2, "unknown": 3}


def swaps(curves, catalogue):
    """Every pair of metrics on the same task, subtask, model family and shots, with E under each.

    Both are computed on the scales that have both metrics, so that only the metric differs. The first metric of a pair is the one
    that the theory expects to look sharper; see workflow/schemas/tables.yaml, `metric_swaps`.
    """
    keyed = curves[[*OUTPUTS, "metric", "scales", "scores"]].copy()
    keyed["order"] = keyed["metric"].map(catalogue["kind"].map(_ORDER))
    sign = keyed["metric"].map(catalogue["higher_is_better"]).map({True: 1.0, False: -1.0})
    keyed["scores"] = [factor * values for factor, values in zip(sign, keyed["scores"], strict=True)]
    crossed = keyed[keyed.duplicated(OUTPUTS, keep=False)].fillna({"shots": np.iinfo(np.int32).min})
    both = crossed.merge(crossed, on=OUTPUTS, suffixes=("_a", "_b"))
    first = (both["order_a"] < both["order_b"]) | ((both["order_a"] == both["order_b"]) & (both["metric_a"] < both["metric_b"]))
    both = both[first].reset_index(drop=True)
    both["shots"] = both["shots"].replace(np.iinfo(np.int32).min, pd.NA)
    shared = [np.intersect1d(a, b) for a, b in zip(both["scales_a"], both["scales_b"], strict=True)]
    both["n_scales"] = np.array([len(scales) for scales in shared], dtype=int)
    for side in ("a", "b"):
        status = np.full(len(both), sharpness.TOO_FEW_SCALES, dtype=object)
        score = np.full(len(both), np.nan)
        on_shared = [
            values[np.isin(scales, wanted)]
            for values, scales, wanted in zip(both[f"scores_{side}"], both[f"scales_{side}"], shared, strict=True)
        ]
        for n_scales, rows in both.groupby("n_scales").indices.items():
            if n_scales < sharpness.MIN_SCALES:
                continue
            y = np.stack([on_shared[row] for row in rows])
            status[rows] = sharpness.status(y)
            score[rows] = sharpness.emergence_score(y)
        both[f"status_{side}"], both[f"emergence_score_{side}"] = status, score
    columns = [*OUTPUTS, "metric_a", "metric_b", "n_scales"]
    columns += ["emergence_score_a", "emergence_score_b", "status_a", "status_b"]
    return both[columns].sort_values([*OUTPUTS, "metric_a", "metric_b"], ignore_index=True)
