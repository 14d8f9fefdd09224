"""Which families repeat another's scores, in words."""

from emergence.questions.answers import Answer, listed, plural


def answer(given):
    """See emergence.questions."""
    question, table = "Which families repeat another's scores?", given.table("repeated_families")
    if table.empty:
        return [Answer(question, "No curve repeats the scores of another family.", "none")]
    pairs = table.groupby(["model_family", "repeats_family"])["n_copies"].sum().sort_values(ascending=False, kind="stable")
    most = 3
    named = [f"{family} repeats {other} ({plural(n, 'curve')})" for (family, other), n in pairs.head(most).items()]
    more = f" {len(pairs) - most} more pairs of families are in the table." if len(pairs) > most else ""
    total = plural(int(table["n_copies"].sum()), "copy", "copies")
    text = f"{listed(named)}. A copy is not further evidence: it is counted once in tests of many curves.{more}"
    return [Answer(question, text[0].upper() + text[1:], f"{total} of another family's curves")]
