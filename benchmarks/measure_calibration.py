"""How often each test of a curve rejects when the truth is known: the tables behind docs/calibration.md.

    python benchmarks/measure_calibration.py [--curves 200] [--draws 199]

The tests were tuned on other curves (tests/truths.py: fixed levels, midpoints and rises). Here every curve has parameters of its
own, drawn at random within its kind of shape, on spacings and with kinds of noise that were not used for tuning.

Writes workflow/resources/calibration/rejections.csv, with one row per kind of truth, spacing, test-set size and noise, and
docs/calibration.md, which is made from that file alone (--describe makes it anew without simulating).
"""

import argparse
import os
import textwrap
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import special

from emergence.statistics import bounded_curves, change, largest_model, null_models
from emergence.statistics.bounded_curves import standard_gompertz
from emergence.statistics.noise import sampling_noise
from emergence.statistics.smooth_curves import MIN_RISE_DECADES, fit_smooth, standard_logistic

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "workflow" / "resources" / "calibration" / "rejections.csv"
PAGE = ROOT / "docs" / "calibration.md"

# Parameters of published families, in order of size: BIG-G and GPT-3 of BIG-bench, and sizes as far apart as PaLM's.
SPACINGS = {
    **{f"{n} sizes, 0.5 decades apart": 7.5 + 0.5 * np.arange(n) for n in (4, 5, 6, 8, 10)},
    "12 sizes, 0.35 decades apart": 7.5 + 0.35 * np.arange(12),
    "BIG-G, 12 sizes": np.log10([2.1e6, 1.7e7, 5.7e7, 1.3e8, 2.6e8, 4.5e8, 1.1e9, 2.1e9, 4.2e9, 8.6e9, 2.8e10, 1.28e11]),
    "GPT-3, 8 sizes": np.log10([1.25e8, 3.5e8, 7.6e8, 1.3e9, 2.7e9, 6.7e9, 1.3e10, 1.75e11]),
    "PaLM-like, 4 sizes": np.log10([1e9, 8e9, 6.2e10, 5.4e11]),
}
N_EXAMPLES = (50, 200, 500, 2000)
NULLS = ("flat", "line", "logistic", "gompertz", "double sigmoid", "U", "p^5", "p^20")
JUMPS = ("jump at the largest", "jump at the second largest", "jump in the middle")
# independent questions; models that differ by more than sampling; shared questions, with and without the outputs
NOISES = ("binomial", "beta-binomial", "shared, covariance given", "shared, not known")
TESTS = ("flat", "smooth", "flat_shared", "smooth_shared", "homogeneity", "trend", "largest", "class", "jump")
LEVEL, UPPER, LOWER, LOWER_FROM = 0.05, 0.07, 0.03, 200
DISPERSION = 0.01
SHARED_QUESTIONS = 0.6


def truth(kind, x, generator):
    """The expected scores of one curve. x: (n,) log10 of scale. Returns (n,) shares of right answers."""
    span, along = x[-1] - x[0], (x - x[0]) / (x[-1] - x[0])
    low = generator.uniform(0.02, 0.3)
    height = generator.uniform(0.2, 0.65)
    rise = generator.uniform(MIN_RISE_DECADES, 4)
    midpoint = x[0] + span * generator.uniform(0.2, 1.0)
    if kind == "flat":
        return np.full(len(x), generator.uniform(0.03, 0.6))
    if kind == "line":
        return low + height * along
    if kind == "logistic":
        return low + height * standard_logistic(x, midpoint, rise)
    if kind == "gompertz":
        return low + height * standard_gompertz(x, midpoint, rise, generator.choice([-1, 1]))
    if kind == "double sigmoid":
        first = standard_logistic(x, x[0] + span * generator.uniform(0.1, 0.4), rise)
        return low + height * (first + standard_logistic(x, x[0] + span * generator.uniform(0.6, 0.9), rise)) / 2
    if kind == "U":
        return low + height - 4 * height * along * (1 - along)
    if kind in ("p^5", "p^20"):
        # p rises in a straight line to 0.98, as steeply as lets p^L take MIN_RISE_DECADES at its steepest, or less steeply
        power = int(kind[2:])
        steepest = 2 * np.log(9) / MIN_RISE_DECADES * 0.98 * (1 - 0.98**power) / power
        return np.maximum(0.98 - steepest * generator.uniform(0.5, 1) * (x[-1] - x), 0.02) ** power
    first = {JUMPS[0]: len(x) - 1, JUMPS[1]: len(x) - 2, JUMPS[2]: len(x) // 2}[kind]
    return np.where(np.arange(len(x)) >= first, low + generator.uniform(0.15, 0.4), low)


def sample(truths, n_examples, noise, generator):
    """Scores of curves with known truth, and their covariance. truths: (c, n). Returns (c, n), and (c, n, n) or None."""
    if noise == "binomial":
        return generator.binomial(n_examples, truths) / n_examples, None
    if noise == "beta-binomial":
        size = 1 / DISPERSION - 1
        shares = generator.beta(np.maximum(truths * size, 1e-9), np.maximum((1 - truths) * size, 1e-9))
        return generator.binomial(n_examples, shares) / n_examples, None
    n_scales = truths.shape[1]
    root = np.linalg.cholesky(SHARED_QUESTIONS ** np.abs(np.subtract.outer(np.arange(n_scales), np.arange(n_scales))))
    scores, covariances = np.empty(truths.shape), np.empty((*truths.shape, n_scales))
    for curve, expected in enumerate(truths):
        latent = generator.standard_normal((n_examples, n_scales), dtype=np.float32) @ root.T.astype(np.float32)
        right = (latent < special.ndtri(expected).astype(np.float32)).astype(np.float32)
        scores[curve] = right.mean(axis=0)
        covariances[curve] = np.cov(right.T) / n_examples
    return scores, covariances if noise == "shared, covariance given" else None


def rejections(kind, x, n_examples, noise, curves, draws, seed):
    """Share of curves with p <= LEVEL under each test; NaN where a test needs more scales. Returns a dict."""
    generator = np.random.default_rng(seed)
    truths = np.array([truth(kind, x, generator) for _ in range(curves)])
    scores, covariance = sample(truths, n_examples, noise, generator)
    shape = scores.shape
    scales = np.broadcast_to(10.0**x, shape)
    low, high = np.zeros(curves), np.ones(curves)
    keys = [f"{seed} {number}" for number in range(curves)]
    raw = (np.full(shape, float(n_examples)), np.ones(shape), np.full(shape, np.nan), np.ones(curves, dtype=bool))
    known = sampling_noise(scores, *raw, covariance)
    parts = [
        change.change_tests(scores, scales, known),
        bounded_curves.bounded_class_p_values(scores, scales, known, low, high, keys, seed=seed, draws=draws),
        null_models.null_p_values(
            scores,
            scales,
            *raw,
            low,
            high,
            keys,
            seed=seed,
            draws=draws,
            covariance=covariance,
            fit=fit_smooth(scores, scales, known) if len(x) > 4 else None,
        ),
    ]
    table = pd.concat(parts, axis=1)
    table["p_largest"] = largest_model.moderated_p_values(largest_model.largest_model_z(scores, scales, known, low, high))
    table["p_jump"] = np.maximum(table["p_largest"], table["p_class"])
    return {
        test: (table[f"p_{test}"] <= LEVEL).sum() / n if (n := table[f"p_{test}"].notna().sum()) else np.nan for test in TESTS
    }


def measure(curves, draws):
    """The shares over the whole grid, as a data frame."""
    rows = []
    for number, (spacing, x) in enumerate(SPACINGS.items()):
        started = time.process_time()
        for n_examples in N_EXAMPLES:
            for noise in NOISES:
                for kind in (*NULLS, *JUMPS):
                    seed = 7_000_000 + len(rows)
                    found = rejections(kind, x, n_examples, noise, curves, draws, seed)
                    cell = {"truth": kind, "spacing": spacing, "n_scales": len(x), "n_examples": n_examples, "noise": noise}
                    rows.append(cell | {"curves": curves, "draws": draws} | found)
        print(f"{number + 1} of {len(SPACINGS)} spacings, {time.process_time() - started:.0f} s", flush=True)
    return pd.DataFrame(rows)


NAMES = {
    "flat": "E, flat null model",
    "smooth": "E, smooth null model",
    "flat_shared": "E, flat, correlation 0.5 assumed",
    "smooth_shared": "E, smooth, correlation 0.5 assumed",
    "homogeneity": "homogeneity",
    "trend": "trend",
    "largest": "largest model not foreseeable",
    "class": "sharper than the stated class",
    "jump": "both of the last two",
}
# the truths under which each test should reject at its level or less
OF_FLAT = ("flat", "flat_shared", "homogeneity", "trend")
OF_SMOOTH = ("smooth", "smooth_shared", "largest", "class", "jump")


def pooled(table, test):
    """Share over all curves of some cells and its Monte Carlo standard error at 0.05; NaN where the test was never made."""
    rows = table.dropna(subset=[test])
    if rows.empty:
        return np.nan, np.nan
    return np.average(rows[test], weights=rows["curves"]), np.sqrt(LEVEL * (1 - LEVEL) / rows["curves"].sum())


def markdown(header, rows):
    """A table in Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def text_of(share):
    """A share with three decimals; a dash where there is none."""
    return "–" if np.isnan(share) else f"{share:.3f}"


def nulls_of(table, test):
    """The rows under whose truth a test should reject at its level or less."""
    return table[table["truth"] == "flat"] if test in OF_FLAT else table[table["truth"].isin(NULLS)]


def sizes(table):
    """Rows: for each test, the share of wrong rejections by kind of noise, for 50 examples and for more."""
    rows = []
    for test in TESTS:
        own = nulls_of(table, test)
        for few, words in ((True, "50"), (False, "200 to 2,000")):
            part = own[(own["n_examples"] < LOWER_FROM) == few]
            rows.append([NAMES[test], words, *(text_of(pooled(part[part["noise"] == noise], test)[0]) for noise in NOISES)])
    return rows


def sizes_by_truth(table, noise):
    """Rows: for each truth, the share of wrong rejections of the tests for which every smooth curve is a null."""
    own = table[(table["noise"] == noise) & (table["n_examples"] >= LOWER_FROM)]
    return [[truth, *(text_of(pooled(own[own["truth"] == truth], test)[0]) for test in OF_SMOOTH)] for truth in NULLS]


def outside(table, noise):
    """Groups of cells (test, truth, spacing; 200 examples or more) whose share is above UPPER by two standard errors, and "
    "all groups.
    """
    found = []
    own = table[(table["noise"] == noise) & (table["n_examples"] >= LOWER_FROM)]
    n_groups = 0
    # a correlation of 0.5 is not the truth under this noise, so those answers are not judged by it
    for test in (test for test in TESTS if not test.endswith("_shared")):
        for (truth, spacing), part in nulls_of(own, test).groupby(["truth", "spacing"], sort=False):
            share, _ = pooled(part, test)
            if np.isnan(share):
                continue
            n_groups += 1
            error = np.sqrt(UPPER * (1 - UPPER) / part["curves"].sum())
            if share > UPPER + 2 * error:
                found.append([NAMES[test], truth, spacing, share])
    return sorted(found, key=lambda row: -row[3]), n_groups


def powers(table):
    """Rows: the power of each test against jumps of 0.15 to 0.4, by place, number of sizes and test-set size."""
    own = table[table["noise"] == "binomial"]
    rows = []
    for jump in JUMPS:
        for low, high, words in ((4, 4, "4"), (5, 6, "5 and 6"), (8, 8, "8"), (10, 12, "10 to 12")):
            for n_examples in N_EXAMPLES:
                part = own[own["n_scales"].between(low, high) & (own["n_examples"] == n_examples) & (own["truth"] == jump)]
                shares = (pooled(part, test)[0] for test in ("flat", "smooth", "trend", "largest", "class", "jump"))
                rows.append([jump, words, f"{n_examples:,}", *("–" if np.isnan(share) else f"{share:.2f}" for share in shares)])
    return rows


def beyond_sampling(table):
    """What happens to each test where models differ by more than sampling, from the table."""
    own = table[(table["noise"] == "beta-binomial") & (table["n_examples"] >= LOWER_FROM)]
    flat, moving = own[own["truth"] == "flat"], own[own["truth"].isin(NULLS[1:])]
    many = moving[moving["n_examples"] == N_EXAMPLES[-1]]
    return (
        f"The smooth null model rejects {pooled(flat, 'smooth')[0]:.3f} of flat truths and {pooled(moving, 'smooth')[0]:.3f} of the "
        f"others, {pooled(many, 'smooth')[0]:.3f} with {N_EXAMPLES[-1]:,} examples: less reliable in both directions. The "
        f"test of the stated class rejects {pooled(moving, 'class')[0]:.3f} of the others, and the test of the largest model, which "
        f"estimates the excess over the curves of a benchmark and allows for it, {pooled(moving, 'largest')[0]:.3f} "
        f"({pooled(moving[moving['truth'] != 'p^20'], 'largest')[0]:.3f} without p^20)."
    )


def describe(table):
    """The page docs/calibration.md, from the table alone."""
    curves, draws = table["curves"].iloc[0], table["draws"].iloc[0]
    worst, n_groups = outside(table, "binomial")
    given = [
        pooled(nulls_of(own, test), test)[0]
        for test in ("flat", "smooth")
        for _, own in table[(table["noise"] == NOISES[2]) & (table["n_examples"] >= LOWER_FROM)].groupby("n_scales")
    ]
    given = [share for share in given if not np.isnan(share)]
    names = [NAMES[test] for test in OF_SMOOTH]
    one_truth = table[(table["truth"] == "flat") & (table["noise"] == "binomial") & (table["n_examples"] >= LOWER_FROM)]
    above = f"Of {n_groups} groups (test, truth, spacing; binomial noise, 200 examples or more), "
    above += f"{len(worst)} are above {UPPER} by more"
    parts = [
        "# How exact the tests of a curve are",
        "Made by `python benchmarks/measure_calibration.py` from workflow/resources/calibration/rejections.csv; do not edit.",
        f"Every number is the share of simulated curves with p ≤ {LEVEL}. The grid has {len(table):,} cells of {curves} "
        f"curves and "
        f"{draws} draws: {table['spacing'].nunique()} spacings of 4 to 12 model sizes, even ones and those of BIG-G, GPT-3 "
        f"and PaLM; 50 "
        "to 2,000 test examples; four kinds of noise. It was not used for tuning: the tests were tuned on curves with fixed "
        "parameters "
        "(tests/truths.py), here each curve has its own, drawn at random. The standard error of a share near 0.05 is "
        f"{np.sqrt(0.05 * 0.95 / curves):.3f} for one cell and {pooled(one_truth, 'trend')[1]:.4f} for "
        "a number in the table by truth.",
        markdown(
            ["noise", "what it is"],
            [
                ["binomial", "every model answers questions of its own; what the tests assume where only scores are known"],
                ["beta-binomial", f"models differ by more than sampling: probabilities vary, with correlation {DISPERSION}"],
                [
                    "shared, covariance given",
                    "all models answer the same questions, neighbours alike; outputs give the covariance",
                ],
                ["shared, not known", "the same, but only the scores are known"],
            ],
        ),
        "The truths: flat; a line; a logistic, a Gompertz curve and two logistics one after the other, each with the middle "
        "80 % of its "
        f"rise in {MIN_RISE_DECADES} to 4 decades of scale; a U; and p^5 and p^20 of a straight p, at their steepest as steep "
        f"as a "
        f"logistic of {MIN_RISE_DECADES} decades.",
        "## Wrong rejections",
        f"Asked for: at most {UPPER}, and at least {LOWER} from {LOWER_FROM} examples on. For homogeneity, trend and the flat "
        f"null "
        "model a wrong rejection is one of a flat truth; for the others it is one of any of the eight truths.",
        markdown(["test", "examples", *NOISES], sizes(table)),
        "With the covariance given and 200 examples or more, the shares of the two tests of |E| lie between "
        f"{min(given):.3f} and {max(given):.3f} for each number of sizes.",
        "- *Models that differ beyond sampling* (beta-binomial) are not flat, so homogeneity and trend find them: they say that the "
        "models differ, not that scale is why. " + beyond_sampling(table),
        "- *Shared questions that are not known* make neighbours move together. The truth lies between the answer under "
        "independence "
        "and the one under correlation 0.5, which is why both are given.",
        "- *The largest model* needs to lie beyond three predictions at once, so under most truths it rejects far less than 0.05. "
        "The exception is p^20, which takes off faster than any of the three foresees: a jump that the metric makes is one too.",
        "### By truth",
        "Binomial noise, 200 examples or more.",
        markdown(["truth", *names], sizes_by_truth(table, "binomial")),
        "### Where it is above",
        above + " than two standard errors" + (":" if worst else "."),
        markdown(["test", "truth", "spacing", "share"], [[*row[:3], text_of(row[3])] for row in worst[:25]]) if worst else "",
        f"The {len(worst) - 25} others are in the table." if len(worst) > 25 else "",
        '"Not foreseeable" is not "not smooth": where a smooth rise begins in the gap before the largest model, the smaller '
        "ones do not "
        "show it, and the test of the largest model finds it, as it should. The test of the stated class leaves such a rise "
        "alone. A "
        "curve that fails both is neither foreseeable nor smooth.",
        "## Power against jumps",
        "A flat curve that jumps once by 0.15 to 0.4, binomial noise. A dash: the test needs more sizes.",
        markdown(
            ["jump", "sizes", "examples", "E, flat", "E, smooth", "trend", "largest model", "stated class", "both"], powers(table)
        ),
        "A jump that only the largest model has made has an |E| that many smooth curves reach, so the smooth null model "
        "cannot find it. "
        "The test of the largest model can, and the test of the stated class can where the gap before it is small enough for "
        "a smooth "
        "curve to be ruled out.",
    ]
    return "\n\n".join(part if part.startswith("|") else textwrap.fill(part, 130) for part in parts if part) + "\n"


def main():
    """Measure the grid, write the table and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=200, help="simulated curves in each cell")
    parser.add_argument("--draws", type=int, default=199, help="draws for each p-value")
    parser.add_argument("--describe", action="store_true", help="write the page from the table that is there")
    options = parser.parse_args()
    if not options.describe:
        started = time.process_time()
        table = measure(options.curves, options.draws)
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(TABLE, index=False, float_format="%.4f")
        print(f"{(time.process_time() - started) / 60:.1f} CPU minutes")
    PAGE.write_text(describe(pd.read_csv(TABLE)), encoding="utf-8")


if __name__ == "__main__":
    main()
