"""Claims by preferred metric, and against the base rate."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    claims = given.table("claims_by_metric")
    return {"claims_by_metric": claims_by_metric(claims), "base_rates": base_rates(claims)}


def claims_by_metric(claims, most=20):
    """Figures 5B and 5C of the paper: claimed abilities by preferred metric, as counts and as shares with exact intervals."""
    shown = claims[claims["n_claims"] > 0].head(most)
    figure, (left, right) = plt.subplots(1, 2, figsize=(drawing.WIDTH, 0.9 + 0.34 * len(shown)), sharey=True)
    rows = np.arange(len(shown))
    left.barh(rows, shown["n_claims"], color=drawing.COLORS[0], height=0.6)
    for row, count in zip(rows, shown["n_claims"], strict=True):
        left.annotate(f"{count}", (count, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    left.set_xlabel("claimed emergent abilities")
    left.set_yticks(rows, [drawing.short(label) for label in shown["label"]])
    left.set_ylim(len(shown) - 0.5, -0.5)
    share = 100 * shown["share"]
    errors = np.clip(np.stack([share - 100 * shown["share_low"], 100 * shown["share_high"] - share]), 0, None)
    right.errorbar(share, rows, xerr=errors, fmt="o", ms=5, color=drawing.COLORS[0], elinewidth=1.4, capsize=3)
    right.set_xlim(0, 100)
    right.set_xlabel("share of the claims (%)")
    return figure, shown


def base_rates(claims, most=20):
    """What the paper leaves out: each metric's share of the claims against its share of all tasks, and the odds ratio."""
    shown = claims[claims["n_tasks"].notna()].head(most)
    if shown.empty:
        return drawing.notice(
            "This benchmark brings no list of all its tasks, so there is no base rate to set the claims against."
        ), shown
    figure, (left, right) = plt.subplots(1, 2, figsize=(drawing.WIDTH, 1.2 + 0.34 * len(shown)), sharey=True)
    rows = np.arange(len(shown))
    left.hlines(rows, 100 * shown["task_share"], 100 * shown["share"], color="0.75", lw=2, zorder=1)
    left.plot(100 * shown["task_share"], rows, "s", ms=6, color=drawing.COLORS[7], label="of all tasks", zorder=2)
    left.plot(100 * shown["share"], rows, "o", ms=6, color=drawing.COLORS[0], label="of the claims", zorder=3)
    left.set_xlim(-2, 100)
    left.set_xlabel("share that prefers the metric (%)")
    left.set_yticks(rows, [drawing.short(label) for label in shown["label"]])
    left.set_ylim(len(shown) - 0.5, -0.5)
    # an odds ratio of 0 or infinity has no place on a logarithmic axis: it is drawn as an arrow at the edge
    edges = (0.02, 50)
    ratio = shown["odds_ratio"].astype(float).clip(*edges).to_numpy()
    low = shown["odds_ratio_low"].astype(float).clip(*edges).to_numpy()
    high = shown["odds_ratio_high"].astype(float).clip(*edges).to_numpy()
    clear = (shown["q_value"] <= 0.05).fillna(False).to_numpy(dtype=bool)
    for row, (x, start, end, is_clear) in enumerate(zip(ratio, low, high, clear, strict=True)):
        color = drawing.COLORS[0] if is_clear else "0.55"
        right.plot([start, end], [row, row], color=color, lw=1.4)
        right.plot(x, row, "<" if x == edges[0] else ">" if x == edges[1] else "o", ms=6, color=color)
    right.axvline(1, color="0.3", lw=1, ls="--", zorder=0)
    right.set_xscale("log")
    right.set_xlim(edges[0] * 0.85, edges[1] * 1.15)
    right.set_xticks([0.02, 0.1, 0.5, 1, 2, 10, 50], ["0", "0.1", "0.5", "1", "2", "10", "50"])
    right.minorticks_off()
    right.set_xlabel("odds ratio of being claimed")
    left.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    handles = [
        Line2D([], [], color=color, marker="o", label=label)
        for color, label in ((drawing.COLORS[0], "q ≤ 0.05"), ("0.55", "q > 0.05"))
    ]
    right.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure, shown
