"""Starter block for samples of lm-evaluation-harness."""

import re
from collections import Counter
from pathlib import Path

from emergence.ingest.accounts import Account
from emergence.ingest.readers.lm_eval import reader as results
from emergence.ingest.readers.lm_eval_samples import reader
from emergence.io.documents import as_yaml, files_below
from emergence.outputs import overview


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    files = [file for file in files_below(path, "*.jsonl") if file.suffix == ".jsonl"]
    if not any(re.match(r"samples_.+_\d{4}-", file.name) or _is_of_first_version(file) for file in files):
        return None
    block = {"format": "lm_eval_samples", "files": [str(path)], "on_error": "skip"}
    runs = reader.find(block, Account("skip"))
    parameters = [results.n_parameters(run.content) for run in runs]
    head = [f"files: [{as_yaml(path)}]", "scale_label: Parameters # or training FLOPs, tokens, steps: what the scales are"]
    head.append(
        "# `format: lm_eval` reads the scores of the results files only; this format scores what the models answered again"
    )
    if any(parameters):
        block["scale_from"] = "parameters"
        about = "the files record the number of parameters; leave it out to give every scale yourself"
        head.append(f"scale_from: parameters # {about}")
    again = Counter((run.entry, results.model_name(run.content), str(results.shots(run.entry, run.content))) for run in runs)
    n_again = sum(n > 1 for n in again.values())
    if n_again:
        head.append(
            f"repeated_runs: latest # {n_again:,} times a model has several runs of one task; or refuse where they differ"
        )
        block["repeated_runs"] = "latest"
    return head + overview.lines(block)


def _is_of_first_version(file):
    """Whether a file holds one JSON array beside results.json, as version 0.4.0 of the harness writes it."""
    if not (Path(file).parent / "results.json").is_file():
        return False
    with open(file, "rb") as content:
        return content.read(100).lstrip()[:1] == b"["
