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
        return Answer(QUESTION, f"This cannot be answered: {reason}.", reason, cell="no list of tasks")
    names = dict(zip(by_metric["metric"], by_metric["label"], strict=True))
    first = table[table["leads"]].iloc[0]
    members = listed(names[metric] for metric in first["metrics"].split("|"))
    compared = f"all {first['of_tasks']} tasks" if first["comparison"] == ALL else _with(first)
    base = f"Of {compared}, {first['n_tasks']} prefer {members} ({percent(first['task_share'])})."
    if pd.isna(first["odds_ratio"]):
        reason = "no odds ratio exists: all tasks or none are claimed, or prefer these metrics"
        return Answer(QUESTION, f"{base} N{reason[1:]}.", reason, cell="no odds ratio")
    low, high = first["odds_ratio_low"], first["odds_ratio_high"]
    interval = f"{low:.2f} to {high:.2f}"
    verdict = (
        "These tasks are claimed more often than the others."
        if low > 1
        else "These tasks are claimed less often than the others."
        if high < 1
        else "The data do not show that these tasks are claimed more often than the others."
    )
    sentences = [
        base,
        f"Their odds of being claimed are {first['odds_ratio']:.2f} times those of the others "
        f"(exact interval {interval}, p {p_text(first['p_value'])}).",
        verdict,
    ]
    every = table[(table["comparison"] == ALL) & (table["metrics"] == first["metrics"])].iloc[0]
    if first["comparison"] == ALL:
        sentences.append("No strata are named (key `strata`), so tasks of different kinds are compared with one another.")
    elif pd.notna(every["odds_ratio"]):
        sentences.append(
            f"Over all {every['of_tasks']} tasks the odds ratio is {every['odds_ratio']:.2f} (p {p_text(every['p_value'])}), "
            "but there unlike tasks are compared."
        )
    other = table[table["comparison"] == EACH_OTHER]
    if len(other) and pd.notna(other["odds_ratio"].iloc[0]):
        row = other.iloc[0]
        sentences.append(
            f"{names[row['metrics']]} against the other metric: odds ratio {row['odds_ratio']:.2f} (p {p_text(row['p_value'])})."
        )
    sentences.append("The metrics were chosen because they have the most claims, so the p-values are optimistic.")
    short = f"odds ratio {first['odds_ratio']:.2f} ({interval}), p {p_text(first['p_value'])}, over {compared}"
    cell = f"{first['odds_ratio']:.2f} ({low:.2f} to {high:.3g})"
    return Answer(QUESTION, " ".join(sentences), short, cell=cell)


def _with(row):
    """The tasks of a stratum, as `the 154 tasks with basis = stated`."""
    return f"the {row['of_tasks']} tasks with {row['comparison']}"
