"""What the workflow says of worlds whose truth is known: the error rate of each verdict, and of measured emergence scores.

    python benchmarks/measure_worlds.py [--seeds 200] [--draws 2000]

Draws a model family from each world with each seed: from the paper's mathematical model (`power_law`, in which nothing jumps), over
the sizes of its Figure 2 and over smaller ones, and from a world with a true break (`break`). Its outputs go the way that the
workflow takes (re-scored, curves with the covariance of the outputs, tests, verdicts), called directly, since a thousand runs of
Snakemake take hours. Every family is a benchmark of its own, so false discoveries are controlled over its curves alone.

Writes workflow/resources/calibration/worlds.csv (one row per world, test-set size, task and verdict) and the tables in
docs/induced.md. `power_law` over the sizes of the paper must never be `sharp_under_all`, nor `break` ever `metric`; over the
smaller sizes, which were added later, `power_law` may be in 1 % of the abilities. The last lines say how often they are, and the
script ends with 1 where that is too often.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats

from emergence.curves import frames
from emergence.ingest.accounts import Account
from emergence.ingest.readers.model import reader
from emergence.io import tables
from emergence.outputs import known_truth, rescoring
from emergence.outputs.examples import TEXT, from_arrow
from emergence.statistics import curve_tests, verdicts
from emergence.study import configuration, metric_catalogue

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "workflow/resources/calibration/worlds.csv"
DOCS = ROOT / "docs/induced.md"
BEGIN, END = "<!-- worlds: begin -->", "<!-- worlds: end -->"

SMALLER = "power_law, 1e8 to 1e10"
WORLDS = {
    "power_law": {"world": "power_law"},
    # where exact match of ten tokens is zero but at its end
    SMALLER: {"world": "power_law", "sizes": np.geomspace(1e8, 1e10, 8).tolist()},
    "break": {"world": "break"},
}
FORBIDDEN = {"power_law": "sharp_under_all", SMALLER: "sharp_under_all", "break": "metric"}
# in how many of the abilities that may be
MOST = {"power_law": 0.0, SMALLER: 0.01, "break": 0.0}
LENGTHS = [1, 5, 10]
N_EXAMPLES = (200, 1000)
OF_TEXT, OF_CHOICES = ("exact_match", "token_accuracy"), ("acc", "choice_logprob", "brier_score")


def block_of(world, seed, n_examples):
    """The block of one family of a world, with defaults."""
    block = {"format": "model", "seed": seed, "n_examples": n_examples, "target_lengths": LENGTHS} | WORLDS[world]
    return configuration.check({"benchmarks": {"b": block}})["benchmarks"]["b"]


def curves_of(block, catalogue):
    """The measured curves of a block of one family, with the covariance of their noise."""
    scores, covariances = [], []
    for frame in reader.read(block, Account()):
        examples = from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
        names = OF_TEXT if frame["kind"].iat[0] == TEXT else OF_CHOICES
        found = rescoring.rescore(rescoring.Task(examples, rescoring.Settings(names)), "b", reader.source(block))
        scores.append(found[0])
        covariances.append(found[1])
    scores = rescoring.as_table(scores, "scores", "b")
    curves = tables.typed(frames.measure(frames.from_scores(scores, catalogue), catalogue), "curves")
    return frames.attach_covariance(curves, rescoring.as_table(covariances, "score_covariance", "b"))


def measure(world, n_examples, seeds, draws, catalogue):
    """Verdicts, and emergence scores beside the true ones, of families with seeds 1, 2, ...: two frames."""
    found, truths = [], []
    for seed in range(1, seeds + 1):
        block = block_of(world, seed, n_examples)
        curves = curves_of(block, catalogue)
        tests = curve_tests.assess(curves, catalogue, draws, seed)["null_models"]
        q_values = verdicts.tests_of(tests, frames.counted(curves)["in_family"])
        found.append(verdicts.verdict_table(curves, q_values, catalogue).assign(model_family=f"seed {seed}"))
        truths.append(known_truth.compare(curves, catalogue, block))
    return pd.concat(found, ignore_index=True), pd.concat(truths, ignore_index=True)


def verdict_counts(found):
    """How many families have each verdict on each task.

    found: {(world, test examples): frame of the table `verdicts`}. Returns a frame with the columns world, n_examples, task,
    verdict, n and of, the number of families.
    """
    parts = []
    for (world, n_examples), table in found.items():
        abilities = table.drop_duplicates(["task", "model_family"])
        counts = abilities.groupby(["task", "verdict"]).size().rename("n").reset_index()
        counts["of"] = counts["task"].map(abilities.groupby("task").size())
        parts.append(counts.assign(world=world, n_examples=n_examples))
    return pd.concat(parts, ignore_index=True)[["world", "n_examples", "task", "verdict", "n", "of"]]


def wrong_verdicts(counts):
    """How many abilities of each world have the verdict that is wrong for it: {world: (number, of)}."""
    found = {}
    for world, verdict in FORBIDDEN.items():
        own = counts[counts["world"] == world]
        of = int(own.drop_duplicates(["n_examples", "task"])["of"].sum())
        found[world] = int(own.loc[own["verdict"] == verdict, "n"].sum()), of
    return found


def too_often(wrong):
    """The worlds with a wrong verdict in more abilities than MOST allows."""
    return [world for world, (n, of) in wrong.items() if n > MOST[world] * of]


def in_words(wrong):
    """A sentence about each world, with the exact upper 95 % limit of the error rate."""
    lines = []
    for world, (n, of) in wrong.items():
        limit = stats.beta.ppf(0.95, n + 1, of - n) if n < of else 1.0
        allowed = f"{100 * MOST[world]:.0f} % is allowed" if MOST[world] else "none is allowed"
        lines.append(
            f"`{world}` is `{FORBIDDEN[world]}` in {n:,} of {of:,} abilities; {allowed}. "
            f"With 95 % confidence the rate is at most {100 * limit:.1f} %."
        )
    return "\n".join(f"- {line}" for line in lines)


def shown_counts(counts):
    """The counts as a frame to print: one row per world, test-set size and task, one column per verdict that occurs, in percent."""
    share = (100 * counts["n"] / counts["of"]).to_numpy()
    every = counts.assign(share=share).pivot_table(
        index=["world", "n_examples", "task"], columns="verdict", values="share", fill_value=0.0, sort=False
    )
    return every[[verdict for verdict in verdicts.VERDICTS if verdict in every]].rename(columns=lambda verdict: f"`{verdict}`")


def score_errors(truths):
    """Measured beside true emergence scores: median, 5 % and 95 % of the measured ones, and how many curves have none.

    truths: {(world, test examples): frame of the table `known_truth`}. Returns a frame with the index (world,
    n_examples, task, metric).
    """
    every = pd.concat(truths, names=["world", "n_examples"]).reset_index(["world", "n_examples"])
    groups = every.groupby(["world", "n_examples", "task", "metric"], sort=False)
    found = groups["emergence_score"].quantile([0.05, 0.5, 0.95]).unstack()
    found.columns = ["5 %", "median", "95 %"]
    found.insert(0, "true E", groups["true_emergence_score"].first())
    found["limited by resolution"] = groups["emergence_score_resolved"].median()
    found["without E"] = groups["emergence_score"].agg(lambda values: values.isna().sum())
    return found


def markdown(table):
    """A frame as a Markdown table."""
    flat = table.reset_index()
    cells = [[_cell(value) for value in row] for row in flat.itertuples(index=False)]
    lines = [list(map(str, flat.columns)), ["---"] * flat.shape[1], *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value):
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.3g}"
    return str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--draws", type=int, default=2000)
    given = parser.parse_args()
    started = time.process_time()
    catalogue = metric_catalogue.load(ROOT / "config/metrics.yaml")
    found, truths = {}, {}
    for world in WORLDS:
        for n_examples in N_EXAMPLES:
            cell = world, n_examples
            found[cell], truths[cell] = measure(world, n_examples, given.seeds, given.draws, catalogue)
    counts = verdict_counts(found)
    counts.to_csv(TABLE, index=False, lineterminator="\n")
    wrong = wrong_verdicts(counts)
    many = {cell: truth for cell, truth in truths.items() if cell[1] == max(N_EXAMPLES)}
    text = (
        f"\n{given.seeds} families of each world and test-set size, {given.draws:,} draws, in percent:\n\n"
        f"{markdown(shown_counts(counts))}\n\n"
        f"{in_words(wrong)}\n\nMeasured emergence scores of the same families:\n\n{markdown(score_errors(many))}\n\n"
    )
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")
    print(text, f"{time.process_time() - started:.0f} processor seconds", in_words(wrong), sep="\n")
    sys.exit(int(bool(too_often(wrong))))


if __name__ == "__main__":
    main()
