"""The report: one HTML file that opens offline, and the summary for the terminal."""

import base64
import re
import textwrap
from pathlib import Path

import jinja2
import pandas as pd

from emergence.curves import frames
from emergence.io import tables
from emergence.io.documents import ROOT
from emergence.io.texts import printable
from emergence.questions import answers
from emergence.study import metric_catalogue, registries

TEMPLATES = ROOT / "workflow" / "report"

# What benchmarks/measure_calibration.py measured; kept with the code that it measures.
CALIBRATION = ROOT / "docs" / "calibration.csv"

# A figure of the usual width, in points.
COLUMN_POINTS = 7.2 * 72

# Tables longer than this are shown from the top; the file beside the report has all rows.
MOST_ROWS = 40


def caption(name):
    """The caption of a figure, the same text that `snakemake --report` shows."""
    return " ".join((TEMPLATES / f"{name}.rst").read_text(encoding="utf-8").split())


def embedded(svg):
    """An SVG file as a data address: nothing in it can reach the page around it."""
    return "data:image/svg+xml;base64," + base64.b64encode(Path(svg).read_bytes()).decode("ascii")


def relative_width(svg):
    """Width of an SVG file as a percentage of the report's column, so that letters are of one size in all figures."""
    points = re.search(r'<svg[^>]*?\bwidth="([\d.]+)pt"', Path(svg).read_text(encoding="utf-8"))
    return min(100, round(100 * float(points[1]) / COLUMN_POINTS)) if points else 100


def number(value, digits=3):
    """A table cell: numbers short, empty where there is none."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, str):
        return value
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.{digits}g}" if abs(value) < 1e-3 or abs(value) >= 1e5 else f"{value:.{digits}f}".rstrip("0").rstrip(".")


def cells(frame, columns):
    """Chosen columns {column: header} of a frame as text: a dict of headers, rows and left_out (rows that are not shown)."""
    shown = frame.head(MOST_ROWS)
    rows = [[number(row[column]) for column in columns] for row in shown.to_dict("records")]
    return {"headers": list(columns.values()), "rows": rows, "left_out": len(frame) - len(shown)}


BY_METRIC = {
    "label": "metric",
    "kind": "kind",
    "n_tasks": "tasks",
    "n_curves": "curves",
    "n_ok": "with E",
    "n_constant": "constant",
    "n_zero_median_step": "zero median step",
    "n_too_few_scales": "too few scales",
    "median": "median E",
    "max": "highest E",
    "n_above": "above threshold",
    "sharpest": "sharpest curve",
}
CLAIMS = {
    "label": "preferred metric",
    "n_claims": "claims",
    "share": "share",
    "share_low": "low",
    "share_high": "high",
    "n_tasks": "all tasks",
    "task_share": "share",
    "odds_ratio": "odds ratio",
    "odds_ratio_low": "low",
    "odds_ratio_high": "high",
    "p_value": "p",
    "q_value": "q",
}
SWAPS = {
    "task": "task",
    "subtask": "subtask",
    "model_family": "family",
    "shots": "shots",
    "metric_a": "first metric",
    "emergence_score_a": "E",
    "metric_b": "second metric",
    "emergence_score_b": "E",
    "n_scales": "scales",
}
DISCOVERIES = {
    "null_model": "null model",
    "metric": "metric",
    "n_curves": "curves",
    "n_tested": "tested",
    "n_before": "p ≤ 0.05",
    "expected": "by chance",
    "n_after": "after control",
    "smallest_q": "smallest q",
}
AFTER_CONTROL = {
    "null_model": "null model",
    "threshold": "|E| at least",
    "n_metrics_above": "metrics before",
    "n_metrics_after": "metrics after",
    "n_curves_above": "curves before",
    "n_curves_after": "curves after",
    "n_untested_above": "of them untested",
    "metrics_after": "metrics left",
}
COMPARISONS = {
    "grouping": "by",
    "name_a": "first",
    "name_b": "second",
    "n_pairs": "pairs",
    "n_tasks": "tasks",
    "n_both": "both sharp",
    "n_only_a": "first only",
    "n_only_b": "second only",
    "n_neither": "neither",
    "mcnemar_p": "McNemar p",
    "mcnemar_q": "q",
    "mean_difference": "mean difference",
    "mean_low": "low",
    "mean_high": "high",
    "status": "status",
}
ACROSS = {
    "label": "metric",
    "benchmark": "benchmark",
    "n_tasks": "tasks",
    "n_curves": "curves",
    "n_ok": "with E",
    "median": "median E",
    "max": "highest E",
    "n_above": "above threshold",
    "share_above": "share",
    "share_low": "low",
    "share_high": "high",
}
PAPER = {"figure": "figure", "quantity": "what", "metric": "metric", "paper": "the paper says", "this_run": "this run finds"}
ACCOUNT = {"file": "file", "outcome": "outcome", "reason": "why", "n": "how many", "example": "first"}
INPUTS = {"file": "file", "n_bytes": "bytes", "sha256": "SHA-256"}


def section(name, block, study, catalogue, folder, figure_names, titles):
    """Everything the report says of one benchmark. folder: its results folder."""

    def table(kind):
        path = folder / Path(tables.description(kind)["path"]).name
        return tables.read(kind, path) if path.exists() else None

    curves, by_metric, thresholds, swaps, comparisons, discoveries = (
        table(kind)
        for kind in (
            "curves",
            "emergence_by_metric",
            "emergence_thresholds",
            "metric_swaps",
            "swap_comparisons",
            "discoveries_by_metric",
        )
    )
    claims = table("claims_by_metric") if "claims" in block else None
    top_metrics = table("claims_by_top_metrics") if "claims" in block else None
    null_models = study["null_models"]
    curves = frames.over(curves, **block["answers_over"])
    opening = [
        answers.on_null_models(discoveries, curves, catalogue, null_models["false_discovery_rate"], null_models["draws"]),
        answers.on_swaps(comparisons, catalogue),
        answers.on_predictability(table("predictability")),
    ]
    said = answers.on_claims(claims, top_metrics) if claims is not None else []
    said.append(answers.on_sharpness(curves, by_metric, thresholds, study["emergence"]["threshold"]))
    said += [*opening, answers.on_resolution(table("resolution")), answers.on_variation(table("variation"))]
    if claims is None:
        reason = (
            "This benchmark brings no list of claimed abilities (key `claims`), so claims and base rates are not computed for it."
        )
        said.append(answers.Answer("Which metrics account for the claims?", reason, "no list of claims"))
    shown = []
    if "paper_figures" in block:
        published = registries.load_paper_figures(block["paper_figures"])
        compared, note = answers.against_paper(published, block, curves, by_metric, claims, top_metrics)
        shown.append(("The paper and this run", "", cells(compared, PAPER), note))
    if claims is not None:
        shown.append(("Claims by preferred metric", "claims_by_metric.csv", cells(claims, CLAIMS), ""))
    shown.append(("Emergence score by metric", "emergence_by_metric.csv", cells(by_metric, BY_METRIC), ""))
    shown.append(("Sharper than the null models explain", "discoveries_by_metric.csv", cells(discoveries, DISCOVERIES), ""))
    after = table("thresholds_after_control")
    shown.append(("Thresholds before and after control", "thresholds_after_control.csv", cells(after, AFTER_CONTROL), ""))
    if len(comparisons):
        shown.append(("Metrics compared on the same outputs", "swap_comparisons.csv", cells(comparisons, COMPARISONS), ""))
    if len(swaps):
        shown.append(("Metric swaps on the same outputs", "metric_swaps.csv", cells(swaps, SWAPS), ""))
    account = table("ingest_account")
    return {
        "name": name,
        "title": block["title"],
        "description": " ".join(block.get("description", "").split()),
        "opening": answers.opening(block["title"], opening),
        "answers": said,
        "figures": [
            {
                "name": figure,
                "title": titles[figure],
                "width": relative_width(folder / "figures" / f"{figure}.svg"),
                "image": embedded(folder / "figures" / f"{figure}.svg"),
                "caption": caption(figure),
            }
            for figure in figure_names
        ],
        "tables": shown,
        "account": cells(account, ACCOUNT),
        "inputs": cells(table("inputs"), INPUTS),
        "accounted": accounted(account),
    }


def accounted(account):
    """The ingest account in one sentence."""
    counts = account.groupby("outcome")["n"].sum()
    parts = [
        f"{counts[outcome]:,} {words}"
        for outcome, words in (
            ("kept", "kept"),
            ("merged", "merged with an equal one"),
            ("empty", "without a score in their cell"),
            ("refused", "refused"),
        )
        if counts.get(outcome)
    ]
    return f"{counts.get('read', 0):,} scores read: {answers.listed(parts)}." if parts else "No score was read."


def study_report(study, folder, figure_names, titles, provenance):
    """The report and the summary as texts.

    study: dict, the resolved configuration. folder: the results folder. figure_names: {benchmark: names of its figures}.
    titles: {figure: title}. provenance: dict of provenance.record. Returns (html, summary).
    """
    catalogue = metric_catalogue.load(study["metrics"])
    sections = [
        section(name, block, study, catalogue, Path(folder) / name, figure_names[name], titles)
        for name, block in study["benchmarks"].items()
    ]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # names from the data: none may turn the text around it, or be there without being seen
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    across = tables.read("metrics_across_benchmarks", Path(folder) / "metrics_across_benchmarks.csv")
    html = environment.get_template("report.html.j2").render(
        sections=sections,
        study=study,
        provenance=provenance,
        calibration=answers.on_calibration(pd.read_csv(CALIBRATION)),
        across=cells(across, ACROSS),
    )
    return html, summary(sections)


def summary(sections, width=110):
    """The answers for a terminal: one line a question where it fits."""
    lines = ["Emergent abilities, or the metric?"]
    for part in sections:
        lines += ["", printable(part["title"])]
        for answer in part["answers"]:
            said = printable(f"{answer.question} {answer.short}.")
            lines += textwrap.wrap(said, width, initial_indent="  ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"
