"""Measures what is computed from outputs: CPU seconds beside code that goes row by row, and the coverage of intervals.

    python benchmarks/measure_rescoring.py speed       # CPU seconds per million examples, in one process
    python benchmarks/measure_rescoring.py coverage    # share of intervals that hold the true difference of two metrics; minutes

Speed is a ratio within one run. Coverage is over simulated families of eight models whose tokens are right with
p(N) = exp(-(N / 1e9)^-0.5); in half of the families the models share what they find hard, which the method is not told.
"""

import sys
import time
from pathlib import Path

import edit_distance
import numpy as np
import pyarrow as pa
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from emergence.outputs import paired_answers, resampling
from emergence.outputs.examples import from_arrow
from emergence.outputs.rescoring import Settings, Task, rescore
from invented_outputs import SCALES, SINGLE, TYPES, token_accuracy

N_MODELS = 10


def seconds(function, *arguments):
    """CPU seconds of one call, and what it returns."""
    start = time.process_time()
    found = function(*arguments)
    return time.process_time() - start, found


def list_column(values, lengths):
    """An Arrow column of lists of given lengths from all their values end to end."""
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)), pa.array(values))


def table(kind, n, lists, **single):
    """`n` rows of the table `outputs`: N_MODELS models that answer the same questions."""
    model = np.repeat(np.arange(N_MODELS), n // N_MODELS)
    columns = {name: pa.array([value] * n, TYPES.get(name, pa.string())) for name, value in SINGLE.items()}
    columns |= {
        "kind": pa.array([kind] * n),
        "model": pa.array(model.astype(str)),
        "scale": pa.array(10.0 ** (model + 1)),
        "example": pa.array(np.tile(np.arange(n // N_MODELS), N_MODELS).astype(str)),
    }
    return pa.table(columns | single | lists)


def multiple_choice(n, n_choices=4):
    """Outputs of multiple choice."""
    generator = np.random.default_rng(1)
    total = n * n_choices
    gold = np.tile(generator.integers(n_choices, size=n // N_MODELS), N_MODELS)
    lengths = np.full(n, n_choices)
    characters = generator.integers(1, 30, total)
    lists = {
        "log_probs": list_column(generator.normal(-8, 3, total), lengths),
        "credits": list_column(np.eye(n_choices)[gold].ravel(), lengths),
        "n_characters": list_column(characters, lengths),
        "n_bytes": list_column(characters, lengths),
    }
    return table("choices", n, lists)


def generations(n, length=20):
    """Outputs of generated digits."""
    generator = np.random.default_rng(2)
    digits = generator.integers(48, 58, size=(n // N_MODELS, length), dtype=np.uint8)
    said = np.tile(digits, (N_MODELS, 1))
    wrong = generator.random(said.shape) < 0.3
    said[wrong] = generator.integers(48, 58, size=int(wrong.sum()), dtype=np.uint8)
    targets = [row.tobytes().decode() for row in digits] * N_MODELS
    outputs = [row.tobytes().decode() for row in said]
    return table("text", n, {"targets": list_column(targets, np.ones(n, dtype=int))}, output=pa.array(outputs))


CHOICE_METRICS = (
    *("acc", "acc_norm", "brier_score", "choice_probability", "choice_logprob", "target_probability", "logprob", "mrr"),
)
TEXT_METRICS = ("exact_match", "case_insensitive_str_match", "token_accuracy", "edit_similarity", "edit_distance", "rougeL")


def choices_row_by_row(rows):
    """The same eight metrics of multiple choice, one example at a time."""
    sums = np.zeros(8)
    for row in rows:
        log_probs, credits = np.array(row["log_probs"]), row["credits"]
        gold = credits.index(1.0)
        p = np.exp(log_probs) / np.exp(log_probs).sum()
        sums += [
            credits[int(np.argmax(log_probs))],
            credits[int(np.argmax(log_probs / np.array(row["n_characters"])))],
            np.square(p - np.array(credits)).sum(),
            p[gold],
            np.log(p[gold]),
            np.exp(log_probs[gold]),
            log_probs[gold],
            1 / (1 + (log_probs > log_probs[gold]).sum()),
        ]
    return sums


def edit_distances_row_by_row(pairs):
    """Sum of the edit distances of pairs of texts, in plain Python."""
    return sum(edit_distance.row_by_row(a, b) for a, b in pairs)


def measure_speed():
    """Print CPU seconds per million examples, and of the plain code on a sample scaled up."""
    n = 1_000_000
    print(f"{'work':60s} {'here':>8s} {'row by row':>11s}")
    outputs = multiple_choice(n)
    read, examples = seconds(from_arrow, outputs)
    made, task = seconds(Task, examples, Settings(CHOICE_METRICS))
    scored, _ = seconds(rescore, task, "b", "measured")
    sample = outputs.slice(0, 20_000).to_pylist()
    plain = seconds(choices_row_by_row, sample)[0] * n / len(sample)
    print(f"{'8 metrics of 4 choices, scores and covariance':60s} {read + made + scored:8.1f} {plain:11.1f}")
    drawn, _ = seconds(resampling.resampled_scores, task, 1, 2000)
    print(f"{'2,000 resamples of 8 metrics and 10 models':60s} {drawn:8.1f}")
    del outputs, examples, task
    outputs = generations(n)
    read, examples = seconds(from_arrow, outputs)
    made, task = seconds(Task, examples, Settings(TEXT_METRICS))
    scored, _ = seconds(rescore, task, "b", "measured")
    sample = outputs.slice(0, 2_000).to_pylist()
    plain = seconds(edit_distances_row_by_row, [(row["output"], row["targets"][0]) for row in sample])[0] * n / len(sample)
    print(f"{'6 metrics of generations of 20 characters (plain: 1 of them)':60s} {read + made + scored:8.1f} {plain:11.1f}")


def family(length, n, shared, resamples, generator):
    """Exact match and edit distance of one simulated family: Sharpness of both."""
    p = token_accuracy(SCALES)
    common, own = generator.standard_normal((n, length)), generator.standard_normal((len(SCALES), n, length))
    hard = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    wrong = (hard >= stats.norm.ppf(p)[:, None, None]).sum(axis=2).astype(float)
    weights = generator.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    return [
        paired_answers.resampled_sharpness(value.mean(axis=1), weights @ value.T, SCALES, resolution)
        for value, resolution in (((wrong == 0).astype(float), 1 / n), (-wrong, np.nan))
    ]


def measure_coverage(families=400, resamples=400):
    """Print the share of intervals of D = |E| of exact match - |E| of edit distance that hold the truth, as a table."""
    p = token_accuracy(SCALES)
    print("| tokens | examples | shared | true D | coverage | D below the interval | above | median width |")
    print("|---|---|---|---|---|---|---|---|")
    for length, n, shared in (
        *((2, 500, 0.5), (5, 100, 0.5), (5, 500, 0.0), (5, 500, 0.5), (5, 2000, 0.5)),
        *((10, 500, 0.5), (20, 500, 0.0), (20, 500, 0.5), (20, 2000, 0.5)),
    ):
        truth = paired_answers.absolute_emergence(p**length, 1 / n) - paired_answers.absolute_emergence(-length * (1 - p))
        generator = np.random.default_rng([7, length, n, int(10 * shared)])
        found = [paired_answers.difference(*family(length, n, shared, resamples, generator), 0.95) for _ in range(families)]
        low, high = (np.array([one[end] for one in found]) for end in ("low", "high"))
        held, below, above = (np.mean(part) for part in ((low <= truth) & (truth <= high), truth < low, truth > high))
        width = np.median(high - low)
        print(
            f"| {length} | {n:,} | {shared:g} | {truth:.1f} | {held:.3f} | {below:.3f} | {above:.3f} | {width:.1f} |", flush=True
        )


if __name__ == "__main__":
    asked = sys.argv[1:] or ["speed"]
    {"speed": measure_speed, "coverage": measure_coverage}[asked[0]]()
