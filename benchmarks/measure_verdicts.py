"""How often each verdict falls on abilities whose truth is known: the tables of docs/verdicts.md.

    python benchmarks/measure_verdicts.py [--abilities 12] [--draws 2000]

Simulates benchmarks in which flat, gradual, metric-made and jumping abilities are mixed, runs the whole way from scores to verdicts
on each, and counts. There are two grids.

- `fresh` (the default): its numbers are those that the docs report. Nothing was tuned on it. Every ability has parameters of its
  own, drawn at random within its kind of shape; sizes are unevenly spaced; models may differ by more than their test set.
- `chosen` (--grid chosen --abilities 40): the grid that was looked at when the rule for `sharp` was chosen, so its numbers flatter
  the rule. Truths have fixed parameters; noise is that of the test set.

Writes workflow/resources/calibration/verdicts_{grid}.csv (one row per setting, truth and verdict), and the tables of the fresh grid
in docs/verdicts.md.
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
from emergence.statistics.bounded_curves import standard_gompertz
from emergence.statistics.smooth_curves import MIN_RISE_DECADES, standard_logistic
from emergence.study import metric_catalogue

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "workflow/resources/calibration"
DOCS = ROOT / "docs/verdicts.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

ACCURACY, CONTINUOUS = "multiple_choice_grade", "correct_prob_mass"
SHARP_VERDICTS = ("sharp_under_all", "metric", "sharp_undecided", "constant_answers")
PLACES = {"largest": 1, "second": 2, "middle": None}

# The grid that the rule was chosen on: fixed truths over even sizes; standard deviation of the continuous score between examples.
DECADES = 4.0
SPREAD = 0.25
JUMP = 0.3
CHOSEN = [
    {"n_scales": n_scales, "n_examples": n_examples, "noise": f"shared questions, {shared:g}"}
    for n_scales in (6, 12)
    for n_examples in (200, 1000)
    for shared in (0.0, 0.5)
]

# The grid that reports. Correlation of right answers of neighbouring sizes, which the tests are not told; or models that differ by
# more than sampling, by a beta-binomial correlation or by the standard deviation of a score between seeds.
NOISES = {
    "independent questions": {},
    "shared questions, 0.3": {"shared": 0.3},
    "shared questions, 0.8": {"shared": 0.8},
    "beta-binomial, 0.002": {"dispersion": 0.002},
    "seeds differ by 0.02": {"scatter": 0.02},
}
FRESH = [
    {"n_scales": n_scales, "n_examples": n_examples, "noise": noise}
    for n_scales in (5, 7, 10)
    for n_examples in (100, 400, 1500)
    for noise in NOISES
]
FRESH_DECADES = 3.3


def truths(n_scales):
    """The fixed truths: expected accuracy and continuous score at each scale, {name: (accuracy, continuous)}, each (n_scales,)."""
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


def fresh_truth(name, x, random):
    """One ability of the grid that reports: expected accuracy and continuous score, (n,) each. x: (n,) log10 of scale."""
    span, along = x[-1] - x[0], (x - x[0]) / (x[-1] - x[0])
    low, height, rise = random.uniform(0.05, 0.3), random.uniform(0.25, 0.6), random.uniform(MIN_RISE_DECADES, 3.5)
    middle = x[0] + span * random.uniform(0.3, 0.7)
    mass_low, mass_height = random.uniform(0.1, 0.3), random.uniform(0.3, 0.6)
    kind, _, place = name.partition(", ")
    if kind == "flat":
        return np.full(len(x), low), np.full(len(x), mass_low)
    gentle = random.choice([-1, 1])
    smooth = standard_gompertz(x, middle, random.uniform(2, 4), gentle)
    continuous = mass_low + mass_height * smooth
    if kind == "gradual Gompertz":
        return low + height * standard_gompertz(x, middle, rise, gentle), continuous
    if kind == "gradual double sigmoid":
        first, second = (x[0] + span * random.uniform(*part) for part in ((0.1, 0.35), (0.65, 0.9)))
        return low + height * (standard_logistic(x, first, rise) + standard_logistic(x, second, rise)) / 2, continuous
    if kind == "gradual U":
        valley = 4 * along * (1 - along)
        return low + height * (1 - valley), mass_low + mass_height * (1 - valley)
    if kind == "gradual late logistic":
        # at least half of the rise is still to come
        return low + height * standard_logistic(x, x[-1] + random.uniform(0, 0.4), rise), continuous
    if kind == "gradual take-off p^L":
        # a power of a slow p: below what the test set shows for most sizes, and never steep
        power = random.uniform(3, 8)
        return (0.25 + random.uniform(0.35, 0.6) * along) ** power, 0.25 + 0.5 * along
    if kind == "metric p^L":
        # a power of a p that comes near 1: steep where it takes off
        p = random.uniform(0.4, 0.6) + 0.38 * along
        return p ** random.uniform(12, 40), p
    back = PLACES[place]
    at = len(x) // 2 if back is None else len(x) - back
    if kind == "metric threshold":
        gap = (along[at - 1] + along[at]) / 2
        return low + height * stats.norm.cdf((along - gap) / random.uniform(0.02, 0.05)), continuous
    up, size = np.arange(len(x)) >= at, random.uniform(0.12, 0.3)
    slope = random.uniform(0, 0.06)
    return low + slope * along + size * up, mass_low + slope * along + random.uniform(0.6, 1.2) * size * up


FRESH_TRUTHS = (
    "flat",
    *(f"gradual {shape}" for shape in ("Gompertz", "double sigmoid", "U", "late logistic", "take-off p^L")),
    "metric p^L",
    *(f"metric threshold, {place}" for place in PLACES),
    *(f"jump, {place}" for place in PLACES),
)


def _noisy(expected, sd_of_one, n_examples, random, shared=0.0, dispersion=0.0, scatter=0.0):
    """Scores about their expectation, (abilities, n). sd_of_one: standard deviation of one example."""
    place = np.arange(expected.shape[1])
    correlation = shared ** np.abs(place[:, None] - place) if shared else np.eye(len(place))
    sampling = random.standard_normal(expected.shape) @ np.linalg.cholesky(correlation).T / np.sqrt(n_examples)
    beyond = np.sqrt(dispersion) * sd_of_one * random.standard_normal(expected.shape)
    return expected + sd_of_one * sampling + beyond + scatter * random.standard_normal(expected.shape)


def _rows(name, scales, accuracy, continuous, n_examples, spread, random, noise):
    """Score tables of abilities with both metrics, and of as many with accuracy alone. accuracy, continuous: (a, n)."""
    abilities, n_scales = accuracy.shape
    for alone in (False, True):
        right = _noisy(accuracy, np.sqrt(accuracy * (1 - accuracy)), n_examples, random, **noise)
        right = np.clip(np.round(right * n_examples), 0, n_examples) / n_examples
        mass = np.clip(_noisy(continuous, spread, n_examples, random, **noise), 0, 1)
        for metric, scores in ((ACCURACY, right), (CONTINUOUS, mass))[: 1 if alone else 2]:
            yield pd.DataFrame(
                {
                    "task": np.repeat([f"{name}{', alone' if alone else ''} {i:04d}" for i in range(abilities)], n_scales),
                    "metric": metric,
                    "model": np.tile([f"m{i:02d}" for i in range(n_scales)], abilities),
                    "scale": np.tile(scales, abilities),
                    "score": scores.ravel(),
                    "n_examples": n_examples,
                    "stderr": np.nan if metric == ACCURACY else np.broadcast_to(spread / np.sqrt(n_examples), mass.shape).ravel(),
                }
            )


def simulated_scores(setting, abilities, random):
    """The score table of one setting: `abilities` of each truth with both metrics, and as many with accuracy alone."""
    n_scales, n_examples, name = setting["n_scales"], setting["n_examples"], setting["noise"]
    parts = []
    if setting in CHOSEN:
        scales, noise = np.logspace(7, 7 + DECADES, n_scales), {"shared": float(name.rpartition(" ")[2])}
        for truth, expected in truths(n_scales).items():
            both = (np.broadcast_to(scores, (abilities, n_scales)) for scores in expected)
            parts += _rows(truth, scales, *both, n_examples, SPREAD, random, noise)
    else:
        # sizes of one family in each setting, up to a third of the step away from even ones
        step = FRESH_DECADES / (n_scales - 1)
        x = 7.7 + step * (np.arange(n_scales) + random.uniform(-1 / 3, 1 / 3, n_scales))
        for truth in FRESH_TRUTHS:
            both = (np.array(part) for part in zip(*(fresh_truth(truth, x, random) for _ in range(abilities)), strict=True))
            spread = random.uniform(0.15, 0.35, (abilities, 1))
            parts += _rows(truth, 10**x, *both, n_examples, spread, random, NOISES[name])
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


def measure(settings, abilities, draws, seed):
    """One row per setting, truth and verdict; n_largest_alone of the abilities are sharp by the test of the largest model alone."""
    catalogue = metric_catalogue.load(ROOT / "config/metrics.yaml")
    records = []
    for number, setting in enumerate(settings):
        random = np.random.default_rng([seed, number] if seed else number)
        table = verdicts_of(simulated_scores(setting, abilities, random), catalogue, draws, seed + number)
        table["largest_alone"] = table["flags"].fillna("").str.contains(verdicts.LARGEST_ALONE)
        table["by_shape"] = (table["word"] == verdicts.SHARP) & ~table["largest_alone"]
        grouped = table.groupby(verdicts.ABILITY, dropna=False)
        ability = table.drop_duplicates(verdicts.ABILITY).set_index("task")
        alone = ability["verdict"].isin(SHARP_VERDICTS) & ~grouped["by_shape"].any().droplevel(
            [part for part in verdicts.ABILITY if part != "task"]
        )
        truth = ability.index.str.rsplit(" ", n=1).str[0]
        counts = pd.DataFrame(
            {"truth": truth, "verdict": ability["verdict"].to_numpy(), "alone": alone.reindex(ability.index).to_numpy()}
        )
        for (name, verdict), part in counts.groupby(["truth", "verdict"]):
            records.append(
                setting
                | {
                    "truth": name.removesuffix(", alone"),
                    "continuous": not name.endswith(", alone"),
                    "verdict": verdict,
                    "n": len(part),
                    "n_largest_alone": int(part["alone"].sum()),
                    "of": abilities,
                }
            )
    return pd.DataFrame(records)


def summary(measured, continuous):
    """Share of each verdict for each truth, and of abilities sharp by the largest model alone, as a Markdown table."""
    rows = measured[measured["continuous"] == continuous]
    counts = rows.pivot_table(index="truth", columns="verdict", values="n", aggfunc="sum", fill_value=0)
    shown = [verdict for verdict in verdicts.VERDICTS if verdict in counts]
    total = counts.sum(axis=1)
    share = 100 * counts[shown].div(total, axis=0)
    alone = 100 * rows.groupby("truth")["n_largest_alone"].sum() / total
    lines = ["| truth | " + " | ".join(f"`{verdict}`" for verdict in shown) + " | sharp by the largest model alone |"]
    lines += ["|" + "---|" * (len(shown) + 2)]
    lines += [
        f"| {truth} | " + " | ".join(f"{value:.1f}" for value in [*share.loc[truth], alone[truth]]) + " |"
        for truth in _order(share.index)
    ]
    return "\n".join(lines)


def sharp_shares(measured, names):
    """How often each truth has a sharp curve, with a row for each value of the columns `names`, as a Markdown table."""
    rows = measured.assign(sharp=np.where(measured["verdict"].isin(SHARP_VERDICTS), measured["n"], 0))
    counts = rows.groupby([*names, "truth"], sort=False)[["sharp", "n"]].sum()
    share = (100 * counts["sharp"] / counts["n"]).unstack("truth")
    shown = list(_order(share.columns))
    words = {"n_scales": "scales", "n_examples": "examples"}
    lines = [
        "| " + " | ".join([*(words.get(name, name) for name in names), *shown]) + " |",
        "|" + "---|" * (len(shown) + len(names)),
    ]
    for key, row in share.iterrows():
        cells = [
            f"{part:,}" if isinstance(part, (int, np.integer)) else str(part)
            for part in (key if isinstance(key, tuple) else (key,))
        ]
        lines.append("| " + " | ".join([*cells, *(f"{row[truth]:.0f}" for truth in shown)]) + " |")
    return "\n".join(lines)


def _order(names):
    kinds = ("flat", "gradual", "metric", "jump")
    return sorted(names, key=lambda name: (next(i for i, kind in enumerate(kinds) if name.startswith(kind)), name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--grid", choices=("fresh", "chosen"), default="fresh")
    parser.add_argument("--abilities", type=int, default=12, help="of each truth, with both metrics and with accuracy alone")
    parser.add_argument("--draws", type=int, default=2000)
    arguments = parser.parse_args()
    started = time.process_time()
    settings, seed = (FRESH, 31_000) if arguments.grid == "fresh" else (CHOSEN, 0)
    measured = measure(settings, arguments.abilities, arguments.draws, seed)
    measured.to_csv(TABLES / f"verdicts_{arguments.grid}.csv", index=False, lineterminator="\n")
    n = arguments.abilities * len(settings)
    text = (
        f"\nWith a continuous metric on the same outputs, {n} abilities of each truth, in percent (standard error at most "
        f"{50 / np.sqrt(n):.1f}, and {100 * np.sqrt(0.05 * 0.95 / n):.1f} for a share of 5):\n\n{summary(measured, True)}\n\n"
        f"With accuracy alone:\n\n{summary(measured, False)}\n\n"
        "Percent of abilities with a sharp curve, by what the tests are not told about the noise (standard error at most "
        f"{50 / np.sqrt(2 * n / measured['noise'].nunique()):.1f}):\n\n{sharp_shares(measured, ['noise'])}\n\n"
        "and by the numbers of scales and test examples (standard error at most "
        f"{50 / np.sqrt(2 * n / len(measured[['n_scales', 'n_examples']].drop_duplicates())):.1f}):\n\n"
        f"{sharp_shares(measured, ['n_scales', 'n_examples'])}\n\n"
    )
    if arguments.grid == "fresh":
        before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
        DOCS.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")
    print(text)
    print(f"{time.process_time() - started:.0f} processor seconds")


if __name__ == "__main__":
    main()
