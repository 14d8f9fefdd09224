"""Which families repeat another's scores, in words."""

from emergence.questions.answers import Answer, plural


def answer(given):
    """See emergence.questions."""
    question, table = "Which families repeat another's scores?", given.table("repeated_families")
    if table.empty:
        return [Answer(question, "No curve repeats the scores of another family.", "none")]
    pairs = table.groupby(["model_family", "repeats_family"])["n_copies"].sum().sort_values(ascending=False, kind="stable")
    most = 3
    text = [f"{family} repeats {other} ({plural(n, 'curve')})." for (family, other), n in pairs.head(most).items()]
    if len(pairs) > most:
        text.append(f"The table has {plural(len(pairs) - most, 'more pair')} of families.")
    text.append("A copy is not further evidence, so tests of many curves leave it out.")
    total = plural(int(table["n_copies"].sum()), "copy", "copies")
    return [Answer(question, " ".join(text), f"{total} of another family's curves")]
