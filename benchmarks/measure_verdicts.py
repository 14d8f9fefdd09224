"""How often each verdict falls on abilities whose truth is known: the tables of docs/verdicts.md.

    python benchmarks/measure_verdicts.py [--abilities 6] [--draws 1000] [--links] [--describe]

Simulates benchmarks in which flat, gradual, metric-made and jumping abilities are mixed, runs the whole way from scores to verdicts
on each, and counts. Every ability has parameters of its own, drawn at random within its kind of shape, and models may differ by more
than their test set. What the rules were tuned on is said in docs/verdicts.md.

--links measures something else: how often one smooth link between two scores is rejected, on questions that are answered under both.

Writes workflow/resources/calibration/verdicts.csv, one row per setting, truth and verdict (with --links: links.csv), and the tables
in docs/verdicts.md, which are made from these files alone (--describe makes them anew without simulating).
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
from emergence.statistics.noise import sampling_noise
from emergence.statistics.smooth_curves import MIN_RISE_DECADES, standard_logistic
from emergence.study import metric_catalogue

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "workflow/resources/calibration/verdicts.csv"
DOCS = ROOT / "docs/verdicts.md"
LINKS = ROOT / "workflow/resources/calibration/links.csv"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
LINKS_BEGIN, LINKS_END = "<!-- links: begin -->", "<!-- links: end -->"

ACCURACY, CONTINUOUS = "multiple_choice_grade", "correct_prob_mass"
SHARP_VERDICTS = ("sharp_under_all", "metric", "sharp_undecided", "constant_answers")
PLACES = {"largest": 1, "second": 2, "middle": None}

# log10 of the sizes of a family.
SPACINGS = {
    "5 sizes, 0.7 decades apart": 7.5 + 0.7 * np.arange(5),
    "7 uneven sizes": 7.7 + np.array([0.0, 0.35, 1.05, 1.35, 1.9, 2.7, 3.0]),
    "GPT-3, 8 sizes": np.log10([1.25e8, 3.5e8, 7.6e8, 1.3e9, 2.7e9, 6.7e9, 1.3e10, 1.75e11]),
    "10 sizes, 0.4 decades apart": 7.5 + 0.4 * np.arange(10),
    "BIG-G, 12 sizes": np.log10([2.1e6, 1.7e7, 5.7e7, 1.3e8, 2.6e8, 4.5e8, 1.1e9, 2.1e9, 4.2e9, 8.6e9, 2.8e10, 1.28e11]),
}
N_EXAMPLES = (50, 300, 2000)
# shared: correlation of the scores of neighbouring sizes; known: whether the tests are told. Or models differ by more than sampling:
# dispersion, a beta-binomial correlation, or scatter, the standard deviation of a score between seeds; models: at each size.
NOISES = {
    "independent questions": {},
    "shared questions, 0.5": {"shared": 0.5},
    "shared questions, 0.5, covariance given": {"shared": 0.5, "known": True},
    "beta-binomial, 0.002": {"dispersion": 0.002},
    "seeds differ by 0.02": {"scatter": 0.02},
    "seeds differ by 0.02, three of each size": {"scatter": 0.02, "models": 3},
}
SETTINGS = [
    {"spacing": spacing, "n_examples": n_examples, "noise": noise}
    for spacing in SPACINGS
    for n_examples in N_EXAMPLES
    for noise in NOISES
]
SEED = 58_000


def probit(x, midpoint, rise):
    """Normal distribution function from 0 to 1 about `midpoint` with 10 % to 90 % in `rise` decades."""
    return stats.norm.cdf((x - midpoint) / rise * 2 * stats.norm.ppf(0.9))


def slow_power(x, power, share):
    """p^power of a p that rises in a straight line to 0.98, at its steepest `share` as steep as a logistic of MIN_RISE_DECADES."""
    steepest = 2 * np.log(9) / MIN_RISE_DECADES * 0.98 * (1 - 0.98**power) / power
    return np.maximum(0.98 - share * steepest * (x[-1] - x), 0.02) ** power


def truth(name, x, random):
    """One ability: expected accuracy and continuous score, (n,) each. x: (n,) log10 of scale."""
    span, along = x[-1] - x[0], (x - x[0]) / (x[-1] - x[0])
    low, height, rise = random.uniform(0.03, 0.3), random.uniform(0.2, 0.6), random.uniform(MIN_RISE_DECADES, 4)
    middle, shift = x[0] + span * random.uniform(0.25, 0.75), random.uniform(0, 0.5)
    mass_low, mass_height = random.uniform(0.1, 0.3), random.uniform(0.25, 0.6)
    kind, _, place = name.partition(", ")
    if kind == "flat":
        return np.full(len(x), low), np.full(len(x), mass_low)
    continuous = mass_low + mass_height * probit(x, middle, random.uniform(2.5, 5))
    shapes = {
        "gradual line": along,
        "gradual logistic": standard_logistic(x, middle, rise),
        "gradual probit": probit(x, middle, rise),
        "gradual Gompertz": standard_gompertz(x, middle, rise, random.choice([-1, 1])),
        "gradual double sigmoid": (probit(x, x[0] + 0.2 * span, rise) + probit(x, x[0] + 0.8 * span, rise)) / 2,
        "gradual U": np.square(2 * along - 1),
        # half of the rise or more is still to come
        "gradual late logistic": standard_logistic(x, x[-1] + shift, rise),
        "gradual late Gompertz": standard_gompertz(x, x[-1] + shift, rise, random.choice([-1, 1])),
    }
    if kind in shapes:
        return low + height * shapes[kind], mass_low + mass_height * np.square(
            2 * along - 1
        ) if kind == "gradual U" else continuous
    if kind.startswith("gradual p^"):
        return slow_power(x, int(kind.rpartition("^")[2]), random.uniform(0.5, 1)), 0.25 + 0.5 * along
    if kind == "metric p^L":
        # a power of a p that comes near 1: steep where it takes off
        p = random.uniform(0.4, 0.6) + 0.38 * along
        return p ** random.uniform(12, 40), p
    back = PLACES[place]
    at = len(x) // 2 if back is None else len(x) - back
    if kind == "metric threshold":
        gap = (along[at - 1] + along[at]) / 2
        return low + height * stats.norm.cdf((along - gap) / random.uniform(0.02, 0.05)), continuous
    up, size = np.arange(len(x)) >= at, random.uniform(0.1, 0.35)
    slope = random.uniform(0, 0.06) * standard_gompertz(x, middle, 3.0, 1)
    return low + slope + size * up, mass_low + slope + random.uniform(0.6, 1.2) * size * up


TRUTHS = (
    "flat",
    *(f"gradual {shape}" for shape in ("line", "logistic", "probit", "Gompertz", "double sigmoid", "U", "p^5", "p^20")),
    *(f"gradual late {shape}" for shape in ("logistic", "Gompertz")),
    "metric p^L",
    *(f"metric threshold, {place}" for place in PLACES),
    *(f"jump, {place}" for place in PLACES),
)


def _between(n_scales, shared):
    """Correlation of the scores of n sizes, (n, n)."""
    place = np.arange(n_scales)
    return shared ** np.abs(place[:, None] - place) if shared else np.eye(n_scales)


def _noisy(expected, sd_of_one, n_examples, random, *, shared=0.0, known=False, dispersion=0.0, scatter=0.0, models=1):
    """Scores of each model about their expectation, (abilities, n, models). sd_of_one: standard deviation of one example."""
    shape = (models, *expected.shape)
    root = np.linalg.cholesky(_between(expected.shape[1], shared))
    sampling = random.standard_normal(shape) @ root.T / np.sqrt(n_examples)
    beyond = np.sqrt(dispersion) * sd_of_one * random.standard_normal(shape)
    return np.moveaxis(expected + sd_of_one * sampling + beyond + scatter * random.standard_normal(shape), 0, -1)


def _rows(name, scales, accuracy, continuous, n_examples, spread, random, noise):
    """Score tables of abilities with both metrics, and of as many with accuracy alone. accuracy, continuous: (a, n)."""
    abilities, n_scales = accuracy.shape
    models = noise.get("models", 1)
    for alone in (False, True):
        right = _noisy(accuracy, np.sqrt(accuracy * (1 - accuracy)), n_examples, random, **noise)
        right = np.clip(np.round(right * n_examples), 0, n_examples) / n_examples
        mass = np.clip(_noisy(continuous, spread, n_examples, random, **noise), 0, 1)
        stderr = np.broadcast_to((spread / np.sqrt(n_examples))[..., None], mass.shape)
        for metric, scores in ((ACCURACY, right), (CONTINUOUS, mass))[: 1 if alone else 2]:
            tasks = [f"{name}{', alone' if alone else ''} {i:04d}" for i in range(abilities)]
            yield pd.DataFrame(
                {
                    "task": np.repeat(tasks, n_scales * models),
                    "metric": metric,
                    "model": np.tile([f"m{i:02d} {seed}" for i in range(n_scales) for seed in range(models)], abilities),
                    "scale": np.tile(np.repeat(scales, models), abilities),
                    "score": scores.ravel(),
                    "n_examples": n_examples,
                    "stderr": np.nan if metric == ACCURACY else stderr.ravel(),
                }
            )


def simulated_scores(setting, abilities, random):
    """The score table of one setting: `abilities` of each truth with both metrics, and as many with accuracy alone."""
    x, n_examples = SPACINGS[setting["spacing"]], setting["n_examples"]
    parts = []
    for name in TRUTHS:
        both = (np.array(part) for part in zip(*(truth(name, x, random) for _ in range(abilities)), strict=True))
        spread = random.uniform(0.15, 0.35, (abilities, 1))
        parts += _rows(name, 10**x, *both, n_examples, spread, random, NOISES[setting["noise"]])
    return pd.concat(parts, ignore_index=True).assign(
        benchmark="simulated",
        subtask="",
        model_family="f",
        shots=pd.array([pd.NA], dtype="Int64").repeat(sum(map(len, parts))),
        preferred=None,
        chance=np.nan,
        source="simulated",
    )


def _with_covariance(curves, shared):
    """The curves with the covariance of their noise, as outputs would give it."""
    lists = []
    for scores, n_examples, stderr in zip(curves["scores"], curves["n_examples"], curves["stderr"], strict=True):
        share = (scores * n_examples + 0.5) / (n_examples + 1)
        sd = np.where(np.isnan(stderr), np.sqrt(share * (1 - share) / n_examples), stderr)
        lists.append((sd[:, None] * _between(len(sd), shared) * sd).ravel())
    return curves.assign(covariance=pd.Series(lists, index=curves.index, dtype=object))


def verdicts_of(scores, catalogue, draws, seed, shared=None):
    """The whole way from a score table to the table of verdicts; shared: the correlation of neighbours, where tests are told."""
    curves = tables.typed(frames.measure(frames.from_scores(scores, catalogue), catalogue), "curves")
    known = frames.attach_scatter(curves, scores)
    known = known if shared is None else _with_covariance(known, shared)
    tests = curve_tests.assess(known, catalogue, draws, seed)["null_models"]
    q_values = verdicts.tests_of(tests, frames.counted(curves)["in_family"])
    return verdicts.verdict_table(curves, q_values, catalogue)


def measure(settings, abilities, draws, seed):
    """One row per setting, truth and verdict; n_largest_alone of the abilities are sharp by the test of the largest model alone."""
    catalogue = metric_catalogue.load(ROOT / "config/metrics.yaml")
    records = []
    for number, setting in enumerate(settings):
        random = np.random.default_rng([seed, number])
        noise = NOISES[setting["noise"]]
        shared = noise["shared"] if noise.get("known") else None
        table = verdicts_of(simulated_scores(setting, abilities, random), catalogue, draws, seed + number, shared)
        table["largest_alone"] = table["flags"].fillna("").str.contains(verdicts.LARGEST_ALONE)
        table["by_shape"] = (table["word"] == verdicts.SHARP) & ~table["largest_alone"]
        grouped = table.groupby(verdicts.ABILITY, dropna=False)
        ability = table.drop_duplicates(verdicts.ABILITY).set_index("task")
        alone = ability["verdict"].isin(SHARP_VERDICTS) & ~grouped["by_shape"].any().droplevel(
            [part for part in verdicts.ABILITY if part != "task"]
        )
        kind = ability.index.str.rsplit(" ", n=1).str[0]
        counts = pd.DataFrame(
            {"truth": kind, "verdict": ability["verdict"].to_numpy(), "alone": alone.reindex(ability.index).to_numpy()}
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


def shares_by(measured, names, of):
    """How often some verdicts fall on each truth, with a row for each value of the columns `names`, as a Markdown table.

    of: the verdicts that are counted.
    """
    rows = measured.assign(found=np.where(measured["verdict"].isin(of), measured["n"], 0))
    counts = rows.groupby([*names, "truth"], sort=False)[["found", "n"]].sum()
    share = (100 * counts["found"] / counts["n"]).unstack("truth").reindex(counts.index.droplevel("truth").unique())
    shown = list(_order(share.columns))
    lines = [
        "| " + " | ".join([*(_WORDS.get(name, name) for name in names), *shown]) + " |",
        "|" + "---|" * (len(shown) + len(names)),
    ]
    for key, row in share.iterrows():
        cells = [
            f"{part:,}" if isinstance(part, (int, np.integer)) else str(part)
            for part in (key if isinstance(key, tuple) else (key,))
        ]
        lines.append("| " + " | ".join([*cells, *(f"{row[name]:.0f}" for name in shown)]) + " |")
    return "\n".join(lines)


_WORDS = {"spacing": "sizes", "n_examples": "examples"}


def _order(names):
    kinds = ("flat", "gradual", "metric", "jump")
    return sorted(names, key=lambda name: (next(i for i, kind in enumerate(kinds) if name.startswith(kind)), name))


def describe(measured):
    """The tables of docs/verdicts.md, from the measured counts alone."""
    both = measured[measured["continuous"]]
    jumps = both[both["truth"].str.startswith("jump")]
    n = int(both.loc[both["truth"] == "flat", "n"].sum())
    made_up = both[both["truth"].str.startswith("metric threshold")]

    def error(of):
        return f"{50 / np.sqrt(of):.1f}"

    n_settings = len(measured[["spacing", "n_examples", "noise"]].drop_duplicates())
    cells = {key: 2 * n * len(measured[key].drop_duplicates()) ** -1 for key in ("noise",)}
    cells["sizes"] = 2 * n // len(measured[["spacing", "n_examples"]].drop_duplicates())
    parts = [
        f"{n_settings} settings, {n} abilities of each truth, in percent. The standard error is at most {error(n)}, and "
        f"{100 * np.sqrt(0.05 * 0.95 / n):.1f} for a share of 5. With a continuous metric on the same outputs:",
        summary(measured, True),
        "With accuracy alone:",
        summary(measured, False),
        "Percent of abilities with a sharp curve, by what differs about the noise (standard error at most "
        f"{error(cells['noise'])}):",
        shares_by(measured, ["noise"], SHARP_VERDICTS),
        f"and by sizes and test examples (standard error at most {error(cells['sizes'])}):",
        shares_by(measured, ["spacing", "n_examples"], SHARP_VERDICTS),
        "Percent of abilities with a continuous metric that are blamed on the metric. For real jumps that is an error. The others "
        "were made by a threshold on a smooth probability:",
        shares_by(pd.concat([jumps, made_up]), ["noise"], ("metric",)),
        "and by sizes and test examples:",
        shares_by(pd.concat([jumps, made_up]), ["spacing", "n_examples"], ("metric",)),
    ]
    return "\n" + "\n\n".join(parts) + "\n\n"


# Both scores of a question are made from one normal number per model. related: correlation of that of neighbouring models, and of
# the two scores of one model; given: whether the test is told the covariances.
LINK_NOISES = {
    "independent": {"related": 0.0, "given": False},
    "shared questions, same outputs, covariances given": {"related": 0.6, "given": True},
    "shared questions, same outputs, not known": {"related": 0.6, "given": False},
}
LINK_TRUTHS = ("line", "power", "logistic", "probit", "Gompertz", "jump beside it", "one model off it")
LINK_SETTINGS = [
    {"noise": noise, "truth": name, "models": models, "n_examples": n_examples}
    for noise in LINK_NOISES
    for name in LINK_TRUTHS
    for models in (5, 8, 12)
    for n_examples in (50, 300, 2000)
]


def link_truth(name, n, random):
    """Expected accuracy and continuous score of n models, (n,) each; the first is a smooth function of the second or not."""
    along, place = np.linspace(0, 1, n), np.arange(n)
    # even, saturating, taking off, or with every model a little ahead of its size or behind it
    ways = (along, probit(along, 0.5, 0.64), np.square(along), along + random.uniform(-0.25, 0.25, n) / n)
    way = ways[random.integers(len(ways))]
    at = (way - way[0]) / (way[-1] - way[0])
    low, height = random.uniform(0.03, 0.3), random.uniform(0.3, 0.6)
    rise, middle = random.uniform(0.3, 1), random.uniform(0.3, 0.9)
    made = {
        "line": low + height * at,
        "power": 0.02 + 0.9 * (0.3 + 0.65 * at) ** random.integers(2, 6),
        "logistic": low + height * standard_logistic(at, middle, rise),
        "probit": low + height * probit(at, middle, rise),
        "Gompertz": low + height * standard_gompertz(at, middle, rise, random.choice([-1, 1])),
        "jump beside it": low
        + random.uniform(0, 0.1) * at
        + random.uniform(0.15, 0.4) * (place >= random.integers(n // 3, n - 1)),
        "one model off it": low + 0.3 * at + 0.2 * (place == n // 2),
    }
    return np.clip(made[name], 0.005, 0.995), 0.15 + random.uniform(0.25, 0.6) * at


def linked_scores(name, models, n_examples, related, curves, random):
    """Scores under both metrics, (curves, models) each, and their joint covariance, (curves, 2 models, 2 models)."""
    accuracy, continuous = np.empty((2, curves, models))
    joint = np.empty((curves, 2 * models, 2 * models))
    root = np.linalg.cholesky(_between(models, related))
    for curve in range(curves):
        share, level = link_truth(name, models, random)
        ability, own = random.standard_normal((2, n_examples, models)) @ root.T
        right = (ability > -stats.norm.ppf(share)).astype(float)
        shown = level + random.uniform(0.15, 0.35) * (related * ability + np.sqrt(1 - related**2) * own)
        accuracy[curve], continuous[curve] = right.mean(axis=0), shown.mean(axis=0)
        joint[curve] = np.cov(right.T, shown.T) / n_examples
    return accuracy, continuous, joint


def link_p_values(accuracy, continuous, joint, n_examples, given):
    """The p-value of one smooth link for each curve; see linked_scores for the arguments. Returns (curves,)."""
    n = accuracy.shape[1]
    sizes, one, unknown = (np.full(accuracy.shape, value) for value in (float(n_examples), 1.0, np.nan))
    stderr = np.sqrt(np.diagonal(joint, axis1=1, axis2=2))[:, n:]
    share = np.ones(len(accuracy), dtype=bool)
    own, other, cross = (joint[:, :n, :n], joint[:, n:, n:], joint[:, :n, n:]) if given else (None, None, None)
    return verdicts.explained_by_link(
        accuracy,
        sampling_noise(accuracy, sizes, one, unknown, share, own),
        continuous,
        sampling_noise(continuous, sizes, one, stderr, ~share, other),
        np.broadcast_to(np.logspace(7, 11, n), accuracy.shape),
        cross,
    )[0]


def measure_links(settings, curves, seed):
    """How often a smooth link is rejected at 5 %: one row per setting."""
    records = []
    for number, setting in enumerate(settings):
        random, noise = np.random.default_rng([seed, 1, number]), LINK_NOISES[setting["noise"]]
        made = linked_scores(setting["truth"], setting["models"], setting["n_examples"], noise["related"], curves, random)
        p_value = link_p_values(*made, setting["n_examples"], noise["given"])
        records.append(setting | {"n": curves, "n_rejected": int((p_value <= 0.05).sum())})
    return pd.DataFrame(records)


def describe_links(measured):
    """The table of docs/verdicts.md on links, from the measured counts alone."""
    grouped = measured.groupby(["noise", "truth", "n_examples"], sort=False)[["n_rejected", "n"]].sum()
    share = (100 * grouped["n_rejected"] / grouped["n"]).unstack("n_examples")
    n = int(grouped["n"].iloc[0])
    lines = [
        f"| noise | link | {' | '.join(f'{size:,} examples' for size in share.columns)} |",
        "|" + "---|" * (2 + share.shape[1]),
    ]
    lines += [f"| {noise} | {name} | {' | '.join(f'{value:.1f}' for value in row)} |" for (noise, name), row in share.iterrows()]
    intro = (
        f"Percent of {n:,} abilities in which a smooth link is rejected at 5 %, over 5, 8 and 12 models. The standard error is "
        f"{100 * np.sqrt(0.05 * 0.95 / n):.1f} for a share of 5:"
    )
    return "\n" + "\n\n".join([intro, "\n".join(lines)]) + "\n\n"


def write_between(begin, end, text):
    """Put a text into docs/verdicts.md, between two marks."""
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(begin)
    DOCS.write_text(before + begin + text + end + rest.partition(end)[2], encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--abilities", type=int, default=6, help="of each truth, with both metrics and with accuracy alone")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--links", action="store_true", help="measure the test of a link between two scores, and nothing else")
    parser.add_argument("--curves", type=int, default=400, help="of each link and setting")
    parser.add_argument("--describe", action="store_true", help="make the tables from the counts that are there")
    arguments = parser.parse_args()
    if not arguments.describe:
        started = time.process_time()
        if arguments.links:
            measure_links(LINK_SETTINGS, arguments.curves, SEED).to_csv(LINKS, index=False, lineterminator="\n")
        else:
            measured = measure(SETTINGS, arguments.abilities, arguments.draws, SEED)
            measured.to_csv(TABLE, index=False, lineterminator="\n")
        print(f"{time.process_time() - started:.0f} processor seconds")
    write_between(BEGIN, END, describe(pd.read_csv(TABLE)))
    write_between(LINKS_BEGIN, LINKS_END, describe_links(pd.read_csv(LINKS)))


if __name__ == "__main__":
    main()
