"""What asking for several right answers at once does to the sharpness, in words."""

from emergence.questions.answers import Answer, plural

_SERIES = ["task", "subtask", "metric", "model_family", "shots"]
_COMPARED = 5


def answer(given):
    """See emergence.questions."""
    return [on_groups(given.table("all_of_k"), given.catalogue)]


def on_groups(table, catalogue):
    """Is a curve sharper when K of its examples have to be right together?"""
    question = "What if several have to be right together?"
    one = table[table["group_size"] == 1].set_index(_SERIES)["emergence_score"].abs()
    many = table[table["group_size"] == _COMPARED].set_index(_SERIES)["emergence_score"].abs()
    both = one.to_frame("one").join(many.rename("many"), how="inner").dropna()
    both = both[both["one"] > 0]
    if both.empty:
        reason = "no curve of right answers has an emergence score and a known number of examples"
        return Answer(question, f"This cannot be answered: {reason}.", reason)
    n_sharper = int((both["many"] > both["one"]).sum())
    ratio = both["many"] / both["one"]
    short = f"counting only {_COMPARED} right answers together makes {n_sharper:,} of {plural(len(both), 'curve')} sharper"
    text = f"{short[0].upper()}{short[1:]}. |E| changes by a factor of {ratio.min():.2g} to {ratio.max():.2g}"
    text += f", {ratio.median():.2g} in the median."
    n_without = len(one) - len(both)
    if n_without:
        reasons = f"E is 0 or not finite under one of the two, or there are fewer than {_COMPARED} examples"
        text += f" {plural(n_without, 'curve is', 'curves are')} not compared: {reasons}."
    return Answer(question, text, short)
