"""How sharp the curves are, in words."""

from emergence.curves import frames, sharpness
from emergence.questions.answers import Answer, listed, plural

QUESTION = "How sharp are the curves?"


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    return [
        on_sharpness(curves, given.table("emergence_by_metric"), given.table("emergence_thresholds"), given.study["emergence"])
    ]


def on_sharpness(curves, by_metric, over_thresholds, emergence):
    """How sharp are the curves, and which metrics have any above the thresholds?"""
    status = curves["status"].value_counts()
    if curves.empty or not curves["emergence_score"].notna().any():
        counts = listed(f"{n:,} {name.replace('_', ' ')}" for name, n in status.items()) if len(curves) else "no curve at all"
        text = f"No curve of this benchmark has an emergence score: {counts}."
        return Answer(QUESTION, text, f"no usable curve ({counts})")
    counted = frames.counted(curves)["reason"].value_counts()
    n_counted = int(by_metric["n_counted"].sum())
    left_out = [
        f"{counted[name]:,} {words}"
        for name, words in (
            (sharpness.TOO_FEW_SCALES, "with fewer than four scales"),
            ("no_finite_score", "without a finite score"),
        )
        if counted.get(name)
    ]
    sentences = [f"{n_counted:,} of {plural(len(curves), 'curve')} {'is' if len(curves) == 1 else 'are'} counted."]
    sentences += [f"Not counted: {listed(left_out)}."] if left_out else []
    top = by_metric.iloc[0]
    sentences.append(f"The highest E is {top['max']:.1f} ({top['label']}, {top['sharpest']}).")
    relative, threshold = emergence["relative_threshold"], emergence["threshold"]
    n_steep = int(by_metric["n_above_relative"].sum())
    sentences.append(
        f"{n_steep:,} of the counted curves have a relative E of {relative:g} or more, within what their scores can show."
    )
    above = by_metric[by_metric["n_above"] > 0]
    n_above = int(above["n_above"].sum())
    paper = f"{plural(n_above, 'curve')} of {plural(len(above), 'metric')}" if n_above else "no curve"
    sentences.append(f"At the paper's kind of threshold, E of {threshold:g}: {paper}.")
    by_e = over_thresholds[over_thresholds["reading"] == "E"]
    trivial = by_e.loc[by_e["trivial"].astype(bool), "threshold"]
    if len(trivial):
        sentences.append(
            f"A straight line over the scales of the longest curve reaches E of {trivial.max():g}. Thresholds on E up to that say nothing about sharpness."
        )
    copies = int(curves["repeats_family"].notna().sum())
    if copies:
        sentences.append(
            f"{plural(copies, 'curve is a copy', 'curves are copies')} of another family's and not further evidence."
        )
    short = (
        f"relative E of {relative:g} or more: {n_steep:,} of {plural(n_counted, 'curve')}; E of {threshold:g} or more: {paper}"
    )
    return Answer(QUESTION, " ".join(sentences), short)
