"""What the null models cost beside the random numbers that they need.

    python benchmarks/measure_nulls.py [--all]

One core, processor time. Prints simulated points (one score of one simulated curve) per second of each null model and of the bare
draws: the same number of the same distribution by the plain call of numpy (the few binomial draws of the smooth model, near 0 and
1, are counted as normal ones, against it). Then the seconds for 219 curves with 10,000 draws and, scaled up from a part of them
(or measured in full with --all), for 85,000 curves with 1,000 draws, and the peak memory.
"""

import argparse
import os
import resource
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


import numpy as np

from emergence.statistics import noise, null_models, smooth_curves

N_SCALES = 12
N_EXAMPLES = (200, 230, 1000, 2000)


def curves_at_hand(n_curves):
    """Curves of 12 scales: saturating logistics with binomial noise, of various sizes of test set."""
    generator = np.random.default_rng(1)
    log_scales = np.linspace(6.3, 11.1, N_SCALES)
    midpoint = generator.uniform(7, 12, (n_curves, 1))
    truth = 0.25 + 0.5 * smooth_curves.standard_logistic(log_scales, midpoint, 3.0)
    n_examples = np.repeat(generator.choice(N_EXAMPLES, (n_curves, 1)), N_SCALES, axis=1)
    scores = generator.binomial(n_examples, truth) / n_examples
    return {
        "scores": scores,
        "scales": np.broadcast_to(10**log_scales, scores.shape),
        "n_examples": n_examples.astype(float),
        "n_models": np.ones(scores.shape),
        "stderr": np.full(scores.shape, np.nan),
        "proportion": np.ones(n_curves, dtype=bool),
        "low": np.zeros(n_curves),
        "high": np.ones(n_curves),
        "keys": [f"curve {number}" for number in range(n_curves)],
    }


def seconds(function, *arguments, **options):
    """Processor seconds that a call takes: on a busy machine the clock on the wall would measure the others."""
    started = time.process_time()
    function(*arguments, **options)
    return time.process_time() - started


def bare_flat(curves, draws):
    """The binomial draws of the flat null model, one plain call a curve."""
    generator = np.random.default_rng(1)
    level = curves["scores"].mean(axis=1)
    for n, p in zip(curves["n_examples"][:, 0].astype(int), level, strict=True):
        generator.binomial(n, p, size=(N_SCALES, draws))


def bare_smooth(curves, draws):
    """The normal draws of the smooth null model, one plain call a curve."""
    generator = np.random.default_rng(1)
    for _ in curves["keys"]:
        generator.standard_normal((N_SCALES, draws))


def one_null(curves, draws, null):
    """One null model alone, as null_p_values runs it."""
    known = noise.sampling_noise(*(curves[name] for name in ("scores", "n_examples", "n_models", "stderr", "proportion")))
    members = np.arange(len(curves["keys"]))
    squared = null_models.squared_scores(curves["scores"])
    if null == null_models.FLAT:
        fill = null_models.flat_filler(curves["scores"], known)
    else:
        fit = smooth_curves.fit_smooth(curves["scores"], curves["scales"], known)
        fill = null_models.smooth_filler(fit, known, curves["low"], curves["high"])
    null_models.simulate(members, N_SCALES, curves["keys"], 1, null, draws, squared, fill)


def main():
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="run all 85,000 curves in place of 5,000")
    options = parser.parse_args()
    few, many = curves_at_hand(219), curves_at_hand(85_000 if options.all else 5_000)
    null_models.null_p_values(**curves_at_hand(20), seed=1, draws=100)

    points = 219 * N_SCALES * 10_000
    for null, bare, name in ((null_models.FLAT, bare_flat, "binomial"), (null_models.SMOOTH, bare_smooth, "normal")):
        # In turns, so that both meet the same neighbours; the least disturbed turn of each.
        turns = [(seconds(one_null, few, 10_000, null), seconds(bare, few, 10_000)) for _ in range(5)]
        taken, alone = (min(values) for values in zip(*turns, strict=True))
        rate, bare_rate = points / taken / 1e6, points / alone / 1e6
        print(f"{null} null model: {rate:.1f} million points/s; bare {name} draws: {bare_rate:.1f}; ratio {taken / alone:.2f}")
    taken = seconds(null_models.null_p_values, **few, seed=1, draws=10_000)
    print(f"219 curves x 10,000 draws, both null models: {taken:.1f} s")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken = seconds(null_models.null_p_values, **many, seed=1, draws=1_000)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    n_curves = len(many["keys"])
    how = "measured" if options.all else f"scaled up from {n_curves:,} curves, {taken:.1f} s"
    print(f"85,000 curves x 1,000 draws, both null models: {taken * 85_000 / n_curves:.0f} s ({how})")
    print(f"peak memory {after:.0f} MB for {n_curves:,} curves at once ({before:.0f} MB before)")


if __name__ == "__main__":
    main()
