"""Whether the answer depends on which sizes are shown, in words."""

import pandas as pd

from emergence.curves.shown_sizes import N_SHOWN
from emergence.questions.answers import Answer, percent, plural

_NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six"}
_MOST = 3


def answer(given):
    """See emergence.questions."""
    return [on_shown_sizes(given.table("shown_sizes"), given.table("shown_sizes_by_pair"), given.catalogue)]


def on_shown_sizes(table, by_pair, catalogue):
    """Does it depend on which sizes are shown, under which of two metrics a curve is the sharper one?"""
    question = "Does it depend on which sizes are shown?"
    shown = _NUMBERS.get(N_SHOWN, N_SHOWN)
    if table.empty:
        reason = f"no two metrics on the same outputs have more than {shown} sizes in common"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    n_open = int(((table["share_a_sharper"] > 0) & (table["share_b_sharper"] > 0)).sum())
    both = f"for {n_open:,} of {plural(len(table), 'pair')} of curves some choice of {shown} sizes makes either metric the sharper one"
    text = f"{both[0].upper()}{both[1:]} ({percent(n_open / len(table))})."
    sentences = [_pair(row, catalogue) for row in by_pair.head(_MOST).itertuples()]
    more = len(by_pair) - len(sentences)
    rest = f" The table shown_sizes_by_pair.csv has {plural(more, 'more pair')} of metrics." if more > 0 else ""
    n_sampled = int(table["is_sampled"].sum())
    drawn = (
        f" Of {plural(n_sampled, 'pair')} of curves not all subsets were looked at, but 5,000 drawn ones." if n_sampled else ""
    )
    return Answer(question, " ".join([text, *sentences]) + rest + drawn, both)


def _pair(row, catalogue):
    first, second = (catalogue.at[name, "label"] for name in (row.metric_a, row.metric_b))
    text = f"{first} is sharper than {second} in {percent(row.share_a_sharper)} of the choices and less sharp in"
    text += f" {percent(row.share_b_sharper)} ({plural(row.n_curves, 'pair')} of curves)"
    if pd.notna(row.ratio_low):
        text += f", and the ratio of their |E| runs from {row.ratio_low:.2g} to {row.ratio_high:.2g}"
    return text + "."
