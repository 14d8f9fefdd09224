"""How often each verdict falls on abilities whose truth is known: the tables of docs/verdicts.md.

    python benchmarks/measure_verdicts.py [--abilities 40] [--draws 2000]

Simulates benchmarks in which flat, gradual, metric-made and jumping abilities are mixed, runs the whole way from scores to verdicts
on each, and counts. Writes workflow/resources/calibration/verdicts.csv (one row per setting, truth and verdict) and the tables in
docs/verdicts.md.

The truths are not those that the tests assume: the metric-made jumps are a threshold on a straight line, and the 20th power of
the probability of a token; jumps are on a slope; noise is drawn from normal distributions with the correlation of shared
questions, and rounded to whole examples afterwards.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import stats

from emergence.curves import frames
from emergence.io import tables
from emergence.statistics import curve_tests, verdicts
from emergence.study import metric_catalogue

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "workflow/resources/calibration/verdicts.csv"
DOCS = ROOT / "docs/verdicts.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

ACCURACY, CONTINUOUS = "multiple_choice_grade", "correct_prob_mass"
DECADES = 4.0
# Standard deviation of the continuous score between examples.
SPREAD = 0.25
JUMP = 0.3
PLACES = {"largest": 1, "second": 2, "middle": None}
SETTINGS = [
    {"n_scales": n_scales, "n_examples": n_examples, "shared_questions": shared}
    for n_scales in (6, 12)
    for n_examples in (200, 1000)
    for shared in (0.0, 0.5)
]


def truths(n_scales):
    """Expected accuracy and expected continuous score at each scale: {name: (accuracy, continuous)}, each (n_scales,)."""
    u = np.linspace(0, 1, n_scales)
    line = 0.2 + 0.5 * u
    found = {
        "flat": (np.full(n_scales, 0.25), np.full(n_scales, 0.3)),
        "gradual line": (0.25 + 0.35 * u, line),
        "gradual logistic": (0.25 + 0.45 / (1 + np.exp(-(u - 0.6) * DECADES * 2 * np.log(9) / 2.5)), line),
        # most of the rise is still to come
        "gradual late": (0.25 + 0.6 / (1 + np.exp(-(u - 1.0) * DECADES * 2 * np.log(9) / 2.0)), line),
        # a word of 20 tokens is right if every token is
        "metric power": ((0.5 + 0.47 * u) ** 20, 0.5 + 0.47 * u),
    }
    for place, back in PLACES.items():
        at = n_scales // 2 if back is None else n_scales - back
        middle = (u[at - 1] + u[at]) / 2
        # an example is right where its score passes a threshold; examples differ by little
        found[f"metric threshold, {place}"] = (0.05 + 0.6 * stats.norm.cdf((u - middle) * 0.5 / 0.015), line)
        up = np.arange(n_scales) >= at
        found[f"jump, {place}"] = (0.25 + 0.05 * u + JUMP * up, 0.3 + 0.05 * u + JUMP * 0.8 * up)
    return found


def simulated_scores(n_scales, n_examples, shared_questions, abilities, random):
    """A score table: `abilities` of each truth with both metrics, and as many with accuracy alone."""
    scales = np.logspace(7, 7 + DECADES, n_scales)
    place = np.arange(n_scales)
    root = np.linalg.cholesky(shared_questions ** np.abs(place[:, None] - place) if shared_questions else np.eye(n_scales))
    parts = []
    for truth, (accuracy, continuous) in truths(n_scales).items():
        for alone in (False, True):
            noise = random.standard_normal((2, abilities, n_scales)) @ root.T
            right = accuracy + np.sqrt(accuracy * (1 - accuracy) / n_examples) * noise[0]
            right = np.clip(np.round(right * n_examples), 0, n_examples) / n_examples
            stderr = SPREAD / np.sqrt(n_examples)
            mass = np.clip(continuous + stderr * noise[1], 0, 1)
            name = f"{truth}{', alone' if alone else ''}"
            for metric, scores in ((ACCURACY, right), (CONTINUOUS, mass))[: 1 if alone else 2]:
                parts.append(
                    pd.DataFrame(
                        {
                            "task": np.repeat([f"{name} {i:04d}" for i in range(abilities)], n_scales),
                            "metric": metric,
                            "model": np.tile([f"m{i:02d}" for i in place], abilities),
                            "scale": np.tile(scales, abilities),
                            "score": scores.ravel(),
                            "n_examples": n_examples,
                            "stderr": np.nan if metric == ACCURACY else stderr,
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True).assign(
        benchmark="simulated",
        subtask="",
        model_family="f",
        shots=pd.array([pd.NA], dtype="Int64").repeat(sum(map(len, parts))),
        preferred=None,
        chance=np.nan,
        source="simulated",
    )


def verdicts_of(scores, catalogue, draws, seed, shared_questions=0.0):
    """The whole way from a score table to the table of verdicts."""
    curves = tables.typed(frames.measure(frames.from_scores(scores, catalogue), catalogue), "curves")
    tests = curve_tests.assess(curves, catalogue, draws, seed, shared_questions)["null_models"]
    q_values = curve_tests.p_and_q_values(tests, frames.counted(curves)["in_family"])
    return verdicts.verdict_table(curves, q_values, catalogue)


def measure(abilities, draws):
    """One row per setting, truth and verdict."""
    catalogue = metric_catalogue.load(ROOT / "config/metrics.yaml")
    records = []
    for number, setting in enumerate(SETTINGS):
        random = np.random.default_rng(number)
        table = verdicts_of(simulated_scores(**setting, abilities=abilities, random=random), catalogue, draws, number)
        ability = table.drop_duplicates(verdicts.ABILITY)
        truth = ability["task"].str.rsplit(" ", n=1).str[0]
        for (name, verdict), n in ability.groupby([truth, "verdict"]).size().items():
            alone = name.endswith(", alone")
            records.append(
                setting
                | {"truth": name.removesuffix(", alone"), "continuous": not alone, "verdict": verdict, "n": n, "of": abilities}
            )
    return pd.DataFrame(records)


def summary(measured, continuous):
    """Share of each verdict for each truth, over all settings, as a Markdown table."""
    rows = measured[measured["continuous"] == continuous]
    counts = rows.pivot_table(index="truth", columns="verdict", values="n", aggfunc="sum", fill_value=0)
    shown = [verdict for verdict in verdicts.VERDICTS if verdict in counts]
    share = 100 * counts[shown].div(counts.sum(axis=1), axis=0)
    lines = ["| truth | " + " | ".join(f"`{verdict}`" for verdict in shown) + " |", "|" + "---|" * (len(shown) + 1)]
    lines += [f"| {truth} | " + " | ".join(f"{value:.0f}" for value in share.loc[truth]) + " |" for truth in _order(share.index)]
    return "\n".join(lines)


def by_setting(measured):
    """In each setting: how often each truth has a sharp curve, as a Markdown table."""
    names = ["n_scales", "n_examples", "shared_questions"]
    sharp = measured["verdict"].isin(["sharp_under_all", "metric", "sharp_undecided", "constant_answers"])
    rows = measured.assign(sharp=np.where(sharp, measured["n"], 0))
    counts = rows.groupby([*names, "truth"])[["sharp", "n"]].sum()
    share = (100 * counts["sharp"] / counts["n"]).unstack("truth")
    shown = list(_order(share.columns))
    lines = ["| scales | examples | shared questions | " + " | ".join(shown) + " |", "|" + "---|" * (len(shown) + 3)]
    for (n_scales, n_examples, shared), row in share.iterrows():
        lines.append(f"| {n_scales} | {n_examples:,} | {shared:g} | " + " | ".join(f"{row[truth]:.0f}" for truth in shown) + " |")
    return "\n".join(lines)


def _order(names):
    kinds = ("flat", "gradual", "metric", "jump")
    return sorted(names, key=lambda name: (next(i for i, kind in enumerate(kinds) if name.startswith(kind)), name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--abilities", type=int, default=40, help="of each truth, with both metrics and with accuracy alone")
    parser.add_argument("--draws", type=int, default=2000)
    arguments = parser.parse_args()
    started = time.process_time()
    measured = measure(arguments.abilities, arguments.draws)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    measured.to_csv(TABLE, index=False, lineterminator="\n")
    n = arguments.abilities * len(SETTINGS)
    text = (
        f"\nWith a continuous metric on the same outputs, {n} abilities of each truth, in percent:\n\n{summary(measured, True)}\n\n"
        f"With accuracy alone:\n\n{summary(measured, False)}\n\n"
        "Percent of abilities with a sharp curve, in each setting (the tests suppose that no questions are shared):\n\n"
        f"{by_setting(measured)}\n\n"
    )
    if DOCS.exists():
        before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
        DOCS.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")
    print(text)
    print(f"{time.process_time() - started:.0f} processor seconds")


if __name__ == "__main__":
    main()
