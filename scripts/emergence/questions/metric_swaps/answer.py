"""What changing the metric does to the sharpness, in words."""

import pandas as pd

from emergence.questions.answers import Answer, listed, p_text, plural

QUESTION = "Does the jump disappear under another metric?"
MOST = 2


def answer(given):
    """See emergence.questions."""
    threshold = given.study["emergence"]["relative_threshold"]
    return [on_swaps(given.table("swap_comparisons"), given.catalogue, threshold)]


def on_swaps(comparisons, catalogue, relative_threshold):
    """The comparisons of metrics in words, those that the paper is about first."""
    every = comparisons[comparisons["grouping"] == "metric"]
    compared = every[every["n_compared"] > 0] if len(every) else every
    if compared.empty:
        reason = "no task has two metrics on the same model outputs"
        sentences = [f"This cannot be answered: {reason}."]
        if len(every):
            reason = f"none of {plural(int(every['n_pairs'].sum()), 'pair')} of curves can be compared"
            sentences = [f"This cannot be answered: {reason}.", *_left_out(every["n_functions"].sum(), every["n_left_out"].sum())]
        sentences.append(
            "A continuous metric on the same outputs, such as a Brier score or a log-likelihood, would make it possible."
        )
        return Answer(QUESTION, " ".join(sentences), reason, cell="no pair of metrics")
    contrast = compared[compared["contrast"].astype(bool)]
    sentences = [f"Steep means a relative |E| of {relative_threshold:g} or more, up or down, within what the scores can show."]
    if contrast.empty:
        sentences = [
            "No pair goes from a discontinuous or nonlinear metric to a continuous or linear one.",
            "So the question of the paper cannot be asked.",
            "A continuous metric on the same outputs, such as a Brier score or a log-likelihood, would make it possible.",
            *sentences,
        ]
    for row in compared.head(MOST).itertuples():
        sentences += _comparison(row, catalogue)
    if len(compared) > MOST:
        sentences.append(f"The table has {len(compared) - MOST:,} more pairs of metrics.")
    top = compared.iloc[0]
    labels = [catalogue.at[top[side], "label"] for side in ("name_a", "name_b")]
    short = f"{labels[0]} to {labels[1]}: steep under the first only {top['n_only_a']}, the second only {top['n_only_b']}, both {top['n_both']}"
    short += f" of {plural(top['n_compared'], 'pair')}"
    if pd.notna(top["ratio_low"]):
        short += f"; ratio of |E| {top['ratio']:.2f} ({top['ratio_low']:.2f} to {top['ratio_high']:.2f})"
    return Answer(QUESTION, " ".join(sentences), short, cell=_cell(contrast))


def _cell(contrast):
    """How many curves are steep under the first metric only, of those that are steep under it, and the same in reverse."""
    if contrast.empty:
        return "no continuous metric"
    top = contrast.iloc[0]
    if top["n_neither"] == top["n_compared"]:
        return "0 steep"
    text = f"{top['n_only_a']:,}/{top['n_only_a'] + top['n_both']:,}; {top['n_only_b']:,}/{top['n_only_b'] + top['n_both']:,}"
    return text + (f" ({p_text(top['mcnemar_p']).removeprefix('= ')})" if pd.notna(top["mcnemar_p"]) else "")


def _comparison(row, catalogue):
    """One comparison of two metrics: a list of sentences."""
    label_a, label_b = (catalogue.at[name, "label"] for name in (row.name_a, row.name_b))
    text = [
        f"{label_a} and {label_b} are compared on {plural(row.n_compared, 'pair')} of curves of {plural(row.n_tasks, 'task')}."
    ]
    if row.n_compared == row.n_neither:
        text.append("No curve is steep under either.")
    else:
        test = f" (McNemar's p {p_text(row.mcnemar_p)})" if pd.notna(row.mcnemar_p) else ""
        text.append(
            f"Steep under the first only: {row.n_only_a}; under the second only: {row.n_only_b}; under both: {row.n_both}{test}."
        )
    if pd.notna(row.ratio):
        interval = (
            f" (interval {row.ratio_low:.2f} to {row.ratio_high:.2f}, sign-flip p {p_text(row.sign_flip_p)})"
            if pd.notna(row.ratio_low)
            else " (one task, so no interval)"
        )
        text.append(f"|E| under the first is {row.ratio:.2f} times that under the second{interval}.")
    return text + _left_out(row.n_functions, row.n_left_out)


def _left_out(n_functions, n_left_out):
    """Which pairs of curves are not compared: a list of at most one sentence."""
    parts = [
        f"{plural(int(n), 'pair')} {words}"
        for n, words in (
            (n_functions, "of linearly dependent metrics"),
            (n_left_out, "with too few scales, other members or no finite score"),
        )
        if n
    ]
    return [f"Not compared: {listed(parts)}."] if parts else []
