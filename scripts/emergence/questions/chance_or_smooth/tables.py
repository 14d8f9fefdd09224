"""How many curves change, are sharp, or end in a jump beyond what chance explains, before and after control of false discoveries."""

import pandas as pd

from emergence.curves import frames
from emergence.statistics import curve_tests, false_discovery

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
    """p- and q-values of the curves, in the order of `curves`, over the family of those that are tested together."""
    if curves.empty:
        return curves[list(frames.KEY)].reset_index(drop=True)
    tested = frames.rows_of(null_models, curves)
    family = frames.counted(curves)["in_family"].to_numpy()
    found = curve_tests.p_and_q_values(tested, family).drop(columns="moderated_excess")
    return found.assign(emergence_score=curves["emergence_score"].to_numpy())


def discoveries_by_metric(q_values, rate):
    """What each test finds, before and after control, and the global tests: one row per test and metric, `all` first."""
    if q_values.empty:
        return pd.DataFrame()
    counts = []
    for test in curve_tests.TESTS:
        q = q_values[f"q_{test}"]
        for metric in [ALL, *sorted(q_values["metric"].astype(str).unique())]:
            rows = (q_values["metric"] == metric) | (metric == ALL)
            counts.append(
                {
                    "test": test,
                    "metric": metric,
                    "n_curves": int(rows.sum()),
                    "n_after": int((q[rows] <= rate).sum()),
                    "smallest_q": q[rows].min(),
                }
            )
    overall = false_discovery.global_tests(q_values, curve_tests.TESTS, ALL)
    overall = overall.rename(columns={"n_curves": "n_tested", "n_small": "n_before"})
    table = pd.DataFrame(counts).merge(overall, on=["test", "metric"], how="left", sort=False)
    return table.assign(expected=LEVEL * table["n_tested"])


def thresholds_after_control(curves, q_values, thresholds, rate):
    """Metrics and curves that reach each threshold of |E|, before and after control, under each null model.

    Over the curves that are in counts (frames.counted), as in `emergence_thresholds`: those two tables count the same curves.
    """
    if q_values.empty:
        return pd.DataFrame()
    counted = frames.counted(curves)["in_counts"].to_numpy(dtype=bool)
    metric, score = (curves[column].to_numpy()[counted] for column in ("metric", "emergence_score"))
    parts = [
        false_discovery.metrics_with_sharp_curves(
            metric.astype(object), score, q_values[f"q_{null}"].to_numpy()[counted], thresholds, level=rate
        ).assign(null_model=null)
        for null in NULL_MODELS
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(metrics_after=table["metrics_after"].replace("", None))
