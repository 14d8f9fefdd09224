"""Test examples that there are against those that it takes."""

import matplotlib.pyplot as plt

from emergence.questions import drawing


def draw(given):
    """See emergence.questions."""
    return {"resolution": resolution(given.table("examples_needed"))}


def resolution(examples_needed):
    """Available test examples against those needed to tell each curve's smaller scales from guessing."""
    known = examples_needed[(examples_needed["status"] == "ok") & examples_needed["examples_at_hand"].notna()]
    if known.empty:
        reason = "No curve has a known number of test examples, a known chance-level score, and smaller scales above it."
        return drawing.notice(reason), known
    short_of = known["examples_needed"] > known["examples_at_hand"]
    figure, axes = plt.subplots(figsize=(4.6, 3.4))
    sized = 3 if len(known) > drawing.MOST_POINTS else 5
    for number, (chosen, label) in enumerate(((~short_of, "curves with enough"), (short_of, "with too few"))):
        x, y = known.loc[chosen, "examples_at_hand"], known.loc[chosen, "examples_needed"]
        axes.plot(
            x,
            y,
            drawing.MARKERS[number],
            ms=sized,
            color=drawing.COLORS[number * 3],
            alpha=0.7,
            label=f"{label}: {int(chosen.sum()):,}",
            rasterized=len(known) > drawing.MOST_POINTS,
        )
    ends = [
        known[["examples_at_hand", "examples_needed"]].min(axis=None),
        known[["examples_at_hand", "examples_needed"]].max(axis=None),
    ]
    axes.plot(ends, ends, color="0.5", ls="--", lw=1)
    drawing.log_axis(axes.xaxis, known["examples_at_hand"], drawing.scale_name)
    drawing.log_axis(axes.yaxis, known["examples_needed"], drawing.scale_name)
    axes.set_xlabel("available test examples")
    axes.set_ylabel("test examples needed")
    figure.legend(loc="outside upper center", ncols=2)
    columns = ["task", "subtask", "metric", "model_family", "shots", "small_performance", "examples_needed", "examples_at_hand"]
    return figure, known[columns]
