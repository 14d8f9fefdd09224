"""Whether curves change at all, whether chance or a smooth curve could be as sharp, and whether the largest scale was foreseeable."""

import numpy as np

from emergence.curves import frames
from emergence.questions.answers import KNOWN_NOISE, Answer, agree, listed, p_text, plural
from emergence.statistics import false_discovery
from emergence.statistics.noise import BINOMIAL, COVARIANCE, RESIDUAL, STDERR, WORDS
from emergence.statistics.smooth_curves import MIN_RISE_DECADES

QUESTION = "Could chance, or a smooth curve, be as sharp?"
LEFT_OUT = {
    "too_few_scales": "with fewer than four scales",
    "no_finite_score": "without a finite score",
    "constant": "without any change",
    "copy": "that repeat another family's curve",
}


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    null_models = given.study["null_models"]
    rate, draws = null_models["false_discovery_rate"], null_models["draws"]
    return [on_tests(given.table("discoveries_by_metric"), given.table("q_values"), curves, rate, draws)]


def on_tests(discoveries, q_values, curves, rate, draws):
    """How many curves change, are sharper than chance and than a smooth curve, or end in a jump; before and after control."""
    without = left_out(curves)
    if curves.empty or not q_values["in_family"].any():
        text = "This cannot be answered: no curve can be tested." + (f" Left out: {without}." if without else "")
        return Answer(QUESTION, text, "no curve can be tested", cell="no curve can be tested")
    every = discoveries[discoveries["metric"] == "all"].set_index("test")
    noise = q_values.loc[q_values["in_family"], "noise"]
    n_family = int(q_values["in_family"].sum())
    tested = [f"{n_family:,} of {plural(len(curves), 'curve')} {agree('is', 'are', n_family, len(curves))} tested."]
    tested += [f"Left out: {without}."] if without else []
    paragraphs = [tested + compared_with(noise), changes(every, noise, rate)]
    shorts, cell = [], "not tested: no draws"
    if draws == 0:
        paragraphs.append(["Sharpness is not tested: the simulation is turned off (`null_models: draws: 0`)."])
        shorts.append("sharpness not tested, the simulation is off")
    else:
        for null, words in (
            ("flat", "performance that does not change with scale"),
            ("smooth", "performance that follows a smooth curve"),
        ):
            sentences, short = sharper(null, words, every, rate)
            paragraphs.append(sentences + (within_one_rise(curves) if null == "smooth" else []))
            shorts.append(short)
        row = every.loc["smooth"]
        cell = f"{row['n_after']:,}/{row['n_tested']:,} ({row['n_before']:,})" if row["n_tested"] else "no curve can be tested"
    sentences, short = largest(every, q_values, rate, draws)
    paragraphs.append(sentences)
    shorts.append(short)
    text = []
    if draws and noise.isin([BINOMIAL, STDERR]).any():
        text.append("Models of one family answer the same questions, so their noise is shared.")
        text.append("Scores alone do not show how much: the truth lies between the answers under no and under half shared noise.")
    needed = false_discovery.curves_needed_at_floor(draws, n_family, rate) if draws else 1
    if needed > 1:
        text.append(f"With {draws:,} draws no p-value is below 1/{draws + 1:,}.")
        text.append(f"Among {n_family:,} curves, none is found unless {needed:,} reach that p-value (`null_models: draws`).")
    if noise.isin([BINOMIAL, STDERR, COVARIANCE]).any():
        text.append("Models that are trained apart also differ for reasons that sampling noise does not hold.")
        text.append("The tests are then less reliable, as docs/calibration.md measures.")
    return Answer(QUESTION, "\n".join(" ".join(part) for part in [*paragraphs, text] if part), "; ".join(shorts), cell=cell)


def left_out(curves):
    """How many curves are not tested, and why."""
    reasons = frames.counted(curves)["reason"].value_counts() if len(curves) else {}
    parts = [f"{reasons[reason]:,} {words}" for reason, words in LEFT_OUT.items() if reasons.get(reason, 0)]
    return listed(parts) if parts else ""


def compared_with(noise):
    """With which noise the curves are compared: a sentence for each kind, from the column `noise`."""
    counts = noise.value_counts()
    return [
        f"{plural(counts[kind], 'curve is', 'curves are')} compared with {words}."
        for kind, words in WORDS.items()
        if counts.get(kind, 0)
    ]


def changes(every, noise, rate):
    """Whether performance changes with scale at all: a list of sentences."""
    homogeneity, trend = every.loc["homogeneity"], every.loc["trend"]
    text = []
    if trend["n_tested"]:
        curves = plural(trend["n_tested"], "curve")
        text.append(f"After control (q ≤ {rate:g}), performance has a trend with scale in {trend['n_after']:,} of {curves}.")
    if homogeneity["n_tested"]:
        curves = plural(homogeneity["n_tested"], "curve")
        text.append(f"After control, it is not the same at all scales in {homogeneity['n_after']:,} of {curves}.")
    unknown = int((noise == RESIDUAL).sum())
    if unknown:
        text.append(f"For {plural(unknown, 'curve')} the size of the noise is not known.")
        text.append("If it were, any change could be tested, not only a trend.")
        text.append(KNOWN_NOISE)
    return text


def sharper(null, words, every, rate):
    """How many curves are sharper than a null model explains: sentences and a short form."""
    row, shared = every.loc[null], every.loc[f"{null}_shared"]
    if row["n_tested"] == 0:
        return [f"No curve could be tested against {words}."], f"{null} null model: no curve could be tested"
    text = [
        f"Against {words}, {row['n_before']:,} of {plural(row['n_tested'], 'curve')} {agree('is', 'are', row['n_before'], row['n_tested'])} sharper at p ≤ 0.05 ({row['expected']:.1f} by chance).",
        f"After false-discovery control (q ≤ {rate:g}) {remaining(row)}."
        if row["n_after"]
        else f"After false-discovery control (q ≤ {rate:g}) none remains (smallest q {p_text(row['smallest_q'])}).",
    ]
    if shared["n_after"] != row["n_after"] or shared["n_before"] != row["n_before"]:
        text.append(
            f"If neighbouring scales share half of their noise, {shared['n_before']:,} {agree('is', 'are', shared['n_before'])} sharper, and {shared['n_after']:,} after control."
        )
    short = f"{null} null model: {row['n_before']:,} of {row['n_tested']:,} curves at p ≤ 0.05, {row['n_after']:,} after control"
    return text, short


def remaining(row):
    """`1 remains`, `5 remain`: of the curves that a test finds, after control."""
    return f"{row['n_after']:,} {'remains' if row['n_after'] == 1 else 'remain'}"


def within_one_rise(curves):
    """Of how many tested curves a smooth rise takes more than all scales, so that it is nearly straight: at most one sentence."""
    tested = curves.loc[frames.counted(curves)["in_family"].to_numpy(dtype=bool), "scales"]
    short = sum(np.log10(scales[-1] / scales[0]) < MIN_RISE_DECADES for scales in tested)
    if not short:
        return []
    verb = agree("has", "have", short)
    return [
        f"{plural(short, 'tested curve')} {verb} all scales within {MIN_RISE_DECADES:g} orders of magnitude, where a smooth curve is nearly straight."
    ]


def largest(every, q_values, rate, draws):
    """Whether the largest scale was foreseeable: sentences and a short form."""
    row = every.loc["largest"]
    if row["n_tested"] == 0:
        return [
            "No curve has enough scales to predict its largest one: five, or seven where the size of the noise is not known."
        ], "largest scale: no curve could be tested"
    found = q_values[q_values["q_largest"] <= rate].sort_values(["p_largest", *frames.KEY])
    text = [
        f"In {row['n_before']:,} of {plural(row['n_tested'], 'curve')} the largest scale scores higher than the smaller ones predict (p ≤ 0.05).",
        "Smooth curves, exponential take-offs, a line and a parabola predict it, and it must exceed all four.",
    ]
    if len(found):
        text.append(f"After control {remaining(row)}, the clearest {frames.names(found.head(1)).iloc[0]}.")
    else:
        text.append(f"After control none remains (smallest q {p_text(row['smallest_q'])}).")
    if draws:
        steep, both = every.loc["class"], every.loc["jump"]
        text.append(
            f"{steep['n_before']:,} of {plural(steep['n_tested'], 'curve')} {agree('is', 'are', steep['n_before'], steep['n_tested'])} sharper than every smooth curve that "
            f"takes 1.5 decades or more ({steep['n_after']:,} after control)."
        )
        text.append(f"Both tests find {both['n_before']:,} at p ≤ 0.05.")
    short = f"largest scale not foreseeable: {row['n_before']:,} of {row['n_tested']:,}, {row['n_after']:,} after control"
    return text, short
