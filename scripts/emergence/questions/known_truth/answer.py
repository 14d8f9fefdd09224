"""Whether the workflow finds what is known to be true, in words."""

import numpy as np

from emergence.questions.answers import Answer, percent, plural


def answer(given):
    """See emergence.questions."""
    return [on_known_truth(given.table("known_truth"))]


def on_known_truth(table):
    """Are the measured emergence scores those of the model that the outputs were drawn from?"""
    question = "Does the workflow find what is known to be true?"
    both = table.dropna(subset=["emergence_score", "true_emergence_score"])
    both = both[both["true_emergence_score"] != 0]
    if both.empty:
        reason = "no curve has both a measured and a true emergence score"
        return Answer(question, f"This cannot be answered: {reason}.", reason)
    ratio = (both["emergence_score"] / both["true_emergence_score"]).to_numpy()
    off = np.abs(ratio - 1)
    near = f"half of the measured emergence scores are within {percent(np.median(off))} of the truth"
    text = f"On {plural(len(both), 'curve')}, {near}. The ratio of measured to true runs from {ratio.min():.2g} to {ratio.max():.2g}."
    n_missing = int(table["emergence_score"].isna().sum())
    if n_missing:
        text += (
            f" {plural(n_missing, 'curve has', 'curves have')} no finite score: half of the steps are smaller than one test example."
            " The resolution-limited score used instead is the number of examples times the range."
        )
    return Answer(question, text, near)
