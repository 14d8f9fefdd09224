"""Whether the largest scales were foreseeable, in words."""

from pathlib import Path

import pandas as pd

from emergence.questions.answers import KNOWN_NOISE, Answer, listed, percent, plural
from emergence.questions.predictability.tables import ALL, SHORT

QUESTION = "Were the largest scales predictable?"
PREDICTORS = {"smooth": "a smooth curve", "line": "a straight line in log scale", "no_change": "no change"}
# Owen pools families and predicts one order of magnitude of training compute ahead; Lourie et al. judge fits to loss, and hide nothing.
MARKS_DIFFER = "The published marks are of other tasks, along training compute or loss, so they give a sense of size only."
# What others found when they predicted larger models from smaller ones.
MARKS = Path(__file__).with_name("published_marks.csv")
MARK_COLUMNS = {
    "source": "published mark",
    "quantity": "what",
    "value": "value",
    "of": "of",
    "unit": "unit",
    "decades_ahead": "orders of magnitude ahead",
}


def answer(given):
    """See emergence.questions."""
    return [on_predictability(given.table("predictability"), pd.read_csv(MARKS))]


def on_predictability(predictability, marks):
    """Could the largest scales have been foreseen from the smaller ones?"""
    groups = {}
    for name in (ALL, SHORT):
        rows = (
            predictability[predictability["grouping"] == name].set_index("predictor") if len(predictability) else predictability
        )
        groups[name] = rows if len(rows) and rows["n_compared"].iloc[0] else None
    every, short = groups[ALL], groups[SHORT]
    leading = short if every is None else every
    if leading is None:
        reason = "no curve has enough scales to hide the largest and predict them from the rest"
        return Answer(QUESTION, f"This cannot be answered: {reason}.", reason, cell="too few scales")
    text = ["The largest third of the scales is hidden and predicted from the rest."]
    n_curves = int(predictability.loc[predictability["grouping"] == ALL, "n_curves"].iloc[0])
    if every is not None:
        n = int(every["n_compared"].iloc[0])
        text.append(f"All three predictors can be compared on {n:,} of {plural(n_curves, 'curve')}.")
        text += _errors(every)
        text += _of_the_smooth_curve(every.loc["smooth"])
    if short is not None:
        n = int(short["n_compared"].iloc[0])
        text.append(f"{plural(n, 'curve has', 'curves have')} too few scales to fit a smooth curve.")
        text += _errors(short)
    without = sum(int(group["n_without_noise"].iloc[0]) for group in (every, short) if group is not None)
    if without:
        text.append(f"For {plural(without, 'curve')} the noise is not known well enough to compare the error with it.")
        text.append(KNOWN_NOISE)
    ahead = leading["median_decades_ahead"].iloc[0]
    text.append(f"The largest hidden scale is {ahead:.1f} orders of magnitude beyond the largest that is seen, in the median.")
    text.append(MARKS_DIFFER)
    shorts, cell = [], "no unit for the error"
    points, noise = leading["median_error_points"].dropna(), leading["median_absolute_z"].dropna()
    if len(points):
        cell = f"{points.min():.1f} points"
        shorts.append(f"median error {points.min():.1f} points by {PREDICTORS[points.idxmin()]}")
    if len(noise):
        cell = f"{noise.min():.1f}"
        shorts.append(f"{noise.min():.1f} standard deviations of the noise by {PREDICTORS[noise.idxmin()]} (0.8 is perfect)")
    if not shorts:
        reason = "the metrics have an open range and their noise is not known, so the error has no unit"
        text.append(f"{reason[0].upper()}{reason[1:]}.")
        shorts = [reason]
    return Answer(QUESTION, " ".join(text), "; ".join(shorts), marks, MARK_COLUMNS, cell)


def _errors(group):
    """The errors of each predictor on the same curves: a list of sentences. group: rows of the table, by predictor."""
    text = []
    points = group["median_error_points"].dropna()
    if len(points):
        text.append(f"The median error is {_by_each(points, '{:.1f}')}.")
        text.append(f"The mean is {_by_each(group['mean_error_points'].dropna(), '{:.1f}')}.")
        text.append("Both are in points, hundredths of the range of the metric.")
    noise = group["median_absolute_z"].dropna()
    if len(noise):
        text.append(f"In standard deviations of the noise: {_by_each(noise, '{:.1f}')}.")
        text.append("A perfect prediction errs by 0.8.")
    return text


def _of_the_smooth_curve(smooth):
    """How often its interval holds the score, and whether scores were higher: a list of sentences. smooth: a row of the table."""
    text = []
    if pd.notna(smooth["share_within_interval"]):
        text.append(
            f"{percent(smooth['share_within_interval'])} of the hidden scores lie within two standard deviations of noise and smooth "
            "prediction together."
        )
    if pd.notna(smooth["share_higher"]):
        text.append(f"{percent(smooth['share_higher'])} of the curves scored higher than the smooth curve predicted.")
    return text


def _by_each(values, form):
    """`4.8 by a smooth curve, 4.7 by a straight line in log scale and 5.2 by no change`."""
    return listed(f"{form.format(values[name])} by {words}" for name, words in PREDICTORS.items() if name in values)
