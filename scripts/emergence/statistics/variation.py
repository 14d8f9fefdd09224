"""How much of the variation in sharpness goes with the metric, with the task, with the model family?

Only tasks that are scored by several metrics can tell: where every task has one metric, a metric is sharp because of its tasks as
well as the other way round, and no number is given.
"""

import itertools

import numpy as np
import pandas as pd
import scipy

from emergence.statistics.random_streams import random_stream
from emergence.statuses import CONFOUNDED, NO_CURVES, NOTHING_VARIES, OK, ONE_LEVEL, TOO_FEW_TASKS

FACTORS = ("metric", "task", "model_family")

# With fewer crossed tasks a share says more about those tasks than about metrics: no number is given.
MIN_TASKS = 8

# Resamples of tasks behind the intervals.
_RESAMPLES = 1000
_RANK_TOLERANCE = 1e-9
_BLOCK = 64

# Strata of up to so many curves are shuffled by drawing one of all their arrangements, which takes a third of the time.
_LARGEST_LISTED = 6

# Numbers that stay in a processor's cache while they are shuffled.
_IN_CACHE = 2**15


def crossed_tasks(curves):
    """Which curves belong to a task that is scored by more than one metric.

    curves: data frame with columns task, metric. Returns a bool Series on its index.
    """
    return curves.groupby("task")["metric"].transform("nunique") > 1


def _indicators(labels):
    """One column a level: (n, levels), sparse."""
    codes, levels = pd.factorize(labels, sort=True)
    n = len(codes)
    return scipy.sparse.csr_array((np.ones(n), codes, np.arange(n + 1)), shape=(n, len(levels)))


class _Added:
    """What the levels of one factor add to the span of the others, from counts of curves: nothing here is as long as the curves.

    others, own: (n, columns), sparse. The sum of squares that own adds is that of weights' (own' y - through @ others' y), where
    the columns of weights are the directions in which own leaves the span of others, each over its length.
    """

    def __init__(self, others, own, weights=None):
        weighted, weighted_own = (
            (others, own) if weights is None else (others.multiply(weights[:, None]), own.multiply(weights[:, None]))
        )
        cross = (own.T @ weighted).toarray()
        self.through = cross @ np.linalg.pinv((others.T @ weighted).toarray(), rcond=_RANK_TOLERANCE, hermitian=True)
        squared, directions = np.linalg.eigh((own.T @ weighted_own).toarray() - self.through @ cross.T)
        kept = squared > _RANK_TOLERANCE * max(squared.max(initial=0.0), 1.0)
        self.weights = directions[:, kept] / np.sqrt(squared[kept])
        self.degrees_of_freedom = int(kept.sum())

    def explained(self, own_sums, others_sums):
        """The sum of squares that own adds. own_sums: (levels, ...) sums of the response. others_sums: (columns, 1)."""
        return np.square(self.weights.T @ (own_sums - self.through @ others_sums)).sum(axis=0)


def _explained(matrices, vectors):
    """The sums of squares that designs explain, from their normal equations. matrices: (b, p, p). vectors: (b, p). Returns (b,)."""
    inverse = np.linalg.pinv(matrices, rcond=_RANK_TOLERANCE, hermitian=True)
    return np.einsum("bp,bpq,bq->b", vectors, inverse, vectors)


def _shares_of_resamples(used, response, factors, times):
    """The share of each factor in resamples of tasks, {factor: (resamples,)}.

    Everything is a sum over tasks: the normal equations of a resample are those of its tasks, as often as each was drawn. A task
    drawn twice keeps one level.

    used: frame of n curves. response: (n,). times: (resamples, tasks), how often each task was drawn, in the order of their names.
    """
    others = [factor for factor in factors if factor != "task"]
    codes, names = pd.factorize(used["task"], sort=True)
    task = _indicators(used["task"])
    indicators = [_indicators(used[factor]).toarray() for factor in others]
    x = np.concatenate(indicators, axis=1)
    of = np.repeat(np.arange(len(others)), [part.shape[1] for part in indicators])
    n, sums, squares = np.bincount(codes).astype(float), task.T @ response, task.T @ np.square(response)
    x_sums, x_response = task.T @ x, task.T @ (x * response[:, None])
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(names)))
    moments = np.stack([part.T @ part for part in np.split(x[order], starts[1:])])

    def total(values):
        return np.einsum("bt,t...->b...", times, values)

    within = total(moments - x_sums[:, :, None] * x_sums[:, None, :] / n[:, None, None])
    within_response = total(x_response - x_sums * (sums / n)[:, None])
    left_full = total(squares - np.square(sums) / n) - _explained(within, within_response)
    spread = total(squares) - np.square(total(sums)) / total(n)
    found = {}
    for number, factor in enumerate(others):
        kept = np.flatnonzero(of != number)
        without = total(squares - np.square(sums) / n)
        without = without - _explained(within[:, kept[:, None], kept], within_response[:, kept])
        found[factor] = without - left_full
    first = np.concatenate([n[:, None], x_sums], axis=1)[:, None]
    whole = total(np.concatenate([first, np.concatenate([x_sums[:, :, None], moments], axis=2)], axis=1))
    found["task"] = total(squares) - _explained(whole, total(np.concatenate([sums[:, None], x_response], axis=1))) - left_full
    return {
        factor: np.divide(value, spread, out=np.full(len(times), np.nan), where=spread > 0) for factor, value in found.items()
    }


def variation_shares(curves, *, permutations, seed, factors=FACTORS, confidence=0.95, min_tasks=MIN_TASKS):
    """Share of the variation in |E| that each factor accounts for beyond the others, on the crossed curves.

    The response is the rank of |E| (ties averaged), so that infinite values (a zero median step) rank highest and no curve
    dominates. The share is the partial sum of squares of the factor in the linear model with all factors as main effects (Type
    II; Searle 1971), over the total about the mean. Shares of unbalanced factors do not add up to one.

    The p-value permutes the factor's labels among curves that agree in all other factors, and `subtask` and `shots` where those
    columns exist: for the metric, among metrics of the same task, family and shots, which is exact if the metric makes no
    difference there. p = (1 + #{share* >= share}) / (1 + permutations).

    curves: data frame with a column for each factor and emergence_score (NaN where undefined, infinite for a zero median step).
    permutations: int. seed: int.

    confidence: coverage of the intervals, which resample tasks. min_tasks: with fewer crossed tasks no number is given.

    Returns a data frame, one row per factor: factor, n_levels, degrees_of_freedom, share, share_low, share_high, expected_share
    (what a factor of as many degrees of freedom takes by chance alone), p_value, n_free (curves that have another to be exchanged
    with), n_curves, n_tasks, n_not_crossed and n_undefined (curves left out), status: `ok`; `no_curves`; `too_few_tasks`;
    `one_level`; `confounded` (the factor adds nothing to the others, or no task has two metrics: no number); `nothing_varies`.
    p_value is NaN where n_free is 0.
    """
    crossed = crossed_tasks(curves)
    defined = curves["emergence_score"].notna()
    used = curves[crossed & defined]
    # A task can lose one of its metrics with its undefined curves.
    extra = [column for column in ("subtask", "shots") if column in used.columns]
    used = used[crossed_tasks(used)].sort_values([*factors, *extra], kind="stable")
    rank = used["emergence_score"].abs().rank().to_numpy()
    response = rank - rank.mean() if len(used) else rank
    total = float(response @ response)
    columns = {factor: _indicators(used[factor]) for factor in factors}
    n_tasks = used["task"].nunique()
    resampled = {}
    if n_tasks >= max(min_tasks, 2) and total > 0:
        drawn = random_stream(seed, "variation interval", "task").multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), _RESAMPLES)
        resampled = _shares_of_resamples(used, response, factors, drawn.astype(float))
    rows = []
    for factor in factors:
        row = {
            "factor": factor,
            "n_levels": used[factor].nunique(),
            "degrees_of_freedom": 0,
            "share": np.nan,
            "share_low": np.nan,
            "share_high": np.nan,
            "expected_share": np.nan,
            "p_value": np.nan,
            "n_free": 0,
            "n_curves": len(used),
            "n_tasks": n_tasks,
            "n_not_crossed": int((~crossed).sum()),
            "n_undefined": int((crossed & ~defined).sum()),
        }
        rows.append(row)
        if not len(used):
            row["status"] = CONFOUNDED if len(curves) and not crossed.any() else NO_CURVES
            continue
        if row["n_tasks"] < min_tasks:
            row["status"] = TOO_FEW_TASKS
            continue
        if row["n_levels"] < 2:
            row["status"] = ONE_LEVEL
            continue
        mean = scipy.sparse.csr_array(np.ones((len(used), 1)))
        others = scipy.sparse.hstack([mean, *(columns[other] for other in factors if other != factor)], format="csr")
        added = _Added(others, columns[factor])
        row["degrees_of_freedom"] = added.degrees_of_freedom
        if added.degrees_of_freedom == 0 or total == 0:
            row["status"] = NOTHING_VARIES if total == 0 else CONFOUNDED
            continue
        row["status"] = OK
        # no shuffle changes these: curves trade places only with those that agree in the other factors
        others_sums = others.T @ response[:, None]
        explained = float(added.explained(columns[factor].T @ response[:, None], others_sums)[0])
        row["share"] = explained / total
        row["expected_share"] = added.degrees_of_freedom / (len(used) - 1)
        if resampled:
            row["share_low"], row["share_high"] = np.nanquantile(resampled[factor], [(1 - confidence) / 2, (1 + confidence) / 2])
        strata = used.groupby([*(other for other in factors if other != factor), *extra], dropna=False).ngroup().to_numpy()
        row["n_free"] = int((np.bincount(strata)[strata] > 1).sum())
        if row["n_free"]:
            draw = random_stream(seed, "variation", factor)
            parts = _by_size(response, strata, columns[factor])
            alone = np.bincount(strata)[strata] == 1
            fixed = columns[factor][alone].T @ response[alone, None]
            reached = 0
            for start in range(0, permutations, _BLOCK):
                sums = sum((_shuffled_sums(*part, min(_BLOCK, permutations - start), draw) for part in parts), fixed)
                reached += int((added.explained(sums, others_sums) >= explained * (1 - 1e-9)).sum())
            row["p_value"] = (1 + reached) / (1 + permutations)
    return pd.DataFrame(rows)


def _by_size(response, strata, indicators):
    """The strata of more than one curve, by size, as _shuffled_sums takes them: a list of (response, starts, indicators of runs).

    response, strata: (n,). indicators: (n, levels), sparse. Neighbouring strata with the same levels are a run.
    """
    order = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    first = np.cumsum(sizes) - sizes
    parts = []
    for size in np.unique(sizes[sizes > 1]):
        rows = order[first[sizes == size][:, None] + np.arange(size)]
        levels = indicators.indices[rows]
        starts = np.flatnonzero(np.append(True, (levels[1:] != levels[:-1]).any(axis=1)))
        parts.append((response[rows], starts, indicators[rows[starts].ravel()].T))
    return parts


def _shuffled_sums(response, starts, indicators, n_shuffles, generator):
    """Sums over the levels of a factor of the response shuffled within strata of one size: (levels, n_shuffles).

    response: (strata, size). starts: (runs,) first strata of the runs. indicators: (levels, runs * size), sparse. Strata of a run
    are summed place by place before their levels are looked at.
    """
    n_strata, size = response.shape
    if size <= _LARGEST_LISTED:
        arrangements = np.array(list(itertools.permutations(range(size))))
        drawn = generator.integers(len(arrangements), size=(n_shuffles, n_strata))
        first, values, sums = np.arange(n_strata) * size, response.ravel(), np.empty((n_shuffles, len(starts), size))
        step = max(1, _IN_CACHE // n_strata)
        for start in range(0, n_shuffles, step):
            few = slice(start, start + step)
            for number, place in enumerate(arrangements.T):
                shuffled = np.take(values, first + np.take(place, drawn[few]))
                np.add.reduceat(shuffled, starts, axis=1, out=sums[few, :, number])
    else:
        shuffled = generator.permuted(np.broadcast_to(response, (n_shuffles, n_strata, size)), axis=2)
        sums = np.add.reduceat(shuffled, starts, axis=1)
    return indicators @ sums.reshape(n_shuffles, -1).T
