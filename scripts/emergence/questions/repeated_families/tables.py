"""Which families repeat another's scores."""

import pandas as pd

from emergence.curves import frames, sharpness


def compute(given):
    """See emergence.questions."""
    return {"repeated_families": repeated_families(frames.chosen(given.table("curves"), **given.block["answers_over"]))}


def repeated_families(curves):
    """Return how many curves of each family are copies of another's, by metric.

    Parameters
    ----------
    curves : DataFrame
        With columns model_family, metric, status and repeats_family (empty where a curve is not a copy).

    Returns
    -------
    DataFrame
        The columns of question.yaml, sorted by its key; without a row where nothing is repeated.
    """
    compared = curves[~curves["status"].isin([sharpness.CONSTANT, sharpness.TOO_FEW_SCALES])]
    n_compared = compared.groupby(["model_family", "metric"]).size()
    copies = compared.dropna(subset="repeats_family")
    table = copies.groupby(["model_family", "repeats_family", "metric"]).size().rename("n_copies").reset_index()
    table["n_compared"] = n_compared.reindex(pd.MultiIndex.from_frame(table[["model_family", "metric"]])).to_numpy()
    return table.assign(share=table["n_copies"] / table["n_compared"])
