"""What the variation in sharpness goes with, in words."""

import pandas as pd

from emergence.questions.answers import Answer, listed, p_text, percent, plural


def answer(given):
    """See emergence.questions."""
    return [on_variation(given.table("variation"))]


def on_variation(variation):
    """How much of the variation in sharpness goes with metric, task and family?"""
    question = "What explains the variation in sharpness?"
    known = variation[variation["status"] == "ok"]
    first = variation.iloc[0]
    not_crossed = f"{first['n_not_crossed']:,} curves are left out because their task has one metric only, which cannot be told from the task"
    if known.empty:
        return Answer(
            question, f"No number is given: metric and task are confounded ({not_crossed}).", "metric and task are confounded"
        )
    shares = [
        f"{percent(row.share)} with the {row.factor.replace('_', ' ')}"
        + (f" (p {p_text(row.p_value)})" if pd.notna(row.p_value) else " (no curves to exchange, so no p)")
        for row in known.itertuples()
    ]
    others = [
        f"{row.factor.replace('_', ' ')} ({row.status.replace('_', ' ')})"
        for row in variation[variation["status"] != "ok"].itertuples()
    ]
    text = f"On the {plural(first['n_curves'], 'curve')} of {plural(first['n_tasks'], 'task')} scored by several metrics: {listed(shares)}"
    text += f"; no number for {listed(others)}" if others else ""
    return Answer(question, f"{text}. {not_crossed[0].upper()}{not_crossed[1:]}.", f"{listed(shares)}")
