"""The share of examples below a threshold, for every threshold: what a cut at c makes of a continuous value.

After Figures 7 and 8 of Schaeffer, Miranda & Koyejo (2023), who count an image as rebuilt if its squared error is below a constant.
Which constant they took decides the answer, so many are tried. The continuous value of an example is a metric that the outputs come
with (`stored_metrics`) and that the catalogue knows as continuous, the probability of the right choice, or the log-probability of a
text.
"""

import itertools

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.outputs.examples import CHOICES, LOGLIKELIHOOD

# Thresholds within a decade, from fine to coarse, and how many there may be before they are made coarser.
_STEPS = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,))
MOST_THRESHOLDS = 40

# Thresholds stay between these quantiles of all values: beyond, all examples are on one side.
_RANGE = (0.005, 0.995)

RIGHT_CHOICE = "probability of the right choice"
SURPRISE = "negative log-probability"

SERIES = ["task", "subtask", "model_family", "shots", "filter"]


def thresholds(values):
    """Round thresholds that cover the values, even in their logarithm; evenly spaced quantiles where values have both signs.

    Parameters
    ----------
    values : (n,) ndarray
        Finite values of examples, of all models together.

    Returns
    -------
    (m,) ndarray, increasing; empty where all values are equal.
    """
    if not len(values):
        return np.empty(0)
    low, high = np.quantile(values, _RANGE)
    if low == high:
        return np.empty(0)
    if high < 0:
        return -thresholds(-values)[::-1]
    if low <= 0 <= high:
        return np.unique(np.quantile(values, np.linspace(*_RANGE, MOST_THRESHOLDS)))
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in _STEPS:
        # as text and back: 3 * 10**-2 is not the number that is written 0.03
        grid = np.array([float(f"{step}e{decade}") for decade, step in itertools.product(decades, steps)])
        grid = grid[(grid >= low) & (grid <= high)]
        if len(grid) <= MOST_THRESHOLDS:
            break
    return grid if len(grid) else np.array([np.sqrt(low * high)])


def shares(values, scales, cuts, is_lower_better):
    """Share of the examples at each scale on the better side of each threshold.

    Models of one scale are averaged with equal weight where they have equally many examples.

    Parameters
    ----------
    values, scales : (n,) ndarray
        The value of each example and the scale of its model.
    cuts : (m,) ndarray
    is_lower_better : bool
        Whether an example counts below the threshold, or from it on.

    Returns
    -------
    distinct : (s,) ndarray
        Scales, increasing.
    share : (m, s) ndarray
    """
    distinct, place = np.unique(scales, return_inverse=True)
    share = np.empty((len(cuts), len(distinct)))
    for number in range(len(distinct)):
        own = np.sort(values[place == number])
        share[:, number] = np.searchsorted(own, cuts, side="left") / len(own)
    return distinct, share if is_lower_better else 1 - share


def continuous_values(examples, catalogue):
    """Every continuous value that the examples of a task have.

    Parameters
    ----------
    examples : emergence.outputs.examples.Examples
    catalogue : frame of metric_catalogue.load

    Yields
    ------
    name : str
    is_lower_better : bool
    rows : (r,) ndarray of int
        Positions of the examples that have the value, and it is finite.
    values : (r,) ndarray
    """
    known = catalogue[catalogue["continuous"].eq(True)]
    kind = examples.frame["kind"]
    has_stored = np.zeros(len(examples), dtype=bool)
    (codes, names), stored = examples.lists.coded("stored_metrics"), examples.lists["stored_values"]
    owner = np.repeat(np.arange(len(examples)), codes.lengths)
    for name in sorted(set(names) & set(known.index)):
        rows, first = np.unique(owner[codes.flat == names.index(name)], return_index=True)
        if len(rows):
            has_stored[rows] = True
            yield (
                name,
                not known.at[name, "higher_is_better"],
                *_finite(rows, stored.flat[codes.flat == names.index(name)][first]),
            )
    rows = np.flatnonzero(kind == CHOICES)
    if len(rows):
        log_probs, credit = examples.lists["log_probs"].take(rows), examples.lists["credits"].take(rows)
        owner, starts = np.repeat(np.arange(len(rows)), log_probs.lengths), log_probs.offsets[:-1]
        highest = np.maximum.reduceat(log_probs.flat, starts)
        # where no choice has a probability, none has a share of it
        odds = np.exp(log_probs.flat - np.where(np.isfinite(highest), highest, 0.0)[owner])
        with np.errstate(invalid="ignore"):
            values = np.add.reduceat(odds * credit.flat, starts) / np.add.reduceat(odds, starts)
        yield RIGHT_CHOICE, False, *_finite(rows, values)
    # where a text has a value of its own, its log-probability follows from it or says less
    rows = np.flatnonzero((kind == LOGLIKELIHOOD) & ~has_stored)
    if len(rows):
        log_probs = examples.lists["log_probs"]
        yield SURPRISE, True, *_finite(rows, -log_probs.flat[log_probs.offsets[rows]])


def _finite(rows, values):
    is_finite = np.isfinite(values)
    return rows[is_finite], values[is_finite]


def _values(tasks, catalogue):
    """The continuous values of all tasks, with the examples of each."""
    for examples in tasks:
        for found in continuous_values(examples, catalogue):
            yield examples, *found


def sweep(tasks, catalogue):
    """Emergence score of the share of examples on the better side of each threshold.

    Parameters
    ----------
    tasks : iterable of emergence.outputs.examples.Examples
        One for each task; they need not be in memory at once.
    catalogue : frame of metric_catalogue.load

    Returns
    -------
    DataFrame
        The table `threshold_sweep`: one row per series, continuous value and threshold.
    """
    columns = [*SERIES, "value", "threshold", "is_lower_better", "n_scales", "scales", "shares", "n_examples", "status"]
    columns += ["emergence_score", "emergence_score_resolved", "emergence_score_of_mean"]
    parts = []
    for examples, name, is_lower_better, rows, values in _values(tasks, catalogue):
        series = examples.frame[[*SERIES, "scale", "model"]].iloc[rows]
        for key, places in series.groupby(SERIES, dropna=False, sort=True, observed=True).indices.items():
            own, scales = values[places], series["scale"].to_numpy(dtype=float)[places]
            cuts = thresholds(own)
            distinct, share = shares(own, scales, cuts, is_lower_better)
            if len(distinct) < sharpness.MIN_SCALES or not len(cuts):
                continue
            n_examples = np.bincount(pd.factorize(series["model"].to_numpy()[places])[0]).min()
            means = np.array([own[scales == scale].mean() for scale in distinct])
            parts.append(
                pd.DataFrame(dict(zip(SERIES, key, strict=True)), index=range(len(cuts))).assign(
                    value=name,
                    threshold=cuts,
                    is_lower_better=is_lower_better,
                    n_scales=len(distinct),
                    scales=[distinct] * len(cuts),
                    shares=list(share),
                    n_examples=n_examples,
                    status=sharpness.status(share),
                    emergence_score=sharpness.emergence_score(share),
                    emergence_score_resolved=sharpness.emergence_score_resolved(share, np.full(len(cuts), 1 / n_examples)),
                    emergence_score_of_mean=sharpness.emergence_score(-means if is_lower_better else means),
                )
            )
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts)[columns].sort_values([*SERIES, "value", "threshold"], kind="stable", ignore_index=True)
