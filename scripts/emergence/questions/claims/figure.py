"""Claims by preferred metric."""

import matplotlib.pyplot as plt
import numpy as np

from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    return {"claims_by_metric": claims_by_metric(given.table("claims_by_metric"))}


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
