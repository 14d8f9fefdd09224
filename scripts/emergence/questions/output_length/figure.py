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
        look = {"color": drawing.COLORS[number], "marker": drawing.MARKERS[number], "ms": 4}
        left.plot(shown["scale"], shown[column], label=label, **look)
    for number, column in enumerate(OPERATIONS):
        look = {"color": drawing.COLORS[number + 2], "marker": drawing.MARKERS[number], "ms": 4}
        right.plot(shown["scale"], shown[column], label=column, **look)
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
