"""Whether the sharpness depends on where the line is drawn, in words."""

import numpy as np

from emergence.outputs.threshold_sweep import SERIES
from emergence.questions.answers import Answer, plural

_MOST = 2


def answer(given):
    """See emergence.questions."""
    return [on_thresholds(given.table("threshold_sweep"))]


def on_thresholds(table):
    """How far does E depend on the threshold under which an example counts as right?"""
    question = "Does it depend on where the line is drawn?"
    whole = table[table["subtask"] == ""] if (table["subtask"] == "").any() else table
    if whole.empty:
        reason = "the outputs come without a continuous value of each example"
        return Answer(question, f"This cannot be answered: {reason}.", reason)
    sentences, ratios = [], []
    for key, rows in whole.groupby([*SERIES, "value"], dropna=False, sort=True):
        size = np.abs(rows["emergence_score_resolved"].to_numpy())
        low, high = int(np.nanargmin(size)), int(np.nanargmax(size))
        soft = abs(rows["emergence_score_of_mean"].iat[0])
        cuts = rows["threshold"].to_numpy()
        ratios.append(size[high] / soft if soft > 0 else np.nan)
        name, family, value = key[0], key[2], key[-1]
        sentences.append(
            f"{name}, {family}: |E| of the {value} itself is {soft:.1f}."
            f" With a threshold it runs from {size[low]:.1f} (at {cuts[low]:g}) to {size[high]:.1f} (at {cuts[high]:g})."
        )
    n = len(sentences)
    rule = "With a threshold, an example counts as right on the better side of it."
    more = f" The table threshold_sweep.parquet has {n - _MOST} more." if n > _MOST else ""
    short = "the value itself does not change with scale"
    if np.isfinite(ratios).any():
        most = np.nanmax(ratios)
        short = f"the choice of the threshold changes |E| up to {most:.{1 if most < 10 else 0}f} times that of the value itself"
    return Answer(question, " ".join([rule, *sentences[:_MOST]]) + more, f"{short} ({plural(n, 'curve')})")
