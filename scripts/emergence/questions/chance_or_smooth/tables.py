"""How many curves are sharper than chance, or a smooth curve, explains, before and after control of false discoveries."""

import pandas as pd

from emergence.curves import frames
from emergence.statistics import false_discovery

NULL_MODELS = ("flat", "smooth")
LEVEL = 0.05
ALL = "all"


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    rate = given.study["null_models"]["false_discovery_rate"]
    q = q_values(curves, given.table("null_models"))
    return {
        "q_values": q,
        "discoveries_by_metric": discoveries_by_metric(q, rate),
        "thresholds_after_control": thresholds_after_control(curves, q, given.study["emergence"]["thresholds"], rate),
    }


def q_values(curves, null_models):
    """p- and q-values of the curves, in the order of `curves`. Benjamini-Hochberg runs over the curves given."""
    table = curves[[*frames.KEY, "emergence_score"]].reset_index(drop=True)
    tested = frames.rows_of(null_models, curves)
    for null in NULL_MODELS:
        table[f"p_{null}"] = tested[f"p_{null}"].to_numpy(dtype=float)
        table[f"q_{null}"] = false_discovery.q_values(table[f"p_{null}"])
    return table


def discoveries_by_metric(q_values, rate):
    """Curves sharper than each null model explains, before and after control; a row a null model and metric, `all` first."""
    records = []
    for null in NULL_MODELS:
        p, q = q_values[f"p_{null}"], q_values[f"q_{null}"]
        for metric in [ALL, *sorted(q_values["metric"].unique())]:
            rows = (q_values["metric"] == metric) | (metric == ALL)
            n_tested = int(p[rows].notna().sum())
            records.append(
                {
                    "null_model": null,
                    "metric": metric,
                    "n_curves": int(rows.sum()),
                    "n_tested": n_tested,
                    "n_before": int((p[rows] <= LEVEL).sum()),
                    "expected": LEVEL * n_tested,
                    "n_after": int((q[rows] <= rate).sum()),
                    "smallest_q": q[rows].min(),
                }
            )
    return pd.DataFrame(records)


def thresholds_after_control(curves, q_values, thresholds, rate):
    """Metrics and curves that reach each threshold of |E|, before and after control, under each null model."""
    score = frames.with_infinite(curves["emergence_score"], curves["status"]).to_numpy(dtype=float)
    parts = [
        false_discovery.metrics_with_sharp_curves(
            curves["metric"].to_numpy(dtype=object), score, q_values[f"q_{null}"], thresholds, level=rate
        ).assign(null_model=null)
        for null in NULL_MODELS
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(metrics_after=table["metrics_after"].replace("", None))
