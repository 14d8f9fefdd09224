"""Accuracy by the length of the target, beside what independent tokens would give (Figures 3 and 4 of Schaeffer et al. 2023).

If each token of a target is right with probability p, all L are right with probability p^L, and L (1 - p) of them are expected to
be wrong. Where tokens are independent but differ in difficulty by their position, the product over positions takes the place of p^L.
(Equations 8 and 9 of the paper print L (1 - eps) with eps the error of a token; the expected number is L eps.)
"""

import numpy as np
import pandas as pd
from scipy import special

from emergence.outputs.examples import LOGLIKELIHOOD, TEXT, curve_key, metric_name
from emergence.statistics.proportions import exact_interval

# Fewer expected right answers than this, and an accuracy of 0 says nothing against p^L.
FEWEST_EXPECTED = 3.0

# With more different lengths than this, neighbouring lengths are put together.
MOST_GROUPS = 12


def groups(lengths):
    """A group number for each length: every length by itself where there are few, else groups of about equal numbers."""
    distinct, code, count = np.unique(lengths, return_inverse=True, return_counts=True)
    if len(distinct) <= MOST_GROUPS:
        return code
    middle = np.cumsum(count) - count / 2
    group = np.floor(middle / len(lengths) * MOST_GROUPS).astype(np.int64)
    return np.unique(group, return_inverse=True)[1][code]


def product_over_positions(length, same, starts, pair):
    """The chance of each target to be right if tokens are independent, but of another difficulty at each position.

    Parameters
    ----------
    length : (n,) array of int
        Tokens of each target, at least 1.
    same, starts : arrays
        See metrics.Texts.agreements. A position that the answer does not have is wrong.
    pair : (n,) array of int
        The pair of each target.

    Returns
    -------
    (n,) ndarray
        The product, over the positions of the target, of the share of targets with the right token there, of those that are so long.
    """
    count = starts[pair + 1] - starts[pair]
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    n_right = np.bincount(place, weights=same[np.repeat(starts[pair], count) + place], minlength=length.max())
    n_targets = len(length) - np.concatenate([[0], np.cumsum(np.bincount(length - 1))[:-1]])
    return np.cumprod(n_right / n_targets)[length - 1]


def accuracy_by_length(length, right, token_accuracy, probability, level, product=None):
    """Accuracy in each group of target lengths against independent tokens.

    Parameters
    ----------
    length : (n,) array
        Tokens of each target, at least 1.
    right : (n,) array of 0 and 1
    token_accuracy : float
        p, the probability of a right token.
    probability : (n,) array or None
        Of each whole target, where the model gave it: p_i^L.
    level : float
        Coverage of the intervals.
    product : (n,) array or None
        Of each target, as product_over_positions gives it.

    Returns
    -------
    DataFrame, one row per group: `shortest`, `longest`, `n`, `n_right`, `accuracy`, `low`, `high`, `predicted` (mean of p^L),
    `predicted_by_example` (mean of p_i^L), `predicted_by_position` (mean of the product),
    `inside` (whether the interval holds `predicted`), `below_resolution`.
    """
    group = groups(length)
    rows = []
    for number in range(group.max(initial=-1) + 1):
        inside = group == number
        n, n_right = int(inside.sum()), int(right[inside].sum())
        low, high = (float(end) for end in exact_interval(n_right, n, level))
        predicted = float(np.mean(token_accuracy ** length[inside]))
        rows.append(
            {
                "shortest": int(length[inside].min()),
                "longest": int(length[inside].max()),
                "n": n,
                "n_right": n_right,
                "accuracy": n_right / n,
                "low": low,
                "high": high,
                "predicted": predicted,
                "predicted_by_example": np.nan if probability is None else float(np.mean(probability[inside])),
                "predicted_by_position": np.nan if product is None else float(np.mean(product[inside])),
                # a probability of exactly 0 or 1 is at the end of an interval up to rounding
                "inside": low - 1e-12 <= predicted <= high + 1e-12,
                "below_resolution": n * predicted < FEWEST_EXPECTED,
            }
        )
    return pd.DataFrame(rows)


def by_target_length(task, level):
    """Accuracy and edit distance by target length for every model of a task.

    For generated texts, p is the model's share of right tokens over target positions. For targets with a log-probability it is the
    geometric mean of the tokens' probabilities, a right answer is one that greedy decoding gives, and the probability of each whole
    target is known; lengths are then characters.

    task: Task. Returns a frame with the columns of the table `target_length` but for the benchmark.
    """
    found = []
    for part in task.series:
        if part.kind not in (TEXT, LOGLIKELIHOOD):
            continue
        known = _texts(task, part) if part.kind == TEXT else _likelihoods(task, part)
        for model, label in enumerate(part.models):
            mine = known["model"] == model
            length = known["length"][mine]
            if not length.sum():
                continue
            p = _token_accuracy(known, mine)
            probability = None if known["probability"] is None else known["probability"][mine]
            product = None
            if known["agreements"] is not None:
                product = product_over_positions(length, *known["agreements"], known["pair"][mine])
            table = accuracy_by_length(length, known["right"][mine], p, probability, level, product)
            if known["distance"] is not None:
                table = table.assign(**_distances(length, known["distance"][mine], p, level))
            key = curve_key(task.name, part, metric_name("exact_match" if part.kind == TEXT else "acc", part.filter))
            key |= {"model": label, "scale": part.scales[model], "token_accuracy": p}
            found.append(table.assign(**key))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _texts(task, part):
    seen = task.views[TEXT]
    chosen, model = _rows(seen, part)
    pair = seen.nearest[chosen]
    length = seen.lengths[1][pair]
    right = seen.distances[pair] == 0
    usable = length > 0
    return {
        "model": model[usable],
        "length": length[usable],
        "right": right[usable].astype(float),
        "right_positions": seen.right_positions[pair][usable],
        "agreements": seen.agreements,
        "pair": pair[usable],
        "distance": seen.distances[pair][usable],
        "probability": None,
        "log_probs": None,
    }


def _likelihoods(task, part):
    seen = task.views[LOGLIKELIHOOD]
    chosen, model = _rows(seen, part)
    length = seen.lengths("n_characters")[chosen]
    usable = (length > 0) & ~np.isnan(seen.is_greedy[chosen])
    return {
        "model": model[usable],
        "length": length[usable].astype(np.int64),
        "right": seen.is_greedy[chosen][usable],
        "right_positions": None,
        "agreements": None,
        "distance": None,
        "probability": np.exp(seen.log_probs[chosen][usable]),
        "log_probs": seen.log_probs[chosen][usable],
    }


def _rows(seen, part):
    """Where the rows of a series are in a view, and their models."""
    place = np.searchsorted(seen.rows, part.rows)
    there = (place < len(seen.rows)) & (seen.rows[np.minimum(place, len(seen.rows) - 1)] == part.rows) if len(seen.rows) else []
    there = np.asarray(there, dtype=bool)
    return (place[there], part.model[there]) if len(there) else (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def _token_accuracy(known, mine):
    total = known["length"][mine].sum()
    if known["right_positions"] is not None:
        return float(known["right_positions"][mine].sum() / total)
    return float(np.exp(known["log_probs"][mine].sum() / total))


def _distances(length, distance, p, level):
    """Mean edit distance of each group, its t interval, and L (1 - p)."""
    group = groups(length)
    n = np.bincount(group)
    mean = np.bincount(group, weights=distance) / n
    squared = np.bincount(group, weights=np.square(distance - mean[group]))
    with np.errstate(divide="ignore", invalid="ignore"):
        half = special.stdtrit(n - 1, (1 + level) / 2) * np.sqrt(squared / (n - 1) / n)
    half = np.where(n > 1, half, np.nan)
    return {
        "edit_distance": mean,
        "edit_distance_low": mean - half,
        "edit_distance_high": mean + half,
        "predicted_edit_distance": np.bincount(group, weights=length) / n * (1 - p),
    }
