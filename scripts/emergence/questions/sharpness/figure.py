"""How sharp the curves of each metric are, and the sharpest ones."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from emergence.curves import frames
from emergence.curves.sharpness import MIN_SCALES_COUNTED
from emergence.questions import drawing
from emergence.questions.sharpness.tables import RELATIVE_READINGS


def draw(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    threshold, most = given.study["emergence"]["threshold"], given.study["figures"]["sharpest_curves"]
    return {
        "emergence_by_metric": emergence_by_metric(curves, given.table("emergence_by_metric"), threshold),
        "emergence_thresholds": emergence_thresholds(given.table("emergence_thresholds")),
        "sharpest_curves": sharpest_curves(curves, given.catalogue, given.block["scale_label"], most),
    }


POINTS_EACH = 20


MOST_METRICS = 45


def emergence_by_metric(curves, by_metric, threshold):
    """Distribution of E over the curves of each metric: quartiles, 5 to 95 %, and the curves themselves; Figure 5A of the paper.

    Metrics from the highest E down. Right of the axis: how many curves, and how many have no finite E and so no point.
    """
    scored = curves.dropna(subset="emergence_score")
    if scored.empty:
        return drawing.notice(
            "No curve of this benchmark has an emergence score: each has too few scales, or half its steps are zero."
        ), scored[["metric"]]
    # a metric under which no curve has a finite E, since half the steps are zero, has a row without points
    shown = by_metric[by_metric["max"].notna() | (by_metric["n_zero_median_step"] > 0)].head(MOST_METRICS)
    order = list(shown["metric"])
    figure, axes = plt.subplots(figsize=(drawing.WIDTH, 1.1 + 0.3 * len(order)))
    data = scored.loc[scored["metric"].isin(order), ["metric", "task", "subtask", "model_family", "shots", "emergence_score"]]
    for row, (metric, kind) in enumerate(zip(order, shown["kind"], strict=True)):
        values = data.loc[data["metric"] == metric, "emergence_score"].to_numpy()
        if not len(values):
            continue
        low, first, middle, third, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        color = drawing.KIND_COLORS[kind]
        axes.plot([low, high], [row, row], color=color, lw=1, zorder=2)
        axes.barh(row, third - first, left=first, height=0.5, color=color, alpha=0.35, lw=0, zorder=1)
        axes.plot([middle, middle], [row - 0.25, row + 0.25], color=color, lw=2, zorder=3)
        points = values if len(data) <= drawing.MOST_POINTS else np.sort(values)[-POINTS_EACH:]
        spread = 0.36 * (np.modf(np.arange(len(points)) * 0.61803398875)[0] - 0.5)
        axes.plot(points, row + spread, ".", ms=3, color=color, alpha=0.7, zorder=4)
    axes.set_xscale("symlog", linthresh=10, linscale=1.2)
    lowest, highest = min(1.6 * data["emergence_score"].min(), -1), 1.6 * max(data["emergence_score"].max(), threshold)
    axes.set_xlim(lowest, highest)
    drawing.emergence_axis(axes.xaxis, lowest, highest)
    axes.axvline(threshold, color="0.3", ls="--", lw=1, zorder=0)
    axes.annotate(
        "threshold", (threshold, 1), xycoords=("data", "axes fraction"), ha="right", va="bottom", fontsize=8, color="0.3"
    )
    axes.set_yticks(range(len(order)), [drawing.short(label) for label in shown["label"]])
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_xlabel("emergence score E")
    for row, (_, metric) in enumerate(shown.iterrows()):
        undefined = int(metric["n_zero_median_step"] + metric["n_too_few_scales"])
        text = f"n = {int(metric['n_curves']):,}" + (f" ({undefined:,} without E)" if undefined else "")
        axes.annotate(text, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color="0.3")
    kinds = [kind for kind in drawing.KIND_COLORS if kind in set(shown["kind"])]
    names = {kind: "metric of unknown kind" if kind == "unknown" else f"{kind} metric" for kind in kinds}
    handles = [Line2D([], [], color=drawing.KIND_COLORS[kind], lw=4, alpha=0.6, label=names[kind]) for kind in kinds]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure, data


def emergence_thresholds(over_thresholds):
    """What share of the counted curves reaches each threshold: on E, and on scores relative to a straight line."""
    figure, both = plt.subplots(1, 2, figsize=(drawing.WIDTH, 2.9), sharey=True)
    relative = over_thresholds["reading"].isin(RELATIVE_READINGS)
    labels = ("threshold on E", "threshold relative to a straight line")
    for axes, rows, label in zip(both, (over_thresholds[~relative], over_thresholds[relative]), labels, strict=True):
        for number, (reading, line) in enumerate(rows.groupby("reading", sort=False)):
            look = {"color": drawing.COLORS[number], "marker": drawing.MARKERS[number], "dashes": drawing.DASHES[number]}
            axes.plot(line["threshold"], 100 * line["share"], ms=4, label=reading, **look)
            low, high = (100 * line[end] for end in ("share_low", "share_high"))
            axes.fill_between(line["threshold"], low, high, color=drawing.COLORS[number], alpha=0.12, lw=0)
        axes.set_xscale("log")
        drawing.log_axis(axes.xaxis, rows["threshold"])
        axes.set_xlabel(label)
        axes.legend(title=None)
    both[0].set_ylabel("curves at or above (%)")
    both[0].set_ylim(bottom=0)
    return figure, over_thresholds


def relative_sharpness(curves):
    """Resolution-limited E over that of a straight line, n - 1: 1 for a line, of whatever length.

    For a curve without a known resolution, plain E over n - 1.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns of the table `curves`.

    Returns
    -------
    pandas.Series
        One per curve; NaN where it is not defined.
    """
    resolved = curves.get("relative_emergence_score_resolved")
    if resolved is None:
        resolved = curves["emergence_score_resolved"] / (curves["n_scales"] - 1)
    plain = curves["emergence_score"] / (curves["n_scales"] - 1)
    return resolved.astype(float).fillna(plain.astype(float))


def sharpest_curves(curves, catalogue, scale_label, how_many, of_each_metric=3):
    """Small multiples of the curves with the highest resolution-limited relative E, at most three of a metric.

    Of curves with four scales or more, as in all counts.
    With two standard errors of sampling noise where they are known, and the chance-level score as a dotted line.
    """
    ranked = curves.assign(relative_e=relative_sharpness(curves)).dropna(subset="relative_e")
    ranked = ranked[ranked["n_scales"] >= MIN_SCALES_COUNTED]
    ranked = ranked.sort_values(["relative_e", "task"], ascending=[False, True], kind="stable")
    chosen = ranked.groupby("metric", sort=False).head(of_each_metric).head(how_many)
    if chosen.empty:
        return drawing.notice("No curve of this benchmark has four scales and an emergence score."), chosen[["task"]]
    n_columns = min(3, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    panel = drawing.WIDTH / 3
    width, height = max(panel * n_columns, 3.2), 2 * n_rows + 0.35
    figure, grid = plt.subplots(n_rows, n_columns, figsize=(width, height), squeeze=False, layout="none")
    data = []
    left = 0
    for axes, row in zip(grid.flat, chosen.to_dict("records"), strict=False):
        half = drawing.two_standard_errors(row, catalogue)
        metric = catalogue.loc[row["metric"]]
        drawing.draw_curve(axes, row, half, color=drawing.KIND_COLORS[metric["kind"]], marker="o")
        if pd.notna(row["chance"]):
            axes.axhline(row["chance"], color="0.5", lw=0.8, ls=":")
        room = panel - 0.15
        shots = "" if pd.isna(row["shots"]) else f", {int(row['shots'])}-shot"
        relative_e = f"{row['relative_e']:.1f}" if row["relative_e"] < 1000 else drawing.brief(row["relative_e"])
        # from the left edge of the panel, where the labels of its ticks are, too
        for line, (text, end, size, color) in enumerate(
            (
                (metric["label"], "" if metric["higher_is_better"] else " (reversed)", 7, "0.35"),
                (row["model_family"], f"{shots} · relative E {relative_e}", 7, "0.15"),
                (row["task"] + (f": {row['subtask']}" if row["subtask"] else ""), "", 7.5, "black"),
            )
        ):
            axes.annotate(
                drawing.fitted(text, room - drawing.text_width(end, size), size) + end,
                (0, 1),
                (-24, 4 + 10 * line),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=size,
                color=color,
            )
        axes.tick_params(labelsize=7, pad=2, length=2.5)
        drawing.scale_ticks(axes)
        left = max(left, drawing.score_ticks(axes, 7))
        if not metric["higher_is_better"]:
            axes.invert_yaxis()
        columns = ("task", "subtask", "metric", "model_family", "shots", "emergence_score")
        names = {name: row[name] for name in columns}
        data.append(drawing.tidy_rows(row, half, **names, relative_emergence_score=row["relative_e"], chance=row["chance"]))
    for axes in list(grid.flat)[len(chosen) :]:
        axes.remove()
    left = max(left, 0.28)  # what is written above a panel begins left of it
    drawing.at_position(figure, left=left + 0.08, top=0.5, bottom=0.45, between=left + 0.23, above=0.75)
    figure.supxlabel(drawing.fitted(scale_label, width, 9), fontsize=9, y=0.04 / height)
    return figure, pd.concat(data, ignore_index=True)
