"""Whether accuracy is what independent tokens would give, in words."""

from emergence.questions.answers import Answer, plural

QUESTION = "Is accuracy what independent tokens would give?"


def answer(given):
    """See emergence.questions."""
    return [on_lengths(given.table("target_length_by_curve"))]


def on_lengths(table):
    """The answer from the counts by curve."""
    if table.empty:
        reason = "no output is a text with a target"
        return Answer(QUESTION, f"This cannot be answered: {reason}.", reason)
    counts = table[["n_groups", "n_below_resolution", "n_tested", "n_inside", "n_above", "n_below"]].sum()
    if not counts["n_tested"]:
        reason = "fewer than 3 right answers are predicted for targets of every length"
        return Answer(QUESTION, f"This cannot be answered: {reason}. So no accuracy could contradict p^L.", reason)
    tested = plural(counts["n_tested"], "group")
    text = "Independent tokens of equal difficulty would give an accuracy of p^L for targets of L tokens."
    text += f" In {counts['n_inside']:,} of {tested} of targets of one length, the exact interval of the accuracy holds p^L."
    text += " At least 95 % are expected if tokens are independent."
    if counts["n_above"] or counts["n_below"]:
        text += f" Accuracy is above p^L in {counts['n_above']:,} and below it in {counts['n_below']:,}."
    if counts["n_above"] > 0.05 * counts["n_tested"]:
        text += " Accuracy above p^L means that questions differ in difficulty, or that tokens of an answer are right together."
    if counts["n_below"] > 0.05 * counts["n_tested"]:
        text += " Accuracy below p^L means that errors spread over the answers more evenly than chance would spread them."
    if counts["n_below_resolution"]:
        text += f" {plural(counts['n_below_resolution'], 'more group')} of {counts['n_groups']:,} had too few examples to tell."
    return Answer(QUESTION, text, f"p^L is within the interval in {counts['n_inside']:,} of {tested}")
