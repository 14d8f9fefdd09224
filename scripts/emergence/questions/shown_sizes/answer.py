"""Whether the answer depends on which scales are shown, in words."""

import pandas as pd

from emergence.curves.shown_sizes import N_SHOWN
from emergence.questions.answers import Answer, percent, plural

_NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six"}
_MOST = 2


def answer(given):
    """See emergence.questions."""
    return [on_shown_sizes(given.table("shown_sizes"), given.table("shown_sizes_by_pair"), given.catalogue)]


def on_shown_sizes(table, by_pair, catalogue):
    """Does it depend on which scales are shown, under which of two metrics a curve is the sharper one?"""
    question = "Does it depend on which scales are shown?"
    shown = _NUMBERS.get(N_SHOWN, N_SHOWN)
    if table.empty:
        reason = f"no two metrics on the same outputs have more than {shown} scales in common"
        return Answer(question, f"This cannot be answered: {reason}.", reason)
    n_open = int(((table["share_a_sharper"] > 0) & (table["share_b_sharper"] > 0)).sum())
    both = f"for {n_open:,} of {plural(len(table), 'pair')} of curves some choice of {shown} scales makes either metric the sharper one"
    sentences = [f"{both[0].upper()}{both[1:]} ({percent(n_open / len(table))})."]
    for row in by_pair.head(_MOST).itertuples():
        sentences += _pair(row, catalogue)
    more = len(by_pair) - _MOST
    if more > 0:
        sentences.append(f"The table has {plural(more, 'more pair')} of metrics.")
    n_sampled = int(table["is_sampled"].sum())
    if n_sampled:
        sentences.append(f"For {plural(n_sampled, 'pair')} of curves 5,000 random choices were looked at, not all.")
    return Answer(question, " ".join(sentences), both)


def _pair(row, catalogue):
    first, second = (catalogue.at[name, "label"] for name in (row.metric_a, row.metric_b))
    text = [
        f"{first} is sharper than {second} in {percent(row.share_a_sharper)} of the choices and less sharp in {percent(row.share_b_sharper)}."
    ]
    if pd.notna(row.ratio_low):
        pairs = plural(row.n_curves, "pair")
        text.append(f"The ratio of their |E| runs from {row.ratio_low:.2g} to {row.ratio_high:.2g} over {pairs} of curves.")
    return text
