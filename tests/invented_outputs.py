"""Outputs of invented models with a known truth: as rows of the table `outputs`, and as the files of the example configuration.

A token is right with probability p(N) = exp(-(N / 1e9)^-0.5), independently, or with a part that all models share.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import norm

from emergence.outputs.examples import from_arrow

SCALES = np.logspace(8, 11, 8)
LISTS = {
    "targets": pa.string(),
    "log_probs": pa.float64(),
    "credits": pa.float64(),
    "n_characters": pa.int64(),
    "n_bytes": pa.int64(),
    "n_words": pa.int64(),
    "mutual_log_probs": pa.float64(),
    "normalised_log_probs": pa.float64(),
    "stored_metrics": pa.string(),
    "stored_values": pa.float64(),
}
SINGLE = {
    "benchmark": "b",
    "task": "task",
    "subtask": "",
    "model_family": "Family",
    "model": "m",
    "shots": 0,
    "filter": "",
    "example": "0",
    "repeat": 0,
    "scale": 1.0,
    "kind": "text",
    "output": None,
    "is_greedy": None,
    "cluster": None,
    "input_hash": None,
    "source": "invented",
}
TYPES = {"shots": pa.int64(), "repeat": pa.int64(), "scale": pa.float64(), "is_greedy": pa.bool_()}


def token_accuracy(scales):
    """The probability of a right token at each scale."""
    return np.exp(-((np.asarray(scales) / 1e9) ** -0.5))


def arrow(rows):
    """Rows of the table `outputs`, given as dictionaries of what differs from SINGLE, as an Arrow table."""
    columns = {name: [row.get(name, default) for row in rows] for name, default in SINGLE.items()}
    columns |= {name: [row.get(name, []) for row in rows] for name in LISTS}
    fields = [(name, TYPES.get(name, pa.string())) for name in SINGLE] + [(name, pa.list_(kind)) for name, kind in LISTS.items()]
    return pa.table({name: pa.array(columns[name], kind) for name, kind in fields})


def examples(rows):
    """The same as Examples of one task."""
    return from_arrow(arrow(rows))


def examples_of(frame):
    """The same from a frame with columns of `outputs`."""
    types = TYPES | {name: pa.list_(kind) for name, kind in LISTS.items()}
    return from_arrow(pa.table({name: pa.array(frame[name], types.get(name), from_pandas=True) for name in frame}))


def copied_digits(n, lengths, *, scales=SCALES, shared=0.0, seed=1, **same):
    """Models copy digits: each token is right with p(N), else another digit. Returns rows of the table `outputs`.

    n: questions. lengths: of the targets, in turn. shared: correlation of a token's normal score between any two models.
    """
    generator = np.random.default_rng(seed)
    rows = []
    targets = ["".join(str(digit) for digit in generator.integers(10, size=length)) for length in np.resize(lengths, n).tolist()]
    common = [generator.standard_normal(len(target)) for target in targets]
    for scale in scales:
        threshold = norm.ppf(token_accuracy(scale))
        for number, target in enumerate(targets):
            own = generator.standard_normal(len(target))
            right = math.sqrt(shared) * common[number] + math.sqrt(1 - shared) * own < threshold
            wrong = (np.array([int(digit) for digit in target]) + generator.integers(1, 10, size=len(target))) % 10
            output = "".join(digit if hit else str(other) for digit, hit, other in zip(target, right, wrong, strict=True))
            rows.append(
                same
                | {
                    "model": f"m{scale:.3g}",
                    "scale": float(scale),
                    "example": f"{number:04d}",
                    "output": output,
                    "targets": [target],
                }
            )
    return rows


def sums(n, *, scales=SCALES, n_choices=4, seed=1, **same):
    """Models choose the sum of two numbers; the right choice gains log-probability with scale. Returns rows of `outputs`."""
    generator = np.random.default_rng(seed)
    rows = []
    questions = generator.integers(10, 90, size=(n, 2))
    gold = generator.integers(n_choices, size=n)
    noise = generator.standard_normal((n, n_choices))
    for scale in scales:
        for number in range(n):
            a, b = questions[number].tolist()
            texts = [str(a + b + shift) for shift in range(1, n_choices + 1)]
            texts[gold[number]] = str(a + b)
            log_probs = -4 + noise[number] + 0.5 * generator.standard_normal(n_choices)
            log_probs[gold[number]] += 3 * token_accuracy(scale) - 1
            log_probs = np.minimum(log_probs, -1e-3)
            rows.append(
                same
                | {
                    "kind": "choices",
                    "model": f"m{scale:.3g}",
                    "scale": float(scale),
                    "example": f"{number:04d}",
                    "targets": texts,
                    "log_probs": log_probs.tolist(),
                    "credits": [float(i == gold[number]) for i in range(n_choices)],
                    "n_characters": [len(text) for text in texts],
                    "n_bytes": [len(text.encode()) for text in texts],
                    "n_words": [1] * n_choices,
                    "question": f"{a}+{b}=",
                }
            )
    return rows


def write_table(path, rows):
    """Rows of texts as a CSV file for `format: outputs_table`."""
    columns = {"task": "task", "model": "model", "scale": "parameters", "example": "id", "output": "answer"}
    frame = pd.DataFrame([{label: row[name] for name, label in columns.items()} | {"target": row["targets"][0]} for row in rows])
    frame["parameters"] = frame["parameters"].map(lambda value: f"{value:.6g}")
    frame.to_csv(path, index=False, lineterminator="\n")


def write_harness(folder, task, rows, names):
    """Rows of multiple choice as files of `lm_eval --log_samples`, one folder per model. names: {model: its name there}."""
    date = "2026-01-05T10-00-00.000000"
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [row for row in rows if row["model"] == model]
        place = Path(folder) / names[model].replace("/", "__")
        place.mkdir(parents=True, exist_ok=True)
        lines, graded = [], []
        for number, row in enumerate(mine):
            gold = row["credits"].index(1.0)
            best = int(np.argmax(row["log_probs"]))
            graded.append(float(best == gold))
            responses = [[[repr(round(value, 6)), "False"]] for value in row["log_probs"]]
            arguments = {
                f"gen_args_{i}": {"arg_0": row["question"], "arg_1": f" {text}"} for i, text in enumerate(row["targets"])
            }
            sample = {
                "doc_id": number,
                "doc": {"question": row["question"], "choices": row["targets"], "gold": gold},
                "target": str(gold),
                "arguments": arguments,
                "resps": responses,
                "filtered_resps": [response[0] for response in responses],
                "filter": "none",
                "metrics": ["acc"],
                "acc": graded[-1],
            }
            lines.append(json.dumps(sample, ensure_ascii=False) + "\n")
        (place / f"samples_{task}_{date}.jsonl").write_text("".join(lines))
        configuration = {
            "task": task,
            "output_type": "multiple_choice",
            "doc_to_text": "{{question}}",
            "doc_to_target": "gold",
            "doc_to_choice": "choices",
            "target_delimiter": " ",
            "num_fewshot": 0,
            "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        }
        results = {
            "results": {task: {"alias": task, "acc,none": float(np.mean(graded))}},
            "group_subtasks": {},
            "configs": {task: configuration},
            "versions": {task: 1.0},
            "n-shot": {task: 0},
            "higher_is_better": {task: {"acc": True}},
            "n-samples": {task: {"original": len(mine), "effective": len(mine)}},
            "config": {"model": "hf", "model_args": f"pretrained={names[model]}"},
            "lm_eval_version": "0.4.13",
            "model_source": "hf",
            "model_name": names[model],
            "model_name_sanitized": names[model].replace("/", "__"),
        }
        (place / f"results_{date}.json").write_text(json.dumps(results, indent=1) + "\n")


def write_example(folder):
    """The data of config/examples/outputs.yaml."""
    folder = Path(folder)
    texts = copied_digits(80, [1, 2, 3, 4, 5], shared=0.3, seed=3, task="copy_digits")
    write_table(folder / "outputs_table.csv", [row | {"model": f"heron-{row['scale'] / 1e9:.3g}b"} for row in texts])
    scales = [*SCALES[::2].tolist(), SCALES[-1]]
    choices = sums(40, scales=scales, seed=4)
    names = {row["model"]: f"lakeside/heron-{row['scale'] / 1e9:.3g}b" for row in choices}
    write_harness(folder / "lm_eval_samples", "sums", choices, names)


if __name__ == "__main__":
    write_example(Path(__file__).resolve().parents[1] / "config" / "examples" / "data")
