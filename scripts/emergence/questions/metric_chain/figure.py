"""Rank correlation of single examples with scale at each link, one line per curve."""

from matplotlib import pyplot as plt

from emergence.questions import drawing
from emergence.questions.metric_chain.tables import SERIES

MOST = 40


def draw(given):
    """See emergence.questions."""
    return {"metric_chain": by_link(given.table("metric_chain"), given.table("metric_chain_by_link"))}


def by_link(chain, summary):
    """Draw mean correlations with scale by link for the kind of outputs with most links, and their median over curves."""
    if chain.empty:
        return drawing.notice(
            "No family of this benchmark has outputs at four scales or more, which rank correlations need."
        ), chain
    kind = summary.sort_values(["order", "n_curves"], ascending=False, kind="stable")["kind"].iloc[0]
    shown = chain[chain["kind"] == kind].reset_index(drop=True)
    links = summary[summary["kind"] == kind]
    figure, axes = plt.subplots(figsize=(5.6, 3.4))
    for number, (_, curve) in enumerate(shown.groupby(SERIES, dropna=False, sort=True)):
        if number < MOST:
            axes.plot(curve["order"], curve["correlation"], color=drawing.COLORS[7], lw=0.8, alpha=0.7)
    axes.plot(links["order"], links["median_correlation"], "o-", color=drawing.COLORS[0], lw=2, ms=5, label="median over curves")
    axes.axhline(0, color="0.5", ls="--", lw=1, zorder=0)
    axes.set_xticks(links["order"], [link.replace(" among", "\namong").replace(" score", "\nscore") for link in links["link"]])
    axes.set_ylim(min(-0.05, 1.05 * shown["correlation"].min()), 1.05)
    axes.set_ylabel("rank correlation with scale\n(mean over examples)")
    figure.legend(loc="outside upper right")
    return figure, shown
