"""Measured emergence scores against true ones."""

import numpy as np
from matplotlib import pyplot as plt

from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    return {"known_truth": known_truth(given.table("known_truth"), given.catalogue)}


def known_truth(table, catalogue):
    """One point per curve, measured |E| against true |E|, by the kind of the metric."""
    data = table.assign(
        kind=table["metric"].map(catalogue["kind"]),
        is_limited=table["emergence_score"].isna() & table["emergence_score_resolved"].notna(),
        drawn=np.abs(table["emergence_score"].fillna(table["emergence_score_resolved"])),
        truth=np.abs(table["true_emergence_score"]),
    )
    data = data[(data["drawn"] > 0) & (data["truth"] > 0)].reset_index(drop=True)
    if data.empty:
        return drawing.notice("No curve has both a measured and a true emergence score."), data
    figure, axes = plt.subplots(figsize=(drawing.WIDTH, 0.6 * drawing.WIDTH))
    # metrics of two kinds can have one value: the larger circles lie behind
    for size, (kind, color) in zip((8, 6.5, 5, 3.5), reversed(drawing.KIND_COLORS.items()), strict=True):
        for is_limited, face in ((False, color), (True, "none")):
            rows = data[(data["kind"] == kind) & (data["is_limited"] == is_limited)]
            label = ("metric of unknown kind" if kind == "unknown" else f"{kind} metric") + (", limited" if is_limited else "")
            if len(rows):
                axes.plot(rows["truth"], rows["drawn"], "o", ms=size, mec=color, mfc=face, label=label)
    ends = np.array([min(data["truth"].min(), data["drawn"].min()), max(data["truth"].max(), data["drawn"].max())])
    axes.plot(ends, ends, color="0.3", ls="--", lw=1, zorder=0)
    for axis in (axes.xaxis, axes.yaxis):
        drawing.log_axis(axis, np.geomspace(*ends, 20), drawing.brief)
    axes.set_xlabel("true |E|")
    axes.set_ylabel("measured |E|")
    figure.legend(loc="outside upper left", ncols=2)
    return figure, data
