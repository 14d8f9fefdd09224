"""How sharp the curves are, in words."""

from emergence.curves import frames, sharpness
from emergence.questions.answers import Answer, agree, listed, plural

QUESTION = "How sharp are the curves?"


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    return [
        on_sharpness(curves, given.table("emergence_by_metric"), given.table("emergence_thresholds"), given.study["emergence"])
    ]


def on_sharpness(curves, by_metric, over_thresholds, emergence):
    """How sharp are the curves, and which metrics have any above the thresholds?"""
    counting = frames.counted(curves)
    counted = curves[counting["in_counts"].to_numpy(dtype=bool)]
    reasons = counting["reason"].value_counts()
    n_counted = len(counted)
    left_out = [
        f"{reasons[name]:,} {words}"
        for name, words in (
            (sharpness.TOO_FEW_SCALES, "with fewer than four scales"),
            ("no_finite_score", "without a finite score"),
        )
        if reasons.get(name)
    ]
    if not n_counted:
        why = listed(left_out) if left_out else "there is none"
        return Answer(QUESTION, f"No curve of this benchmark can be counted: {why}.", f"no curve can be counted ({why})")
    sentences = [f"{n_counted:,} of {plural(len(curves), 'curve')} {agree('is', 'are', n_counted, len(curves))} counted."]
    sentences += [f"Not counted: {listed(left_out)}."] if left_out else []
    top = by_metric.iloc[0]
    if top["max"] == top["max"]:
        sentences.append(f"The highest finite E is {top['max']:.1f} ({top['label']}, {top['sharpest']}).")
    relative, threshold = emergence["relative_threshold"], emergence["threshold"]
    n_steep = int(by_metric["n_above_relative"].sum())
    steep = plural(n_steep, "counted curve has", "counted curves have")
    sentences.append(
        f"{steep} a relative E of {relative:g} or more, within what {agree('its', 'their', n_steep)} scores can show."
    )
    score = counted["relative_emergence_score_resolved"].fillna(counted["relative_emergence_score"])
    n_falling = int((score <= -relative).sum())
    if n_falling:
        sentences.append(f"{plural(n_falling, 'more is', 'more are')} as steep, but {agree('falls', 'fall', n_falling)}.")
    above = by_metric[by_metric["n_above"] > 0]
    n_above = int(above["n_above"].sum())
    paper = f"{plural(n_above, 'curve')} of {plural(len(above), 'metric')}" if n_above else "no curve"
    sentences.append(f"At the paper's kind of threshold, E of {threshold:g}: {paper}.")
    line = int(counted["n_scales"].max()) - 1
    if (over_thresholds.loc[over_thresholds["reading"] == "E", "threshold"] <= line).any():
        sentences.append(
            f"A straight line over the {line + 1} scales of the longest curve has E = {line}. Thresholds on E up to that say nothing about sharpness."
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
