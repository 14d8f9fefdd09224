"""Whether curves change at all, whether chance or a smooth curve could be as sharp, and whether the largest model was foreseeable."""

from emergence.curves import frames
from emergence.questions.answers import Answer, listed, p_text, plural
from emergence.statistics import curve_tests, false_discovery
from emergence.statistics.noise import BINOMIAL, RESIDUAL, STDERR

QUESTION = "Could chance, or a smooth curve, be as sharp?"
LEFT_OUT = {
    "too_few_scales": "have fewer than four scales",
    "no_finite_score": "have no finite emergence score",
    "constant": "do not change at all",
    "copy": "repeat another family's curve",
}


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    null_models = given.study["null_models"]
    rate, draws = null_models["false_discovery_rate"], null_models["draws"]
    return [on_tests(given.table("discoveries_by_metric"), given.table("q_values"), curves, given.catalogue, rate, draws)]


def on_tests(discoveries, q_values, curves, catalogue, rate, draws):
    """How many curves change, are sharper than chance and than a smooth curve, or end in a jump; before and after control."""
    if curves.empty or not q_values["in_family"].any():
        reason = "no curve can be tested" + (f": {left_out(curves)}" if len(curves) else "")
        return Answer(QUESTION, f"Not answered: {reason}.", reason)
    every = discoveries[discoveries["metric"] == "all"].set_index("test")
    noise = q_values.loc[q_values["in_family"], "noise"]
    n_family = int(q_values["in_family"].sum())
    without = left_out(curves)
    text = [
        f"{plural(n_family, 'curve')} of {len(curves):,} {'is' if n_family == 1 else 'are'} tested"
        + (f" ({without})." if without else ".")
    ]
    text.append(changes(every, noise, rate))
    shorts = []
    if draws == 0:
        text.append("Sharpness is not tested: the simulation is turned off (`null_models: draws: 0`).")
        shorts.append("sharpness not tested, the simulation is off")
    else:
        for null, words in (
            ("flat", "performance that does not change with scale"),
            ("smooth", "performance that follows a smooth curve"),
        ):
            sentence, short = sharper(null, words, every, discoveries, catalogue, rate)
            text.append(sentence)
            shorts.append(short)
        text += shared_questions(noise)
    sentence, short = largest(every, q_values, rate, draws)
    text.append(sentence)
    shorts.append(short)
    floor = false_discovery.warn_floor(draws, n_family, rate)
    text += [floor] if floor else []
    text.append(
        "These tests know the noise of the test set. Where models also differ for other reasons, as models that are trained apart do, "
        "they are less reliable, mostly too cautious."
    )
    return Answer(QUESTION, " ".join(text), "; ".join(shorts))


def left_out(curves):
    """Why curves are not tested, as the inside of a parenthesis."""
    reasons = frames.counted(curves)["reason"].value_counts()
    parts = [f"{reasons[reason]:,} {words}" for reason, words in LEFT_OUT.items() if reasons.get(reason, 0)]
    return listed(parts) if parts else ""


def changes(every, noise, rate):
    """Whether performance changes with scale at all, in words."""
    homogeneity, trend = every.loc["homogeneity"], every.loc["trend"]
    parts = []
    if trend["n_tested"]:
        parts.append(f"performance has a trend with scale in {trend['n_after']:,} of {plural(trend['n_tested'], 'curve')}")
    if homogeneity["n_tested"]:
        parts.append(f"it is not the same at all scales in {homogeneity['n_after']:,} of {homogeneity['n_tested']:,}")
    sentence = f"After control (q ≤ {rate:g}), {listed(parts)}." if parts else ""
    unknown = int((noise == RESIDUAL).sum())
    if unknown:
        sentence += (
            f" For {plural(unknown, 'curve')} the size of the noise is not known; with the number of test examples (`n_examples`) or a "
            "standard error (`stderr`) it could also be tested whether they change in any way."
        )
    return sentence.strip()


def sharper(null, words, every, discoveries, catalogue, rate):
    """How many curves are sharper than a null model explains: a sentence and a short form."""
    row, shared = every.loc[null], every.loc[f"{null}_shared"]
    if row["n_tested"] == 0:
        return f"No curve could be tested against {words}.", f"{null}: no curve could be tested"
    found = discoveries[(discoveries["test"] == null) & (discoveries["metric"] != "all") & (discoveries["n_after"] > 0)]
    which = [f"{one.n_after} of {catalogue.at[one.metric, 'label']}" for one in found.itertuples()]
    sentence = (
        f"Against {words}, {row['n_before']:,} of {row['n_tested']:,} tested curves are sharper at p ≤ 0.05, where "
        f"{row['expected']:.1f} would be by chance alone; after false-discovery control (q ≤ {rate:g}) "
    )
    sentence += (
        f"{row['n_after']:,} remain: {listed(which)}." if which else f"none remains (smallest q {p_text(row['smallest_q'])})."
    )
    if shared["n_after"] != row["n_after"] or shared["n_before"] != row["n_before"]:
        sentence += f" If neighbouring sizes share half of their noise: {shared['n_before']:,} and {shared['n_after']:,}."
    sentence += f" A global test over {plural(row['n_tasks'], 'task')} gives p {p_text(row['p_fisher'])}."
    short = f"{null} null model: {row['n_before']:,} of {row['n_tested']:,} curves at p ≤ 0.05, {row['n_after']:,} after control"
    return sentence, short


def shared_questions(noise):
    """What was taken for noise, and what cannot be known of it, in words: a list of sentences."""
    text = [f"They are compared {curve_tests.noise_in_words(noise)}."]
    if noise.isin([BINOMIAL, STDERR]).any():
        text.append(
            "Models of one family answer the same questions, so their noise is shared to a degree that scores alone do not show; "
            "the truth lies between the answers under no and under half shared noise."
        )
    return text


def largest(every, q_values, rate, draws):
    """Whether the largest model was foreseeable: a sentence and a short form."""
    row = every.loc["largest"]
    if row["n_tested"] == 0:
        return "No curve has enough scales to predict its largest model.", "largest models: no curve could be tested"
    found = q_values[q_values["q_largest"] <= rate].sort_values(["p_largest", *frames.KEY])
    sentence = (
        f"The largest model lies above what the smaller ones predict, by a smooth curve, a line and a parabola, in {row['n_before']:,} "
        f"of {row['n_tested']:,} curves at p ≤ 0.05; after control {row['n_after']:,}"
    )
    names = listed(frames.names(found.head(5)).tolist()) if len(found) else ""
    sentence += f": {names}{' and others' if len(found) > 5 else ''}." if names else f" (smallest q {p_text(row['smallest_q'])})."
    if draws:
        steep, both = every.loc["class"], every.loc["jump"]
        sentence += (
            f" {steep['n_before']:,} of {steep['n_tested']:,} curves are sharper than every smooth curve that takes 1.5 decades or more and "
            f"stays within the range of the metric (after control {steep['n_after']:,}); {both['n_before']:,} are both."
        )
    return (
        sentence,
        f"largest model not foreseeable: {row['n_before']:,} of {row['n_tested']:,}, {row['n_after']:,} after control",
    )
