"""How much of the variation in sharpness goes with the metric, with the task, with the model family?

Only tasks that are scored by several metrics can tell: where every task has one metric, a metric is sharp because of its tasks as
well as the other way round, and no number is given.
"""

import numpy as np
import pandas as pd
from scipy import stats

from emergence.random_streams import random_stream

OK = "ok"
CONFOUNDED = "confounded"
ONE_LEVEL = "one_level"
NO_CURVES = "no_curves"
NOTHING_VARIES = "nothing_varies"

FACTORS = ("metric", "task", "model_family")
_RANK_TOLERANCE = 1e-9
_BLOCK = 256


def crossed_tasks(curves):
    """Which curves belong to a task that is scored by more than one metric.

    curves: data frame with columns task, metric. Returns a bool Series on its index.
    """
    return curves.groupby("task")["metric"].transform("nunique") > 1


def _indicators(labels):
    """One column a level, without the first: (n, levels - 1)."""
    codes, levels = pd.factorize(labels, sort=True)
    return np.eye(len(levels))[codes][:, 1:]


def _orthonormal(columns):
    """Orthonormal basis of the columns' span: (n, rank)."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, singular > _RANK_TOLERANCE * max(singular.max(initial=0.0), 1.0)]


def _added_directions(others, own):
    """Orthonormal basis of what `own` adds to the span of `others`: (n, degrees of freedom)."""
    basis = _orthonormal(others)
    return _orthonormal(own - basis @ (basis.T @ own))


def variation_shares(curves, *, permutations, seed, factors=FACTORS):
    """Share of the variation in |E| that each factor accounts for beyond the others, on the crossed curves.

    The response is the rank of |E| (ties averaged), so that infinite values (a zero median step) rank highest and no curve
    dominates. The share is the partial sum of squares of the factor in the linear model with all factors as main effects (Type
    II; Searle 1971), over the total about the mean. Shares of unbalanced factors do not add up to one.

    The p-value permutes the factor's labels among curves that agree in all other factors, and `subtask` and `shots` where those
    columns exist: for the metric, among metrics of the same task, family and shots, which is exact if the metric makes no
    difference there. p = (1 + #{share* >= share}) / (1 + permutations).

    curves: data frame with a column for each factor and emergence_score (NaN where undefined, infinite for a zero median step).
    permutations: int. seed: int.

    Returns a data frame, one row a factor: factor, n_levels, degrees_of_freedom, share, p_value, n_free (curves that have another
    to be exchanged with), n_curves, n_tasks, n_not_crossed and n_undefined (curves left out), status: `ok`; `no_curves`;
    `one_level`; `confounded` (the factor adds nothing to the others, or no task has two metrics: no number); `nothing_varies`.
    p_value is NaN where n_free is 0.
    """
    crossed = crossed_tasks(curves)
    defined = curves["emergence_score"].notna()
    used = curves[crossed & defined]
    # A task can lose one of its metrics with its undefined curves.
    used = used[crossed_tasks(used)].sort_values([*factors], kind="stable")
    rank = stats.rankdata(used["emergence_score"].abs()) if len(used) else np.array([])
    response = rank - rank.mean() if len(used) else rank
    total = float(response @ response)
    extra = [column for column in ("subtask", "shots") if column in used.columns]
    columns = {factor: _indicators(used[factor]) for factor in factors}
    rows = []
    for factor in factors:
        row = {
            "factor": factor,
            "n_levels": used[factor].nunique(),
            "degrees_of_freedom": 0,
            "share": np.nan,
            "p_value": np.nan,
            "n_free": 0,
            "n_curves": len(used),
            "n_tasks": used["task"].nunique(),
            "n_not_crossed": int((~crossed).sum()),
            "n_undefined": int((crossed & ~defined).sum()),
        }
        rows.append(row)
        if not len(used):
            row["status"] = CONFOUNDED if len(curves) and not crossed.any() else NO_CURVES
            continue
        if row["n_levels"] < 2:
            row["status"] = ONE_LEVEL
            continue
        others = np.column_stack([np.ones(len(used)), *(columns[other] for other in factors if other != factor)])
        added = _added_directions(others, columns[factor])
        row["degrees_of_freedom"] = added.shape[1]
        if added.shape[1] == 0 or total == 0:
            row["status"] = NOTHING_VARIES if total == 0 else CONFOUNDED
            continue
        row["status"] = OK
        explained = float(np.square(added.T @ response).sum())
        row["share"] = explained / total
        strata = used.groupby([*(other for other in factors if other != factor), *extra], dropna=False).ngroup().to_numpy()
        row["n_free"] = int((np.bincount(strata)[strata] > 1).sum())
        if row["n_free"]:
            draw = random_stream(seed, "variation", factor)
            reached = 0
            for start in range(0, permutations, _BLOCK):
                shuffled = _shuffle_within(response, strata, min(_BLOCK, permutations - start), draw)
                simulated = np.square(shuffled @ added).sum(axis=1)
                reached += int((simulated >= explained * (1 - 1e-9)).sum())
            row["p_value"] = (1 + reached) / (1 + permutations)
    return pd.DataFrame(rows)


def _shuffle_within(response, strata, n_shuffles, generator):
    """The response shuffled within strata: (n_shuffles, n)."""
    order = np.argsort(strata, kind="stable")
    # Sorting uniform numbers within each stratum shuffles it: the stratum's number is the leading key.
    keys = strata[order] + generator.random((n_shuffles, len(response)))
    shuffled = np.empty_like(keys)
    shuffled[:, order] = response[order][np.argsort(keys, axis=1, kind="stable")]
    return shuffled
