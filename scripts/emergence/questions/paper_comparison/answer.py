"""What the paper reports beside what this run finds."""

from emergence.curves import frames
from emergence.questions.answers import Answer, percent, plural
from emergence.study import registries

COLUMNS = {"figure": "figure", "quantity": "what", "metric": "metric", "paper": "the paper says", "this_run": "this run finds"}


def answer(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    paper = registries.load_paper_figures(given.files["paper_figures"])
    tasks = registries.load_tasks(given.files["tasks"], given.catalogue) if "tasks" in given.files else None
    claims, top_metrics = (
        given.table(name) if given.has(name) else None for name in ("claims_by_metric", "claims_by_top_metrics")
    )
    table, note = against_paper(paper, tasks, curves, given.table("emergence_by_metric"), claims, top_metrics)
    return [Answer("What does the paper say, and what does this run find?", note, "", table, COLUMNS)]


def against_paper(paper, tasks, curves, by_metric, claims, top_metrics):
    """What the paper reports beside what this run finds, where it finds anything.

    Returns a frame (figure, quantity, metric, paper, this_run: text) and a sentence on what is not in it.
    """
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
    note = "Figure 5A of the paper draws curves of the whole benchmark. The files of this run hold "
    note += f"{held} of {len(tasks)}" if tasks is not None else held
    note += ", so their highest scores are over other curves."
    if missing.any():
        note += f" For {plural(int(missing.sum()), 'more number')} of the paper they hold no score."
    return table.loc[~missing, ["figure", "quantity", "metric", "paper", "this_run"]], note
