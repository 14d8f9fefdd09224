"""What another metric does to the sharpness of the same outputs, in words."""

import numpy as np
import pandas as pd

from emergence.questions.answers import Answer, plural

QUESTION = "Does the same output look sharp under one metric and smooth under another?"


def answer(given):
    """See emergence.questions."""
    return [on_pairs(given.table("same_outputs_by_pair"), given.catalogue)]


def on_pairs(table, catalogue):
    """The answer from the table by pair: the first pairs that speak to the question, or others and that they do not."""
    defined = table[table["n_defined"] > 0]
    if defined.empty:
        reason = "no curve has two metrics, four scales and two examples"
        return Answer(QUESTION, f"This cannot be answered: {reason}.", reason)
    leading = defined[defined["leads"]]
    shown = (leading if len(leading) else defined).head(2)
    sentences = [sentence for row in shown.itertuples() for sentence in _pair(row, catalogue)]
    if leading.empty:
        sentences.insert(
            0, "No discontinuous or nonlinear metric is paired with one of another kind, so these pairs do not decide it."
        )
    top = shown.iloc[0]
    labels = [catalogue["label"].get(top[side], top[side]) for side in ("metric_a", "metric_b")]
    short = (
        f"{labels[0]} against {labels[1]}: sharper under the first in {top['n_sharper_a']} of {plural(top['n_defined'], 'curve')}"
    )
    return Answer(QUESTION, " ".join(sentences), short + f", under the second in {top['n_sharper_b']}")


def _pair(row, catalogue):
    a, b = (catalogue["label"].get(name, name) for name in (row.metric_a, row.metric_b))
    text = [
        f"{a} is compared with {b} on {plural(row.n_defined, 'curve')}.",
        f"The interval of the difference in |E| lies above 0 for {row.n_sharper_a} and below 0 for {row.n_sharper_b}.",
    ]
    interval = ""
    if pd.notna(row.low):
        over = "resampling tasks and examples" if row.drawn == "tasks and examples" else "resampling examples of these tasks"
        interval = f" ({_number(row.low)} to {_number(row.high)}, {over})"
    text.append(f"The median difference is {_number(row.median_difference)}{interval}.")
    if row.n_steps:
        verb = "is" if row.n_steps_beyond_noise == 1 else "are"
        steps = f"{row.n_steps_beyond_noise:,} of {plural(row.n_steps, 'step')} between neighbouring models"
        text.append(f"Under {a}, {steps} {verb} more than noise.")
    if row.n_infinite:
        text.append(f"In {plural(row.n_infinite, 'pair')} half the steps or more are zero under one of the two.")
    return text


def _number(value):
    return f"{value:+.1f}" if np.isfinite(value) else "no bound" if pd.notna(value) else "unknown"
