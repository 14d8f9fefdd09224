"""Where the score of an example stops following scale, in words."""

from emergence.questions.answers import Answer, plural

QUESTION = "Where does the score of an example stop following scale?"
KINDS = {"choices": "multiple choice", "loglikelihood": "targets with a log-probability", "text": "generated texts"}


def answer(given):
    """See emergence.questions."""
    return [on_chain(given.table("metric_chain_by_link"), given.table("double_logarithm"))]


def on_chain(table, double_logarithm):
    """The answer from correlations by link and from the fits of log(-log p)."""
    if table.empty:
        reason = "no family has a metric of this chain at four scales"
        return Answer(QUESTION, f"This cannot be answered: {reason}.", reason)
    sentences, shorts = [], []
    for kind, links in table.groupby("kind", sort=True):
        first, last = links.iloc[0], links.iloc[-1]
        text = f"For {KINDS[kind]} ({plural(first['n_curves'], 'curve')}), the rank correlation of single examples with scale is"
        sentences.append(f"{text} {first['median_correlation']:.2f} by {first['link']}.")
        sentences.append(f"It is {last['median_correlation']:.2f} by {last['link']}.")
        falls = links[links["change"] < 0]
        if len(falls):
            most = falls.loc[falls["change"].idxmin()]
            sentences.append(f"The largest fall, {most['change']:.2f}, is at the step to {most['link']}.")
        else:
            sentences.append("It falls at no link.")
        shorts.append(f"{first['median_correlation']:.2f} to {last['median_correlation']:.2f} ({KINDS[kind]})")
    fits = double_logarithm.drop_duplicates(["task", "subtask", "metric", "model_family", "shots", "filter"])
    fits = fits.dropna(subset="r_squared")
    if len(fits):
        fitted = plural(len(fits), "probability", "probabilities")
        sentences.append(
            f"A line in log scale fits log(-log p) of {fitted} with a median R² of {fits['r_squared'].median():.2f}."
        )
        sentences.append("An R² of 1 is the law p = exp(-(N / c)^-a).")
    return Answer(QUESTION, " ".join(sentences), "; ".join(shorts))
