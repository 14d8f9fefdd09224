"""Whether the largest models were foreseeable, in words."""

from pathlib import Path

import pandas as pd

from emergence.questions.answers import Answer, listed, percent, plural

PREDICTORS = {"smooth": "a smooth curve", "line": "a straight line in log scale", "no_change": "no change"}
# What others found when they predicted larger models from smaller ones.
MARKS = Path(__file__).with_name("published_marks.csv")


def answer(given):
    """See emergence.questions."""
    return [on_predictability(given.table("predictability"), pd.read_csv(MARKS))]


def on_predictability(predictability, marks):
    """Could the largest models have been foreseen from the smaller ones?"""
    question = "Were the largest models predictable?"
    every = predictability[predictability["grouping"] == "all"].set_index("predictor") if len(predictability) else predictability
    if every.empty or (every["n_curves"] == every["n_undefined"]).all():
        reason = "no curve has enough scales to hide the largest and predict them from the rest"
        return Answer(question, f"Not answered: {reason}.", reason)
    predicted = every["n_curves"] - every["n_undefined"]
    counts = listed(f"{predicted[name]:,} by {PREDICTORS[name]}" for name in PREDICTORS)
    text = [
        f"The largest third of the scales is hidden. Of {plural(every['n_curves'].iloc[0], 'curve')}, {counts} can be predicted."
    ]
    shorts = []
    points = every["median_error_points"].dropna()
    if len(points):
        errors = listed(f"{points[name]:.1f} by {PREDICTORS[name]}" for name in PREDICTORS if name in points)
        text.append(f"The error is {errors}, in points (hundredths of the range of the metric; median over curves).")
        text.append(published(marks))
        best = points.idxmin()
        shorts.append(f"median error {points[best]:.1f} points by {PREDICTORS[best]}")
    noise = every["median_absolute_z"].dropna()
    if len(noise):
        errors = listed(f"{PREDICTORS[name]} errs by {noise[name]:.1f}" for name in PREDICTORS if name in noise)
        text.append(f"In standard deviations of the noise, {errors} (median; a perfect prediction errs by 0.8).")
        shorts.append(f"{noise.min():.1f} standard deviations of the noise by {PREDICTORS[noise.idxmin()]} (0.8 is perfect)")
    smooth = every.loc["smooth"]
    if pd.notna(smooth["share_within_interval"]):
        text.append(
            f"{percent(smooth['share_within_interval'])} of the hidden scores lie within two standard deviations of the smooth "
            f"prediction's own uncertainty, and the scores of {percent(smooth['share_higher'])} of the curves were higher than predicted."
        )
    without = int(every["n_without_noise"].max())
    if without:
        text.append(f"For {plural(without, 'curve')} the noise is not known well enough to say how large the error is beside it.")
    return Answer(question, " ".join(text), "; ".join(shorts))


def published(marks):
    """What others report, as a sentence."""
    errors, counts = marks[marks["unit"] == "points"], marks[marks["of"].notna()]
    parts = [
        f"{source}: " + listed(f"{row.value:g} points as {row.quantity} {ahead(row.decades_ahead)}" for row in own.itertuples())
        for source, own in errors.groupby("source", sort=False)
    ]
    parts += [f"{row.source}: {row.value:g} of {row.of:g} {row.quantity}" for row in counts.itertuples()]
    return f"Published marks to set beside this: {'; '.join(parts)}."


def ahead(decades):
    """How far ahead a prediction was made, in words."""
    return "one order of magnitude ahead" if decades == 1 else f"{decades:g} orders of magnitude ahead"
