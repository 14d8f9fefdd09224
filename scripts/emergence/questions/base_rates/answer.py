"""Are the metrics that hold the claims preferred more often among claimed tasks than among comparable ones? In words."""

import pandas as pd

from emergence.questions.answers import Answer, listed, p_text, percent
from emergence.questions.base_rates.tables import ALL, EACH_OTHER

QUESTION = "Is that more than their share of comparable tasks?"


def answer(given):
    """See emergence.questions."""
    return [on_base_rates(given.table("base_rates"), given.table("claims_by_metric"))]


def on_base_rates(table, by_metric):
    """What the leading comparison says, then the others."""
    if table.empty:
        reason = "no list of all tasks with their preferred metrics (key `tasks`), so there is no base rate"
        return Answer(QUESTION, f"Cannot be answered: {reason}.", reason)
    names = dict(zip(by_metric["metric"], by_metric["label"], strict=True))
    first = table[table["leads"]].iloc[0]
    members = listed(names[metric] for metric in first["metrics"].split("|"))
    base = f"{first['n_tasks']} of {first['of_tasks']} tasks ({percent(first['task_share'])})"
    where = "of all tasks" if first["comparison"] == ALL else f"of the tasks with {first['comparison']}"
    if pd.isna(first["odds_ratio"]):
        reason = (
            f"{members} are preferred by {base} {where}. All tasks or none are claimed, or prefer them: no odds ratio exists."
        )
        return Answer(QUESTION, reason, f"base rate {base}; no odds ratio exists")
    low, high = first["odds_ratio_low"], first["odds_ratio_high"]
    interval = f"{low:.2f} to {high:.2f}"
    verdict = (
        "They are claimed more often than comparable tasks."
        if low > 1
        else "They are claimed less often than comparable tasks."
        if high < 1
        else "The data do not show that they are claimed more often than comparable tasks."
    )
    sentences = [
        f"{members} are preferred by {base} {where}.",
        f"The odds of being claimed are {first['odds_ratio']:.2f} times those of the others (exact interval {interval}, p {p_text(first['p_value'])}).",
        verdict,
    ]
    every = table[(table["comparison"] == ALL) & (table["metrics"] == first["metrics"])].iloc[0]
    if first["comparison"] == ALL:
        sentences.append("No strata are named (key `strata`), so tasks of different kinds are compared with one another.")
    else:
        sentences.append(
            f"Over all {every['of_tasks']} tasks the odds ratio is {every['odds_ratio']:.2f} (p {p_text(every['p_value'])}), "
            "but there unlike tasks are compared."
        )
    other = table[table["comparison"] == EACH_OTHER]
    if len(other) and pd.notna(other["odds_ratio"].iloc[0]):
        row = other.iloc[0]
        sentences.append(
            f"{names[row['metrics']]} against the other of the two: {row['odds_ratio']:.2f} (p {p_text(row['p_value'])})."
        )
    sentences.append("The metrics were chosen because they have the most claims, so the p-values are optimistic.")
    short = f"odds ratio {first['odds_ratio']:.2f} ({interval}), p {p_text(first['p_value'])}, {where}"
    return Answer(QUESTION, " ".join(sentences), short)
