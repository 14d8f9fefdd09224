"""Errors of each predictor on the hidden largest scales."""

import matplotlib.pyplot as plt
import numpy as np

from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    return {"predictability": predictability(given.table("predictability"), given.catalogue)}


def predictability(summary, catalogue, most=14):
    """Median error of each predictor on the hidden largest scales, in units of noise, by kind of metric and by metric."""
    shown = summary[summary["median_absolute_z"].notna()]
    if shown.empty:
        return drawing.notice("No curve has scales enough to hide some and predict them from the rest."), shown
    order = shown.groupby(["grouping", "name"], sort=False)["n_curves"].first()
    rows = {key: row for row, key in enumerate(list(order.index)[:most])}
    figure, axes = plt.subplots(figsize=(drawing.WIDTH, 1.3 + 0.34 * len(rows)))
    for number, (predictor, label) in enumerate(
        (("smooth", "smooth curve"), ("line", "straight line"), ("no_change", "no change"))
    ):
        part = shown[shown["predictor"] == predictor]
        keys = zip(part["grouping"], part["name"], strict=True)
        points = [(z, rows[key]) for key, z in zip(keys, part["median_absolute_z"], strict=True) if key in rows]
        if points:
            x, y = np.array(points).T
            axes.plot(x, y + 0.2 * (number - 1), drawing.MARKERS[number], ms=5, color=drawing.COLORS[number], label=label)
    axes.axvline(np.sqrt(2 / np.pi), color="0.5", ls="--", lw=1, label="perfect prediction")
    drawn = shown.loc[[key in rows for key in zip(shown["grouping"], shown["name"], strict=True)], "median_absolute_z"]
    drawing.log_axis(axes.xaxis, [*drawn[drawn > 0], np.sqrt(2 / np.pi)])
    largest = shown.groupby(["grouping", "name"], sort=False)["median_absolute_z"].max()
    for key, row in rows.items():
        if largest[key] == 0:
            # a logarithmic axis has no place for it
            axes.annotate("0 by each", (0.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.set_xlabel("median error on hidden scales (in standard deviations of the noise)")
    # those that are compared without known noise have no error to draw
    defined = shown.groupby(["grouping", "name"], sort=False)[["n_compared", "n_without_noise"]].first()
    counts = {key: int(defined.at[key, "n_compared"] - defined.at[key, "n_without_noise"]) for key in rows}

    def name(grouping, label):
        if grouping == "all":
            return "all curves"
        if grouping == "short":
            return "too short for a smooth curve"
        if grouping == "kind":
            return "metrics of unknown kind" if label == "unknown" else f"{label} metrics"
        return catalogue["label"].get(label, label)

    axes.set_yticks(list(rows.values()), [f"{drawing.short(name(*key), 34)} (n = {counts[key]:,})" for key in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    figure.legend(loc="outside upper right", ncols=4)
    return figure, shown
