"""The first screen of the report: the answers of each benchmark as short numbers, and how many abilities have which verdict."""

import re

OUTPUTS = ["benchmark", "task", "subtask", "model_family", "shots"]

# From the strongest word to the weakest.
VERDICTS = (
    "sharp_under_all",
    "metric",
    "sharp_undecided",
    "constant_answers",
    "within_noise",
    "gradual",
    "no_change",
    "cannot_tell",
)


def table(sections):
    """The answers of all benchmarks as one table.

    Parameters
    ----------
    sections : list of dict
        As of page.section: `name`, `title`, `questions` with `name`, `column` and `answers`, and `lacking`.

    Returns
    -------
    dict
        `columns`, the heads of the questions that have one and are asked; `rows`, each with `benchmark`, `href` and `cells`,
        one per column: `text`, the cells of the answers or the beginning of their short forms; `title`, these; `href`, the
        section. Where a benchmark is not asked, `text` says why, and `href` is empty.
    """
    columns = {}
    for part in sections:
        for question in part["questions"]:
            if question["column"] and any(answer.short for answer in question["answers"]):
                columns.setdefault(question["name"], question["column"])
    rows = []
    for part in sections:
        asked = {question["name"]: question for question in part["questions"]}
        cells = []
        for name in columns:
            said = [answer for answer in asked[name]["answers"] if answer.short] if name in asked else []
            cells.append(
                {
                    "text": "; ".join(answer.cell or leading(answer.short) for answer in said)
                    or part["lacking"].get(name, "not asked"),
                    "title": ". ".join(answer.short for answer in said),
                    "href": f"#{part['name']}-{name}" if said else "",
                }
            )
        rows.append({"benchmark": part["title"], "href": f"#{part['name']}", "cells": cells})
    return {"columns": list(columns.values()), "rows": rows}


def leading(short):
    """The part of a short answer that fits a cell: up to the first semicolon, without the name of what is counted."""
    first = short.split(";")[0]
    return re.sub(r"^[^:]*[a-zA-Z]: (?=[\d-])", "", first).strip().rstrip(".")


def verdicts(verdicts):
    """How many abilities have each verdict, claimed and not.

    Parameters
    ----------
    verdicts : pandas.DataFrame or None
        Columns of the table `verdicts`, of all benchmarks, with `benchmark`. An ability has a row for each of its metrics.

    Returns
    -------
    dict or None
        `rows`, each with `verdict`, `claimed`, `unclaimed`, `unlisted` (no list says whether it is claimed) and `total`; and
        `total`, the same for all.
    """
    if verdicts is None or verdicts.empty:
        return None
    abilities = verdicts.drop_duplicates(OUTPUTS)
    claimed = abilities["claimed"].astype("boolean")
    counted = {
        "claimed": claimed.fillna(False),
        "unclaimed": ~claimed.fillna(True),
        "unlisted": claimed.isna(),
        "total": claimed.isna() | True,
    }
    found = set(abilities["verdict"])
    words = [word for word in VERDICTS if word in found] + sorted(found - set(VERDICTS))
    rows = [
        {"verdict": word, **{name: int((chosen & (abilities["verdict"] == word)).sum()) for name, chosen in counted.items()}}
        for word in words
    ]
    return {"rows": rows, "total": {name: int(chosen.sum()) for name, chosen in counted.items()}}
