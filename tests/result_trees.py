"""Small trees of BIG-bench result files for the tests, written out here by hand."""

import json
from pathlib import Path

from emergence.study import configuration

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1M": 1_000_000}


def entry(subtask, scores, shots=0, preferred=None, low=0.25, high=1.0):
    """An entry of `scores`; it prefers its first metric unless another is given."""
    keys = {"score_dict": scores, "preferred_score": preferred or next(iter(scores)), "number_of_shots": shots}
    return keys | {"low_score": low, "high_score": high, "subtask_description": subtask}


def content(task, entries, model="1k", family="NGram", **others):
    """A whole score file, as keys and values."""
    size = SIZES[model]
    counts = {"total_params": 2 * size, "non_embedding_params": size + 1, "flop_matched_non_embedding_params": size}
    block = {"model_family": family, "model_name": model, **counts, "description": "made up"}
    return {"scores": entries, "task": {"task_name": task}, "model": block, "queries": []} | others


def write(tree, value, name=None, folder=None):
    """Write a score file where BIG-bench would. value: keys and values, or the bytes of the file. Returns its path."""
    if isinstance(value, bytes):
        data = value
    else:
        data = json.dumps(value, indent=2).encode()
        folder = folder or value["task"]["task_name"]
        name = name or "scores_{model_family}_{model_name}.json".format(**value["model"])
    path = Path(tree, folder, "results", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def tree_of_tasks(tree, tasks, shots=(0, 1)):
    """Tasks under two metrics for four models of two families; the scores differ from one another. Returns the tree."""
    for number, task in enumerate(tasks):
        for family in ("NGram", "NGram T=1"):
            for place, model in enumerate(SIZES):
                value = (number + 1) / 100 + place**2 / 20 + (family == "NGram") / 1000
                entries = [
                    entry(
                        name,
                        {"multiple_choice_grade": value + shot / 500, "calibration_multiple_choice_brier_score": value / 2},
                        shot,
                    )
                    for name in (f"{task}:part", task)
                    for shot in shots
                ]
                write(tree, content(task, entries, model, family))
    return tree


def block(tree, **keys):
    """The complete block of a tree."""
    keys = {"format": "bigbench", "directory": str(tree)} | keys
    return configuration.check({"benchmarks": {"mine": keys}})["benchmarks"]["mine"]
