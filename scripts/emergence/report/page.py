"""The report: one HTML file that opens offline, and the summary for the terminal."""

import base64
import dataclasses
import itertools
import os
import textwrap
from pathlib import Path

import jinja2
import pandas as pd
from PIL import Image

from emergence import questions
from emergence.ingest import input_checks
from emergence.io import tables
from emergence.io.documents import ROOT
from emergence.io.texts import printable
from emergence.questions import answers
from emergence.questions.given import Given
from emergence.report import overview

TEMPLATES = ROOT / "workflow" / "report"

# A figure of the usual width.
COLUMN_INCHES = 7.2

# Tables longer than this are shown from the top; the file beside the report has all rows.
MOST_ROWS = 40

ACCOUNT = {"file": "file", "outcome": "outcome", "reason": "why", "n": "how many", "example": "first"}
INPUTS = {"file": "file", "n_bytes": "bytes", "sha256": "SHA-256"}


@dataclasses.dataclass
class Inputs:
    """What the report is made from.

    tables, figures, lists: {benchmark: {name: path}}; figures are PNG files, with SVG and CSV files beside them.
    study_tables: {name: path}. provenance: dict of provenance.record.
    """

    tables: dict
    figures: dict
    lists: dict
    study_tables: dict
    provenance: dict


def embedded(png):
    """A PNG file as a data address. As SVG, with every letter as a shape, the figures would be three times as large."""
    return "data:image/png;base64," + base64.b64encode(Path(png).read_bytes()).decode("ascii")


def relative_width(png, dpi):
    """Width of a PNG file as a percentage of the report's column, so that letters are of one size in all figures."""
    with Image.open(png) as image:
        return min(100, round(100 * image.width / dpi / COLUMN_INCHES))


def has_rows(png):
    """Whether a figure shows any number. Where it shows none, it is one sentence, and the answer above it has said it."""
    with Path(png).with_suffix(".csv").open(encoding="utf-8") as lines:
        return len(list(itertools.islice(lines, 2))) == 2


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
    """Chosen columns {column: header} of a frame as text: a dict of headers, numeric (bool each), rows, left_out (how many)."""
    shown = frame.head(MOST_ROWS)
    rows = [[number(row[column]) for column in columns] for row in shown.to_dict("records")]
    numeric = [
        pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column]) for column in columns
    ]
    return {"headers": list(columns.values()), "numeric": numeric, "rows": rows, "left_out": len(frame) - len(shown)}


def shown_tables(question, read, folder, paths):
    """The tables of a question that the report shows: a list of dicts with title, file and cells."""
    found = []
    for name, shown in question.shown.items():
        frame = read(name)
        if len(frame):
            file = Path(os.path.relpath(paths[name], folder)).as_posix()
            found.append({"title": shown["title"], "file": file, **cells(frame, shown["columns"])})
    return found


def answered(question, given, paths, figures, folder):
    """Everything the report says of one question about one benchmark."""
    dpi = given.study["figures"]["dpi"]
    said = question.module("answer").answer(given.only(question, "answer"))
    return {
        "name": question.name,
        "title": question.title,
        "column": question.column,
        "column_means": question.column_means,
        "answers": said,
        "added": [cells(answer.table, answer.columns) for answer in said if answer.table is not None],
        "figures": [
            {
                "name": name,
                "title": title,
                "width": relative_width(figures[name], dpi),
                "image": embedded(figures[name]),
                "caption": question.caption(name),
                "beside": Path(os.path.relpath(figures[name], folder)).with_suffix("").as_posix(),
            }
            for name, title in question.figures.items()
            if has_rows(figures[name])
        ],
        "tables": shown_tables(question, given.table, folder, paths),
    }


def section(name, study, entries, inputs, folder):
    """Everything the report says of one benchmark.

    Parameters
    ----------
    name : str
        The benchmark.
    study : dict
        The resolved configuration.
    entries : dict
        The metrics with the fields that the questions read.
    inputs : Inputs
        What the report is made from.
    folder : Path
        Where the report will be: links are relative to it.
    """
    block, paths = study["benchmarks"][name], inputs.tables[name]
    given = Given(paths, study, block, entries, inputs.lists.get(name, {}), name)
    asked = questions.of_benchmark(block)
    account = given.table("ingest_account")
    return {
        "name": name,
        "title": block["title"],
        "origin": block["origin"],
        "description": " ".join(block.get("description", "").split()),
        "questions": [answered(question, given, paths, inputs.figures.get(name, {}), folder) for question in asked],
        "unasked": [
            (question.title, question.unasked)
            for question in questions.every_question().values()
            if question.scope == "benchmark" and question not in asked and question.unasked
        ],
        "lacking": lacking(asked),
        "account": cells(account, ACCOUNT),
        "account_file": Path(os.path.relpath(paths["ingest_account"], folder)).as_posix(),
        "inputs": cells(given.table("inputs"), INPUTS),
        "accounted": [accounted(account), *input_checks.sentences(account)],
    }


def lacking(asked):
    """What the block has not for each question of a benchmark that is not asked: {question: why}."""
    every = [question for question in questions.every_question().values() if question.scope == "benchmark"]
    reasons = {question.needs: question.unasked for question in every if question.unasked}
    return {question.name: reasons[question.needs] for question in every if question not in asked and question.needs in reasons}


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


def study_report(study, entries, inputs, folder):
    """Return the report and the summary as texts.

    Parameters
    ----------
    study, entries, inputs, folder
        See section.

    Returns
    -------
    tuple of str
        The page and the summary.
    """
    sections = [section(name, study, entries, inputs, folder) for name in study["benchmarks"]]
    given = Given(inputs.study_tables, study, {}, entries)
    across = [shown_tables(question, given.table, folder, inputs.study_tables) for question in questions.of_study()]
    judged = {name: tables.read("verdicts", paths["verdicts"]) for name, paths in inputs.tables.items() if "verdicts" in paths}
    counted = overview.verdicts(sections, judged)
    html = render(sections, study, inputs.provenance, [table for part in across for table in part], counted)
    return html, summary(sections)


def render(sections, study, provenance, across, verdicts=None):
    """Return the page as text: what the head of its template says, with the first screen made from the sections."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # names from the data: none may turn the text around it, or be there without being seen
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    return environment.get_template("report.html.j2").render(
        sections=sections,
        overview=overview.table(sections),
        verdicts=verdicts,
        steep=f"{study['emergence']['relative_threshold']:g}",
        explorer="explorer.html",
        study=study,
        provenance=provenance,
        across=across,
    )


def summary(sections, width=110):
    """The answers for a terminal: one line per question where it fits."""
    lines = ["Emergent abilities, or the metric?"]
    for part in sections:
        lines += ["", printable(part["title"])]
        said = [
            (answer.question, answer.short) for question in part["questions"] for answer in question["answers"] if answer.short
        ]
        for question, short in [*said, *part["unasked"]]:
            text = printable(f"{question} {short}.")
            lines += textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"
