"""The tests of every curve of a frame: null models, predictions of hidden scales, resolution of the test set.

The statistics themselves are in null_models, prediction and power, on arrays of curves of one length; here frames go in and out.
"""

import numpy as np
import pandas as pd

from emergence.curves import frames
from emergence.statistics import null_models, power, prediction

KEY = list(frames.KEY)
NOT_RUN = "not_run"


def _arrays(curves, catalogue):
    """For each batch of equal length: the batch and what the statistics take of it, as keyword arguments."""
    for batch in frames.batches(curves):
        metric = curves["metric"].to_numpy()[batch.positions]
        higher = curves["higher_is_better"].to_numpy(dtype=bool)[batch.positions]
        low, high = (catalogue[bound].reindex(metric).to_numpy(dtype=float) for bound in ("low", "high"))
        # bounds of the oriented score; open ends are NaN
        low, high = np.where(higher, low, -high), np.where(higher, high, -low)
        yield (
            batch,
            {
                "scores": batch.oriented,
                "scales": batch.scales,
                "n_examples": batch.n_examples,
                "n_models": batch.n_models,
                "stderr": batch.stderr,
                "proportion": catalogue["proportion"].reindex(metric).to_numpy(dtype=bool),
                "low": np.where(np.isfinite(low), low, np.nan),
                "high": np.where(np.isfinite(high), high, np.nan),
            },
        )


def curve_keys(curves):
    """The key of each curve as one text: what its random numbers are seeded with."""
    return ["\x1f".join("" if pd.isna(part) else str(part) for part in row) for row in curves[KEY].itertuples(index=False)]


def null_model_tests(curves, catalogue, draws, seed):
    """Monte Carlo p-values of |E| under the flat and the smooth null model, a row a curve; see null_models.null_p_values.

    draws: simulated curves per curve and null model; with 0 nothing is simulated, and the status of every curve is `not_run`.
    Returns the key with noise, p_flat, status_flat, infinite_flat, p_smooth, status_smooth, infinite_smooth.
    """
    if draws == 0 or curves.empty:
        status = {f"status_{null}": NOT_RUN for null in (null_models.FLAT, null_models.SMOOTH)}
        return curves[KEY].assign(noise=NOT_RUN, **status)
    keys = np.array(curve_keys(curves), dtype=object)
    parts = [
        null_models.null_p_values(**arrays, keys=list(keys[batch.positions]), seed=seed, draws=draws).set_index(batch.positions)
        for batch, arrays in _arrays(curves, catalogue)
    ]
    return pd.concat([curves[KEY].reset_index(drop=True), pd.concat(parts).sort_index()], axis=1)


def hidden_scale_predictions(curves, catalogue):
    """How well each predictor foresaw the hidden largest scales, a row a curve and predictor; see prediction.predict_hidden."""
    parts = []
    for batch, arrays in _arrays(curves, catalogue):
        table = prediction.predict_hidden(**arrays)
        parts.append(table.assign(curve=batch.positions[table["curve"]]))
    if not parts:
        return pd.DataFrame(columns=[*KEY, "predictor"])
    table = pd.concat(parts).sort_values("curve", kind="stable", ignore_index=True)
    keyed = curves[KEY].iloc[table["curve"]].reset_index(drop=True)
    return pd.concat([keyed, table.drop(columns="curve")], axis=1)


def examples_needed(curves, catalogue):
    """Test examples that each curve would need to show its smaller models above chance; see power.examples_for_small_models."""
    parts = []
    for batch, arrays in _arrays(curves, catalogue):
        kept = {name: arrays[name] for name in ("scores", "scales", "n_examples", "n_models", "stderr", "proportion")}
        chance = curves["chance"].to_numpy(dtype=float)[batch.positions]
        parts.append(power.examples_for_small_models(**kept, chance=chance).set_index(batch.positions))
    if not parts:
        return pd.DataFrame(columns=[*KEY, "status"])
    return pd.concat([curves[KEY].reset_index(drop=True), pd.concat(parts).sort_index()], axis=1)


def above_chance(scores, catalogue):
    """Exact one-sided test of each score against guessing, a row a score, in the order of the score table."""
    metric = scores["metric"].astype(str)
    tested = power.above_chance(
        scores["score"].to_numpy(dtype=float),
        scores["n_examples"].to_numpy(dtype=float, na_value=np.nan),
        scores["chance"].to_numpy(dtype=float),
        catalogue["proportion"].reindex(metric).to_numpy(dtype=bool),
    )
    key = ["benchmark", "task", "subtask", "metric", "model_family", "model", "shots"]
    return pd.concat([scores[[*key, "scale"]].reset_index(drop=True), tested], axis=1)
