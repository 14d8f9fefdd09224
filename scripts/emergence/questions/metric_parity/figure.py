"""How many scores of each stored metric are recomputed exactly."""

import numpy as np
from matplotlib import pyplot as plt

from emergence.questions import drawing

MOST = 25
PARTS = (("n_equal", "equal", 0), ("n_different", "different", 3), ("n_not_computed", "not computed here", 7))


def draw(given):
    """See emergence.questions."""
    return {"metric_parity": by_metric(given.table("metric_parity_by_metric"))}


def by_metric(table):
    """Draw one bar per metric: the scores that are equal, different and not computed."""
    if table.empty:
        return drawing.notice("The files of this benchmark store no metric to compare with."), table
    shown = table.sort_values("n_scores", ascending=False, kind="stable").head(MOST)
    figure, axes = plt.subplots(figsize=(5.6, 1 + 0.3 * len(shown)))
    start = np.zeros(len(shown))
    for column, label, color in PARTS:
        width = shown[column].to_numpy(dtype=float)
        axes.barh(range(len(shown)), width, left=start, height=0.6, color=drawing.COLORS[color], label=label)
        start += width
    axes.set_yticks(range(len(shown)), [drawing.short(metric, 36) for metric in shown["metric"]])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlabel("scores (models, subtasks and shots)")
    figure.legend(loc="outside upper center", ncols=3)
    return figure, shown
