"""What is left of the sharp curves once the number of curves looked at is allowed for."""

import numpy as np
import pandas as pd
from scipy import stats


def q_values(p_values):
    """Benjamini-Hochberg q-values over all defined p-values (scipy.stats.false_discovery_control).

    p_values: (m,), NaN where undefined; those are no part of the family. Returns (m,), NaN in the same places.
    """
    p_values = np.asarray(p_values, dtype=float)
    q = np.full(p_values.shape, np.nan)
    defined = ~np.isnan(p_values)
    if defined.any():
        q[defined] = stats.false_discovery_control(p_values[defined], method="bh")
    return q


def metrics_with_sharp_curves(metric, emergence_score, q_value, thresholds, *, level=0.05):
    """How many metrics have a curve at or above each threshold of |E|, before and after false-discovery control.

    metric: (c,) labels. emergence_score: (c,), NaN where undefined; infinite counts as above every threshold. q_value: (c,), NaN
    where undefined. thresholds: (t,) values of |E|. level: false-discovery rate.

    Returns a data frame, one row a threshold: threshold, n_metrics, n_metrics_above, n_metrics_after (with a curve above the
    threshold and q <= level), n_curves, n_curves_above, n_curves_after, n_undefined_score, n_untested_above (above, but without a
    q-value: they cannot survive, and are counted here), metrics_after (names joined by `|`).
    """
    metric = np.asarray(metric, dtype=object)
    sharpness = np.abs(np.asarray(emergence_score, dtype=float))
    q_value = np.asarray(q_value, dtype=float)
    rows = []
    for threshold in thresholds:
        above = sharpness >= threshold
        after = above & (q_value <= level)
        rows.append(
            {
                "threshold": float(threshold),
                "n_metrics": len(set(metric)),
                "n_metrics_above": len(set(metric[above])),
                "n_metrics_after": len(set(metric[after])),
                "n_curves": len(metric),
                "n_curves_above": int(above.sum()),
                "n_curves_after": int(after.sum()),
                "n_undefined_score": int(np.isnan(sharpness).sum()),
                "n_untested_above": int((above & np.isnan(q_value)).sum()),
                "metrics_after": "|".join(sorted(set(metric[after]))),
            }
        )
    return pd.DataFrame(rows)
