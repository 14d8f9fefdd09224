"""Whether chance, or a smooth curve, could be as sharp, in words."""

import numpy as np

from emergence.curves import frames
from emergence.questions.answers import Answer, listed, p_text


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    null_models = given.study["null_models"]
    rate, draws = null_models["false_discovery_rate"], null_models["draws"]
    return [on_null_models(given.table("discoveries_by_metric"), curves, given.catalogue, rate, draws)]


def on_null_models(discoveries, curves, catalogue, rate, draws):
    """How many curves are sharper than chance, and than a smooth curve, before and after control of false discoveries?"""
    question = "Could chance, or a smooth curve, be as sharp?"
    if draws == 0:
        return Answer(
            question, "Not asked: the simulation is turned off (`null_models: draws: 0`).", "not asked, the simulation is off"
        )
    sentences, shorts = [], []
    for null, words in (
        ("flat", "performance that does not change with scale"),
        ("smooth", "performance that follows a smooth curve"),
    ):
        rows = discoveries[discoveries["null_model"] == null].set_index("metric")
        every = rows.loc["all"]
        if every["n_tested"] == 0:
            sentences.append(f"No curve could be tested against {words}.")
            shorts.append(f"{null}: no curve could be tested")
            continue
        found = rows[(rows["n_after"] > 0) & (rows.index != "all")]
        which = (
            listed(f"{row.n_after} of {catalogue.at[metric, 'label']}" for metric, row in found.iterrows()) if len(found) else ""
        )
        sentences.append(
            f"Against {words}, with the test set's sampling noise, {every['n_before']} of {every['n_tested']:,} tested curves "
            f"are sharper at p ≤ 0.05, where {every['expected']:.1f} would be by chance alone; after false-discovery control (q ≤ {rate:g}) "
            + (f"{every['n_after']} remain: {which}." if which else f"none remains (smallest q {p_text(every['smallest_q'])}).")
        )
        shorts.append(
            f"{null} null model: {every['n_before']} of {every['n_tested']:,} curves at p ≤ 0.05, {every['n_after']} after control"
        )
    n_curves = discoveries.loc[discoveries["metric"] == "all", "n_curves"].iloc[0]
    at_end = sum(np.abs(np.diff(scores)).argmax() == len(scores) - 2 for scores in curves["scores"] if len(scores) >= 5)
    sentences.append(
        f"A jump that only the largest model has made looks like the foot of a steep smooth rise, and the smooth test cannot find it: "
        f"{at_end:,} of the curves with five scales or more have their largest step there."
    )
    sentences.append(
        "Noise is that of the test set: models that differ by more than their size, as models trained apart do, look sharper."
    )
    return Answer(question, f"{n_curves:,} curves. " + " ".join(sentences), "; ".join(shorts))
