"""Metrics compared on the same outputs, over all curves of each pair."""

import numpy as np
import pandas as pd

from emergence.outputs import metrics
from emergence.outputs.paired_answers import OK, interval, median
from emergence.statistics.random_streams import random_stream

# With fewer tasks, resampling them gives intervals that are too narrow.
FEWEST_TASKS = 10

SIGNIFICANT = 0.05


def compute(given):
    """See emergence.questions."""
    study = given.study
    table = by_pair(
        given.table("same_outputs"),
        given.table("output_steps"),
        given.catalogue,
        study["seed"],
        study["resamples"],
        study["confidence_level"],
    )
    return {"same_outputs_by_pair": table}


def by_pair(same, steps, catalogue, seed, resamples, level):
    """One row per pair of metrics.

    Parameters
    ----------
    same, steps : DataFrame
        The tables `same_outputs` and `output_steps`.
    catalogue : DataFrame
        With the column `kind`, indexed by metric.
    seed, resamples : int
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        The columns of question.yaml; pairs that speak to the question first, then those with most curves.
    """
    rows = []
    beyond = steps.assign(beyond=steps["p_holm"] <= SIGNIFICANT).groupby("metric")["beyond"].agg(["size", "sum"])
    for (a, b), pairs in same.groupby(["metric_a", "metric_b"], sort=True):
        defined = pairs[pairs["status"] == OK]
        tasks = pd.factorize(defined["task"])[0]
        low, high, drawn = _interval(defined, tasks, random_stream(seed, "same_outputs", f"{a}\x1f{b}"), resamples, level)
        plain = defined[["emergence_score_a", "emergence_score_b"]].to_numpy(dtype=float)
        kinds = [catalogue["kind"].get(metric, "unknown") for metric in (a, b)]
        rows.append(
            {
                "metric_a": a,
                "metric_b": b,
                "leads": kinds[0] in ("discontinuous", "nonlinear") and kinds[1] != kinds[0],
                "n_pairs": len(pairs),
                "n_defined": len(defined),
                "n_tasks": len(np.unique(tasks)),
                "n_sharper_a": int((defined["low"] > 0).sum()),
                "n_sharper_b": int((defined["high"] < 0).sum()),
                "n_infinite": int(np.isinf(plain).any(axis=1).sum()),
                "median_difference": median(defined["difference"].to_numpy(dtype=float)),
                "low": low,
                "high": high,
                "drawn": drawn,
                "n_steps": int(beyond["size"].get(a, 0)),
                "n_steps_beyond_noise": int(beyond["sum"].get(a, 0)),
            }
        )
    # among pairs with as many curves, the usual metrics come first
    order = {name: place for place, name in enumerate(metrics.everything())}
    rows.sort(key=lambda row: [order.get(row[side].partition(",")[0], len(order)) for side in ("metric_a", "metric_b")])
    rows.sort(key=lambda row: (not row["leads"], -row["n_defined"]))
    return pd.DataFrame(rows)


def _interval(defined, tasks, generator, resamples, level):
    """Interval of the median D: tasks are drawn, then for each task one resample of its questions, shared by all its curves."""
    n_tasks = len(np.unique(tasks))
    drawn = "tasks and examples" if n_tasks >= FEWEST_TASKS else "examples"
    if not n_tasks:
        return np.nan, np.nan, drawn
    draws = np.stack(defined["draws"].to_list())
    members = [np.flatnonzero(tasks == task) for task in range(n_tasks)]
    medians = np.empty(resamples)
    for number in range(resamples):
        chosen = generator.integers(n_tasks, size=n_tasks) if n_tasks >= FEWEST_TASKS else np.arange(n_tasks)
        curves = np.concatenate([members[task] for task in chosen])
        place = np.repeat(generator.integers(draws.shape[1], size=len(chosen)), [len(members[task]) for task in chosen])
        medians[number] = median(draws[curves, place])
    return *interval(medians, level), drawn
