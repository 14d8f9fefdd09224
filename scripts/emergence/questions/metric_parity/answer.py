"""Whether the metrics computed here are those of the files, in words."""

from emergence.questions.answers import Answer, listed, plural

QUESTION = "Are the metrics computed here those of the files?"


def answer(given):
    """See emergence.questions."""
    return [on_parity(given.table("metric_parity_by_metric"))]


def on_parity(table):
    """The answer from the counts by metric."""
    if table.empty:
        return Answer(QUESTION, "The files store no values of metrics to compare with.", "no stored values")
    compared = table[table["n_equal"] + table["n_different"] > 0]
    other = table[table["n_not_computed"] > 0]
    n_equal, n_different = int(compared["n_equal"].sum()), int(compared["n_different"].sum())
    sentences = []
    if n_equal + n_different:
        scores = plural(n_equal + n_different, "score")
        sentences.append(f"All values of {n_equal:,} of {scores} that the files store are equal to those computed here.")
    for row in compared[compared["n_different"] > 0].head(3).itertuples():
        difference = f"by up to {row.largest_difference:.3g}"
        sentences.append(f"{row.metric} differs in {plural(row.n_different, 'score')}, {difference}.")
    if len(other):
        named = listed(list(other["metric"].head(4)))
        more = f" and {len(other) - 4} more" if len(other) > 4 else ""
        sentences.append(f"Not computed here: {named}{more}.")
    short = (
        f"{n_equal:,} of {plural(n_equal + n_different, 'stored score')} are equal"
        if n_equal + n_different
        else "nothing to compare"
    )
    return Answer(QUESTION, " ".join(sentences), short)
