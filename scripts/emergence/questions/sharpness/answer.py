"""How sharp the curves are, in words."""

from emergence.curves import frames, sharpness
from emergence.questions.answers import Answer, listed, plural


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    threshold = given.study["emergence"]["threshold"]
    return [on_sharpness(curves, given.table("emergence_by_metric"), given.table("emergence_thresholds"), threshold)]


def on_sharpness(curves, by_metric, over_thresholds, threshold):
    """How sharp are the curves, and which metrics have any above the threshold?"""
    question = "How sharp are the curves?"
    if curves.empty or not curves["emergence_score"].notna().any():
        counts = (
            listed(f"{n:,} {status.replace('_', ' ')}" for status, n in curves["status"].value_counts().items())
            if len(curves)
            else "no curve at all"
        )
        text = f"No curve of this benchmark has an emergence score ({counts}), so nothing can be said about sharpness."
        return Answer(question, text, f"no usable curve ({counts})")
    status = curves["status"].value_counts()
    top = by_metric.iloc[0]
    by_e = over_thresholds[over_thresholds["reading"] == "E"]
    reached = [f"{row.n_metrics} reach {row.threshold:g}" for row in by_e.itertuples()]
    above = by_metric[by_metric["n_above"] > 0]
    which = (
        listed(f"{row.label} ({plural(row.n_above, 'curve')})" for row in above.itertuples())
        if len(above)
        else "no metric has a curve"
    )
    undefined = [
        f"{status[name]:,} {words}"
        for name, words in (
            (sharpness.CONSTANT, "constant (E = 0)"),
            (sharpness.ZERO_MEDIAN_STEP, "with no finite score, since half their steps or more are zero"),
            (sharpness.TOO_FEW_SCALES, "with fewer than three scales"),
        )
        if name in status
    ]
    copies = int(curves["repeats_family"].notna().sum())
    text = (
        f"{len(curves):,} curves: {status.get(sharpness.OK, 0):,} with a finite emergence score"
        + (", " + listed(undefined) if undefined else "")
        + f". The highest is {top['max']:.1f} ({top['label']}, {top['sharpest']}). "
        f"At the threshold of {threshold:g}: {which}. "
        f"Of {plural(by_e['of_metrics'].iloc[0], 'metric')} with a score, {listed(reached)}."
    )
    if copies:
        verb = "repeats" if copies == 1 else "repeat"
        text += f" {plural(copies, 'curve')} {verb} another family's scores exactly, so the curves are fewer than they look."
    return Answer(
        question, text, f"{len(curves):,} curves, highest E {top['max']:.1f} ({top['label']}); at {threshold:g}: {which}"
    )
