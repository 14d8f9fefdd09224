"""How often the null models are rejected when the truth is known: the full grid behind docs/calibration.md.

    python benchmarks/measure_calibration.py [--curves 1000] [--draws 99]

Cells outside the asked range are measured again on fresh curves: among so many cells some are outside by chance.

Writes docs/calibration.csv (one row a truth, number of scales, spacing and test-set size), docs/calibration.png and .svg, and
docs/calibration.md. The curves and the function that tests them are those of the quick grid in the tests.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import pandas as pd

import truths
from emergence.statistics.smooth_curves import MIN_RISE_DECADES, N_PARAMETERS

ROOT = Path(__file__).resolve().parents[1]
N_SCALES = (5, 6, 8, 10, 12)
N_EXAMPLES = (50, 200, 500, 2000)
LEVEL = 0.05
UPPER, LOWER, LOWER_FROM = 0.07, 0.03, 200
POWER_SPACING = "0.45 decades apart"
CURVES_AGAIN = 5000


def spacings(n_scales):
    """The scales tried: as close as a published family's sizes, and spread over four decades."""
    return {POWER_SPACING: 8 + 0.45 * np.arange(n_scales), "over 4 decades": np.linspace(7, 11, n_scales)}


def measure(curves, draws):
    """The rejection shares over the whole grid, as a data frame."""
    rows = []
    for n_scales in N_SCALES:
        for spacing, log_scales in spacings(n_scales).items():
            kinds = {
                "flat": truths.flat_truths(n_scales),
                "smooth": truths.smooth_truths(log_scales),
                "jump": truths.jump_truths(n_scales),
            }
            for n_examples in N_EXAMPLES:
                for kind, named in kinds.items():
                    for name, truth in named.items():
                        flat, smooth = truths.rejection_shares(
                            truth, log_scales, n_examples, curves=curves, draws=draws, seed=len(rows), level=LEVEL
                        )
                        rows.append((kind, name, n_scales, spacing, n_examples, curves, draws, flat, smooth))
        print(f"{n_scales} scales done", flush=True)
    columns = ["kind", "truth", "n_scales", "spacing", "n_examples", "curves", "draws", "rejected_flat", "rejected_smooth"]
    return pd.DataFrame(rows, columns=columns)


def judged_columns(table):
    """The shares that calibration is about: flat truths under both null models, smooth truths under the smooth one."""
    flat = table[table["kind"] == "flat"]
    parts = [
        flat.assign(test="flat null, flat truth", share=flat["rejected_flat"]),
        flat.assign(test="smooth null, flat truth", share=flat["rejected_smooth"]),
        table[table["kind"] == "smooth"].assign(test="smooth null, smooth truth", share=lambda part: part["rejected_smooth"]),
    ]
    return pd.concat(parts, ignore_index=True)


def measure_outside(judged, draws):
    """The cells outside the asked range, worst first, with a second share from CURVES_AGAIN fresh curves (`again`)."""
    outside = judged[(judged["share"] > UPPER) | ((judged["share"] < LOWER) & (judged["n_examples"] >= LOWER_FROM))].copy()
    again = []
    for number, cell in enumerate(outside.itertuples()):
        log_scales = spacings(cell.n_scales)[cell.spacing]
        named = truths.flat_truths(cell.n_scales) | truths.smooth_truths(log_scales)
        options = {"curves": CURVES_AGAIN, "draws": draws, "seed": 1_000_000 + number, "level": LEVEL}
        flat, smooth = truths.rejection_shares(named[cell.truth], log_scales, cell.n_examples, **options)
        again.append(flat if cell.test.startswith("flat null") else smooth)
    outside["again"] = again
    return outside.iloc[np.argsort(-np.abs(outside["again"] - LEVEL), kind="stable")]


def draw_figure(judged, table, path):
    """Rejection shares by number of scales and test-set size, and the power against jumps."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    sns.set_theme(context="paper", style="whitegrid", palette="colorblind")
    plt.rcParams["svg.hashsalt"] = "calibration"
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.8))
    for axis, (test, part) in zip(axes, judged.groupby("test", sort=False), strict=False):
        options = {"jitter": 0.22, "size": 3, "alpha": 0.7, "legend": test.startswith("flat")}
        sns.stripplot(part, x="n_scales", y="share", hue="n_examples", palette="colorblind", dodge=True, ax=axis, **options)
        axis.axhspan(LOWER, UPPER, color="0.85", zorder=0)
        axis.axhline(LEVEL, color="0.4", linewidth=0.8)
        axis.set(title=test, xlabel="scales in the curve", ylabel="share of curves with p ≤ 0.05", ylim=(0, 0.12))
    power = table[(table["kind"] == "jump") & (table["spacing"] == POWER_SPACING) & (table["n_scales"] == 8)].copy()
    power = power[power["truth"].str.contains("half")]
    power["jump"] = power["truth"].str.extract(r"jump (.*),", expand=False)
    sns.lineplot(power, x="n_examples", y="rejected_smooth", hue="jump", style="jump", markers=True, errorbar=None, ax=axes[3])
    axes[3].set(title="smooth null, jump after 4 of 8 scales", xscale="log", xlabel="test examples", ylim=(0, 1.02))
    axes[3].set(ylabel="power at p ≤ 0.05", xticks=N_EXAMPLES, xticklabels=N_EXAMPLES)
    axes[0].get_legend().set_title("test examples")
    figure.tight_layout()
    for suffix, metadata in ((".png", None), (".svg", {"Date": None})):
        figure.savefig(path.with_suffix(suffix), dpi=150, metadata=metadata)


def describe(judged, outside, table, seconds):
    """The reading of the table that goes into docs/calibration.md."""
    curves, draws = table["curves"].iloc[0], table["draws"].iloc[0]
    lines = [
        "# Calibration of the null models",
        "",
        "Made by `python benchmarks/measure_calibration.py`; do not edit. Every number is a share of curves with p ≤ 0.05.",
        f"{len(table)} cells of {curves} curves, {draws} draws a curve; the standard error of a share near 0.05 is"
        f" {np.sqrt(0.05 * 0.95 / curves):.3f}. It took {seconds / 60:.0f} minutes on one busy core.",
        "",
        f"Smooth means: a logistic in log scale that needs at least {MIN_RISE_DECADES} decades of scale for the middle 80 % of"
        " its rise, or a limit of such curves (flat, straight, exponential).",
        "",
        "## Wrong rejections",
        "",
        f"Asked for: at most {UPPER}, and at least {LOWER} from {LOWER_FROM} examples on. A jump is counted in the next section.",
        "",
        "| null model and truth | test examples | cells | median | 5 % to 95 % of cells | largest | above 0.07 | below 0.03 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (test, n_examples), part in judged.groupby(["test", "n_examples"], sort=False):
        share = part["share"]
        low, high = share.quantile([0.05, 0.95])
        lines.append(
            f"| {test} | {n_examples} | {len(part)} | {share.median():.3f} | {low:.3f} to {high:.3f} | {share.max():.3f}"
            f" | {(share > UPPER).sum()} | {(share < LOWER).sum()} |"
        )
    above, below = (outside["again"] > UPPER).sum(), (outside["again"] < LOWER).sum()
    lines += [
        "",
        "### Cells outside",
        "",
        f"Above {UPPER} at any size, or below {LOWER} from {LOWER_FROM} examples on: {len(outside)} of {len(judged)} cells.",
        f"Among so many some are outside by chance, so each was measured again on {CURVES_AGAIN} fresh curves (standard error"
        f" {np.sqrt(0.05 * 0.95 / CURVES_AGAIN):.3f}): {above} stay above, the largest at {outside['again'].max():.3f};"
        f" {below} stay below.",
        "",
        "| null model and truth | truth | scales | spacing | test examples | share | again |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.test} | {row.truth} | {row.n_scales} | {row.spacing} | {row.n_examples} | {row.share:.3f} | {row.again:.3f} |"
        for row in outside.itertuples()
    ]
    lines += [
        "",
        "## Power against jumps",
        "",
        "Share found by the smooth null model, scales 0.45 decades apart. The flat null model finds more: any rise counts.",
        "",
        "| jump | scales | " + " | ".join(f"{n} examples" for n in N_EXAMPLES) + " |",
        "|---|---|" + "---|" * len(N_EXAMPLES),
    ]
    jumps = table[(table["kind"] == "jump") & (table["spacing"] == POWER_SPACING) & table["n_scales"].isin([5, 8, 12])]
    wide = jumps.pivot_table(index=["truth", "n_scales"], columns="n_examples", values="rejected_smooth", sort=False)
    lines += [
        f"| {truth} | {n} | " + " | ".join(f"{share:.2f}" for share in shares) + " |"
        for (truth, n), shares in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    lines += [
        "",
        f"A smooth curve has {N_PARAMETERS} parameters, so five scales leave one direction in which a curve can differ from all",
        "smooth ones. A jump with a single scale after it looks like the foot of a steep but smooth rise: no test can tell the",
        "two apart without a larger model, and this one does not claim to.",
        "",
        "## Where it is not exact",
        "",
        "Below 0.03: near 0 and 1 with few right or wrong answers, where |E| takes few values and ties count against the curve;",
        "and steep rises with five or six scales, where what the fit leaves free is in scores that hardly move |E|. Both err",
        "towards `a smooth curve can be this sharp`.",
        "",
    ]
    return "\n".join(lines)


def main():
    """Measure the grid, write the table, the figure and the reading."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=1000, help="simulated curves in each cell")
    parser.add_argument("--draws", type=int, default=99, help="draws for each curve's p-value")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder to write into")
    options = parser.parse_args()
    started = time.perf_counter()
    table = measure(options.curves, options.draws)
    judged = judged_columns(table)
    outside = measure_outside(judged, options.draws)
    seconds = time.perf_counter() - started
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "calibration.csv", index=False, float_format="%.4f")
    draw_figure(judged, table, options.out / "calibration")
    (options.out / "calibration.md").write_text(describe(judged, outside, table, seconds), encoding="utf-8")
    print((options.out / "calibration.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
