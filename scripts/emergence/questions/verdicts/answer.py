"""The verdicts in words: the first thing that a reader wants to know."""

from emergence import statuses
from emergence.questions.answers import Answer, listed, percent, plural
from emergence.statistics.verdicts import ABILITY, FALLS, LARGEST_ALONE, NO_NOISE, POWER, STEEP_UNTESTED, TOO_FEW

WORDS = {
    statuses.SHARP_UNDER_ALL: "sharp under a continuous or linear metric",
    statuses.METRIC: "sharp under a discontinuous or nonlinear metric alone",
    statuses.SHARP_UNDECIDED: "sharp, but not decided",
    statuses.CONSTANT_ANSWERS: "sharp, but between two constant answers",
}
OTHERS = (statuses.WITHIN_NOISE, statuses.GRADUAL, statuses.NO_CHANGE, statuses.CANNOT_TELL)


def answer(given):
    """See emergence.questions."""
    return [on_verdicts(given.table("verdicts"), given.table("verdicts_by_claim"))]


def on_verdicts(verdicts, by_claim):
    """On how many abilities does each verdict fall, and how do claimed tasks stand to the others?"""
    question = "Is each ability emergent, or is it the metric?"
    every = by_claim[by_claim["claims"] == "all"].set_index("verdict")
    n = int(every["of_abilities"].iloc[0])
    if n == 0:
        return Answer(question, "This cannot be answered: there is no curve.", "there is no curve")
    counts = {word: int(every.at[word, "n_abilities"]) for word in (*WORDS, *OTHERS)}
    told = n - counts[statuses.CANNOT_TELL]
    sentences = [f"Of {plural(n, 'ability', 'abilities')} (a task in a model family), something can be said of {told:,}."]
    sentences += [
        f"{counts[word]:,} {'is' if counts[word] == 1 else 'are'} {words} (`{word}`)."
        for word, words in WORDS.items()
        if counts[word]
    ]
    if told and not any(counts[word] for word in WORDS):
        sentences.append("None is shown to be sharp beyond noise.")
    abilities = verdicts.drop_duplicates(ABILITY)
    reasons = abilities.loc[abilities["verdict"] == statuses.CANNOT_TELL, "reason"].value_counts()
    for reason in (TOO_FEW, NO_NOISE, STEEP_UNTESTED):
        if reasons.get(reason):
            sentences.append(f"Nothing can be said of {reasons[reason]:,}: {reason}.")
    copies = int(_all_flagged(verdicts, "copy").sum())
    if copies:
        sentences.append(f"{plural(copies, 'ability repeats', 'abilities repeat')} another family's scores and count again here.")
    sentences.append("The table counts every verdict.")
    groups = by_claim[by_claim["claims"] != "all"]
    if len(groups):
        sharp = (statuses.SHARP_UNDER_ALL, statuses.METRIC, statuses.SHARP_UNDECIDED)
        shares = [_share_of(groups[groups["claims"] == group], sharp, words) for group, words in _GROUPS.items()]
        sentences.append(f"Sharp curves are found in {listed(shares)}.")
    falling = int(_all_flagged(verdicts[verdicts["word"] == statuses.SHARP], FALLS).sum())
    if falling:
        fall = plural(falling, "sharp ability falls", "sharp abilities fall")
        sentences.append(f"{fall}: the lowest score comes after the highest, so no ability appears there.")
    alone = resting_on_largest(verdicts)
    if alone:
        rest = plural(alone, "sharp ability rests", "sharp abilities rest")
        sentences.append(f"{rest} on the largest scale alone, which was not foreseeable from the smaller ones.")
        sentences.append("A steep but smooth rise that begins there is called sharp, too.")
    undecided = counts[statuses.SHARP_UNDECIDED]
    if undecided:
        lacking = verdicts[verdicts["verdict"] == statuses.SHARP_UNDECIDED].drop_duplicates(ABILITY)
        without = int(lacking["reason"].str.contains("no continuous or linear metric").sum())
        if without:
            have = plural(without, "sharp ability has", "sharp abilities have")
            sentences.append(f"{have} no continuous or linear metric on the same outputs; one would decide.")
        powers = lacking_power(verdicts)
        weak, untested = int(powers.notna().sum()), int(powers.isna().sum()) - without
        if weak:
            weak = plural(weak, "sharp ability", "sharp abilities")
            sentences.append(f"For {weak} the continuous metric has less than {100 * POWER:.0f} % power to show such a jump.")
        if untested:
            untested = plural(untested, "sharp ability", "sharp abilities")
            sentences.append(f"For {untested} the continuous metric could not be tested for such a jump.")
    short = "; ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return Answer(question, " ".join(sentences), f"{plural(n, 'ability', 'abilities')}: {short}")


def lacking_power(verdicts):
    """The highest power of a continuous metric of each ability that is not decided, NaN where none has one. verdicts: the table."""
    own = verdicts[verdicts["verdict"] == statuses.SHARP_UNDECIDED]
    return own.groupby(ABILITY, dropna=False, observed=True)["power"].max()


def resting_on_largest(verdicts):
    """How many abilities are sharp by curves alone that have the flag `largest_alone`. verdicts: the table."""
    return int(_all_flagged(verdicts[verdicts["word"] == statuses.SHARP], LARGEST_ALONE).sum())


def _all_flagged(rows, flag):
    """Which abilities have a flag on all their rows. rows: of the table. Returns a boolean series, one entry per ability."""
    flagged = rows["flags"].fillna("").str.split("|").map(lambda flags: flag in flags).astype(bool)
    return flagged.groupby([rows[part] for part in ABILITY], dropna=False, observed=True).all()


_GROUPS = {"claimed": "on claimed tasks", "not_claimed": "on other tasks"}


def _share_of(group, verdicts, words):
    """`3 of 40 abilities on claimed tasks (7.5 %)`, of those of which something can be said. words: which tasks."""
    counts = group.set_index("verdict")["n_abilities"]
    told = int(counts.sum() - counts[statuses.CANNOT_TELL])
    found = int(counts[list(verdicts)].sum())
    return f"{found:,} of {plural(told, 'ability', 'abilities')} {words}" + (f" ({percent(found / told)})" if told else "")
