"""The odds of being claimed, over all tasks and over comparable ones."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D

from emergence.questions import drawing

# An odds ratio of 0 or infinity has no place on a logarithmic axis: it is drawn as an arrow at the edge.
EDGES = (0.02, 50)


def draw(given):
    """See emergence.questions."""
    return {"base_rates": base_rates(given.table("base_rates"), given.catalogue)}


def base_rates(table, catalogue):
    """Draw, one row per comparison, the share of claims and of tasks that prefer the metrics, and the odds ratio."""
    shown = table[table["of_claims"] > 0]
    if shown.empty:
        sentence = "This benchmark has no list of all its tasks, so there is no base rate to set the claims against."
        return drawing.notice(sentence), shown
    figure, (left, right) = plt.subplots(1, 2, figsize=(drawing.WIDTH, 1.3 + 0.36 * len(shown)), sharey=True)
    rows = np.arange(len(shown))
    claimed, base = 100 * shown["n_claims"] / shown["of_claims"], 100 * shown["task_share"]
    left.hlines(rows, base, claimed, color="0.75", lw=2, zorder=1)
    left.plot(base, rows, "s", ms=6, color=drawing.COLORS[7], label="of the tasks", zorder=2)
    left.plot(claimed, rows, "o", ms=6, color=drawing.COLORS[0], label="of the claims", zorder=3)
    left.set_xlim(-2, 102)
    left.set_xlabel("share that prefers the metrics (%)")
    labels = []
    for row in shown.itertuples():
        names = " + ".join(catalogue["label"].get(metric, metric) for metric in row.metrics.split("|"))
        labels.append(f"{drawing.short(row.comparison, 34)} ({row.of_tasks:,})\n{drawing.short(names, 46)}")
    left.set_yticks(rows, labels, fontsize=7.5)
    for label, leads in zip(left.get_yticklabels(), shown["leads"], strict=True):
        label.set_fontweight("bold" if leads else "normal")
    left.set_ylim(len(shown) - 0.5, -0.5)
    columns = (shown[name].astype(float).clip(*EDGES) for name in ("odds_ratio", "odds_ratio_low", "odds_ratio_high"))
    for row, (x, start, end) in enumerate(zip(*columns, strict=True)):
        if np.isfinite(x):
            color = drawing.COLORS[0] if start > 1 or end < 1 else "0.55"
            right.plot([start, end], [row, row], color=color, lw=1.4)
            right.plot(x, row, "<" if x == EDGES[0] else ">" if x == EDGES[1] else "o", ms=6, color=color)
    right.axvline(1, color="0.3", lw=1, ls="--", zorder=0)
    right.set_xscale("log")
    right.set_xlim(EDGES[0] * 0.85, EDGES[1] * 1.15)
    right.set_xticks([0.02, 0.1, 0.5, 1, 2, 10, 50], ["0", "0.1", "0.5", "1", "2", "10", "50"])
    right.minorticks_off()
    right.set_xlabel("odds ratio of being claimed")
    left.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    looks = ((drawing.COLORS[0], "interval excludes 1"), ("0.55", "includes 1"))
    handles = [Line2D([], [], color=color, marker="o", label=label) for color, label in looks]
    right.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure, shown
