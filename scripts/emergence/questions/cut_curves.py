"""One continuous quantity cut in many ways: the curves under some of the cuts, and the emergence score under all of them."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from emergence.questions import drawing

_MOST_PANELS = 4
_MOST_CUTS = 6
_MOST_FAMILIES = 6


def draw(table, cut, cut_label, score_label, scale_label):
    """Panels of curves and of emergence scores, one row of two panels for each task and quantity.

    Parameters
    ----------
    table : DataFrame
        One row per curve and cut, with task, subtask, model_family, scales, scores, the column `cut`, `panel` (heading of the row),
        `drawn` (E under the cut) and `of_whole` (E without a cut). Where some subtask is empty, only those rows are drawn.
    cut : str
        The column that says how the quantity is cut; above 0 or below; its axis is logarithmic where all are above.
    cut_label, score_label, scale_label : str
        Of the axes.

    Returns
    -------
    figure, data
    """
    if len(table) and (table["subtask"] == "").any():
        table = table[table["subtask"] == ""]
    if table.empty:
        return drawing.notice("There is nothing to cut: see the table beside."), table.drop(columns=["scales", "scores"])
    # the panels in which E varies most are the ones to look at
    spread = table["drawn"].abs().groupby(table["panel"]).max().sort_values(ascending=False, kind="stable")
    panels = spread.index[:_MOST_PANELS]
    figure, grid = plt.subplots(len(panels), 2, figsize=(drawing.WIDTH, 0.5 + 2.3 * len(panels)), squeeze=False)
    parts = []
    for (left, right), panel in zip(grid, panels, strict=True):
        rows = table[table["panel"] == panel]
        families = sorted(rows["model_family"].unique())[:_MOST_FAMILIES]
        one = rows[rows["model_family"] == families[0]].drop_duplicates(cut).sort_values(cut)
        parts.append(_draw_curves(left, one, cut, cut_label.split(",")[0]))
        left.set_title(drawing.short(panel, 60), loc="left")
        left.set_xlabel(f"{scale_label} ({drawing.short(families[0], 24)})")
        left.set_ylabel(score_label)
        # a threshold may be a log-probability: its axis runs from 0 downwards
        sign = -1 if rows[cut].max() < 0 else 1
        for number, family in enumerate(families):
            own = rows[rows["model_family"] == family].drop_duplicates(cut).sort_values(cut)
            look = {"color": drawing.COLORS[number], "marker": drawing.MARKERS[number], "ms": 3, "lw": 1}
            right.plot(sign * own[cut], own["drawn"].abs(), **look, label=drawing.short(family, 24))
            right.axhline(abs(own["of_whole"].iat[0]), color=look["color"], ls="--", lw=0.8)
        if (sign * rows[cut]).min() > 0:
            drawing.log_axis(right.xaxis, sign * rows[cut], lambda value, sign=sign: drawing.brief(sign * value))
        sizes = np.abs(np.append(rows["drawn"], rows["of_whole"]).astype(float))
        sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
        if len(sizes):
            drawing.log_axis(right.yaxis, sizes, lambda value: drawing.brief(float(f"{value:.2g}")))
        else:
            right.set_yticks([])
            right.text(0.5, 0.5, "no finite |E|", transform=right.transAxes, ha="center", va="center", fontsize=8, color="0.3")
        n_without = int((~np.isfinite(rows["drawn"].astype(float))).sum())
        if n_without:
            right.set_title(f"without a finite |E|: {n_without:,} of {len(rows):,}", loc="right", fontsize=7)
        right.set_xlabel(cut_label)
        right.set_ylabel("|E|")
        if len(sizes):
            right.legend(fontsize=7)
    return figure, pd.concat(parts, ignore_index=True)


def _draw_curves(axes, one, cut, cut_label):
    """The curves of one family under some of its cuts, with two binomial standard errors; returns them as tidy rows."""
    chosen = one.iloc[np.unique(np.linspace(0, len(one) - 1, min(_MOST_CUTS, len(one))).round().astype(int))]
    parts = []
    for number, row in enumerate(chosen.to_dict("records")):
        scores = np.asarray(row["scores"], dtype=float)
        half = np.full(len(scores), np.nan)
        if "n_examples" in row:
            half = 2 * np.sqrt(scores * (1 - scores) / row["n_examples"])
        look = {"color": drawing.COLORS[number], "marker": drawing.MARKERS[number], "ms": 3, "lw": 1}
        axes.plot(row["scales"], scores, **look, label=drawing.brief(row[cut]))
        if np.isfinite(half).all():
            axes.errorbar(row["scales"], scores, half, fmt="none", ecolor=look["color"], elinewidth=0.8, alpha=0.6)
        key = {name: row[name] for name in ("panel", "model_family", cut)}
        parts.append(pd.DataFrame({**key, "scale": row["scales"], "score": scores, "two_stderr": half}))
    axes.set_xscale("log")
    drawing.scale_ticks(axes)
    axes.legend(fontsize=7, title_fontsize=7, title=cut_label, ncols=2)
    return pd.concat(parts, ignore_index=True)
