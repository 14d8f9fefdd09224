"""How many curves of each family are copies of another's."""

from matplotlib import pyplot as plt

from emergence.questions import drawing

MOST = 20


def draw(given):
    """See emergence.questions."""
    return {"repeated_families": copies_by_family(given.table("repeated_families"), given.catalogue)}


def copies_by_family(table, catalogue):
    """Draw the share of the compared curves that are copies, one bar per family, family repeated and metric."""
    shown = table.sort_values("n_copies", ascending=False, kind="stable").head(MOST)
    if shown.empty:
        return drawing.notice("No family of this benchmark repeats the scores of another."), shown
    figure, axes = plt.subplots(figsize=(drawing.WIDTH, 0.9 + 0.34 * len(shown)))
    axes.barh(range(len(shown)), 100 * shown["share"], color=drawing.COLORS[0], height=0.6)
    for row, record in enumerate(shown.itertuples()):
        counts = f"{record.n_copies:,} of {record.n_compared:,}"
        axes.annotate(counts, (100 * record.share, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    labels = shown["metric"].map(catalogue["label"])
    names = shown["model_family"] + " = " + shown["repeats_family"] + ", " + labels
    axes.set_yticks(range(len(shown)), [drawing.short(name, 52) for name in names])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, 118)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_xlabel("curves that are copies (%)")
    return figure, shown
