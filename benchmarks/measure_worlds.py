"""What the workflow says of worlds whose truth is known: the error rate of each verdict, and of measured emergence scores.

    python benchmarks/measure_worlds.py [--families 200] [--examples 1000] [--cores 2]

Draws independent model families from the paper's mathematical model (`power_law`, in which nothing jumps) and from a world with a
true break (`break`), runs the workflow on their outputs in a folder of its own, and reads the tables that it leaves. Prints two
tables in Markdown: the share of families with each verdict, by world and task, and how measured emergence scores lie beside true
ones. Tests are controlled for false discoveries within a world, as they are within a benchmark.

`power_law` must never be `sharp_under_all`, and `break` never `metric`: the last line says whether that holds, and the script ends
with 1 where it does not.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORLDS = ("power_law", "break")
FORBIDDEN = {"power_law": "sharp_under_all", "break": "metric"}
LENGTHS = [1, 5, 10]
METRICS = ["exact_match", "token_accuracy", "acc", "choice_logprob", "brier_score"]


def study(families, examples):
    """The configuration: one benchmark for each world."""
    block = {"format": "model", "families": families, "n_examples": examples, "target_lengths": LENGTHS, "metrics": METRICS}
    return {"benchmarks": {world: block | {"world": world, "title": world} for world in WORLDS}}


def verdict_shares(verdicts):
    """Share of the families with each verdict, one row per task.

    verdicts: {world: frame of the table `verdicts`}. Returns a frame with the index (world, task), a column per verdict that occurs
    and n, the number of families.
    """
    parts = []
    for world, table in verdicts.items():
        abilities = table.drop_duplicates(["task", "model_family"])
        shares = pd.crosstab(abilities["task"], abilities["verdict"], normalize="index")
        shares["n"] = abilities.groupby("task").size()
        parts.append(pd.concat({world: shares}, names=["world"]))
    every = pd.concat(parts)
    return every[[*sorted(every.columns.drop("n")), "n"]].fillna(0.0)


def broken_rules(verdicts):
    """How many families of each world have the verdict that it must never have: {world: number}."""
    return {
        world: int((table.drop_duplicates(["task", "model_family"])["verdict"] == FORBIDDEN[world]).sum())
        for world, table in verdicts.items()
    }


def score_errors(truths):
    """Measured beside true emergence scores: median, 5 % and 95 % of the measured ones, and how many curves have none.

    truths: {world: frame of the table `known_truth`}. Returns a frame with the index (world, task, metric).
    """
    every = pd.concat(truths, names=["world"]).reset_index("world")
    groups = every.groupby(["world", "task", "metric"], sort=True)
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
    parser.add_argument("--families", type=int, default=200)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--cores", default="2")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "worlds.yaml"
        configuration.write_text(yaml.safe_dump(study(given.families, given.examples)))
        tables = [f"results/{world}/{name}.csv" for world in WORLDS for name in ("verdicts", "known_truth")]
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", folder]
        command += ["--configfile", str(configuration), "--replace-workflow-config", "--cores", given.cores, "--", *tables]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        verdicts, truths = (
            {world: pd.read_csv(Path(folder) / "results" / world / f"{name}.csv") for world in WORLDS}
            for name in ("verdicts", "known_truth")
        )
    print(markdown(verdict_shares(verdicts)), "", markdown(score_errors(truths)), "", sep="\n")
    wrong = broken_rules(verdicts)
    print("; ".join(f"{world}: {n} families are `{FORBIDDEN[world]}`" for world, n in wrong.items()))
    sys.exit(int(any(wrong.values())))


if __name__ == "__main__":
    main()
