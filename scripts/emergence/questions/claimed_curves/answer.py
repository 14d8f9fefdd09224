"""What was found about the curves on which abilities were claimed, in words."""

from emergence.curves import sharpness
from emergence.questions.answers import Answer, agree, listed, plural

QUESTION = "What do the curves of the claims themselves say?"

WORDS = {
    "sharp": "sharp",
    "within_noise": "steep, but within noise",
    "gradual": "gradual",
    "no_change": "without change",
    "too_few_scales": "with fewer than four scales",
    "cannot_tell": "of which the tests can tell nothing",
}


def answer(given):
    """See emergence.questions."""
    return [on_claimed_curves(given.table("claimed_curves"))]


def on_claimed_curves(table):
    """How many claims have a curve here, and what the curves are."""
    n_claims = len(table)
    if not n_claims:
        return Answer(QUESTION, "There are no claims.", "no claims")
    here = table[table["n_curves"] > 0]
    have = agree("has", "have", len(here), n_claims)
    text = f"{len(here):,} of {plural(n_claims, 'claim')} {have} a curve of the claimed task and family in these files."
    in_part = int((table.loc[table["n_curves"] == 0, "n_subtask_curves"] > 0).sum())
    if in_part:
        text += f" {plural(in_part, 'more has', 'more have')} only curves of subtasks, which are not the claimed task."
    without = int(table["claimed_family"].isna().sum())
    if without:
        names = plural(without, "claim names", "claims name")
        text += f" {names} no family (column `model_family`), so no curve can be theirs."
    if here.empty:
        return Answer(
            QUESTION,
            f"{text} So the claims themselves cannot be tested here.",
            f"0 of {plural(n_claims, 'claim')} {have} a curve here",
        )
    too_few = here["n_scales"] < sharpness.MIN_SCALES_COUNTED
    counts = here["word"].fillna("cannot_tell").mask(too_few, "too_few_scales").value_counts()
    found = [f"{counts[word]:,} {words}" for word, words in WORDS.items() if counts.get(word)]
    text += f" By what the tests say: {listed(found)}."
    if len(here) < n_claims:
        text += f" For the other {n_claims - len(here):,} claims this run says nothing about the models that they name."
    return Answer(QUESTION, text, f"{len(here):,} of {plural(n_claims, 'claim')} {have} a curve here: {listed(found)}")
