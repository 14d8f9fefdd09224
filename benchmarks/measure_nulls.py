"""What the tests of curves cost, in processor seconds on one core.

    python benchmarks/measure_nulls.py [--curves 5000]

Prints the microseconds per curve of each test with 1,000 draws and of what needs no draws, what that is for 85,000 curves, the
seconds for 219 curves with 10,000 draws, and the peak memory. Processor time: on a busy machine the clock on the wall would measure
the others. To compare two commits, run both in turns.
"""

import argparse
import os
import resource
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from emergence.statistics import bounded_curves, change, curve_tests, largest_model, null_models, power, prediction
from emergence.statistics.smooth_curves import standard_logistic

N_SCALES = 12
N_EXAMPLES = (200, 230, 1000, 2000)
ALL_CURVES = 85_000


def block_of_curves(n_curves):
    """Curves of 12 scales, for curve_tests: saturating logistics with binomial noise, test sets of various sizes.

    For two fifths the size of the test set is not used, as for a metric that does not count right answers.
    """
    generator = np.random.default_rng(1)
    log_scales = np.linspace(6.3, 11.1, N_SCALES)
    truth = 0.25 + 0.5 * standard_logistic(log_scales, generator.uniform(7, 12, (n_curves, 1)), 3.0)
    n_examples = np.repeat(generator.choice(N_EXAMPLES, (n_curves, 1)), N_SCALES, axis=1)
    scores = generator.binomial(n_examples, truth) / n_examples
    arrays = {
        "scores": scores,
        "scales": np.broadcast_to(10**log_scales, scores.shape),
        "n_examples": n_examples.astype(float),
        "n_models": np.ones(scores.shape),
        "stderr": np.full(scores.shape, np.nan),
        "proportion": generator.random(n_curves) < 0.6,
        "low": np.zeros(n_curves),
        "high": np.ones(n_curves),
    }
    return curve_tests.Block(np.arange(n_curves), arrays, None, None, None, 0.0)


def timed(function, *arguments, **options):
    """Processor seconds of a call, and what it returns."""
    started = time.process_time()
    found = function(*arguments, **options)
    return time.process_time() - started, found


def costs(n_curves, draws):
    """Processor seconds of each part of curve_tests.assess, as a dict."""
    block = block_of_curves(n_curves)
    keys = [f"curve {number}" for number in range(n_curves)]
    low, high = block.arrays["low"], block.arrays["high"]
    options = {"seed": 1, "draws": draws}
    seconds = {"smooth fits": timed(lambda: block.fit)[0]}
    seconds["homogeneity and trend"] = timed(change.change_tests, *block.common)[0]
    seconds["largest model"] = timed(largest_model.largest_model_z, *block.common, low, high)[0]
    seconds["hidden scales"] = timed(prediction.predict_hidden, *block.common, low, high)[0]
    small = power.small_model_performance(block.arrays["n_examples"], block.noise, block.fit)
    seconds["examples needed"] = timed(power.examples_for_small_models, small, np.full(n_curves, 0.25))[0]
    seconds["bounded class"] = timed(bounded_curves.bounded_class_p_values, *block.common, low, high, keys, **options)[0]
    seconds["null models, both assumptions"] = timed(
        null_models.null_p_values, **block.arrays, keys=keys, fit=block.fit, **options
    )[0]
    return seconds


def main():
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=5_000, help="curves that the costs are measured on")
    options = parser.parse_args()
    costs(50, 100)
    seconds = costs(options.curves, 1_000)
    print(f"{options.curves:,} curves of {N_SCALES} scales, 1,000 draws")
    for name, taken in (*seconds.items(), ("together", sum(seconds.values()))):
        each = taken / options.curves
        print(f"{name:32}{1e6 * each:8.0f} µs per curve{each * ALL_CURVES:8.1f} s for {ALL_CURVES:,} curves")
    print(f"219 curves x 10,000 draws, all tests: {sum(costs(219, 10_000).values()):.2f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
