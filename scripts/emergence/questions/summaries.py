"""The tests of single curves and scores, put together by metric: small tables, one a question."""

import numpy as np
import pandas as pd

from emergence.curves import frames, sharpness
from emergence.statistics import false_discovery, paired_comparison, power, prediction

KEY = list(frames.KEY)
NULL_MODELS = ("flat", "smooth")
LEVEL = 0.05
ALL = "all"


def with_infinite(score, status):
    """E with a zero median step as infinite: sharper than any finite one, which is how it is counted and ranked."""
    return score.where(status != sharpness.ZERO_MEDIAN_STEP, np.inf)


def only(table, curves):
    """The rows of a table of curves that belong to some curves: what the answers are taken over."""
    # a merge takes unknown numbers of shots as equal
    wanted = table[KEY].merge(curves[KEY].drop_duplicates().assign(wanted=True), on=KEY, how="left")["wanted"]
    return table[wanted.notna().to_numpy()].reset_index(drop=True)


def q_values(curves, null_models):
    """p- and q-values of the curves, in the order of `curves`. Benjamini-Hochberg runs over the curves given."""
    table = curves[[*KEY, "emergence_score"]].reset_index(drop=True)
    tested = only(null_models, curves)
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
    score = with_infinite(curves["emergence_score"], curves["status"]).to_numpy(dtype=float)
    parts = [
        false_discovery.metrics_with_sharp_curves(
            curves["metric"].to_numpy(dtype=object), score, q_values[f"q_{null}"], thresholds, level=rate
        ).assign(null_model=null)
        for null in NULL_MODELS
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(metrics_after=table["metrics_after"].replace("", None))


def predictability_by_group(predictions, catalogue):
    """Prediction errors over all curves, by kind of metric and by metric; see predictability.summarise_by."""
    columns = ["grouping", "name", "predictor", "n_curves", "n_undefined"]
    if predictions.empty:
        return pd.DataFrame(columns=columns)
    groups = predictions.groupby(KEY, dropna=False, sort=False).ngroup()
    table = predictions.assign(curve=groups.to_numpy(), kind=predictions["metric"].astype(str).map(catalogue["kind"]))
    labels = {ALL: pd.Series(ALL, index=table.index), "kind": table["kind"], "metric": table["metric"].astype(str)}
    parts = [
        prediction.summarise_by(table, label.to_numpy()).rename(columns={"label": "name"}).assign(grouping=grouping)
        for grouping, label in labels.items()
    ]
    return pd.concat(parts, ignore_index=True)


def resolution_by_metric(above_chance, examples_needed):
    """How fine the test sets see, a row a metric, `all` first."""
    records = []
    for metric in [ALL, *sorted(set(above_chance["metric"]) | set(examples_needed["metric"]))]:
        scores = above_chance[(above_chance["metric"] == metric) | (metric == ALL)]
        curves = examples_needed[(examples_needed["metric"] == metric) | (metric == ALL)]
        known = curves[(curves["status"] == power.OK) & curves["examples_at_hand"].notna()]
        records.append(
            {
                "metric": metric,
                "n_scores": len(scores),
                "n_tested": int(scores["p_value"].notna().sum()),
                "n_above_chance": int((scores["p_value"] <= LEVEL).sum()),
                "n_curves": len(curves),
                "n_at_or_below_chance": int((curves["status"] == power.AT_OR_BELOW_CHANCE).sum()),
                "n_known": len(known),
                "n_under_resolved": int((known["examples_needed"] > known["examples_at_hand"]).sum()),
                "median_needed": known["examples_needed"].median(),
                "median_at_hand": known["examples_at_hand"].median(),
            }
        )
    return pd.DataFrame(records)


def swap_comparisons(metric_swaps, catalogue, threshold, resamples, seed, level):
    """All swaps of a pair of metrics together, and of a pair of kinds of metric; see swaps.compare_pairs.

    Pairs of one kind are left out of the comparison of kinds: there is nothing to compare.
    """
    table = metric_swaps.copy()
    for side in "ab":
        table[f"emergence_score_{side}"] = with_infinite(table[f"emergence_score_{side}"], table[f"status_{side}"])
        table[f"kind_{side}"] = table[f"metric_{side}"].map(catalogue["kind"])
    parts = []
    for grouping, rows in (("metric", table), ("kind", table[table["kind_a"] != table["kind_b"]])):
        by = [f"{grouping}_a", f"{grouping}_b"]
        compared = paired_comparison.compare_pairs(rows, threshold, resamples=resamples, seed=seed, confidence=level, by=by)
        if len(compared):
            parts.append(compared.rename(columns={by[0]: "name_a", by[1]: "name_b"}).assign(grouping=grouping))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["grouping", "name_a", "name_b", "status"])
