"""Whether the largest scales were foreseeable, in words."""

from pathlib import Path

import pandas as pd

from emergence.questions.answers import Answer, listed, percent, plural

QUESTION = "Were the largest scales predictable?"
PREDICTORS = {"smooth": "a smooth curve", "line": "a straight line in log scale", "no_change": "no change"}
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
    every = predictability[predictability["grouping"] == "all"].set_index("predictor") if len(predictability) else predictability
    if every.empty or (every["n_curves"] == every["n_undefined"]).all():
        reason = "no curve has enough scales to hide the largest and predict them from the rest"
        return Answer(QUESTION, f"This cannot be answered: {reason}.", reason, cell="too few scales")
    predicted = every["n_curves"] - every["n_undefined"]
    text = [
        "The largest third of the scales is hidden and predicted from the rest.",
        f"Of {plural(every['n_curves'].iloc[0], 'curve')}, {_by_each(predicted, '{:,}')} can be predicted.",
    ]
    shorts, cell = [], ""
    points = every["median_error_points"].dropna()
    if len(points):
        text.append(f"The median error is {_by_each(points, '{:.1f}')}.")
        text.append("It is in points, hundredths of the range of the metric.")
        cell = f"{points.min():.1f} points"
        shorts.append(f"median error {points.min():.1f} points by {PREDICTORS[points.idxmin()]}")
    noise = every["median_absolute_z"].dropna()
    if len(noise):
        text.append(f"In standard deviations of the noise: {_by_each(noise, '{:.1f}')}.")
        text.append("A perfect prediction errs by 0.8.")
        shorts.append(f"{noise.min():.1f} standard deviations of the noise by {PREDICTORS[noise.idxmin()]} (0.8 is perfect)")
        cell = f"{noise.min():.1f}"
    smooth = every.loc["smooth"]
    if pd.notna(smooth["share_within_interval"]):
        text.append(
            f"{percent(smooth['share_within_interval'])} of the hidden scores lie within two standard deviations of noise and smooth "
            "prediction together."
        )
    if pd.notna(smooth["share_higher"]):
        text.append(f"{percent(smooth['share_higher'])} of the curves scored higher than the smooth curve predicted.")
    without = int(every["n_without_noise"].max())
    if without:
        text.append(f"For {plural(without, 'curve')} the noise is not known well enough to compare the error with it.")
        text.append("The number of test examples (`n_examples`) or a standard error (`stderr`) would make it possible.")
    return Answer(QUESTION, " ".join(text), "; ".join(shorts), marks, MARK_COLUMNS, cell)


def _by_each(values, form):
    """`4.8 by a smooth curve, 4.7 by a straight line in log scale and 5.2 by no change`."""
    return listed(f"{form.format(values[name])} by {words}" for name, words in PREDICTORS.items() if name in values)
