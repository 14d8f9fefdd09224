"""What the outputs of a trained family show, computed from its rows by the formulas alone, and whether two trainings agree.

It uses none of the metrics on outputs, nor the score table: it is the independent check of both.
"""

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.outputs import all_of_k, threshold_sweep
from emergence.training import POOLED

THRESHOLDS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
GROUP_SIZES = (3, 5, 10, 20)


def _of_images(rows):
    """Scores of reconstructions: {name of the metric: score}, higher is better."""
    error = rows["squared_error"].to_numpy()
    below = threshold_sweep.shares(error, np.zeros(len(error)), np.array(THRESHOLDS), True)[1][:, 0]
    return {"squared error": -error.mean()} | {f"share below {c:g}": share for c, share in zip(THRESHOLDS, below, strict=True)}


def _of_texts(rows):
    """Scores of written answers; all have the length of their target."""
    whole = rows[rows["subtask"] == ""]
    is_right = positions(whole)
    scores = {"token accuracy": is_right.mean()}
    scores |= {f"first {n} right": is_right[:, :n].all(axis=1).mean() for n in range(1, is_right.shape[1] + 1)}
    return scores | {
        "product over positions": is_right.mean(axis=0).prod(),
        "token accuracy to the power of the length": is_right.mean() ** is_right.shape[1],
        "probability of the target": np.exp(whole["log_likelihood"]).mean(),
    }


def _of_classes(rows):
    """Scores of classifications."""
    best = np.stack(rows["log_probs"].to_numpy()).argmax(axis=1)
    n_right = int((best == rows["gold"]).sum())
    groups = {f"all of {k} right": float(all_of_k.all_right(n_right, len(rows), k)) for k in GROUP_SIZES}
    return {"accuracy": n_right / len(rows)} | groups


_SCORES = {"autoencoder": _of_images, "addition": _of_texts, "multiplication": _of_texts, "digits_cnn": _of_classes}


def positions(rows):
    """Whether each character of written answers is right: (n, length) bool."""
    said, wanted = (np.array([list(text) for text in texts]) for texts in (rows["output"], rows["target"]))
    return said == wanted


def scores(family, rows):
    """Scores of every model of a family.

    rows: as shipping.outputs makes them. Returns a frame with one row per seed and scale, columns model_family, scale and one per
    metric; higher is better.
    """
    seeds = rows[rows["model_family"] != POOLED]
    parts = [
        {"model_family": seed, "scale": scale} | _SCORES[family](own)
        for (seed, scale), own in seeds.groupby(["model_family", "scale"], sort=True)
    ]
    return pd.DataFrame(parts)


def emergence_scores(family, rows):
    """Resolution-limited E of every metric for each seed, and of the mean curve of the seeds.

    Returns a frame with columns family, metric, curve (a seed, or POOLED) and emergence_score, in which each step counts for at
    least one test example.
    """
    found = scores(family, rows)
    n_examples = rows["example"].nunique()
    metrics = [name for name in found if name not in ("model_family", "scale")]
    curves = {seed: own.sort_values("scale")[metrics] for seed, own in found.groupby("model_family", sort=True)}
    curves[POOLED] = found.groupby("scale", sort=True)[metrics].mean()
    return pd.DataFrame(
        [
            {"family": family, "metric": metric, "curve": curve}
            | {"emergence_score": float(sharpness.emergence_score_resolved(table[metric].to_numpy(), 1 / n_examples))}
            for metric in metrics
            for curve, table in curves.items()
        ]
    )


def explained(predicted, observed):
    """Share of the variance of observed scores that a prediction without free parameters explains: R squared, at most 1."""
    predicted, observed = np.asarray(predicted, dtype=float), np.asarray(observed, dtype=float)
    return 1 - np.square(observed - predicted).sum() / np.square(observed - observed.mean()).sum()


def compare(family, shipped, trained):
    """Whether rows that were trained anew say what the shipped ones say.

    On the machine and with the versions that made the shipped rows, they are the same rows. Elsewhere a library may sum in another
    order; training is sensitive to it, and a seed can end in another place. Then E of the mean curve must lie between the lowest
    and the highest E of the shipped seeds and of their mean curve.

    Parameters
    ----------
    family : str
    shipped, trained : pyarrow.Table
        As shipping.read gives them.

    Returns
    -------
    DataFrame
        One row per metric: whether the rows are the same, E of the mean curves, the lowest and highest E among the shipped seeds and
        their mean, and whether the two agree.
    """
    is_same = shipped.equals(trained)
    old, new = (
        emergence_scores(family, rows.to_pandas()).set_index(["metric", "curve"])["emergence_score"]
        for rows in (shipped, trained)
    )
    records = []
    for metric in old.index.unique("metric"):
        seeds = old[metric].drop(POOLED)
        low, high = min(seeds.min(), old[metric, POOLED]), max(seeds.max(), old[metric, POOLED])
        value = new[metric, POOLED]
        records.append(
            {
                "family": family,
                "metric": metric,
                "same_rows": is_same,
                "shipped": old[metric, POOLED],
                "trained": value,
                "lowest_seed": low,
                "highest_seed": high,
                "agrees": bool(is_same or low <= value <= high),
            }
        )
    return pd.DataFrame(records)
