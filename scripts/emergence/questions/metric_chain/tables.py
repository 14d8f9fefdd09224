"""Rank correlation with scale at each link, over all curves."""

import numpy as np
import pandas as pd

SERIES = ["task", "subtask", "model_family", "shots", "filter"]


def compute(given):
    """See emergence.questions."""
    return {"metric_chain_by_link": by_link(given.table("metric_chain"))}


def by_link(chain):
    """One row per kind of outputs and link. chain: the table `metric_chain`. Returns a data frame."""
    if chain.empty:
        return pd.DataFrame()
    chain = chain.sort_values([*SERIES, "kind", "order"], kind="stable")
    before = chain.groupby([*SERIES, "kind"], dropna=False)["correlation"].shift()
    chain = chain.assign(change=chain["correlation"] - before)
    rows = []
    for (kind, order), part in chain.groupby(["kind", "order"], sort=True):
        rows.append(
            {
                "kind": kind,
                "order": order,
                "link": part["link"].iloc[0],
                "n_curves": len(part),
                "n_tasks": part["task"].nunique(),
                "median_correlation": part["correlation"].median(),
                "change": part["change"].median() if part["change"].notna().any() else np.nan,
                "share_constant": part["n_constant"].sum() / part["n_examples"].sum(),
            }
        )
    return pd.DataFrame(rows)
