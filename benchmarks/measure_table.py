"""Measure what it costs to read a table of a million scores, beside plain pandas.read_csv of the same file.

    python benchmarks/measure_table.py [--rows 1000000] [--file-type csv]

Each way runs in a process of its own and prints its seconds and the highest memory of that process; the interpreter and the
imports are in the memory and not in the seconds.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]


def write(path, n_rows, file_type):
    """A table of invented scores: 100 tasks, 2 metrics, 5 shots, as many models of 10 families as the rows need."""
    numbers = np.arange(n_rows)
    model = numbers // 1000
    frame = pd.DataFrame(
        {
            "task": np.char.add("task_", (numbers % 100).astype(str)),
            "metric": np.where(numbers // 100 % 2, "acc", "acc_norm"),
            "family": np.char.add("family_", (model % 10).astype(str)),
            "model": np.char.add("model_", model.astype(str)),
            "parameters": 1_000_000 * (1 + model // 10),
            "shots": numbers // 200 % 5,
            "score": np.random.default_rng(0).random(n_rows).round(6),
            "examples": 500,
        }
    )
    if file_type == "parquet":
        frame.to_parquet(path)
    elif file_type == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)


def read_plain(path):
    return len(pd.read_csv(path))


def _block(path):
    from emergence.study.configuration import benchmark_schema, with_defaults

    columns = {"task": "task", "metric": "metric", "model_family": "family", "model": "model"}
    columns |= {"scale": "parameters", "shots": "shots", "score": "score", "n_examples": "examples"}
    return with_defaults({"format": "table", "files": [str(path)], "columns": columns}, benchmark_schema("table"))


def read_table(path):
    from emergence.ingest import readers
    from emergence.ingest.accounts import Account

    return len(readers.read(_block(path), Account()).frame)


def ingest_table(path):
    from emergence.ingest import pipeline

    return len(pipeline.ingest("measured", _block(path), ROOT / "config" / "metrics.yaml")[0])


def measure(way, path):
    """(rows, seconds, MB) of one way in this process."""
    start = time.perf_counter()
    n_rows = way(path)
    return n_rows, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(function, *arguments):
    """The result of a function in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main():
    parser = argparse.ArgumentParser(description="Measure what it costs to read a table of a million scores.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--file-type", choices=["csv", "tsv", "parquet", "jsonl"], default="csv")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"scores.{arguments.file_type}"
        # elsewhere, since a process starts with the highest memory of the one that starts it
        apart(write, path, arguments.rows, arguments.file_type)
        print(f"{arguments.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB of {arguments.file_type}")
        ways = {"the reader": read_table, "reader and all checks": ingest_table}
        if arguments.file_type == "csv":
            ways = {"plain pandas.read_csv": read_plain, **ways}
        for name, way in ways.items():
            n_rows, seconds, memory = apart(measure, way, path)
            print(f"{name:24} {seconds:6.1f} s {memory:7.0f} MB at most, {n_rows:,} rows")


if __name__ == "__main__":
    main()
