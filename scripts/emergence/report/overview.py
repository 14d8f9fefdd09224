"""The first screen of the report: the answers of each benchmark as short numbers, and how many abilities have which verdict."""

import re

from emergence import statuses

OUTPUTS = ["benchmark", "task", "subtask", "model_family", "shots"]

# What is set apart from what: a network of a few thousand weights is no evidence about language models, and where the truth is known
# the answers say how well the workflow finds it.
ORIGINS = {
    "language_models": "Language models",
    "simulated": "Known answer",
    "trained": "Trained for this study",
}

# From the strongest word to the weakest.
VERDICTS = (
    statuses.SHARP_UNDER_ALL,
    statuses.METRIC,
    statuses.SHARP_UNDECIDED,
    statuses.CONSTANT_ANSWERS,
    statuses.WITHIN_NOISE,
    statuses.GRADUAL,
    statuses.NO_CHANGE,
    statuses.CANNOT_TELL,
)


def by_origin(sections):
    """The sections in groups: a list of (title of the group, list of sections), without empty groups."""
    groups = [(title, [part for part in sections if part["origin"] == origin]) for origin, title in ORIGINS.items()]
    return [(title, members) for title, members in groups if members]


def table(sections):
    """The answers of all benchmarks as one table.

    Parameters
    ----------
    sections : list of dict
        As of page.section: `name`, `title`, `origin`, `questions` with `name`, `column`, `column_means` and `answers`, and
        `lacking`.

    Returns
    -------
    dict
        `columns`, the questions that have a head and are asked, each with `name`, `head` and `means`; `groups`, each with `title`
        and `rows`, each with `benchmark`, `href` and `cells`, one per column: `text`, the numbers of the answers; `title`, their
        short forms; `href`, the section. Where there is no number, `text` is empty, `title` says why, and `href` leads to where
        it is said.
    """
    columns = {}
    for part in sections:
        for question in part["questions"]:
            if question["column"] and any(answer.short for answer in question["answers"]):
                columns.setdefault(
                    question["name"], {"name": question["name"], "head": question["column"], "means": question["column_means"]}
                )
    groups = [
        {
            "title": title,
            "rows": [{"benchmark": part["title"], "href": f"#{part['name']}", "cells": cells(part, columns)} for part in members],
        }
        for title, members in by_origin(sections)
    ]
    return {"columns": list(columns.values()), "groups": groups}


def cells(part, columns):
    """The cells of one benchmark, one per column; see table."""
    asked = {question["name"]: question for question in part["questions"]}
    found = []
    for name in columns:
        said = [answer for answer in asked[name]["answers"] if answer.short] if name in asked else []
        text = "; ".join(answer.cell or leading(answer.short) for answer in said)
        if not said:
            found.append({"text": "", "title": part["lacking"].get(name, "not asked"), "href": f"#{part['name']}-not-asked"})
        elif not re.search(r"\d", text):
            found.append({"text": "", "title": text, "href": f"#{part['name']}-{name}"})
        else:
            found.append({"text": text, "title": ". ".join(answer.short for answer in said), "href": f"#{part['name']}-{name}"})
    return found


def leading(short):
    """The part of a short answer that fits a cell: up to the first semicolon, without the name of what is counted."""
    first = short.split(";")[0]
    return re.sub(r"^[^:]*[a-zA-Z]: (?=[\d-])", "", first).strip().rstrip(".")


def verdicts(sections, verdicts):
    """How many abilities of each benchmark have each verdict; claimed and not where a list says so.

    Parameters
    ----------
    sections : list of dict
        As of page.section: `name`, `title`, `origin`.
    verdicts : dict
        {benchmark: data frame with the columns of the table `verdicts`}. An ability has a row for each of its metrics.

    Returns
    -------
    dict or None
        `verdicts`, the words that are found, from the strongest; `groups`, each with `title` and `rows`, each with `benchmark`,
        `href`, `claims` (`claimed`, `not claimed`, or empty without a list of claims) and `counts`, one per word. Nothing is added
        up over benchmarks.
    """
    abilities = {name: frame.drop_duplicates(OUTPUTS) for name, frame in verdicts.items() if len(frame)}
    found = {word for frame in abilities.values() for word in frame["verdict"]}
    if not found:
        return None
    words = [word for word in VERDICTS if word in found] + sorted(found - set(VERDICTS))
    groups = []
    for title, members in by_origin(sections):
        rows = []
        for part in members:
            if part["name"] not in abilities:
                continue
            frame = abilities[part["name"]]
            claimed = frame["claimed"].astype("boolean")
            for claims, chosen in (
                ("claimed", claimed.fillna(False)),
                ("not claimed", ~claimed.fillna(True)),
                ("", claimed.isna()),
            ):
                if chosen.any():
                    counts = frame.loc[chosen.to_numpy(dtype=bool), "verdict"].value_counts()
                    rows.append(
                        {
                            "benchmark": part["title"],
                            "href": f"#{part['name']}-verdicts",
                            "claims": claims,
                            "counts": [int(counts.get(word, 0)) for word in words],
                        }
                    )
        groups.append({"title": title, "rows": rows})
    return {"verdicts": words, "groups": [group for group in groups if group["rows"]]}
