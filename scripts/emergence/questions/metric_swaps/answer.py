"""What changing the metric does to the sharpness, in words."""

import pandas as pd

from emergence.questions.answers import Answer, listed, p_text, plural


def answer(given):
    """See emergence.questions."""
    return [on_swaps(given.table("swap_comparisons"), given.catalogue)]


def on_swaps(comparisons, catalogue):
    """Does changing the metric on the same outputs change the sharpness?"""
    question = "Does changing the metric remove it?"
    shown = comparisons[(comparisons["grouping"] == "metric") & comparisons["mean_difference"].notna()]
    if shown.empty:
        reason = "no task has two metrics on the same model outputs with a score under each"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    shown = shown.sort_values(["n_pairs", "name_a", "name_b"], ascending=[False, True, True], kind="stable")
    sentences = [_swap(row, catalogue) for row in shown.itertuples()]
    most = 4
    more = f" The table swap_comparisons.csv has {len(sentences) - most} more pairs of metrics." if len(sentences) > most else ""
    top = shown.iloc[0]
    labels = [catalogue.at[top[side], "label"] for side in ("name_a", "name_b")]
    short = f"{labels[0]} to {labels[1]}: |E| changes by {-top['mean_difference']:+.1f} on average"
    short += f" (interval {-top['mean_high']:+.1f} to {-top['mean_low']:+.1f})" if pd.notna(top["mean_low"]) else ""
    return Answer(question, " ".join(sentences[:most]) + more, f"{short}, {plural(top['n_pairs'], 'pair')} of curves")


def _swap(row, catalogue):
    """One comparison of two metrics as a sentence. The change is from the first metric to the second."""
    label_a, label_b = (catalogue.at[name, "label"] for name in (row.name_a, row.name_b))
    measured = row.n_pairs - row.n_undefined - row.n_infinite
    text = f"From {label_a} to {label_b}, |E| changes by {-row.mean_difference:+.1f} on average over {plural(measured, 'pair')} of curves"
    if pd.notna(row.mean_low):
        text += f" (interval over {plural(row.n_tasks, 'task')}: {-row.mean_high:+.1f} to {-row.mean_low:+.1f})"
    else:
        text += " of one task, so without an interval"
    text += f"; above the threshold under the first only: {row.n_only_a}, the second only: {row.n_only_b}, both: {row.n_both}"
    text += f" (McNemar's p {p_text(row.mcnemar_p)})."
    left_out = [
        f"{count} {words}"
        for count, words in ((row.n_undefined, "have too few scales"), (row.n_infinite, "have no finite E under one of them"))
        if count
    ]
    return text + (f" Of the other pairs, {listed(left_out)}." if left_out else "")
