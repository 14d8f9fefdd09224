"""The same outputs under two metrics."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from emergence.curves import metric_pairs
from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    # a swap may lead to a metric that the other answers leave out
    curves, swaps, compared = (given.table(name) for name in ("curves", "metric_swaps", "swap_comparisons"))
    return {
        "metric_swaps": metric_swaps(curves, swaps, compared, given.catalogue, given.block["scale_label"]),
        "swap_comparisons": swap_comparisons(swaps, compared, given.catalogue),
    }


# On every axis of scores, better is up.
REVERSED = "lower is better; axis reversed"


# Stands for an unknown number of shots where keys are compared: NaN equals nothing, not even itself. -1 is a number that
# BIG-bench does write.
UNKNOWN_SHOTS = -(2**31)


def metric_swaps(curves, swaps, comparisons, catalogue, scale_label, most_tasks=4, most_lines=6):
    """The same outputs under two metrics, in the manner of the paper's Figure 6: one column per task, one row per metric.

    The pair of metrics that leads the answer is drawn, on the tasks where their scores differ most; the table has them all.
    """
    scored = swaps[swaps["status"] == "ok"]
    leading = comparisons[(comparisons["grouping"] == "metric") & comparisons["name_a"].isin(scored["metric_a"])]
    if scored.empty:
        reason = "No task of this benchmark has two metrics on the same model outputs and four scales, so none can be compared."
        return drawing.notice(reason), scored
    metric_a, metric_b = leading.loc[leading["n_compared"] > 0, ["name_a", "name_b"]].iloc[0]
    scored = scored[(scored["metric_a"] == metric_a) & (scored["metric_b"] == metric_b)]
    ratio = np.log1p(metric_pairs.sharpest(scored, "a").abs()) - np.log1p(metric_pairs.sharpest(scored, "b").abs())
    scored = scored.assign(gap=ratio.abs())
    panels = scored.groupby(["task", "subtask"])["gap"].max().sort_values(ascending=False, kind="stable").index[:most_tasks]
    one_task = len(set(panels.get_level_values("task"))) == 1
    width = max(drawing.WIDTH * len(panels) / 4, 4.2)
    figure, grid = plt.subplots(2, len(panels), figsize=(width, 5), sharex="col", squeeze=False, layout="none")
    # one look for each family and number of shots, the same in every panel
    lines = scored.groupby(["model_family", "shots"], dropna=False)["n_scales"].agg(["size", "max"])
    lines = lines.sort_values(["size", "max"], ascending=False, kind="stable").head(most_lines).reset_index()
    lines = _keys(lines, ["model_family", "shots"])
    looks = {
        line: {"color": drawing.COLORS[i], "marker": drawing.MARKERS[i], "dashes": drawing.DASHES[i]}
        for i, line in enumerate(lines)
    }
    data = []
    curves = curves[curves["task"].isin(panels.get_level_values("task")) & curves["metric"].isin([metric_a, metric_b])]
    keyed = dict(zip(_keys(curves, [*metric_pairs.OUTPUTS, "metric"]), curves.to_dict("records"), strict=True))
    for column, (task, subtask) in enumerate(panels):
        chosen = scored[(scored["task"] == task) & (scored["subtask"] == subtask)]
        for side, metric in enumerate((metric_a, metric_b)):
            axes = grid[side, column]
            scores = []
            for key, swap in zip(_keys(chosen, metric_pairs.OUTPUTS), chosen.to_dict("records"), strict=True):
                look = looks.get(key[2:])
                if look is None:
                    continue
                row = keyed[(*key, metric)]
                half = drawing.two_standard_errors(row, catalogue)
                drawing.draw_curve(axes, row, half, **look)
                score = swap["emergence_score_a" if side == 0 else "emergence_score_b"]
                data.append(
                    drawing.tidy_rows(
                        row,
                        half,
                        task=task,
                        subtask=subtask,
                        model_family=key[2],
                        shots=key[3],
                        metric=metric,
                        emergence_score=score,
                    )
                )
                scores.append(score)
            if side == 0:
                room = (width - 0.9) / len(panels) - 0.1
                # where all panels are of one task, its name would only hide what tells them apart
                name = subtask if subtask and one_task else task + (f": {subtask}" if subtask else "")
                axes.set_title(drawing.folded(name, room, 9), pad=16)
            if len(scores) <= 3:
                said = "E = " + ", ".join(map(_score_in_words, scores))
                axes.annotate(
                    said, (0.5, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", ha="center", fontsize=8
                )
    first = others = 0
    for side, metric in enumerate((metric_a, metric_b)):
        shared = _share_rows(grid[side])
        widths = [drawing.score_ticks(axes, 8) for axes in grid[side]]
        first, others = max(first, widths[0]), others if shared else max([others, *widths[1:]])
        upside_down = not catalogue.at[metric, "higher_is_better"]
        for axes in grid[side]:
            if upside_down:
                axes.invert_yaxis()
        label = textwrap.fill(drawing.fitted(catalogue.at[metric, "label"], 2.6, 9), 22)
        grid[side, 0].set_ylabel(label + (f"\n({REVERSED})" if upside_down else ""))
    for axes in grid[1]:
        drawing.scale_ticks(axes)
    n_lines = max(axes.get_ylabel().count("\n") + 1 for axes in grid[:, 0])
    n_title = max(axes.get_title().count("\n") for axes in grid[0])
    top = 0.5 + 0.18 * -(-len(looks) // 3) + 0.15 * n_title
    drawing.at_position(figure, left=first + 0.2 + 0.15 * n_lines, top=top, bottom=0.55, between=others + 0.2, above=0.4)
    figure.supxlabel(drawing.fitted(scale_label, width, 9), fontsize=9, y=0.02)
    names = {line: line[0] + ("" if line[1] == UNKNOWN_SHOTS else f", {int(line[1])}-shot") for line in lines}
    handles = [Line2D([], [], ms=4, label=drawing.short(names[line]), **_line_look(look)) for line, look in looks.items()]
    figure.legend(handles=handles, loc="upper center", ncols=min(len(handles), 3))
    return figure, pd.concat(data, ignore_index=True)


def _share_rows(row):
    """One range of scores for a row of panels, unless some curve would be flattened to less than a fifth of the height.

    Returns whether they share it; then only the first panel has labels.
    """
    ends = np.array([axes.get_ylim() for axes in row])
    low, high = ends[:, 0].min(), ends[:, 1].max()
    shared = (ends[:, 1] - ends[:, 0]).min() >= 0.2 * (high - low)
    for number, axes in enumerate(row):
        if shared:
            axes.set_ylim(low, high)
            axes.tick_params(labelleft=number == 0)
    return shared


def _line_look(look):
    dashes = look["dashes"]
    return {"color": look["color"], "marker": look["marker"], "linestyle": (0, dashes) if dashes else "-"}


def _score_in_words(score):
    """An emergence score in few letters; `none` where half the steps are zero."""
    if np.isnan(score):
        return "none"
    return f"{score:.1f}" if abs(score) < 1000 else drawing.brief(score)


def _keys(frame, columns):
    """Rows of key values that can be compared: an unknown number of shots equals another."""
    return [tuple(UNKNOWN_SHOTS if pd.isna(value) else value for value in row) for row in frame[columns].itertuples(index=False)]


def swap_comparisons(metric_swaps, comparisons, catalogue, most=8):
    """|E| of the same outputs under both metrics of each pair, and the ratio of the two with its interval over tasks."""
    scored = metric_swaps[metric_swaps["status"] == "ok"]
    shown = comparisons[(comparisons["grouping"] == "metric") & comparisons["ratio"].notna()].head(most)
    if scored.empty or shown.empty:
        reason = "No task of this benchmark has two metrics on the same model outputs that can be compared."
        return drawing.notice(reason), shown
    height = max(2.9, 1.2 + 0.4 * len(shown))
    figure, (left, right) = plt.subplots(1, 2, figsize=(drawing.WIDTH, height), width_ratios=(1, 1.1))
    highest = 1.0
    for number, row in enumerate(shown.itertuples()):
        pair = scored[(scored["metric_a"] == row.name_a) & (scored["metric_b"] == row.name_b)]
        a, b = (metric_pairs.sharpest(pair, side).abs() for side in "ab")
        highest = max(highest, a.max(), b.max())
        look = {"color": drawing.COLORS[number % len(drawing.COLORS)], "marker": drawing.MARKERS[number % len(drawing.MARKERS)]}
        many = len(scored) > drawing.MOST_POINTS
        left.plot(a, b, ls="", ms=2 if many else 4, alpha=0.7, rasterized=many, **look)
        right.plot([row.ratio_low, row.ratio_high], [number, number], color=look["color"], lw=1.5)
        right.plot(row.ratio, number, ls="", ms=6, **look)
    left.plot([0, highest], [0, highest], color="0.5", ls="--", lw=1)
    left.set_xscale("symlog", linthresh=5)
    left.set_yscale("symlog", linthresh=5)
    for axis in (left.xaxis, left.yaxis):
        drawing.emergence_axis(axis, 0, 1.1 * highest, linear_to=5)
    left.set_xlabel("|E| under the first metric")
    left.set_ylabel("|E| under the second metric")
    right.axvline(1, color="0.5", ls="--", lw=1, zorder=0)
    names = [
        f"{drawing.short(catalogue.at[row.name_a, 'label'], 32)}\nor {drawing.short(catalogue.at[row.name_b, 'label'], 32)}"
        for row in shown.itertuples()
    ]
    right.set_yticks(range(len(shown)), names, fontsize=7.5)
    right.set_ylim(len(shown) - 0.5, -0.5)
    right.set_xscale("log")
    low, high = shown[["ratio", "ratio_low"]].min(axis=None) / 1.1, shown[["ratio", "ratio_high"]].max(axis=None) * 1.1
    right.set_xlim(min(low, 0.8), max(high, 1.25))
    right.set_xticks(drawing.log_ticks(*right.get_xlim()))
    right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    right.xaxis.set_minor_formatter("")
    right.set_xlabel("|E|, first over second")
    return figure, shown
