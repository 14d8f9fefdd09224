"""How many abilities each verdict falls on, for claimed tasks and for the others."""

import matplotlib.pyplot as plt
import numpy as np

from emergence import statuses
from emergence.questions import drawing
from emergence.statistics.verdicts import VERDICTS

COLORS = {
    statuses.CANNOT_TELL: "0.85",
    statuses.NO_CHANGE: "0.65",
    statuses.GRADUAL: drawing.COLORS[0],
    statuses.WITHIN_NOISE: drawing.COLORS[9],
    statuses.SHARP_UNDECIDED: drawing.COLORS[1],
    statuses.CONSTANT_ANSWERS: drawing.COLORS[5],
    statuses.METRIC: drawing.COLORS[3],
    statuses.SHARP_UNDER_ALL: drawing.COLORS[2],
}
# What is written on these is white.
DARK = {statuses.GRADUAL, statuses.METRIC, statuses.SHARP_UNDER_ALL}
LABELS = {"all": "all", "claimed": "claimed tasks", "not_claimed": "other tasks"}


def draw(given):
    """See emergence.questions."""
    return {"verdicts": verdicts(given.table("verdicts_by_claim"))}


def verdicts(by_claim):
    """One bar per group of abilities, cut into the shares of the verdicts."""
    shown = by_claim[by_claim["of_abilities"] > 0]
    if shown.empty:
        return drawing.notice("There is no curve, so there is no ability to judge."), shown
    groups = [group for group in LABELS if (shown["claims"] == group).any()]
    figure, axes = plt.subplots(figsize=(drawing.WIDTH, 1.4 + 0.45 * len(groups)))
    rows, left = np.arange(len(groups)), np.zeros(len(groups))
    for verdict in VERDICTS:
        counts = shown[shown["verdict"] == verdict].set_index("claims")
        share = 100 * counts["share"].astype(float).reindex(groups).fillna(0).to_numpy()
        if not share.any():
            continue
        axes.barh(rows, share, left=left, height=0.6, color=COLORS[verdict], label=verdict.replace("_", " "))
        ink = "white" if verdict in DARK else "black"
        for row, group in enumerate(groups):
            if share[row] >= 4:
                number = int(counts.at[group, "n_abilities"])
                axes.text(left[row] + share[row] / 2, row, f"{number:,}", ha="center", va="center", fontsize=8, color=ink)
        left += share
    axes.set_yticks(rows, [LABELS[group] for group in groups])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the abilities (%)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return figure, shown
