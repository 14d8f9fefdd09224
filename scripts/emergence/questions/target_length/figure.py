"""Accuracy and edit distance by target length, beside what independent tokens give (Figures 3 and 4 of the paper)."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from emergence.questions import drawing
from emergence.questions.target_length.tables import CURVE

MOST_MODELS = 8


def draw(given):
    """See emergence.questions."""
    return {"target_length": by_length(given.table("target_length"), given.block["tokens"])}


def by_length(groups, tokens):
    """Draw the curve with most lengths of targets.

    Left: accuracy against p^L and the product over positions. Right: edit distance against L (1 - p).
    """
    if groups.empty:
        return drawing.notice(
            "No output of this benchmark is a text with a target, so lengths of targets say nothing here."
        ), groups
    keys = CURVE
    if groups.groupby(CURVE, dropna=False)["shortest"].nunique().max() == 1:
        # of one length each: subtasks of a task make a curve of several
        keys = [name for name in CURVE if name != "subtask"]
    curve = groups.groupby(keys, dropna=False, sort=True).ngroup()
    found = groups.groupby(curve)[["shortest", "model", "scale"]].nunique()
    # of those with most lengths, one with one model per scale
    chosen = found.assign(repeats=found["model"] / found["scale"]).sort_values(
        ["shortest", "repeats"], ascending=[False, True], kind="stable"
    )
    shown = groups[curve == chosen.index[0]].sort_values(["scale", "shortest"], kind="stable").reset_index(drop=True)
    models = shown.drop_duplicates("model")
    kept = models.iloc[np.unique(np.linspace(0, len(models) - 1, min(len(models), MOST_MODELS)).round().astype(int))]
    has_distance = shown["edit_distance"].notna().any()
    figure, axes = plt.subplots(1, 1 + has_distance, figsize=(drawing.WIDTH if has_distance else 4.4, 3.4), squeeze=False)
    colors = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(kept)))
    # side by side, so that intervals do not hide one another
    shifts = np.linspace(-0.25, 0.25, len(kept)) if len(kept) > 1 else [0.0]
    for color, shift, model, scale in zip(colors, shifts, kept["model"], kept["scale"], strict=True):
        part = shown[shown["model"] == model]
        x = (part["shortest"] + part["longest"]) / 2 + shift
        left = axes[0, 0]
        left.errorbar(
            x,
            part["accuracy"],
            [part["accuracy"] - part["low"], part["high"] - part["accuracy"]],
            fmt="o",
            ms=3.5,
            lw=0.8,
            color=color,
            label=drawing.scale_name(scale),
        )
        # a line through one length is a dash
        dashed = {"ls": "--", "lw": 1, "color": color, "marker": "_" if len(part) == 1 else "", "ms": 7}
        left.plot(x, part["predicted"], **dashed)
        left.plot(x, part["predicted_by_position"], **dashed | {"ls": ":", "marker": dashed["marker"] and "."})
        if has_distance:
            half = [part["edit_distance"] - part["edit_distance_low"], part["edit_distance_high"] - part["edit_distance"]]
            axes[0, 1].errorbar(x, part["edit_distance"], np.nan_to_num(half), fmt="o", ms=3.5, lw=0.8, color=color)
            axes[0, 1].plot(x, part["predicted_edit_distance"], **dashed)
    unit = tokens if tokens in ("characters", "words", "digits") else "tokens"
    axes[0, 0].set_ylabel("accuracy")
    axes[0, 0].set_ylim(-0.03, 1.03)
    if has_distance:
        axes[0, 1].set_ylabel(f"edit distance ({unit})")
        axes[0, 1].set_ylim(bottom=0)
    lengths = np.unique((shown["shortest"] + shown["longest"]) / 2)
    # one length alone has its neighbours on the axis, or points beside it could be taken for other lengths
    margin, ticks = (0.6, lengths) if len(lengths) > 1 else (1.6, lengths + np.arange(-1, 2))
    for panel in axes[0]:
        if len(lengths) > 6:
            panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        else:
            panel.set_xticks(ticks, [drawing.brief(length) for length in ticks])
        panel.set_xlim(lengths[0] - margin, lengths[-1] + margin)
        panel.set_xlabel(f"length of the target ({unit})")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    handles += [Line2D([], [], color="0.3", ls=style, lw=1) for style in ("--", ":")]
    names = ["independent, alike", "independent, by position"]
    figure.legend(handles, [*labels, *names], loc="outside upper center", ncols=5)
    return figure, shown[shown["model"].isin(kept["model"])]
