"""Length of outputs and edit operations along scale, where length changes most."""

from matplotlib import pyplot as plt

from emergence.questions import drawing

SERIES = ["task", "subtask", "model_family", "shots", "filter"]
OPERATIONS = ("substitutions", "insertions", "deletions")


def draw(given):
    """See emergence.questions."""
    return {"output_length": lengths(given.table("output_length"), given.block["tokens"], given.block["scale_label"])}


def lengths(table, tokens, scale_label):
    """Draw, for the family whose length of outputs changes most with scale, lengths at the left and edit operations at the right."""
    if table.empty:
        return drawing.notice("No output of this benchmark is a text, so no length is known."), table
    family = table.groupby(SERIES, dropna=False, sort=True).ngroup()
    lengths_of = table.groupby(family)["answer_length"]
    chosen = (lengths_of.max() - lengths_of.min()).idxmax()
    shown = table[family == chosen].sort_values("scale", kind="stable").reset_index(drop=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(drawing.WIDTH, 3))
    for number, (column, label) in enumerate((("answer_length", "answer"), ("target_length", "target"))):
        _along(left, shown, column, label, drawing.COLORS[number], drawing.MARKERS[number])
    for number, column in enumerate(OPERATIONS):
        _along(right, shown, column, column, drawing.COLORS[number + 2], drawing.MARKERS[number])
    unit = tokens if tokens in ("characters", "words", "digits") else "tokens"
    left.set_ylabel(f"mean length ({unit})")
    right.set_ylabel(f"mean edit operations ({unit})")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        drawing.scale_ticks(axes)
        axes.set_xlabel(drawing.fitted(scale_label, 3, 9))
        axes.legend()
    task, subtask, name = shown.iloc[0][["task", "subtask", "model_family"]]
    figure.suptitle(drawing.short(f"{task}{f': {subtask}' if subtask else ''} · {name}", 70), fontsize=9)
    return figure, shown


def _along(axes, shown, column, label, color, marker):
    """Draw every model as a small point, and a line through the mean over the models of each size."""
    mean = shown.groupby("scale")[column].mean()
    axes.plot(mean.index, mean, color=color, marker=marker, ms=4, label=label)
    if len(shown) > len(mean):
        axes.plot(shown["scale"], shown[column], color=color, marker=marker, ms=2.5, ls="", alpha=0.5)
