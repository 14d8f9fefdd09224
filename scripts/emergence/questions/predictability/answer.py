"""Whether the largest models were foreseeable, in words."""

from emergence.questions.answers import Answer, listed, percent

PREDICTORS = {"smooth": "a smooth curve", "line": "a straight line in log scale", "no_change": "no change"}


def answer(given):
    """See emergence.questions."""
    return [on_predictability(given.table("predictability"))]


def on_predictability(predictability):
    """Could the largest models have been foreseen from the smaller ones?"""
    question = "Were the largest models predictable?"
    every = predictability[predictability["grouping"] == "all"].set_index("predictor") if len(predictability) else predictability
    if every.empty or every["median_absolute_z"].isna().all():
        reason = "no curve has scales enough to hide the largest and predict them from the rest"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    predicted = int((every["n_curves"] - every["n_undefined"]).iloc[0])
    errors = [f"{PREDICTORS[name]} errs by {every.at[name, 'median_absolute_z']:.1f}" for name in PREDICTORS]
    smooth = every.loc["smooth"]
    text = (
        f"With the largest third of the scales hidden ({predicted:,} of {smooth['n_curves']:,} curves have enough), "
        f"{listed(errors)} standard deviations of sampling noise (median over curves; a perfect prediction errs by 0.8). "
        f"{percent(smooth['share_within_interval'])} of the hidden scores lie within the smooth prediction's own two standard deviations; "
        f"on average they came {'higher' if smooth['mean_z'] > 0 else 'lower'} than it said."
    )
    best = every["median_absolute_z"].idxmin()
    return Answer(
        question,
        text,
        f"median error {every.at[best, 'median_absolute_z']:.1f} noise units by {PREDICTORS[best]} (0.8 is perfect)",
    )
