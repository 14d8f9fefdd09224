"""The answers of a run in words, with every number taken from its tables.

The terminal summary and the report print the same sentences.
"""

import dataclasses

import pandas as pd

from emergence import registries, sharpness


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


def on_swaps(swaps, catalogue):
    """Does changing the metric on the same outputs change the sharpness?"""
    question = "Does changing the metric remove it?"
    scored = swaps.dropna(subset=["emergence_score_a", "emergence_score_b"])
    if scored.empty:
        reason = "no task has two metrics on the same model outputs with a score under each"
        return Answer(question, f"Not to be answered here: {reason}.", reason)
    sentences, shorts = [], []
    for (metric_a, metric_b), rows in scored.groupby(["metric_a", "metric_b"], sort=True):
        low = int((rows["emergence_score_b"].abs() < rows["emergence_score_a"].abs()).sum())
        labels = [catalogue.at[metric, "label"] for metric in (metric_a, metric_b)]
        tasks = plural(rows["task"].nunique(), "task")
        medians = [rows[f"emergence_score_{side}"].abs().median() for side in "ab"]
        all_pairs = swaps[(swaps["metric_a"] == metric_a) & (swaps["metric_b"] == metric_b)]
        left_out = len(all_pairs) - len(rows)
        rest = (
            f"; {left_out:,} more {'pair has' if left_out == 1 else 'pairs have'} no score under one of them" if left_out else ""
        )
        sentences.append(
            f"From {labels[0]} to {labels[1]}: |E| is lower on {low} of {plural(len(rows), 'pair')} of curves ({tasks}), "
            f"with a median of {medians[0]:.1f} before and {medians[1]:.1f} after{rest}."
        )
        shorts.append(
            f"{labels[0]} → {labels[1]}: |E| lower on {low} of {len(rows)} pairs, median {medians[0]:.1f} → {medians[1]:.1f}"
        )
    shown = 6
    more = f" The table metric_swaps.csv has {len(sentences) - shown} more pairs of metrics." if len(sentences) > shown else ""
    return Answer(question, " ".join(sentences[:shown]) + more, "; ".join(shorts[:2]))


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
