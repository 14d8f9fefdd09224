"""Write a tree of BIG-bench result files as large as the real one, with made-up scores: something to measure on.

    python benchmarks/simulate_bigbench.py build/tree            10,000 files, about 700,000 scores
    python benchmarks/simulate_bigbench.py build/tree --times 10  ten times as many tasks

The layout, the keys, the indentation and the sizes are those of bigbench/benchmark_tasks/<task>/results/scores_*.json: 200
tasks, 50 models of six families, zero to three shots, most tasks with one entry per number of shots and some with many
subtasks. The same arguments always give the same bytes.
"""

import argparse
import json
from pathlib import Path

import numpy as np

# The families and sizes whose results BIG-bench holds, roughly.
FAMILIES = {
    "BIG-G T=0": ["2m", "16m", "53m", "125m", "244m", "422m", "1b", "2b", "4b", "8b", "27b", "128b"],
    "BIG-G T=1": ["2m", "16m", "53m", "125m", "244m", "422m", "1b", "2b", "4b", "8b", "27b", "128b"],
    "BIG-G sparse": ["2m", "16m", "53m", "125m", "244m", "422m", "1b", "2b", "4b"],
    "GPT": ["3-small", "3-medium", "3-large", "3-XL", "3-2.7B", "3-6.7B", "3-13B", "3-200B"],
    "Gopher": ["44m", "117m", "417m", "1.4b", "7.1b", "280b"],
    "PaLM": ["8b", "64b", "535b"],
}
CHOICE = ["multiple_choice_grade", "calibration_multiple_choice_brier_score", "expected_calibration_error"]
TEXT = ["exact_str_match", "bleu", "rouge1", "rouge2", "rougeLsum"]
PERCENT = {"bleu", "rouge1", "rouge2", "rougeLsum", "normalized_aggregate_score"}
SHOTS = (0, 1, 2, 3)
DESCRIPTION = (
    "A decoder-only transformer language model. Tokens were drawn from a mixture of web pages, conversations, code and books. "
    "The learning rate was decayed with the inverse square root of the step, and results were computed at the last checkpoint."
)


def models():
    """The 50 models: a list of the `model` blocks of score files."""
    blocks = []
    for family, names in FAMILIES.items():
        sizes = np.geomspace(2e6, 5e11 if family == "PaLM" else 1.3e11, len(names)).astype(int).tolist()
        for name, size in zip(names, sizes, strict=True):
            block = {"model_family": family, "model_name": name, "total_params": size + 32_000_000, "non_embedding_params": size}
            block |= {"flop_matched_non_embedding_params": size, "training_batch_size": 512, "training_steps": 250_000}
            block |= {"description": DESCRIPTION, "decoding_params": {"max_decode_steps": 64, "temperature": 0.0, "beam_size": 1}}
            blocks.append(block)
    return blocks


def _entry(task, metrics, shots, rng, is_whole):
    scores = {metric: float(rng.random() * (100 if metric in PERCENT else 1)) for metric in metrics}
    aggregated = is_whole and metrics[0] != "multiple_choice_grade"
    preferred = "normalized_aggregate_score" if aggregated else metrics[0]
    bounds = (0.25, 1.0) if preferred == "multiple_choice_grade" else (0, 100)
    entry = {"score_dict": scores, "preferred_score": preferred, "number_of_shots": shots}
    return entry | {"low_score": bounds[0], "high_score": bounds[1], "subtask_description": task}


def write_task(root, number, blocks):
    """One task's folder with a file for each model. Returns how many scores it holds."""
    rng = np.random.default_rng([20230430, number])
    task = f"task_{number:04d}_" + "".join(rng.choice(list("abcdefghij"), 8))
    n_subtasks = int(rng.choice([1, 2, 3, 5, 8, 13, 20], p=[0.59, 0.10, 0.08, 0.08, 0.06, 0.05, 0.04]))
    metrics = [*(CHOICE if rng.random() < 0.65 else TEXT), "normalized_aggregate_score"]
    folder = root / task / "results"
    folder.mkdir(parents=True, exist_ok=True)
    n_scores = 0
    for block in blocks:
        names = [f"{task}:part_{part}" for part in range(n_subtasks)] if n_subtasks > 1 else []
        entries = [_entry(name, metrics, shots, rng, False) for name in names for shots in SHOTS]
        entries += [_entry(task, metrics, shots, rng, bool(names)) for shots in SHOTS]
        content = {"scores": entries, "task": {"task_name": task}, "model": block, "queries": []}
        path = folder / f"scores_{block['model_family']}_{block['model_name']}.json"
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
        n_scores += len(entries) * len(metrics)
    return n_scores


def write_tree(root, n_tasks=200):
    """The whole tree below `root` (path). Returns (files, scores)."""
    blocks = models()
    n_scores = sum(write_task(Path(root), number, blocks) for number in range(n_tasks))
    return n_tasks * len(blocks), n_scores


def main():
    parser = argparse.ArgumentParser(description="Write a simulated tree of BIG-bench result files.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--times", type=int, default=1, help="how many times the size of the real tree (default 1)")
    arguments = parser.parse_args()
    files, scores = write_tree(arguments.directory, 200 * arguments.times)
    print(f"{arguments.directory}: {files:,} files, {scores:,} scores")


if __name__ == "__main__":
    main()
