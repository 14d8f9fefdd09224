"""The p-values under both null models."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    rate = given.study["null_models"]["false_discovery_rate"]
    q_values, by_metric = given.table("q_values"), given.table("discoveries_by_metric")
    return {"null_models": null_models(q_values, by_metric, given.catalogue, rate)}


def null_models(q_values, by_metric, catalogue, rate, most=14):
    """p-values under the flat and the smooth null model: their distribution, and the share of curves beyond chance by metric."""
    if q_values[["p_flat", "p_smooth"]].isna().all(axis=None):
        return drawing.notice(
            "No curve has a p-value: the simulation is turned off (`draws: 0`), or every curve is too short."
        ), by_metric
    by_metric = by_metric[by_metric["test"].isin(["flat", "smooth"])]
    order = by_metric[(by_metric["metric"] != "all") & (by_metric["n_tested"] > 0)]
    order = order.groupby("metric")["n_tested"].max().sort_values(ascending=False, kind="stable").index[:most]
    figure, (left, right) = plt.subplots(1, 2, figsize=(drawing.WIDTH, max(2.8, 1.3 + 0.3 * len(order))), width_ratios=(1, 1.2))
    rows = {metric: row for row, metric in enumerate(["all", *order])}
    for number, null in enumerate(("flat", "smooth")):
        p = np.sort(q_values[f"p_{null}"].dropna())
        color = drawing.COLORS[number]
        left.step(
            np.append(p, 1),
            np.append(np.arange(1, len(p) + 1) / max(len(p), 1), 1),
            where="post",
            color=color,
            label=f"{null} null model",
        )
        shown = by_metric[(by_metric["test"] == null) & by_metric["metric"].isin(rows) & (by_metric["n_tested"] > 0)]
        at = shown["metric"].map(rows).astype(float) + (number - 0.5) * 0.3
        before, after = 100 * shown["n_before"] / shown["n_tested"], 100 * shown["n_after"] / shown["n_tested"]
        right.hlines(at, after, before, color=color, lw=1, alpha=0.5)
        right.plot(before, at, drawing.MARKERS[number], ms=5, mfc="white", color=color)
        right.plot(after, at, drawing.MARKERS[number], ms=5, color=color)
    left.plot([0, 1], [0, 1], color="0.5", ls="--", lw=1, label="by chance alone")
    left.set_xlabel("p-value")
    left.set_ylabel("share of curves at or below")
    left.legend(loc="lower right")
    right.axvline(5, color="0.5", ls="--", lw=1, zorder=0)
    labels = [drawing.folded(catalogue["label"].get(metric, "all metrics"), 1.7, 8) for metric in rows]
    right.set_yticks(list(rows.values()), labels)
    right.set_ylim(len(rows) - 0.5, -0.5)
    right.set_xlim(left=-2)
    right.set_xlabel("curves sharper than explained (%)")
    handles = [
        Line2D([], [], color="0.3", marker="o", mfc=fill, ls="", label=label)
        for fill, label in (("white", "p ≤ 0.05"), ("0.3", f"q ≤ {rate:g}"))
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure, by_metric
