"""Measure what it costs to read outputs into the checked table and to score them, against the plain way in the same run.

    python benchmarks/measure_outputs.py                      simulated files of 100,000 examples
    python benchmarks/measure_outputs.py --examples 1000000   and of a million
    python benchmarks/measure_outputs.py --tasks 1            all in one task

The plain way is json.loads into a data frame, and to score, loops over examples in Python (no standard errors and no covariance,
which are computed here); both ways must give the same scores.

Every way runs in a process of its own, on one core, on files that are in the page cache; the best of two runs counts. Seconds are
processor time, per million examples; the interpreter's start and imports are not in them. Memory is the peak of the whole process.
"""

import argparse
import functools
import json
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import edit_distance
import numpy as np

ROOT = Path(__file__).resolve().parents[1]

N_MODELS = 10
DATE = "2024-05-06T07-08-09.123456"
WORDS = ("the river was cold and wide", "so they waited until morning", "before anyone tried to cross it again")
WORDS = [word for phrase in WORDS for word in phrase.split()]


def models():
    """The models of every simulated folder, as a block lists them."""
    return {f"sim/model-{number}": {"family": "Sim", "scale": 10.0 ** (6 + number / 3)} for number in range(N_MODELS)}


def write_harness(folder, n_examples, output_type, n_tasks=4):
    """Samples as the harness writes them since 0.4.6, with results files. n_examples: over all models and tasks."""
    n = max(1, n_examples // (N_MODELS * n_tasks))
    tasks = [f"task_{number}" for number in range(n_tasks)]
    for model in models():
        rng = np.random.default_rng([20240506, list(models()).index(model)])
        inside = Path(folder, model.replace("/", "__"))
        inside.mkdir(parents=True)
        metrics = {"acc,none": 0.5, "acc_norm,none": 0.5} if output_type == "multiple_choice" else {"exact_match,none": 0.5}
        config = {"output_type": output_type, "target_delimiter": " ", "filter_list": [{"name": "none"}]}
        content = {
            "results": dict.fromkeys(tasks, metrics),
            "configs": dict.fromkeys(tasks, config),
            "n-shot": dict.fromkeys(tasks, 5),
            "config": {"model": "hf", "model_args": f"pretrained={model}"},
            "model_name": model,
        }
        (inside / f"results_{DATE}.json").write_text(json.dumps(content))
        for task in tasks:
            with open(inside / f"samples_{task}_{DATE}.jsonl", "w", encoding="utf-8") as file:
                for number in range(n):
                    make = _multiple_choice if output_type == "multiple_choice" else _generation
                    file.write(json.dumps(make(rng, number)) + "\n")


def plain_choices(folder):
    """The mean of eight metrics of multiple choice, one example at a time."""
    sums, n = dict.fromkeys(CHOICE_METRICS, 0.0), 0
    for file in sorted(Path(folder).rglob("samples_*.jsonl")):
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                sample = json.loads(line)
                logs = [float(response[0]) for response in sample["filtered_resps"]]
                lengths = [len(request["arg_1"]) - 1 for request in sample["arguments"].values()]
                gold, n = int(sample["target"]), n + 1
                places = range(len(logs))
                highest = max(logs)
                total = highest + math.log(sum(math.exp(value - highest) for value in logs))
                right = logs[gold] - total
                sums["acc"] += logs.index(highest) == gold
                sums["acc_norm"] += max(places, key=lambda k: logs[k] / lengths[k]) == gold
                sums["brier_score"] += sum((math.exp(logs[k] - total) - (k == gold)) ** 2 for k in places)
                sums["choice_probability"] += math.exp(right)
                sums["choice_logprob"] += right
                sums["target_probability"] += math.exp(logs[gold])
                sums["logprob"] += logs[gold]
                sums["mrr"] += 1 / (1 + sum(value > logs[gold] for value in logs))
    return {metric: total / n for metric, total in sums.items()}


def plain_generations(folder):
    """The mean of six metrics of generations, one example at a time; the edit distance is that of Wagner and Fischer."""
    sums, n = dict.fromkeys(("exact", "lower", "tokens", "length", "distance", "longer", "rouge"), 0.0), 0
    for file in sorted(Path(folder).rglob("samples_*.jsonl")):
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                sample = json.loads(line)
                said, target, n = sample["filtered_resps"][0], sample["target"], n + 1
                sums["exact"] += said == target
                sums["lower"] += said.lower() == target.lower()
                sums["tokens"] += sum(a == b for a, b in zip(said, target, strict=False))
                sums["length"] += len(target)
                sums["distance"] += edit_distance.row_by_row(said, target)
                sums["longer"] += max(len(said), len(target))
                words = [re.findall("[a-z0-9]+", text.lower()) for text in (said, target)]
                sums["rouge"] += 200 * _common(*words) / (len(words[0]) + len(words[1]))
    return {
        "exact_match": sums["exact"] / n,
        "case_insensitive_str_match": sums["lower"] / n,
        "token_accuracy": sums["tokens"] / sums["length"],
        "edit_similarity": 1 - sums["distance"] / sums["longer"],
        "edit_distance": sums["distance"] / n,
        "rougeL": sums["rouge"] / n,
    }


def _common(a, b):
    before = [0] * (len(b) + 1)
    for x in a:
        now = [0]
        for j, y in enumerate(b, 1):
            now.append(before[j - 1] + 1 if x == y else max(before[j], now[-1]))
        before = now
    return before[-1]


def our_scores(folder, block):
    """The files of a block into the checked table, and from it to scores with standard errors and covariance: means by metric."""
    from emergence.outputs import pipeline, rescoring
    from emergence.study import metric_catalogue
    from emergence.study.configuration import DEFAULT_METRICS

    block = checked(folder, block)
    with tempfile.TemporaryDirectory() as other:
        pipeline.ingest("sim", block, f"{other}/outputs.parquet")
        catalogue = metric_catalogue.load(DEFAULT_METRICS)
        scores = rescoring.tables_of("sim", block, f"{other}/outputs.parquet", catalogue, DEFAULT_METRICS)["scores"]
    # a ratio of sums over all models, as the plain way has it, is the mean of theirs only where all have the same denominator
    return scores.groupby("metric", observed=True)["score"].mean().to_dict()


def _prompt(number, n_words):
    start = number % len(WORDS)
    return " ".join((WORDS[start:] + WORDS * (n_words // len(WORDS) + 1))[:n_words]) + f" ({number})"


def _multiple_choice(rng, number):
    question, prompt = _prompt(number, 30), _prompt(number, 120)
    choices = [f"answer {(number * 7 + k) % 1000}" for k in range(4)]
    responses = [[f"{value}", "False"] for value in -rng.gamma(4, 2, 4)]
    return {
        "doc_id": number,
        "doc": {"question": question, "choices": choices, "answer": number % 4},
        "target": str(number % 4),
        "arguments": {f"gen_args_{k}": {"arg_0": prompt, "arg_1": f" {choice}"} for k, choice in enumerate(choices)},
        "resps": [[response] for response in responses],
        "filtered_resps": responses,
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "doc_hash": f"{number:064x}"[::-1],
        "prompt_hash": f"{number:064x}",
        "target_hash": f"{number:064x}",
        "acc": float(number % 2),
        "acc_norm": float(number % 3 == 0),
    }


def _generation(rng, number):
    answer, question, prompt = str(number * 37 % 1000), _prompt(number, 60), _prompt(number, 500)
    written = f" The answer is {answer if rng.random() < 0.5 else int(rng.integers(1000))}."
    return {
        "doc_id": number,
        "doc": {"question": question, "answer": answer},
        "target": answer,
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {"until": ["\n"], "do_sample": False}}},
        "resps": [[written]],
        "filtered_resps": [written],
        "filter": "none",
        "metrics": ["exact_match"],
        "doc_hash": f"{number:064x}"[::-1],
        "prompt_hash": f"{number:064x}",
        "target_hash": f"{number:064x}",
        "exact_match": float(number % 2),
    }


def write_logs(folder, n_examples, n_choices, n_tasks=4, share=1):
    """BIG-bench full logs of ten models and some tasks; of texts where n_choices is 0. Of the examples, one in `share`."""
    n = max(1, n_examples // (N_MODELS * n_tasks * share))
    for task in range(n_tasks):
        inside = Path(folder, f"task_{task}", "results")
        inside.mkdir(parents=True)
        for number, (name, model) in enumerate(models().items()):
            rng = np.random.default_rng([7, task, number])
            samples = [_scored(rng, i, n_choices) if n_choices else _written(rng, i) for i in range(n)]
            function = "cond_log_prob" if n_choices else "generate_text"
            size = model["scale"]
            content = {
                "scores": [],
                "task": {"task_name": f"task_{task}"},
                "model": {"model_family": "Sim", "model_name": name, "flop_matched_non_embedding_params": size},
                "queries": [{"function": function, "samples": samples, "shots": 0, "task": f"task_{task}"}],
            }
            (inside / f"full-log_Sim_{number}.json").write_text(json.dumps(content))


def _scored(rng, number, n_choices):
    choices = [f"answer {(number * 7 + k) % 1000}" for k in range(n_choices)]
    scores = -rng.gamma(4, 2, n_choices)
    normalised = (scores - np.log(np.exp(scores).sum())).tolist()
    values = {choice: int(k == number % n_choices) for k, choice in enumerate(choices)}
    return {
        "input": f"\nQ: {_prompt(number, 40)}\nA: ",
        "targets": choices,
        "scores": scores.tolist(),
        "target_values": values,
        "correct": float(number % 2),
        "absolute_scores": scores.tolist(),
        "normalized_scores": normalised,
        "metrics": {},
    }


def _written(rng, number):
    answer = str(number * 37 % 1000)
    written = f"The answer is {answer if rng.random() < 0.5 else int(rng.integers(1000))}"
    targets = {answer: {"exact_str_match": 0.0, "bleu": None}}
    return {
        "input": f"\nQ: {_prompt(number, 40)}\nA: ",
        "output": written,
        "targets": targets,
        "raw_output": written,
        "metrics": {},
    }


def plain_harness(folder):
    """json.loads of every line, the needed fields into a list of dictionaries, and these into a data frame."""
    import pandas as pd

    rows = []
    for file in sorted(Path(folder).rglob("samples_*.jsonl")):
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                sample = json.loads(line)
                row = {"file": file.name, "model": file.parent.name, "example": sample["doc_id"], "target": sample["target"]}
                if isinstance(sample["filtered_resps"][0], list):
                    row["log_probs"] = [float(response[0]) for response in sample["filtered_resps"]]
                    row["lengths"] = [len(request["arg_1"]) - 1 for request in sample["arguments"].values()]
                else:
                    row["output"] = sample["filtered_resps"][0]
                rows.append(row)
    return len(pd.DataFrame(rows))


def plain_logs(folder):
    """json.load of every log, the needed fields into a list of dictionaries, and these into a data frame."""
    import pandas as pd

    rows = []
    for file in sorted(Path(folder).rglob("full-log_*.json")):
        with open(file, encoding="utf-8") as text:
            content = json.load(text)
        for query in content["queries"]:
            for number, sample in enumerate(query["samples"]):
                row = {"task": query["task"], "model": content["model"]["model_name"], "example": number}
                for key in ("targets", "output", "absolute_scores", "target_values"):
                    row[key] = sample.get(key)
                rows.append(row)
    return len(pd.DataFrame(rows))


def our_reading(folder, block):
    """The files of a block into the checked table, with the account and digests."""
    import pyarrow

    from emergence.outputs import pipeline

    pyarrow.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as other:
        account, _ = pipeline.ingest("sim", checked(folder, block), f"{other}/outputs.parquet")
        n_bytes = Path(other, "outputs.parquet").stat().st_size
    n = int(account.loc[account["outcome"] == "kept", "n"].sum())
    return n, n_bytes / max(n, 1)


def checked(folder, block):
    """A complete block for a simulated folder."""
    from emergence.study import configuration

    keys = {"directory": str(folder)} if block["format"] == "bigbench_logs" else {"files": [str(folder)], "models": models()}
    return configuration.check({"benchmarks": {"sim": block | keys}})["benchmarks"]["sim"]


# name: (write, plain, block)
WORK = {
    "harness, 4 choices": (
        functools.partial(write_harness, output_type="multiple_choice"),
        plain_harness,
        "lm_eval_samples",
    ),
    "harness, generations": (
        functools.partial(write_harness, output_type="generate_until"),
        plain_harness,
        "lm_eval_samples",
    ),
    "BIG-bench logs, 4 choices": (functools.partial(write_logs, n_choices=4), plain_logs, "bigbench_logs"),
    "BIG-bench logs, 118 choices": (functools.partial(write_logs, n_choices=118, share=10), plain_logs, "bigbench_logs"),
    "BIG-bench logs, texts": (functools.partial(write_logs, n_choices=0), plain_logs, "bigbench_logs"),
}


CHOICE_METRICS = (
    "acc",
    "acc_norm",
    "brier_score",
    "choice_probability",
    "choice_logprob",
    "target_probability",
    "logprob",
    "mrr",
)
TEXT_METRICS = ("exact_match", "case_insensitive_str_match", "token_accuracy", "edit_similarity", "edit_distance", "rougeL")

# name: (whose files, plain, metrics)
SCORED = {
    "harness, 4 choices, to 8 metrics": ("harness, 4 choices", plain_choices, CHOICE_METRICS),
    "harness, generations, to 6 metrics": ("harness, generations", plain_generations, TEXT_METRICS),
}


def run_one(way, name, folder):
    """One way in this process, on one core: prints seconds, examples or scores, and peak memory in MB, as JSON."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    work, plain, metrics = SCORED.get(name, (name, WORK.get(name, (None, None))[1], None))
    write, _, reader = WORK[work]
    ours, block = (our_scores, {"format": reader, "metrics": list(metrics)}) if metrics else (our_reading, {"format": reader})
    if way == "ours":
        # what is imported and read once, such as schemas, is not part of the work
        with tempfile.TemporaryDirectory() as small:
            write(Path(small, "files"), 400)
            ours(Path(small, "files"), block)
    else:
        import pandas  # noqa: F401
    start = time.process_time()
    found = ours(folder, block) if way == "ours" else plain(folder)
    seconds = time.process_time() - start
    n, size = found if isinstance(found, tuple) else (found, None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(json.dumps({"seconds": seconds, "n": n, "peak_mb": peak, "bytes": size}))


def measured(way, name, folder, repeats=2):
    """The best of some runs of one way, each in its own process."""
    answers = []
    for _ in range(repeats):
        command = [sys.executable, __file__, "--one", way, "--work", name, "--folder", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    return min(answers, key=lambda answer: answer["seconds"])


def report_reading(n_examples, n_tasks):
    """Measure all readers on simulated files and print seconds per million examples. Returns {name: (ours, plain)}."""
    head = f"{'CPU seconds per million examples':36} {'ours':>7} {'json':>7} {'ratio':>6} {'peak MB':>8} {'json MB':>8}"
    print(f"{head} {'B each':>7} {'in Parquet':>10}")
    found = {}
    for name, (write, *_) in WORK.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder, "files"), n_examples, n_tasks=n_tasks)
            size = sum(file.stat().st_size for file in Path(folder, "files").rglob("*") if file.is_file())
            ours, plain = (measured(way, name, Path(folder, "files")) for way in ("ours", "plain"))
        assert ours["n"] == plain["n"], name
        per_million = [answer["seconds"] / answer["n"] * 1e6 for answer in (ours, plain)]
        print(
            f"{name:36} {per_million[0]:7.1f} {per_million[1]:7.1f} {per_million[1] / per_million[0]:6.1f}"
            f" {ours['peak_mb']:8.0f} {plain['peak_mb']:8.0f} {size / ours['n']:7.0f} {ours['bytes']:10.0f}"
        )
        found[name] = ours, plain
    return found


def report_scoring(n_examples, n_tasks):
    """Measure the way from files to scores and print seconds per million examples. Returns {name: (ours, plain)}."""
    print(f"{'from files to scores':36} {'ours':>7} {'plain':>7} {'ratio':>6} {'peak MB':>8}")
    found = {}
    for name, (work, *_) in SCORED.items():
        with tempfile.TemporaryDirectory() as folder:
            WORK[work][0](Path(folder, "files"), n_examples, n_tasks=n_tasks)
            ours, plain = (measured(way, name, Path(folder, "files")) for way in ("ours", "plain"))
        n = max(1, n_examples // (N_MODELS * n_tasks)) * N_MODELS * n_tasks
        scores = [answer["n"] for answer in (ours, plain)]
        differences = {metric: abs(scores[0][metric] - score) for metric, score in scores[1].items()}
        assert max(differences.values()) < 1e-3, differences
        per_million = [answer["seconds"] / n * 1e6 for answer in (ours, plain)]
        print(
            f"{name:36} {per_million[0]:7.1f} {per_million[1]:7.1f} {per_million[1] / per_million[0]:6.1f} {ours['peak_mb']:8.0f}"
        )
        found[name] = ours, plain
    return found


def main():
    parser = argparse.ArgumentParser(description="Measure reading outputs into the checked table, and scoring them.")
    parser.add_argument("--examples", type=int, default=100_000, help="examples in each simulated folder")
    parser.add_argument("--tasks", type=int, default=4, help="tasks that they are of")
    parser.add_argument("--one", choices=["ours", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return run_one(arguments.one, arguments.work, arguments.folder)
    report_reading(arguments.examples, arguments.tasks)
    report_scoring(arguments.examples, arguments.tasks)


if __name__ == "__main__":
    main()
