"""What changing the metric does to the sharpness, in words."""

import pandas as pd

from emergence.questions.answers import Answer, listed, p_text, plural

QUESTION = "Does the jump disappear under another metric?"
MOST = 4


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
        if len(every):
            counts = (
                (every["n_functions"].sum(), "have metrics that are functions of one another"),
                (
                    every["n_left_out"].sum(),
                    "have fewer than four scales, other members or no finite score",
                ),
            )
            left = listed(f"{int(n):,} {words}" for n, words in counts if n)
            reason = f"of {plural(int(every['n_pairs'].sum()), 'pair')} of curves, {left}"
        return Answer(QUESTION, f"Cannot be answered: {reason}.", reason)
    contrast = compared[compared["contrast"].astype(bool)]
    sentences = []
    if contrast.empty:
        sentences.append(
            "No pair goes from a discontinuous or nonlinear metric to a continuous or linear one, so the question of the paper cannot be asked."
        )
    sentences += [_comparison(row, catalogue, relative_threshold) for row in compared.head(MOST).itertuples()]
    if len(compared) > MOST:
        sentences.append(f"swap_comparisons.csv has {len(compared) - MOST} more pairs of metrics.")
    top = compared.iloc[0]
    labels = [catalogue.at[top[side], "label"] for side in ("name_a", "name_b")]
    short = f"{labels[0]} to {labels[1]}: sharp under the first only {top['n_only_a']}, the second only {top['n_only_b']}, both {top['n_both']}"
    short += f" of {plural(top['n_compared'], 'pair')}"
    if pd.notna(top["ratio_low"]):
        short += f"; ratio of |E| {top['ratio']:.2f} ({top['ratio_low']:.2f} to {top['ratio_high']:.2f})"
    return Answer(QUESTION, " ".join(sentences), short)


def _comparison(row, catalogue, relative_threshold):
    """One comparison of two metrics."""
    label_a, label_b = (catalogue.at[name, "label"] for name in (row.name_a, row.name_b))
    text = f"{label_a} and {label_b}, {plural(row.n_compared, 'pair')} of curves on {plural(row.n_tasks, 'task')}: "
    if row.n_compared == row.n_neither:
        text += f"no curve is sharp under either (relative E of {relative_threshold:g} or more)"
    else:
        text += f"sharp under the first only {row.n_only_a}, the second only {row.n_only_b}, both {row.n_both}"
        text += f" (McNemar's p {p_text(row.mcnemar_p)})" if pd.notna(row.mcnemar_p) else ""
    if pd.notna(row.ratio):
        text += f"; |E| under the first is {row.ratio:.2f} times that under the second"
        text += (
            f" (interval {row.ratio_low:.2f} to {row.ratio_high:.2f}, sign-flip p {p_text(row.sign_flip_p)})"
            if pd.notna(row.ratio_low)
            else " (one task, so no interval)"
        )
    left_out = []
    if row.n_functions:
        left_out.append(f"{row.n_functions:,} in which one metric is a linear function of the other")
    if row.n_left_out:
        left_out.append(f"{row.n_left_out:,} with fewer than four scales, other members or no finite score")
    return text + (f". Not compared: {listed(left_out)}." if left_out else ".")
