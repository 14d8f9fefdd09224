"""How well the largest scales were foreseen, by kind of metric and by metric."""

import numpy as np
import pandas as pd

from emergence.curves import frames
from emergence.statistics import prediction

ALL, SHORT = "all", "short"


def compute(given):
    """See emergence.questions."""
    curves = frames.chosen(given.table("curves"), **given.block["answers_over"])
    predictions = frames.rows_of(given.table("predictions"), curves)
    return {"predictability": predictability_by_group(predictions, given.catalogue)}


def predictability_by_group(predictions, catalogue):
    """Prediction errors over all curves, by kind of metric and by metric; see prediction.summarise_by.

    Curves that no smooth curve can be fitted to, since too few of their scales are seen, have the grouping `short` of their own.
    """
    columns = ["grouping", "name", "predictor", "n_curves", "n_undefined"]
    if predictions.empty:
        return pd.DataFrame(columns=columns)
    groups = predictions.groupby(list(frames.KEY), dropna=False, sort=False).ngroup()
    table = predictions.assign(curve=groups.to_numpy(), kind=predictions["metric"].astype(str).map(catalogue["kind"]))
    labels = {ALL: pd.Series(ALL, index=table.index), "kind": table["kind"], "metric": table["metric"].astype(str)}
    parts = [
        prediction.summarise_by(table, label.to_numpy()).rename(columns={"label": "name"}).assign(grouping=grouping)
        for grouping, label in labels.items()
    ]
    too_few = table["status"].eq(prediction.TOO_FEW_SCALES) & table["predictor"].eq(prediction.SMOOTH)
    others = table[table["curve"].isin(table.loc[too_few, "curve"]) & table["predictor"].ne(prediction.SMOOTH)]
    others = others[others["status"] != prediction.TOO_FEW_SCALES]
    if len(others):
        summary = prediction.summarise_by(others, np.repeat(SHORT, len(others)))
        parts.append(summary.rename(columns={"label": "name"}).assign(grouping=SHORT))
    return pd.concat(parts, ignore_index=True)
