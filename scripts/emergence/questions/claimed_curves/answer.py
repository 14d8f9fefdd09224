"""What was found about the curves on which abilities were claimed, in words."""

from emergence.questions.answers import Answer, listed, plural

QUESTION = "What do the curves of the claims themselves say?"

WORDS = {
    "sharp": "sharp",
    "within_noise": "sharp, but within noise",
    "gradual": "gradual",
    "no_change": "without change",
    "cannot_tell": "too short or without known noise",
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
    text = f"{len(here):,} of {plural(n_claims, 'claim')} have a curve of the claimed task and family in these files."
    in_part = int((table.loc[table["n_curves"] == 0, "n_subtask_curves"] > 0).sum())
    if in_part:
        text += f" {plural(in_part, 'more has', 'more have')} only curves of subtasks, which are not the claimed task."
    if here.empty:
        return Answer(
            QUESTION, f"{text} So the claims themselves cannot be tested here.", f"0 of {n_claims:,} claims have a curve here"
        )
    counts = here["word"].fillna("cannot_tell").value_counts()
    found = [f"{counts[word]:,} {words}" for word, words in WORDS.items() if counts.get(word)]
    text += f" By what the tests say: {listed(found)}."
    if len(here) < n_claims:
        text += f" For the other {n_claims - len(here):,} claims this run says nothing about the models that they name."
    return Answer(QUESTION, text, f"{len(here):,} of {n_claims:,} claims have a curve here: {listed(found)}")
