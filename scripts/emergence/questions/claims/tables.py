"""Which metrics hold the claimed abilities, against the base rate of all tasks."""

import pandas as pd

from emergence.statistics.base_rates import against_base_rate
from emergence.statistics.false_discovery import q_values
from emergence.study import registries


def compute(given):
    """See emergence.questions."""
    claims, tasks = registries.load_lists(given.files, given.catalogue, lambda: given.table("scores", categories=True))
    level = given.study["confidence_level"]
    return {
        "claims_by_metric": claims_by_metric(claims, tasks, given.catalogue, level),
        "claims_by_top_metrics": claims_by_top_metrics(claims, tasks, level),
    }


def claims_by_metric(claims, tasks, catalogue, level):
    """Figures 5B and 5C of the paper, against the base rate of all tasks: one row per preferred metric.

    claims: frame of registries.load_claims. tasks: frame of load_tasks, empty where there is no registry.
    Columns: see question.yaml.
    """
    counts = claims["preferred_metric"].value_counts()
    others = sorted(set(tasks["preferred_metric"]) - set(counts.index))
    order = sorted(counts.index, key=lambda metric: (-counts[metric], metric)) + others
    table = pd.DataFrame([{"metric": metric} | against_base_rate({metric}, claims, tasks, level) for metric in order])
    table["label"] = catalogue["label"].reindex(order).fillna(pd.Series(order, index=order)).to_numpy()
    if "p_value" in table:
        known = table["p_value"].notna()
        table.loc[known, "q_value"] = q_values(table.loc[known, "p_value"])
    return table.drop(columns=["of_claims", "of_tasks"], errors="ignore")


def claims_by_top_metrics(claims, tasks, level):
    """The same for the k metrics with the most claims together, k = 1, 2, ...: k = 2 is the paper's headline."""
    counts = claims["preferred_metric"].value_counts()
    order = sorted(counts.index, key=lambda metric: (-counts[metric], metric))
    return pd.DataFrame(
        [
            {"n_metrics": k, "metrics": "|".join(order[:k])} | against_base_rate(set(order[:k]), claims, tasks, level)
            for k in range(1, len(order) + 1)
        ]
    )
