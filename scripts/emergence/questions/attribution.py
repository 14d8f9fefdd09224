"""Which metrics account for sharp curves, and for the claims of emergence."""

import numpy as np
import pandas as pd
from scipy import stats

from emergence.curves import frames, sharpness

READINGS = {
    "E": lambda curves: curves["emergence_score"],
    "|E|": lambda curves: curves["emergence_score"].abs(),
    "resolved E": lambda curves: curves["emergence_score_resolved"],
}


def exact_interval(successes, trials, level):
    """Clopper-Pearson interval of shares.

    successes, trials: (n,) whole numbers. level: coverage, such as 0.95. Returns (low, high), each (n,); NaN for no trials. The
    beta quantiles are the closed form of Clopper & Pearson (1934); scipy.stats.binomtest gives the same one share at a time.
    """
    successes, trials = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(successes > 0, stats.beta.ppf(tail, successes, trials - successes + 1), 0.0)
        high = np.where(successes < trials, stats.beta.ppf(1 - tail, successes + 1, trials - successes), 1.0)
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def by_metric(curves, catalogue, threshold, level):
    """The distribution of the emergence score over the curves of each metric (Figure 5A of the paper).

    Columns: see workflow/schemas/tables.yaml, `emergence_by_metric`. Metrics with the highest E come first.
    """
    measured = curves.assign(abs=curves["emergence_score"].abs(), above=curves["emergence_score"] >= threshold)
    groups = measured.groupby("metric")
    counts = measured.groupby(["metric", "status"]).size().unstack(fill_value=0)
    table = pd.DataFrame({"n_tasks": groups["task"].nunique(), "n_curves": groups.size()})
    for status in (sharpness.OK, sharpness.CONSTANT, sharpness.ZERO_MEDIAN_STEP, sharpness.TOO_FEW_SCALES):
        table[f"n_{status}"] = counts.get(status, 0)
    scores = groups["emergence_score"]
    table["min"], table["max"], table["max_abs"] = scores.min(), scores.max(), groups["abs"].max()
    table["q25"], table["median"], table["q75"] = scores.quantile(0.25), scores.median(), scores.quantile(0.75)
    table["n_above"] = groups["above"].sum()
    scored = table[f"n_{sharpness.OK}"] + table[f"n_{sharpness.CONSTANT}"]
    table["share_above"] = (table["n_above"] / scored.where(scored > 0)).astype(float)
    table["share_low"], table["share_high"] = exact_interval(table["n_above"], scored, level)
    defined = measured.dropna(subset="emergence_score")
    sharpest = defined.loc[defined.groupby("metric")["emergence_score"].idxmax()]
    table["sharpest"] = pd.Series(frames.names(sharpest).to_numpy(), index=sharpest["metric"], dtype=object)
    table["label"], table["kind"] = catalogue["label"], catalogue["kind"]
    return table.reset_index().sort_values(["max", "metric"], ascending=[False, True], na_position="last", ignore_index=True)


def over_thresholds(curves, thresholds, level):
    """How many metrics and curves reach each threshold, by each of READINGS. One row a reading and threshold."""
    records = []
    for reading, of in READINGS.items():
        scores = of(curves)
        known = scores.notna()
        for threshold in thresholds:
            above = known & (scores >= threshold)
            names = sorted(curves.loc[above, "metric"].unique())
            records.append(
                {
                    "reading": reading,
                    "threshold": threshold,
                    "n_metrics": len(names),
                    "of_metrics": curves.loc[known, "metric"].nunique(),
                    "n_curves": int(above.sum()),
                    "of_curves": int(known.sum()),
                    "metrics": "|".join(names) or None,
                }
            )
    table = pd.DataFrame(records)
    table["share"] = table["n_curves"] / table["of_curves"].where(table["of_curves"] > 0)
    table["share_low"], table["share_high"] = exact_interval(table["n_curves"], table["of_curves"], level)
    return table


def _odds(claimed, unclaimed, level):
    """Odds ratio, its exact interval and Fisher's p for one 2 x 2 table: (inside, outside) of claimed and of unclaimed tasks.

    The estimate is the sample odds ratio, as published tables have it; the interval belongs to the conditional estimate, the only
    one that has an exact interval (scipy.stats.contingency.odds_ratio).
    """
    table = np.array([claimed, unclaimed])
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return {}
    sample = stats.contingency.odds_ratio(table, kind="sample").statistic
    interval = stats.contingency.odds_ratio(table, kind="conditional").confidence_interval(level)
    p_value = stats.fisher_exact(table).pvalue
    return {"odds_ratio": sample, "odds_ratio_low": interval.low, "odds_ratio_high": interval.high, "p_value": p_value}


def _against_base_rate(members, claims, tasks, level):
    """Claims and tasks that prefer one of `members` (set of metrics), against all others. One record."""
    inside = claims["preferred_metric"].isin(members)
    record = {"n_claims": int(inside.sum()), "of_claims": len(claims), "share": inside.mean()}
    low, high = exact_interval([inside.sum()], [len(claims)], level)
    record |= {"share_low": low[0], "share_high": high[0], "n_claimed_tasks": claims.loc[inside, "task"].nunique()}
    if tasks.empty:
        return record
    prefers = tasks["preferred_metric"].isin(members)
    is_claimed = tasks["task"].isin(claims["task"])
    record |= {"n_tasks": int(prefers.sum()), "of_tasks": len(tasks), "task_share": prefers.mean()}
    counts = [[int((is_claimed == claimed)[prefers == member].sum()) for member in (True, False)] for claimed in (True, False)]
    return record | _odds(*counts, level)


def claims_by_metric(claims, tasks, catalogue, level):
    """Figures 5B and 5C of the paper, against the base rate of all tasks: one row a preferred metric.

    claims: frame of registries.load_claims. tasks: frame of load_tasks, empty where there is no registry.
    Columns: see workflow/schemas/tables.yaml, `claims_by_metric`.
    """
    counts = claims["preferred_metric"].value_counts()
    others = sorted(set(tasks["preferred_metric"]) - set(counts.index))
    order = sorted(counts.index, key=lambda metric: (-counts[metric], metric)) + others
    table = pd.DataFrame([{"metric": metric} | _against_base_rate({metric}, claims, tasks, level) for metric in order])
    table["label"] = catalogue["label"].reindex(order).fillna(pd.Series(order, index=order)).to_numpy()
    if "p_value" in table:
        known = table["p_value"].notna()
        table.loc[known, "q_value"] = stats.false_discovery_control(table.loc[known, "p_value"])
    return table.drop(columns=["of_claims", "of_tasks"], errors="ignore")


def claims_by_top_metrics(claims, tasks, level):
    """The same for the k metrics with the most claims together, k = 1, 2, ...: k = 2 is the paper's headline."""
    counts = claims["preferred_metric"].value_counts()
    order = sorted(counts.index, key=lambda metric: (-counts[metric], metric))
    return pd.DataFrame(
        [
            {"n_metrics": k, "metrics": "|".join(order[:k])} | _against_base_rate(set(order[:k]), claims, tasks, level)
            for k in range(1, len(order) + 1)
        ]
    )
