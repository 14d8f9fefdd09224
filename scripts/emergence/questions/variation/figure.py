"""Shares of the variation in sharpness."""

import matplotlib.pyplot as plt
import numpy as np

from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    return {"variation": variation(given.table("variation"))}


def variation(shares):
    """Share of the variation in sharpness that goes with metric, task and model family, where they are crossed."""
    known = shares[shares["status"] == "ok"]
    if known.empty:
        statuses = shares.drop_duplicates("status")["status"]
        reasons = ", ".join(status.replace("_", " ") for status in statuses)
        return drawing.notice(f"No share of metric, task or model family can be given: {reasons}."), known
    figure, axes = plt.subplots(figsize=(5.2, 1.3 + 0.4 * len(known)))
    rows = np.arange(len(known))
    axes.barh(rows, 100 * known["share"], color=drawing.COLORS[0], height=0.55)
    low, high = (100 * known[end] for end in ("share_low", "share_high"))
    axes.hlines(rows, low, high, color="0.2", lw=1.4)
    axes.plot(100 * known["expected_share"], rows, "|", ms=14, mew=2, color=drawing.COLORS[3], label="by chance alone")
    for row, record in zip(rows, known.itertuples(), strict=True):
        text = "no curves to exchange" if np.isnan(record.p_value) else f"p = {record.p_value:.2g}"
        axes.annotate(
            text,
            (100 * max(record.share, record.share_high), row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.set_yticks(rows, [f"{record.factor.replace('_', ' ')} ({record.n_levels} levels)" for record in known.itertuples()])
    axes.set_ylim(len(known) - 0.5, -0.5)
    axes.set_xlim(0, 115)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_xlabel("share of the variation in sharpness (%)")
    figure.legend(loc="outside upper right")
    return figure, known
