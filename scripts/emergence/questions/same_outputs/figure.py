"""D of each curve for the pair of metrics that speaks to the question."""

import numpy as np
from matplotlib import pyplot as plt

from emergence.questions import drawing

MOST = 24


def draw(given):
    """See emergence.questions."""
    return {"same_outputs": differences(given.table("same_outputs"), given.table("same_outputs_by_pair"), given.catalogue)}


def differences(same, by_pair, catalogue):
    """Draw D with its interval, one row per curve, for the first pair of the table; the curves with the largest |D|."""
    usable = by_pair[by_pair["n_defined"] > 0]
    if usable.empty:
        shown = same.head(0).drop(columns="draws")
        return drawing.notice(
            "No two metrics on the same outputs can be compared: that needs four scales and two examples."
        ), shown
    a, b = usable.iloc[0][["metric_a", "metric_b"]]
    shown = same[(same["metric_a"] == a) & (same["metric_b"] == b) & (same["status"] == "ok")].drop(columns="draws")
    order = shown["difference"].abs().sort_values(ascending=False, kind="stable").index[:MOST]
    shown = shown.loc[order].reset_index(drop=True)
    figure, axes = plt.subplots(figsize=(drawing.WIDTH, 1 + 0.28 * len(shown)))
    ends = shown[["low", "high", "difference"]].to_numpy(dtype=float)
    known = ends[np.isfinite(ends)]
    # a decade and more of the axis where no difference is finite
    reach = 1.1 * max(1.0, np.abs(known).max(initial=1.0 if len(known) else 100.0))
    for row, record in enumerate(shown.itertuples()):
        beyond = record.low > 0 or record.high < 0
        color = drawing.COLORS[3] if beyond else drawing.COLORS[7]
        axes.plot(np.clip([record.low, record.high], -reach, reach), [row, row], color=color, lw=1.5)
        if np.isnan(record.difference):
            axes.annotate("both infinite", (0, row), ha="center", va="center", fontsize=7.5, color=color)
        elif np.isinf(record.difference):
            marker, side = (">", 1) if record.difference > 0 else ("<", -1)
            axes.plot(side * reach, row, marker, ms=5, color=color, clip_on=False)
            axes.annotate(
                "∞", (side * reach, row), (-9 * side, 0), textcoords="offset points", ha="center", va="center", fontsize=9
            )
        else:
            axes.plot(record.difference, row, "o", ms=4, color=color)
    axes.axvline(0, color="0.5", ls="--", lw=1, zorder=0)
    axes.set_xscale("symlog", linthresh=10)
    drawing.emergence_axis(axes.xaxis, -reach, reach)
    one_task = shown["task"].nunique() == 1
    names = [_name(record, one_task) for record in shown.itertuples()]
    axes.set_yticks(range(len(shown)), [drawing.short(name, 44) for name in names])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    labels = [drawing.short(catalogue["label"].get(metric, metric), 30) for metric in (a, b)]
    axes.set_xlabel(f"|E| under {labels[0]} minus |E| under {labels[1]}")
    return figure, shown


def _name(record, one_task):
    """A row's name; where all rows are of one task, subtask and family tell them apart."""
    if one_task and record.subtask:
        return f"{record.subtask} · {record.model_family}"
    subtask = f": {record.subtask}" if record.subtask else ""
    return f"{record.task}{subtask} · {record.model_family}"
