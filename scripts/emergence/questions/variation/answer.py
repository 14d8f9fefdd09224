"""What the variation in sharpness goes with, in words."""

import pandas as pd

from emergence.questions.answers import Answer, listed, p_text, percent, plural
from emergence.statistics.variation import MIN_TASKS

QUESTION = "What explains the variation in sharpness?"


def answer(given):
    """See emergence.questions."""
    return [on_variation(given.table("variation"))]


def on_variation(variation):
    """How much of the variation in sharpness goes with metric, task and family?"""
    known = variation[variation["status"] == "ok"]
    first = variation.iloc[0]
    n_not_crossed = int(first["n_not_crossed"])
    not_crossed = f"{plural(n_not_crossed, 'curve is', 'curves are')} left out: a metric that is the only one of its task cannot be told from the task."
    if known.empty:
        reasons = {
            "too_few_tasks": f"only {plural(int(first['n_tasks']), 'task is', 'tasks are')} scored by several metrics",
            "confounded": "no task is scored by several metrics",
            "no_curves": "no curve can be counted",
            "nothing_varies": "all curves are equally sharp",
        }
        reason = reasons.get(first["status"], first["status"].replace("_", " "))
        text = [f"No number is given: {reason}."] + [not_crossed] * (n_not_crossed > 0)
        if first["status"] in ("too_few_tasks", "confounded"):
            text.append(f"At least {MIN_TASKS} tasks that several metrics score would make it possible.")
        return Answer(QUESTION, " ".join(text), reason)
    shares = [
        f"{percent(row.share)} goes with the {row.factor.replace('_', ' ')} (interval {percent(row.share_low)} to {percent(row.share_high)}; "
        + (f"p {p_text(row.p_value)}" if pd.notna(row.p_value) else "no p-value: nothing to exchange")
        + f"; by chance alone {percent(row.expected_share)})."
        for row in known.itertuples()
    ]
    others = [
        f"{row.factor.replace('_', ' ')} ({row.status.replace('_', ' ')})"
        for row in variation[variation["status"] != "ok"].itertuples()
    ]
    text = [
        f"{plural(first['n_curves'], 'curve')} of {plural(first['n_tasks'], 'task')} that several metrics score are compared."
    ]
    text += shares + ([f"No share is given for {listed(others)}."] if others else []) + [not_crossed] * (n_not_crossed > 0)
    brief = [f"{percent(row.share)} {row.factor.replace('_', ' ')}" for row in known.itertuples()]
    return Answer(QUESTION, " ".join(text), listed(brief))
