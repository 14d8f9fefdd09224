"""Whether the test sets are large enough, in words."""

from emergence.questions.answers import Answer, plural


def answer(given):
    """See emergence.questions."""
    return [on_resolution(given.table("resolution"))]


def on_resolution(resolution):
    """Can the test sets see what smaller models can do?"""
    question = "Are the test sets large enough?"
    every = resolution[resolution["metric"] == "all"].iloc[0]
    if every["n_tested"] == 0:
        reason = "no score is a proportion with a known number of test examples and a known score of guessing"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    above = f"{every['n_above_chance']:,} of {every['n_tested']:,} scores that can be tested are above guessing at p ≤ 0.05."
    text = above
    if every["n_known"]:
        text += (
            f" Of {plural(every['n_known'], 'curve')} whose smaller models are above guessing by the smooth curve, {every['n_under_resolved']:,} "
            f"have fewer test examples than it takes to see that with 80 % power (median needed {every['median_needed']:,.0f}, at hand "
            f"{every['median_at_hand']:,.0f}); {every['n_at_or_below_chance']:,} more are at or below guessing."
        )
    return Answer(question, text, f"{every['n_under_resolved']:,} of {every['n_known']:,} curves have too few test examples")
