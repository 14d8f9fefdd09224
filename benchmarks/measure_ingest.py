"""Measure how long it takes to read all of BIG-bench and to compute every emergence score, against the plain ways of doing so.

    python benchmarks/measure_ingest.py               on a simulated tree of 10,000 files
    python benchmarks/measure_ingest.py --times 10    and on one ten times as large, to see how cost grows
    python benchmarks/measure_ingest.py --tree DIR    on a tree that is there already

Every way runs in a process of its own, on one core, on files that are in the page cache; the best of three runs counts. Seconds
are processor time, user and system, so that what else the machine does counts little; the interpreter's start and imports are
not in them. Memory is the peak of the whole process.
"""

import argparse
import collections
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent))

# What BIG-bench's loader multiplies by 100 (bigbench/api/results.py of PyPI `bigbench` 1.0.0).
TIMES_100 = ["bleurt", "calibration_multiple_choice_brier_score", "expected_calibration_error", "exact_str_match"]
TIMES_100 += ["case_insensitive_str_match", "multiple_choice_grade", "numeric_match_with_0_1_relative_error", "macro_f1"]


def files(tree):
    return sorted(Path(tree).glob("*/results/scores_*.json"))


@dataclasses.dataclass
class ScoreData:
    """An entry of a score file, with the fields of BIG-bench's class of that name."""

    score_dict: dict
    preferred_score: str
    number_of_shots: int
    low_score: float
    high_score: float
    subtask_description: str


@dataclasses.dataclass
class TaskData:
    """The task of a score file."""

    task_name: str


@dataclasses.dataclass
class ModelData:
    """The model of a score file."""

    model_family: str
    model_name: str
    total_params: int
    non_embedding_params: int
    flop_matched_non_embedding_params: int
    training_batch_size: int
    training_steps: int
    description: str
    decoding_params: dict


@dataclasses.dataclass
class ResultsFileData:
    """A score file."""

    scores: list
    task: TaskData
    model: ModelData
    queries: list | None = None


@dataclasses.dataclass
class ScoreSample:
    """One score and the size of its model."""

    score: float
    params: int


def plain_load(tree):
    """What BIG-bench's own load_results does, step by step, in the same containers.

    Every file by json.load into dataclasses, some metrics times 100; then for each task a dictionary of subtasks, metrics, families
    and shots, with an object a score, sorted by the size of the model.
    """
    by_task = collections.defaultdict(list)
    results = []
    for path in files(tree):
        with open(path) as file:
            content = json.load(file)
        scores = [_times_100(ScoreData(**entry)) for entry in content["scores"]]
        results.append(ResultsFileData(scores, TaskData(**content["task"]), ModelData(**content["model"])))
    for result in results:
        by_task[result.task.task_name].append(result)
    tasks = {task: _by_curve(of_task) for task, of_task in by_task.items()}
    return sum(
        len(samples)
        for subtasks in tasks.values()
        for metrics in subtasks.values()
        for families in metrics.values()
        for shots in families.values()
        for samples in shots.values()
    )


def _times_100(scores):
    if scores.preferred_score in TIMES_100:
        scores.low_score *= 100
        scores.high_score *= 100
    for metric in scores.score_dict:
        if metric in TIMES_100:
            scores.score_dict[metric] *= 100
    return scores


def _by_curve(results):
    curves = {}
    for result in results:
        family, size = result.model.model_family, result.model.flop_matched_non_embedding_params
        for scores in result.scores:
            subtask, shots = scores.subtask_description, scores.number_of_shots
            for metric, score in scores.score_dict.items():
                families = curves.setdefault(subtask, {}).setdefault(metric, {})
                families.setdefault(family, {}).setdefault(shots, []).append(ScoreSample(score, size))
    for metrics in curves.values():
        for families in metrics.values():
            for shots in families.values():
                for number in shots:
                    shots[number] = sorted(shots[number], key=lambda sample: sample.params)
    return curves


def parse_bytes(tree):
    """Read the files and parse what is needed of them with the fastest parser available, keeping nothing: the floor of any reader.

    Of the parsers tried (orjson, msgspec with and without declared types), msgspec with declared types is the fastest.
    """
    import msgspec

    from emergence.ingest.readers.bigbench.reader import ScoreFile

    decode = msgspec.json.Decoder(ScoreFile).decode
    n = 0
    for path in files(tree):
        decode(path.read_bytes())
        n += 1
    return n


def our_ingest(tree, part=None):
    """The ingest of the workflow: files to the checked score table in Parquet, with the account and the list of files."""
    import pyarrow

    from emergence.ingest import pipeline
    from emergence.io import tables
    from emergence.study import configuration

    pyarrow.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as folder:
        scores, account, inputs = pipeline.ingest("full", _block(tree), configuration.DEFAULT_METRICS, part)
        tables.write(scores, "scores", f"{folder}/scores.parquet")
        tables.write(account, "ingest_account", f"{folder}/ingest_account.csv")
        tables.write(inputs, "inputs", f"{folder}/inputs.csv")
    return len(scores)


def one_shard(tree):
    """The same for one shard of ten."""
    return our_ingest(tree, (1, 10))


def _block(tree):
    from emergence.study import configuration

    study = configuration.check({"benchmarks": {"full": {"format": "bigbench", "directory": str(tree)}}})
    return study["benchmarks"]["full"]


def curve_seconds(tree):
    """Seconds for the emergence scores of all curves, by each way, from the same score table in memory: {way: seconds}."""
    import numpy as np
    import pyarrow

    from emergence.curves import frames, sharpness
    from emergence.ingest import pipeline
    from emergence.io import tables
    from emergence.study import configuration, metric_catalogue

    pyarrow.set_cpu_count(1)
    catalogue = metric_catalogue.load(configuration.DEFAULT_METRICS)
    written, _, _ = pipeline.ingest("full", _block(tree), configuration.DEFAULT_METRICS)
    with tempfile.TemporaryDirectory() as folder:
        tables.write(written, "scores", f"{folder}/scores.parquet")
        scores = tables.read("scores", f"{folder}/scores.parquet", categories=True)
        plain = tables.read("scores", f"{folder}/scores.parquet")
    grouped = frames.from_scores(scores, catalogue)
    batches = list(frames.batches(grouped))
    found = {}

    def timed(way, work, repeats=3):
        spent = []
        for _ in range(repeats):
            start = time.process_time()
            result = work()
            spent.append(time.process_time() - start)
        found[way] = min(spent)
        return result

    def emergence(group):
        y = group.sort_values("scale")["score"].to_numpy()
        return _emergence_of_one(y, np)

    timed("table_to_curves_and_six_measures", lambda: frames.measure(frames.from_scores(scores, catalogue), catalogue))
    timed("six_measures", lambda: frames.measure(grouped, catalogue))
    fast = timed("emergence_score", lambda: [sharpness.emergence_score(batch.oriented) for batch in batches])
    lists = [row for batch in batches for row in batch.oriented]
    slow = timed("numpy_loop", lambda: [_emergence_of_one(y, np) for y in lists])
    plain["score"] *= np.where(plain["metric"].map(catalogue["higher_is_better"]).to_numpy(dtype=bool), 1.0, -1.0)
    applied = timed(
        "groupby_apply", lambda: plain.groupby(list(frames.KEY), dropna=False)[["scale", "score"]].apply(emergence), 1
    )
    np.testing.assert_allclose(np.concatenate(fast), slow, rtol=1e-9)
    assert len(applied) == len(lists)
    return found | {"n_curves": len(lists)}


def _emergence_of_one(y, np):
    squared = np.median(np.square(np.diff(y)))
    signed = np.sign(np.argmax(y) - np.argmin(y)) * (np.max(y) - np.min(y))
    return signed / np.sqrt(squared) if squared > 0 else (0.0 if signed == 0 else np.nan)


WAYS = {"plain_load": plain_load, "parse_bytes": parse_bytes, "our_ingest": our_ingest, "one_shard": one_shard}


def run_one(way, tree):
    """One way in this process, on one core: prints seconds, peak memory in MB and how much it read, as JSON."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if way == "curves":
        answer = curve_seconds(tree)
    else:
        if way != "plain_load":
            # imports, and the schemas that Snakemake's own process has read, are no part of the work
            from emergence.ingest import pipeline  # noqa: F401
            from emergence.ingest.readers.bigbench import reader  # noqa: F401

            _block(tree)
        start = time.process_time()
        n = WAYS[way](tree)
        answer = {"seconds": time.process_time() - start, "n": n}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(answer | {"peak_mb": peak / (1e6 if sys.platform == "darwin" else 1e3)}))


def measured(way, tree, repeats=3):
    """The best of several runs of one way, each in its own process."""
    answers = []
    for _ in range(repeats):
        command = [sys.executable, __file__, "--one", way, "--tree", str(tree)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    return min(answers, key=lambda answer: answer.get("seconds", 0))


def report(tree):
    """Measure everything on one tree and print it. Returns the seconds and the memory of our ingest."""
    n_files, n_bytes = len(files(tree)), sum(path.stat().st_size for path in files(tree))
    measured("parse_bytes", tree, 1)
    plain, floor, ours, shard = (measured(way, tree) for way in ("plain_load", "parse_bytes", "our_ingest", "one_shard"))
    print(f"\n{n_files:,} files, {n_bytes / 1e6:.0f} MB, {ours['n']:,} scores, one core\n")
    rows = [
        ("json.load into dataclasses and dicts, as BIG-bench's loader does", plain),
        ("read and parse the bytes with msgspec, keep nothing (floor)", floor),
        ("this workflow: files to checked Parquet, account, digests", ours),
        ("the same for one shard of ten", shard),
    ]
    print(f"{'ingest':60} {'seconds':>8} {'peak MB':>8}")
    for name, answer in rows:
        print(f"{name:60} {answer['seconds']:8.2f} {answer['peak_mb']:8.0f}")
    print(
        f"plain load / ours: {plain['seconds'] / ours['seconds']:.2f}    ours / floor: {ours['seconds'] / floor['seconds']:.2f}"
    )
    return ours, shard


def report_curves(tree):
    """Measure the emergence scores on one tree and print them."""
    answer = measured("curves", tree, 1)
    apply = answer["groupby_apply"]
    names = {
        "groupby_apply": "E by pandas groupby.apply",
        "numpy_loop": "E by a NumPy loop over curves that are arrays already",
        "emergence_score": "E by this workflow, from its batches",
        "six_measures": "E and all other measures of this workflow, from curves",
        "table_to_curves_and_six_measures": "the same from the score table, grouping included",
    }
    title = f"{answer['n_curves']:,} curves"
    print(f"\n{title:60} {'seconds':>8} {'groupby.apply / this':>22}")
    for way, name in names.items():
        print(f"{name:60} {answer[way]:8.3f} {apply / answer[way]:22.0f}")


def main():
    parser = argparse.ArgumentParser(description="Measure reading BIG-bench and computing every emergence score.")
    parser.add_argument("--tree", type=Path, help="a tree of score files; without it, one is simulated and removed again")
    parser.add_argument("--times", type=int, help="measure a tree so many times as large as well")
    parser.add_argument("--one", choices=[*WAYS, "curves"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return run_one(arguments.one, arguments.tree)
    import simulate_bigbench

    with tempfile.TemporaryDirectory() as folder:
        tree = arguments.tree
        if tree is None:
            tree = Path(folder, "tree")
            simulate_bigbench.write_tree(tree)
        ours, _ = report(tree)
        report_curves(tree)
        if arguments.times:
            large = Path(folder, "large")
            simulate_bigbench.write_tree(large, 200 * arguments.times)
            ours_large, shard_large = report(large)
            ratio = ours_large["seconds"] / ours["seconds"] / (ours_large["n"] / ours["n"])
            print(f"seconds a score, large / small: {ratio:.2f}    peak of a shard of ten: {shard_large['peak_mb']:.0f} MB")


if __name__ == "__main__":
    main()
