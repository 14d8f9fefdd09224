"""The answers of a run in words, with every number taken from its tables.

The terminal summary and the report print the same sentences.
"""

import dataclasses

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.study import registries


@dataclasses.dataclass(frozen=True)
class Answer:
    """A question and what this run answers, in plain sentences; `short` is the one line of the terminal summary."""

    question: str
    text: str
    short: str


def percent(share):
    return f"{100 * share:.1f} %"


def p_text(value):
    """A p- or q-value as a reader wants it: `= 0.18`, `= 4.8e-05`."""
    return f"= {value:.2g}" if value >= 1e-4 else f"= {value:.1e}"


def plural(count, noun, many=None):
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def listed(items):
    """`a, b and c`."""
    items = [str(item) for item in items]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def on_claims(by_metric, top_metrics):
    """Which metrics hold the claimed abilities, and is it more than their share of the tasks?"""
    held = by_metric[by_metric["n_claims"] > 0]
    two = top_metrics[top_metrics["n_metrics"] == min(2, len(top_metrics))].iloc[0]
    names = dict(zip(by_metric["metric"], by_metric["label"], strict=True))
    members = listed(names[metric] for metric in two["metrics"].split("|"))
    counts = listed(f"{row.n_claims} on tasks that prefer {row.label}" for row in held.itertuples())
    share = f"{two['n_claims']} of {two['of_claims']} claims ({percent(two['share'])})"
    interval = f"{percent(two['share_low'])} to {percent(two['share_high'])}"
    answers = [
        Answer(
            "Which metrics account for the claimed emergent abilities?",
            f"Of {plural(two['of_claims'], 'claimed emergent ability', 'claimed emergent abilities')}, {counts}. "
            f"{members} together hold {share}; exact interval {interval}.",
            f"{members}: {share}, interval {interval}",
        )
    ]
    question = "Is that more than their share of all tasks?"
    if pd.isna(two["n_tasks"]):
        reason = "This benchmark brings no list of all its tasks with their preferred metrics, so there is no base rate."
        return [*answers, Answer(question, reason, "no list of all tasks, so no base rate")]
    base = f"{two['n_tasks']} of {two['of_tasks']} tasks ({percent(two['task_share'])})"
    if pd.isna(two["odds_ratio"]):
        reason = f"The same metrics are preferred by {base}. All tasks or none are claimed, or prefer them: no odds ratio exists."
        return [*answers, Answer(question, reason, f"base rate {base}; no odds ratio exists")]
    odds = f"{two['odds_ratio']:.2f}"
    bounds = f"{two['odds_ratio_low']:.2f} to {two['odds_ratio_high']:.2f}"
    known = by_metric[by_metric["q_value"].notna()]
    clear = known[known["q_value"] <= 0.05]

    def those(rows, direction):
        words = listed(f"{row.label} (odds ratio {row.odds_ratio:.2f}, q {p_text(row.q_value)})" for row in rows.itertuples())
        return f"{words} {'is' if len(rows) == 1 else 'are'} claimed {direction} often than the base rate"

    singly = [
        those(rows, word)
        for rows, word in ((clear[clear["odds_ratio"] > 1], "more"), (clear[clear["odds_ratio"] < 1], "less"))
        if len(rows)
    ]
    rest = len(known) - len(clear)
    text = (
        f"The same metrics are preferred by {base}, claimed or not. The odds of being claimed are {odds} times those of the "
        f"other tasks (exact interval {bounds}, Fisher's p {p_text(two['p_value'])}; the metrics were picked for their claims, "
        "so this flatters). "
        "One metric at a time, at a false discovery rate of 5 %: " + ("; ".join(singly) or "none departs from its base rate")
    )
    text += f"; for the other {rest} the numbers do not tell." if singly and rest else "."
    return [*answers, Answer(question, text, f"They are {base}; odds ratio {odds} ({bounds}), p {p_text(two['p_value'])}")]


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


PREDICTORS = {"smooth": "a smooth curve", "line": "a straight line in log scale", "no_change": "no change"}


def on_swaps(comparisons, catalogue):
    """Does changing the metric on the same outputs change the sharpness?"""
    question = "Does changing the metric remove it?"
    shown = comparisons[(comparisons["grouping"] == "metric") & comparisons["mean_difference"].notna()]
    if shown.empty:
        reason = "no task has two metrics on the same model outputs with a score under each"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    shown = shown.sort_values(["n_pairs", "name_a", "name_b"], ascending=[False, True, True], kind="stable")
    sentences = [_swap(row, catalogue) for row in shown.itertuples()]
    most = 4
    more = f" The table swap_comparisons.csv has {len(sentences) - most} more pairs of metrics." if len(sentences) > most else ""
    top = shown.iloc[0]
    labels = [catalogue.at[top[side], "label"] for side in ("name_a", "name_b")]
    short = f"{labels[0]} to {labels[1]}: |E| changes by {-top['mean_difference']:+.1f} on average"
    short += f" (interval {-top['mean_high']:+.1f} to {-top['mean_low']:+.1f})" if pd.notna(top["mean_low"]) else ""
    return Answer(question, " ".join(sentences[:most]) + more, f"{short}, {plural(top['n_pairs'], 'pair')} of curves")


def _swap(row, catalogue):
    """One comparison of two metrics as a sentence. The change is from the first metric to the second."""
    label_a, label_b = (catalogue.at[name, "label"] for name in (row.name_a, row.name_b))
    measured = row.n_pairs - row.n_undefined - row.n_infinite
    text = f"From {label_a} to {label_b}, |E| changes by {-row.mean_difference:+.1f} on average over {plural(measured, 'pair')} of curves"
    if pd.notna(row.mean_low):
        text += f" (interval over {plural(row.n_tasks, 'task')}: {-row.mean_high:+.1f} to {-row.mean_low:+.1f})"
    else:
        text += " of one task, so without an interval"
    text += f"; above the threshold under the first only: {row.n_only_a}, the second only: {row.n_only_b}, both: {row.n_both}"
    text += f" (McNemar's p {p_text(row.mcnemar_p)})."
    left_out = [
        f"{count} {words}"
        for count, words in ((row.n_undefined, "have too few scales"), (row.n_infinite, "have no finite E under one of them"))
        if count
    ]
    return text + (f" Of the other pairs, {listed(left_out)}." if left_out else "")


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


def on_calibration(measured):
    """How exact the p-values were found to be, from the table that benchmarks/measure_calibration.py wrote."""
    parts = []
    for null in ("flat", "smooth"):
        rows = measured[(measured["kind"] == null) & (measured["n_examples"] >= 200)]
        share = rows[f"rejected_{null}"]
        parts.append(
            f"under {null} truths the {null} test gave p ≤ 0.05 to a median of {percent(share.median())} of curves "
            f"({percent(share.min())} to {percent(share.max())} over {len(rows)} settings)"
        )
    return f"How exact the p-values are was measured on simulated curves with 200 test examples or more: {listed(parts)}."


def on_predictability(predictability):
    """Could the largest models have been foreseen from the smaller ones?"""
    question = "Were the largest models predictable?"
    every = predictability[predictability["grouping"] == "all"].set_index("predictor") if len(predictability) else predictability
    if every.empty or every["median_absolute_z"].isna().all():
        reason = "no curve has scales enough to hide the largest and predict them from the rest"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    predicted = int((every["n_curves"] - every["n_undefined"]).iloc[0])
    errors = [f"{PREDICTORS[name]} errs by {every.at[name, 'median_absolute_z']:.1f}" for name in PREDICTORS]
    smooth = every.loc["smooth"]
    text = (
        f"With the largest third of the scales hidden ({predicted:,} of {smooth['n_curves']:,} curves have enough), "
        f"{listed(errors)} standard deviations of sampling noise (median over curves; a perfect prediction errs by 0.8). "
        f"{percent(smooth['share_within_interval'])} of the hidden scores lie within the smooth prediction's own two standard deviations; "
        f"on average they came {'higher' if smooth['mean_z'] > 0 else 'lower'} than it said."
    )
    best = every["median_absolute_z"].idxmin()
    return Answer(
        question,
        text,
        f"median error {every.at[best, 'median_absolute_z']:.1f} noise units by {PREDICTORS[best]} (0.8 is perfect)",
    )


def on_resolution(resolution):
    """Can the test sets see what smaller models can do?"""
    question = "How fine can the test set see?"
    every = resolution[resolution["metric"] == "all"].iloc[0]
    if every["n_tested"] == 0:
        reason = "no score is a proportion with a known number of test examples and a known score of guessing"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    above = f"{every['n_above_chance']:,} of {every['n_tested']:,} scores that can be tested are above guessing at p ≤ 0.05."
    text = above
    if every["n_known"]:
        text += (
            f" Of {plural(every['n_known'], 'curve')} whose smaller models are above guessing by the smooth curve, {every['n_under_resolved']:,} "
            f"have fewer test examples than it takes to see that with 80 % power (median needed {every['median_needed']:,.0f}, at hand "
            f"{every['median_at_hand']:,.0f}); {every['n_at_or_below_chance']:,} more are at or below guessing."
        )
    return Answer(question, text, f"{every['n_under_resolved']:,} of {every['n_known']:,} curves have too few test examples")


def on_variation(variation):
    """How much of the variation in sharpness goes with metric, task and family?"""
    question = "What does the variation in sharpness go with?"
    known = variation[variation["status"] == "ok"]
    first = variation.iloc[0]
    not_crossed = f"{first['n_not_crossed']:,} curves are left out because their task has one metric only, which cannot be told from the task"
    if known.empty:
        return Answer(
            question, f"No number is given: metric and task are confounded ({not_crossed}).", "metric and task are confounded"
        )
    shares = [
        f"{percent(row.share)} with the {row.factor.replace('_', ' ')}"
        + (f" (p {p_text(row.p_value)})" if pd.notna(row.p_value) else " (no curves to exchange, so no p)")
        for row in known.itertuples()
    ]
    others = [
        f"{row.factor.replace('_', ' ')} ({row.status.replace('_', ' ')})"
        for row in variation[variation["status"] != "ok"].itertuples()
    ]
    text = f"On the {plural(first['n_curves'], 'curve')} of {plural(first['n_tasks'], 'task')} scored by several metrics: {listed(shares)}"
    text += f"; no number for {listed(others)}" if others else ""
    return Answer(question, f"{text}. {not_crossed[0].upper()}{not_crossed[1:]}.", f"{listed(shares)}")


def opening(title, parts):
    """The paragraph that opens the report: what was found in one benchmark, from the answers on null models, swaps and prediction."""
    return f"{title}: " + " ".join(part.text for part in parts)


def against_paper(paper, block, curves, by_metric, claims, top_metrics):
    """What the paper reports beside what this run finds, where it finds anything.

    Returns a frame (figure, quantity, metric, paper, this_run: text) and a sentence on what is not in it.
    """
    tasks = registries.load_tasks(block["tasks"]) if "tasks" in block else None
    found = {
        ("largest emergence score drawn", row.metric): f"{row.max_abs:.2f}"
        for row in by_metric.dropna(subset="max_abs").itertuples()
    }
    if tasks is not None:
        found["preferred metrics", "all"] = str(len(set(tasks["preferred_metric"]).union(*tasks["subtask_preferred_metrics"])))
    if claims is not None:
        found |= {("claimed emergent abilities", row.metric): str(row.n_claims) for row in claims.itertuples()}
        found["preferred metrics with a claimed emergent ability", "all"] = str(int((claims["n_claims"] > 0).sum()))
        two = top_metrics[top_metrics["n_metrics"] == 2]
        if len(two):
            found["share of claims held by the two metrics with most", "all"] = percent(two["share"].iloc[0])
    keys = list(zip(paper["quantity"], paper["metric"], strict=True))
    table = paper.assign(
        this_run=[found.get(key) for key in keys],
        paper=[
            percent(value) if key[0].startswith("share of") else f"{value:g}"
            for key, value in zip(keys, paper["value"], strict=True)
        ],
    )
    missing = table["this_run"].isna()
    held = plural(curves["task"].nunique(), "task")
    note = f"Figure 5A of the paper draws curves of the whole benchmark; the files of this run hold {held}"
    note += f" of {len(tasks)}" if tasks is not None else ""
    numbers = plural(int(missing.sum()), "more number")
    note += f", so their highest scores are over fewer curves, and for {numbers} of the paper they hold no score."
    return table.loc[~missing, ["figure", "quantity", "metric", "paper", "this_run"]], note
