"""Curves with a known truth, to measure how often the null models are rejected: flat, smooth, and with a jump.

A truth is the expected score at each scale, a share of right answers. The tests of curves were tuned on these; how exact they are is
measured on others (benchmarks/measure_calibration.py).
"""

import numpy as np

from emergence.statistics import null_models
from emergence.statistics.smooth_curves import MIN_RISE_DECADES

RISES = (MIN_RISE_DECADES, 2.5, 4.0)
MIDPOINTS = (0.3, 0.5, 0.7, 0.9)
LEVELS = ((0.0, 1.0), (0.25, 0.9))
# From chance to well above it, from almost nothing, and from nothing: the jumps that are quoted as emergent abilities.
JUMPS = ((0.25, 0.45), (0.25, 0.65), (0.02, 0.4), (0.0, 0.9))


def flat_truths(n_scales):
    """Curves that do not change with scale. Returns {name: (n_scales,)}."""
    return {f"flat at {level}": np.full(n_scales, level) for level in (0.03, 0.25, 0.5)}


def smooth_truths(log_scales):
    """Smooth curves in log scale: lines, logistics, a saturation and an exponential take-off.

    log_scales: (n,) log10 of the scales, increasing. A logistic rises from 10 % to 90 % of its way within the decades that its
    name gives, about a midpoint that lies at the given share of the scales' span. The saturation and the take-off move by a
    factor of 20 over the span, or by a factor of 9 in MIN_RISE_DECADES where the span is too short for that to be smooth.
    Returns {name: (n,)}.
    """
    span = log_scales[-1] - log_scales[0]
    along = (log_scales - log_scales[0]) / span
    truths = {"line 0.2 to 0.7": 0.2 + 0.5 * along, "line 0.25 to 0.33": 0.25 + 0.08 * along}
    for rise in RISES:
        for midpoint in MIDPOINTS:
            t = (along - midpoint) * span * 2 * np.log(9) / rise
            for low, high in LEVELS:
                name = f"logistic {low:g} to {high:g}, rise {rise:g}, midpoint {midpoint:g}"
                truths[name] = low + (high - low) / (1 + np.exp(-t))
    rate = min(3.0, np.log(9) / MIN_RISE_DECADES * span)
    truths["saturating"] = 0.25 + 0.5 * (1 - np.exp(-rate * along))
    truths["taking off"] = 0.25 + 0.5 * np.exp(rate * (along - 1))
    return truths


def jump_truths(n_scales):
    """Curves that are flat, jump once between neighbouring scales, and are flat again. Returns {name: (n_scales,)}."""
    place = np.arange(n_scales)
    first = {"half of the scales": n_scales // 2, "two scales": n_scales - 2, "one scale": n_scales - 1}
    return {
        f"jump {low:g} to {high:g}, {name} after it": np.where(place >= start, high, low)
        for low, high in JUMPS
        for name, start in first.items()
    }


def rejection_shares(truth, log_scales, n_examples, *, curves, draws, seed, level=0.05):
    """Share of simulated curves with p at or below `level`, under the flat and under the smooth null model.

    truth, log_scales: (n,). n_examples: int, test examples behind each score. curves: int, curves simulated. draws: int, draws
    a curve. seed: int. Returns (share under flat, share under smooth).
    """
    generator = np.random.default_rng([seed, n_examples, len(truth)])
    scores = generator.binomial(n_examples, truth, size=(curves, len(truth))) / n_examples
    table = null_models.null_p_values(
        scores,
        np.broadcast_to(10.0**log_scales, scores.shape),
        np.full(scores.shape, n_examples),
        np.ones(scores.shape),
        np.full(scores.shape, np.nan),
        np.ones(curves, dtype=bool),
        np.zeros(curves),
        np.ones(curves),
        [f"curve {number}" for number in range(curves)],
        seed=seed,
        draws=draws,
    )
    return (table["p_flat"] <= level).mean(), (table["p_smooth"] <= level).mean()
