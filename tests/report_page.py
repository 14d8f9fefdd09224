"""The report of a small study, from its template, for the tests in a browser."""

import pandas as pd

from emergence.questions.answers import Answer
from emergence.report import overview, page


def section(name, questions, origin="language_models"):
    table = {"headers": ["file", "outcome"], "numeric": [False, False], "rows": [["scores.csv", "read"]], "left_out": 0}
    return {
        "name": name,
        "title": name.title(),
        "origin": origin,
        "description": "What it is.",
        "questions": questions,
        "unasked": [("Another question?", "no list of claims")],
        "account": table,
        "account_file": f"{name}/ingest_account.csv",
        "inputs": table,
        "accounted": ["1 score read."],
        "lacking": {},
    }


def question(name, title, said, figures=()):
    table = {
        "title": "A table of numbers",
        "file": "x.csv",
        "headers": ["metric", "E"],
        "numeric": [False, True],
        "rows": [["Accuracy", "31"]],
        "left_out": 0,
    }
    figures = [
        {"name": figure, "title": figure, "width": 100, "image": PICTURE, "caption": ".", "beside": "x"} for figure in figures
    ]
    return {
        "name": name,
        "title": title,
        "column": title,
        "column_means": "What it is.",
        "answers": [said],
        "added": [],
        "figures": figures,
        "tables": [table],
    }


PICTURE = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='500' height='100'/>"


def write(folder):
    """Write the page; gives its path."""
    claims = question(
        "claims", "Which metrics account for the claims?", Answer("?", "Long.", "Metrics: 62 of 67", cell="62 of 67")
    )
    sharp = question("sharpness", "How sharp are the curves?", Answer("?", "Long.", "219 curves, highest E 31.0"), ["curves"])
    verdicts = pd.DataFrame(
        {
            "benchmark": "one",
            "task": ["a", "b", "c"],
            "subtask": "",
            "model_family": "Heron",
            "shots": 0,
            "verdict": ["metric", "gradual", "gradual"],
            "claimed": [True, False, None],
        }
    )
    sections = [section("one", [claims, sharp]), section("two", [sharp], "trained")]
    html = page.render(sections, STUDY, PROVENANCE, [], overview.verdicts(sections, {"one": verdicts}))
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


STUDY = {"emergence": {"relative_threshold": 2}}
PROVENANCE = {"commit": "", "python": "3.11", "platform": "Linux", "packages": {"numpy": "2"}, "configuration": {"seed": 1}}
