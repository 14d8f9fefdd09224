"""The way of docs/add_a_benchmark.md, as a stranger goes it: describe, fill in, run, for three layouts that people have.

Scores are those written into the files; what is filled in is what only a person can know.
"""

import csv
import json
import re
import subprocess
import sys

import pytest
import yaml

from conftest import ROOT, environment, snakemake
from emergence.io import tables

SIZES = ("70m", "410m", "1.3b", "2.8b", "6.9b")
SCORES = dict(zip(SIZES, (0.26, 0.31, 0.33, 0.52, 0.61), strict=True))

# A run as small as it gets, beside the block.
SMALL = {"null_models": {"draws": 20}, "resamples": 99, "figures": {"sharpest_curves": 2, "dpi": 50}}


def leaderboard(folder):
    """An export with columns that are not scores, in percent, with a model that it repeats."""
    lines = ["T,Model,Average ⬆️,ARC,GSM8K,Type,#Params (B),Hub ❤️,Model sha,date"]
    for size, score in SCORES.items():
        lines.append(
            f"🟢,org/tiny-{size},{100 * score - 2:.2f},{100 * score:.1f},{100 * score - 4:.1f},pretrained,"
            f"{float(size[:-1]) if size[-1] == 'b' else 0},17,ab12,2024-05-01T00:00:00Z"
        )
    lines.append("🟢,org/tiny-1.3b,20,20.0,20.0,pretrained,1.3,17,ab11,2023-05-01T00:00:00Z")
    (folder / "lb.csv").write_text("\n".join(lines) + "\n")
    return "lb.csv"


def harness(folder):
    """Results of the harness with groups in groups."""
    for size, score in SCORES.items():
        results = {
            name: {"acc,none": score, "acc_stderr,none": 0.01} for name in ("mmlu", "mmlu_stem", "mmlu_law", "physics", "law")
        }
        content = {
            "results": results,
            "group_subtasks": {"mmlu": ["mmlu_stem", "mmlu_law"], "mmlu_stem": ["physics"], "mmlu_law": ["law"]},
            "config": {"model": "hf", "model_args": f"pretrained=org/tiny-{size}", "limit": None},
            "n-shot": {"physics": 5, "law": 5},
            "versions": dict.fromkeys(results, 1),
        }
        path = folder / "out" / f"org__tiny-{size}" / "results_2024-06-16T22-09-58.078705.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
    return "out"


def checkpoints(folder):
    """Results of GPT-NeoX, in which only the paths say the model and the step."""
    for run in ("tiny-a", "tiny-b"):
        for step, score in zip((0, 1000, 2000, 4000, 8000, 16000), (0.25, *SCORES.values()), strict=True):
            content = {"results": {"piqa": {"acc": score, "acc_stderr": 0.01}}, "config": {"model": "neox", "num_fewshot": 0}}
            path = folder / "evals" / run / "zero-shot" / f"{run}-0shot-global_step{step}_eval_results_12-18-2022-18-50-42.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
    return "evals"


def fill_in(folder):
    """What only a person can know: the family of each model, and what the scores of the export are."""
    path = folder / "mine.yaml"
    text = re.sub(r"\{family: (?=[,}])", "{family: Tiny", path.read_text())
    text = re.sub(r"metric: # fill in.*", "metric: acc", text)
    assert "# fill in: " not in text
    path.write_text(text + yaml.safe_dump(SMALL))


@pytest.mark.parametrize(
    ("write", "curves", "n_left_out"),
    [
        (leaderboard, {("ARC", ""), ("GSM8K", "")}, 2),
        (harness, {("mmlu", name) for name in ("", "mmlu_stem", "mmlu_law", "physics", "law")}, 0),
        (checkpoints, {("piqa", "")}, 2),
    ],
)
def test_from_a_strangers_files_to_the_summary(tmp_path, write, curves, n_left_out):
    path = write(tmp_path)
    command = [sys.executable, str(ROOT / "scripts" / "describe_benchmark.py"), path, "--name", "mine"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment(tmp_path))
    (tmp_path / "mine.yaml").write_text(said.stdout)
    fill_in(tmp_path)
    alone = ["-s", str(ROOT / "Snakefile"), "--configfile", "mine.yaml", "--replace-workflow-config", "--cores", "1"]
    done = snakemake(tmp_path, *alone)
    assert done.returncode == 0, done.stderr
    assert "mine" in (tmp_path / "results" / "summary.txt").read_text()
    scores = tables.read("scores", tmp_path / "results" / "mine" / "scores.parquet").astype({"task": "str", "subtask": "str"})
    assert set(zip(scores["task"], scores["subtask"], strict=True)) == curves
    # the scores of each curve are those written, in the order of scale
    for _, curve in scores.groupby(["task", "subtask", "model_family"], observed=True):
        shift = 0.04 if curve["task"].iat[0] == "GSM8K" else 0
        assert curve.sort_values("scale")["score"].tolist() == pytest.approx([score - shift for score in SCORES.values()])
    with open(tmp_path / "results" / "mine" / "ingest_account.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["outcome"] == "left_out" and "column" not in row["reason"]]
    assert sum(int(row["n"]) for row in rows) == n_left_out
