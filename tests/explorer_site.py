"""A small study for the tests of the explorer, and its page."""

import numpy as np
import pandas as pd

from emergence.report import explorer
from odd_names import NAMES

BLOCKS = {
    "first": {
        "title": "First benchmark",
        "origin": "language_models",
        "scale_label": "Parameters",
        "answers_over": {"entries": "all", "metrics": "all"},
    },
    "second": {
        "title": "Second benchmark",
        "origin": "language_models",
        "scale_label": "Training compute",
        "answers_over": {"entries": "all", "metrics": "all"},
    },
}
ATTACKS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]>",
    "\u2028alert(1)//",
    "javascript:alert(1)",
    "__proto__",
    "constructor",
]


def curves(names=()):
    """Curves of two metrics on the same outputs: a jump under accuracy, a straight line under the Brier score."""
    rows = []
    for benchmark, scales in (("first", 10.0 ** np.arange(6, 11)), ("second", 10.0 ** np.arange(18, 22))):
        tasks = ["sorting", "spelling", *names] if benchmark == "first" else ["sorting"]
        for number, task in enumerate(tasks):
            for metric in ("acc", "brier_score"):
                n = len(scales)
                line = np.linspace(0.1, 0.5, n)
                scores = np.append(np.full(n - 1, 0.1) + 0.01 * (np.arange(n - 1) % 2), 0.9) if metric == "acc" else 1 - line
                scores = scores - 0.001 * (number % 50)
                rows.append(
                    {
                        "benchmark": benchmark,
                        "task": task,
                        "subtask": names[number - 2] if number > 1 else "",
                        "metric": metric,
                        "model_family": names[number - 3] if number > 2 else "Heron",
                        "shots": 2 if benchmark == "first" else pd.NA,
                        "n_scales": n,
                        "scales": scales,
                        "scores": scores,
                        "n_models": np.ones(n),
                        "n_examples": np.full(n, 100.0),
                        "stderr": np.full(n, np.nan),
                        "chance": 0.25 if metric == "acc" else np.nan,
                        "status": "ok",
                        "preferred": True,
                        "repeats_family": None,
                        "emergence_score_resolved": 20.0 if metric == "acc" else np.nan,
                        "emergence_score": 80.0 if metric == "acc" else float(n - 1),
                        "relative_emergence_score": 80.0 / (n - 1) if metric == "acc" else 1.0,
                        "relative_emergence_score_resolved": 5.0 if metric == "acc" else np.nan,
                    }
                )
    return pd.DataFrame(rows).astype({"shots": "Int64"})


def verdicts(made):
    """Sorting is said to be made by its metric, and is claimed; the others are said to be undecided."""
    key = ["benchmark", "task", "subtask", "metric", "model_family", "shots"]
    sharp = made["metric"] == "acc"
    return made[key].assign(
        word=np.where(sharp, "sharp", "gradual"),
        verdict=np.where(made["task"] == "sorting", "metric", "sharp_undecided"),
        reason=["Sharp under accuracy alone. " + task for task in made["task"]],
        claimed=made["task"] == "sorting",
    )


def write(folder, catalogue, attacked=False):
    """The page of these curves, with the names of attackers if `attacked`. Gives its path."""
    names = [*ATTACKS, *NAMES] if attacked else []
    made = curves(names)
    blocks = BLOCKS
    if attacked:
        blocks = {name: block | {"title": names[0] + name, "scale_label": names[1]} for name, block in BLOCKS.items()}
        catalogue = catalogue.assign(label=[names[row % len(names)] for row in range(len(catalogue))])
    explorer.write(made, verdicts(made), catalogue, blocks, folder)
    return folder / "explorer.html"


def write_many(folder, catalogue, n, n_scales=9):
    """The page of n curves as all of BIG-bench has them. Gives its path.

    With scores of five digits, a known number of examples, and names of 20 to 30 letters.
    """
    random = np.random.default_rng(1)
    made = pd.DataFrame({"benchmark": "first", "task": [f"a_task_with_a_name_{row // 60}" for row in range(n)]})
    made["subtask"] = [f"subtask number {row % 60 // 4}" for row in range(n)]
    made["model_family"] = [f"Family {row % 4 // 2}" for row in range(n)]
    made["metric"] = ["acc", "brier_score"] * (n // 2)
    made = made.assign(
        shots=pd.array([2] * n, dtype="Int64"), n_scales=n_scales, status="ok", chance=0.25, preferred=True, repeats_family=None
    )
    made["emergence_score"] = made["emergence_score_resolved"] = made["relative_emergence_score"] = random.standard_cauchy(n)
    made["relative_emergence_score_resolved"] = random.standard_cauchy(n)
    for column, values in {
        "scales": np.tile(np.geomspace(1e6, 1e11, n_scales), (n, 1)),
        "scores": random.random((n, n_scales)),
        "n_models": np.ones((n, n_scales)),
        "n_examples": np.full((n, n_scales), 500.0),
        "stderr": np.full((n, n_scales), np.nan),
    }.items():
        made[column] = list(values)
    explorer.write(made, verdicts(made).assign(reason="One."), catalogue, BLOCKS, folder)
    return folder / "explorer.html"
