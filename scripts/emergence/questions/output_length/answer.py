"""Whether curves are made by the length of outputs or by a few examples, in words."""

from emergence.outputs import answers
from emergence.questions.answers import Answer, agree, plural

QUESTION = "Is a curve made by the length of outputs, or by a few examples?"


def answer(given):
    """See emergence.questions."""
    taken = answers.described(given.block.get("answer", {}), given.block["tokens"])
    return [on_flags(given.table("output_flags_by_metric"), taken)]


def on_flags(table, taken):
    """The answer from the counts by metric; `taken` says what an answer and a token are."""
    if table.empty:
        reason = "no curve of outputs has four scales"
        return Answer(QUESTION, f"This cannot be answered: {reason}. {taken}", reason)
    counts = table[["n_curves", "n_sharp", "n_length_made", "n_few_examples"]].sum()
    sharp = f"{counts['n_sharp']:,} of {plural(counts['n_curves'], 'curve')} of outputs"
    if not counts["n_sharp"]:
        text = f"No curve of outputs is at least twice as steep as a line, of {counts['n_curves']:,}, so none is flagged."
        return Answer(QUESTION, f"{text} {taken}", "no curve is steep")
    one = agree("is at least twice as steep as a line or has", "are at least twice as steep as a line or have", counts["n_sharp"])
    made, few = counts["n_length_made"], counts["n_few_examples"]
    text = f"{sharp} {one} no finite E. Of these, {made:,} {agree('is', 'are', made)} not once answers are cut to the length of "
    text += f"their targets. {few:,} {agree('rests', 'rest', few)} on fewer than 10 effective examples."
    short = f"of {plural(counts['n_sharp'], 'steep curve')}, {counts['n_length_made']:,} by length and {counts['n_few_examples']:,} by few examples"
    return Answer(QUESTION, f"{text} {taken}", short)
