"""Emergence scores of 85,000 curves in one run: all at once, a NumPy loop over curves, and a pandas groupby.apply.

    python benchmarks/measure_sharpness.py [number of curves]

Prints seconds and ratios; all three give the same numbers, or the command fails.
"""

import sys
import time

import numpy as np
import pandas as pd

from emergence.curves import sharpness


def plain(y):
    """A textbook function of one curve."""
    middle = np.median(np.diff(y) ** 2)
    direction = np.sign(np.argmax(y) - np.argmin(y))
    return direction * (y.max() - y.min()) / np.sqrt(middle) if middle else np.nan


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def main():
    n_curves = int(sys.argv[1]) if len(sys.argv) > 1 else 85_000
    scores = np.random.default_rng(0).uniform(size=(n_curves, 8))
    table = pd.DataFrame(
        {"curve": np.repeat(np.arange(n_curves), 8), "scale": np.tile(np.arange(8), n_curves), "score": scores.ravel()}
    )
    ours, at_once = timed(lambda: sharpness.emergence_score(scores))
    loop, one_by_one = timed(lambda: np.array([plain(y) for y in scores]))
    grouped, applied = timed(lambda: table.groupby("curve")["score"].apply(lambda y: plain(y.to_numpy())))
    np.testing.assert_allclose(at_once, one_by_one, rtol=1e-9)
    np.testing.assert_allclose(at_once, applied, rtol=1e-9)
    print(f"{n_curves:,} curves of 8 scales")
    for name, seconds in (("all at once", ours), ("NumPy loop", loop), ("groupby.apply", grouped)):
        print(f"  {name:14} {seconds:8.3f} s   {seconds / ours:6.0f} x")


if __name__ == "__main__":
    main()
