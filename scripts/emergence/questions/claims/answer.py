"""Which metrics hold the claimed abilities, in words."""

import pandas as pd

from emergence.questions.answers import Answer, listed, p_text, percent, plural


def answer(given):
    """See emergence.questions."""
    return on_claims(given.table("claims_by_metric"), given.table("claims_by_top_metrics"))


def on_claims(by_metric, top_metrics):
    """Which metrics hold the claimed abilities, and is it more than their share of the tasks?"""
    held = by_metric[by_metric["n_claims"] > 0]
    two = top_metrics[top_metrics["n_metrics"] == min(2, len(top_metrics))].iloc[0]
    names = dict(zip(by_metric["metric"], by_metric["label"], strict=True))
    members = listed(names[metric] for metric in two["metrics"].split("|"))
    counts = listed(f"{row.n_claims} on tasks that prefer {row.label}" for row in held.itertuples())
    share = f"{two['n_claims']} of {two['of_claims']} claims ({percent(two['share'])})"
    interval = f"{percent(two['share_low'])} to {percent(two['share_high'])}"
    answers = [
        Answer(
            "Which metrics account for the claimed emergent abilities?",
            f"Of {plural(two['of_claims'], 'claimed emergent ability', 'claimed emergent abilities')}, {counts}. "
            f"{members} together hold {share}; exact interval {interval}.",
            f"{members}: {share}, interval {interval}",
        )
    ]
    question = "Is that more than their share of all tasks?"
    if pd.isna(two["n_tasks"]):
        reason = "This benchmark brings no list of all its tasks with their preferred metrics, so there is no base rate."
        return [*answers, Answer(question, reason, "no list of all tasks, so no base rate")]
    base = f"{two['n_tasks']} of {two['of_tasks']} tasks ({percent(two['task_share'])})"
    if pd.isna(two["odds_ratio"]):
        reason = f"The same metrics are preferred by {base}. All tasks or none are claimed, or prefer them: no odds ratio exists."
        return [*answers, Answer(question, reason, f"base rate {base}; no odds ratio exists")]
    odds = f"{two['odds_ratio']:.2f}"
    bounds = f"{two['odds_ratio_low']:.2f} to {two['odds_ratio_high']:.2f}"
    known = by_metric[by_metric["q_value"].notna()]
    clear = known[known["q_value"] <= 0.05]

    def those(rows, direction):
        words = listed(f"{row.label} (odds ratio {row.odds_ratio:.2f}, q {p_text(row.q_value)})" for row in rows.itertuples())
        return f"{words} {'is' if len(rows) == 1 else 'are'} claimed {direction} often than the base rate"

    singly = [
        those(rows, word)
        for rows, word in ((clear[clear["odds_ratio"] > 1], "more"), (clear[clear["odds_ratio"] < 1], "less"))
        if len(rows)
    ]
    rest = len(known) - len(clear)
    text = (
        f"The same metrics are preferred by {base}, claimed or not. The odds of being claimed are {odds} times those of the "
        f"other tasks (exact interval {bounds}, Fisher's p {p_text(two['p_value'])}; the metrics were picked for their claims, "
        "so this flatters). "
        "One metric at a time, at a false discovery rate of 5 %: " + ("; ".join(singly) or "none departs from its base rate")
    )
    text += f"; for the other {rest} the numbers do not tell." if singly and rest else "."
    return [*answers, Answer(question, text, f"They are {base}; odds ratio {odds} ({bounds}), p {p_text(two['p_value'])}")]
