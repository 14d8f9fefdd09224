"""Whether the test sets are large enough, in words."""

from emergence.curves import frames
from emergence.questions.answers import Answer, agree, listed, plural
from emergence.statistics import power

QUESTION = "Are the test sets large enough?"
# What is missing, by the status of a score: what is not known, and the columns that say it.
MISSING = {
    power.UNKNOWN_EXAMPLES: ("the number of test examples", ("n_examples",)),
    power.UNKNOWN_CHANCE: ("the chance-level score", ("chance",)),
    power.UNKNOWN_BOTH: ("neither the number of test examples nor the chance-level score", ("n_examples", "chance")),
}


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    return [on_resolution(given.table("resolution"), frames.rows_of(given.table("above_chance"), curves))]


def on_resolution(resolution, above_chance):
    """Can the test sets show what the smaller scales can do? above_chance says why scores are not tested."""
    every = resolution[resolution["metric"] == "all"].iloc[0]
    lacking = above_chance["status"].value_counts()
    lacking = {status: int(lacking[status]) for status in MISSING if lacking.get(status, 0)}
    columns = [name for name in ("n_examples", "chance") if any(name in MISSING[status][1] for status in lacking)]
    if every["n_tested"] == 0:
        reason = "no score is a proportion"
        if columns:
            reason = "no proportion has both a known number of test examples and a known chance-level score"
        text = [f"This cannot be answered: {reason}.", *unknown(lacking)]
        return Answer(QUESTION, " ".join(text), reason, cell=f"needs {listed(columns)}" if columns else reason)
    text = [
        f"{every['n_above_chance']:,} of {plural(every['n_tested'], 'tested score')} {agree('is', 'are', every['n_above_chance'], every['n_tested'])} above guessing at p ≤ 0.05."
    ]
    short = cell = "no curve has a known number of examples needed"
    if every["n_known"]:
        have = agree("has", "have", every["n_under_resolved"], every["n_known"])
        text += [
            f"In {plural(every['n_known'], 'curve')} the smaller scales are above guessing by the smooth curve.",
            f"Of these, {every['n_under_resolved']:,} {have} fewer test examples than it takes to show that with 80 % power.",
            f"The median needed is {every['median_needed']:,.0f} examples; {every['median_at_hand']:,.0f} are available.",
        ]
        short = f"{every['n_under_resolved']:,} of {plural(every['n_known'], 'curve')} {have} too few test examples"
        cell = f"{every['n_under_resolved']:,}/{every['n_known']:,}"
    elif every["n_at_or_below_chance"]:
        cell = "smaller scales at chance"
    if every["n_at_or_below_chance"]:
        text.append(f"In {plural(every['n_at_or_below_chance'], 'curve')} the smaller scales are at or below guessing.")
    return Answer(QUESTION, " ".join(text + unknown(lacking)), short, cell=cell)


def unknown(lacking):
    """What is not known of scores that are proportions, and what would make the test possible: a list of sentences."""
    text = []
    for status, count in lacking.items():
        words, columns = MISSING[status]
        named = listed(f"`{name}`" for name in columns)
        is_known = "is known" if status == power.UNKNOWN_BOTH else "is not known"
        text.append(f"For {plural(count, 'proportion')} {words} {is_known}; {named} would make the test possible.")
    return text
