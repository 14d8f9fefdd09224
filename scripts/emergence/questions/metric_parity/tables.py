"""Stored values of metrics against those computed here, by metric."""

import pandas as pd

from emergence.outputs import parity


def compute(given):
    """See emergence.questions."""
    return {"metric_parity_by_metric": by_metric(given.table("metric_parity"))}


def by_metric(table):
    """Count the scores of each metric by how they compare. table: the table `metric_parity`. Returns a data frame."""
    if table.empty:
        return pd.DataFrame()
    counts = table.assign(
        equal=table["status"] == parity.EQUAL,
        different=table["status"] == parity.DIFFERENT,
        not_computed=table["status"] == parity.NOT_COMPUTED,
    ).groupby("metric", sort=True)
    return counts.agg(
        n_values=("n_stored", "sum"),
        n_scores=("n_stored", "size"),
        n_equal=("equal", "sum"),
        n_different=("different", "sum"),
        n_not_computed=("not_computed", "sum"),
        largest_difference=("largest_difference", "max"),
    ).reset_index()
