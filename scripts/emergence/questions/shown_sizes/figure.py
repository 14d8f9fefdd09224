"""Which of two metrics is the sharper one, over the choices of sizes."""

import numpy as np
from matplotlib import pyplot as plt

from emergence.questions import drawing

# Pairs of metrics with the most curves.
_MOST_PAIRS = 20


def draw(given):
    """See emergence.questions."""
    return {"shown_sizes": shown_sizes(given.table("shown_sizes_by_pair"), given.catalogue)}


def shown_sizes(by_pair, catalogue):
    """Shares of the subsets in which each metric of a pair is the sharper one, and the range of the ratio."""
    if by_pair.empty:
        return drawing.notice("No two metrics on the same outputs have more than four scales in common."), by_pair
    shown = by_pair.head(_MOST_PAIRS)
    row = np.arange(len(shown))
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(drawing.WIDTH, 1.2 + 0.32 * len(shown)), sharey=True, width_ratios=[1.2, 1]
    )
    first, second = 100 * shown["share_a_sharper"], 100 * shown["share_b_sharper"]
    left.barh(row, first, color=drawing.COLORS[3], height=0.6, label="first metric sharper")
    left.barh(row, 100 - first - second, left=first, color="0.85", height=0.6, label="equally sharp")
    left.barh(row, second, left=100 - second, color=drawing.COLORS[0], height=0.6, label="second metric sharper")
    labels = [[drawing.short(catalogue.at[name, "label"], 34) for name in shown[side]] for side in ("metric_a", "metric_b")]
    counts = shown["n_curves"].to_numpy()
    # one below the other: side by side, only names too short to tell them apart would have room
    left.set_yticks(row, [f"{a}\n{b} (n = {n:,})" for a, b, n in zip(*labels, counts, strict=True)], fontsize=7)
    left.set_ylim(len(shown) - 0.5, -0.5)
    left.set_xlim(0, 100)
    left.set_xlabel("choices of four scales (%)")
    right.hlines(row, shown["ratio_low"], shown["ratio_high"], color="0.5", lw=1.2)
    right.plot(shown["ratio_median"], row, "o", ms=4, color="0.2")
    right.axvline(1, color="0.3", ls="--", lw=1, zorder=0)
    ratios = shown[["ratio_low", "ratio_high"]].to_numpy()
    drawing.log_axis(right.xaxis, np.append(ratios[np.isfinite(ratios)], 1), lambda ratio: drawing.brief(float(f"{ratio:.2g}")))
    right.set_xlabel("|E|, first over second")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure, shown
