"""The tests of every curve of a frame: null models, change with scale, the largest model, hidden scales, size of the test set.

The statistics themselves are in modules of their own, on arrays of curves of one length; here frames go in and out. Curves are taken
in blocks, and each is fitted once: what the tests share is in Block.
"""

import functools

import numpy as np
import pandas as pd

from emergence.curves import frames
from emergence.statistics import bounded_curves, change, false_discovery, largest_model, noise, null_models, power, prediction
from emergence.statistics.smooth_curves import N_PARAMETERS, SmoothFit, fit_smooth

KEY = list(frames.KEY)
NOT_RUN = "not_run"
# What is attached to curves about their noise, where it is known.
KNOWN_NOISE = ("covariance", "n_units", "continuous_metric", "continuous_covariance", "scatter")
# Curves taken at once: their fits take some tens of megabytes.
_BLOCK_CURVES = 4096


class Block:
    """Some curves with the same number of scales, and what the tests share.

    Attributes
    ----------
    positions : (c,)
        Rows of the frame that they come from.
    arrays : dict
        scores, scales, n_examples, n_models, stderr, proportion, low, high, as null_models.null_p_values takes them.
    covariance : (c, n, n) or None
        Covariance of the noise, where any curve has one.
    n_units : (c,) or None
        Independent units that it is estimated from, NaN where unknown.
    scatter : (c, n) or None
        Variance of the models at each scale, where any curve has several.
    """

    def __init__(self, positions, arrays, covariance, n_units, scatter, shared_questions):
        """See the attributes; shared_questions is the assumption of noise.sampling_noise."""
        self.positions, self.arrays, self.covariance, self.scatter = positions, arrays, covariance, scatter
        self.n_units = n_units
        self.shared_questions = shared_questions

    @functools.cached_property
    def noise(self):
        """What is known of the noise, and assumed."""
        names = ("scores", "n_examples", "n_models", "stderr", "proportion")
        return noise.sampling_noise(*(self.arrays[name] for name in names), self.covariance, self.shared_questions, self.n_units)

    @functools.cached_property
    def scores(self):
        """The scores, (c, n), with counts of right answers freed of the rounding they were published with."""
        return null_models.exact_scores(self.arrays["scores"], self.noise)

    @functools.cached_property
    def fit(self):
        """The smooth curves through the scores; see fit_where_possible."""
        return fit_where_possible(self.scores, self.arrays["scales"], self.noise)

    @property
    def common(self):
        """What most tests take, in order: scores, scales, noise."""
        return self.scores, self.arrays["scales"], self.noise


def fit_where_possible(scores, scales, known_noise):
    """Smooth curves through all scores that are whole curves; NaN for others, None below five scales.

    scores, scales: (c, n). known_noise: Noise. Returns SmoothFit of c curves, or None.
    """
    n_curves, n_scales = scores.shape
    if n_scales <= N_PARAMETERS:
        return None
    with np.errstate(invalid="ignore"):
        usable = (known_noise.kind != noise.NONE) & np.isfinite(scales).all(axis=1) & (scales > 0).all(axis=1)
        usable &= (np.diff(scales, axis=1) > 0).all(axis=1)
    if usable.all():
        return fit_smooth(scores, scales, known_noise)
    usable = np.flatnonzero(usable)
    fit = SmoothFit.unknown(n_curves, n_scales)
    if len(usable):
        for field, values in zip(fit, fit_smooth(scores[usable], scales[usable], known_noise.take(usable)), strict=True):
            field[usable] = values
    return fit


def blocks(curves, catalogue, shared_questions=0.0):
    """The curves of a frame in blocks of equal length. Yields Block."""
    metric = curves["metric"].astype("category")
    higher = curves["higher_is_better"].to_numpy(dtype=bool)
    low, high, proportion = (metric.map(catalogue[name]).to_numpy() for name in ("low", "high", "proportion"))
    # bounds of the oriented score; open ends are NaN
    low, high = (np.where(higher, *ends).astype(float) for ends in ((low, -high), (high, -low)))
    low, high = (np.where(np.isfinite(bound), bound, np.nan) for bound in (low, high))
    for batch in frames.batches(curves):
        n_scales = batch.scales.shape[1]
        for start in range(0, len(batch.positions), _BLOCK_CURVES):
            part = slice(start, start + _BLOCK_CURVES)
            rows = batch.positions[part]
            arrays = {
                "scores": batch.oriented[part],
                "scales": batch.scales[part],
                "n_examples": batch.n_examples[part],
                "n_models": batch.n_models[part],
                "stderr": batch.stderr[part],
                "proportion": proportion[rows].astype(bool),
                "low": low[rows],
                "high": high[rows],
            }
            covariance = lists(curves, "covariance", rows, (n_scales, n_scales))
            scatter = lists(curves, "scatter", rows, (n_scales,))
            n_units = curves["n_units"].to_numpy(dtype=float)[rows] if "n_units" in curves else None
            yield Block(rows, arrays, covariance, n_units, scatter, shared_questions)


def lists(curves, column, rows, shape):
    """A column of lists, which may be empty, as an array (c, *shape) with NaN where a list is empty; None where all are."""
    if column not in curves:
        return None
    lists = curves[column].to_numpy()[rows]
    # a curve that was not tested has no list
    given = np.array([isinstance(values, np.ndarray | list) and len(values) > 0 for values in lists], dtype=bool)
    if not given.any():
        return None
    found = np.full((len(rows), *shape), np.nan)
    found[given] = np.stack(list(lists[given])).reshape(-1, *shape)
    return found


def curve_keys(curves):
    """The key of each curve as one text: what its random numbers are seeded with."""
    return ["\x1f".join("" if pd.isna(part) else str(part) for part in row) for row in curves[KEY].itertuples(index=False)]


def assess(curves, catalogue, draws, seed, shared_questions=0.0):
    """All tests of all curves.

    Parameters
    ----------
    curves : DataFrame
        As frames.from_scores makes it; with `covariance` and `scatter` where frames.attach_covariance and attach_scatter added them.
    catalogue : DataFrame
        Of metric_catalogue.load.
    draws : int
        Simulated curves per curve and null model; with 0 nothing is simulated, and the status of those tests is `not_run`.
    seed : int
    shared_questions : float
        Assumed correlation of the noise of neighbouring scales where only scores are known.

    Returns
    -------
    dict of DataFrame
        The tables null_models (one row per curve), predictions (one row per curve and predictor) and examples_needed (one row per
        curve), in the order of the curves.
    """
    keys = np.array(curve_keys(curves) if draws else np.empty(len(curves)), dtype=object)
    tests, predictions, small = [], [], []
    for block in blocks(curves, catalogue, shared_questions):
        tests.append(_null_model_tests(block, list(keys[block.positions]), draws, seed).set_index(block.positions))
        table = prediction.predict_hidden(*block.common, block.arrays["low"], block.arrays["high"])
        predictions.append(table.assign(curve=block.positions[table["curve"]]))
        part = power.small_model_performance(block.arrays["n_examples"], block.noise, block.fit)
        small.append(part.set_index(block.positions))
    keyed = curves[KEY].reset_index(drop=True)
    if not tests:
        return {name: pd.DataFrame(columns=[*KEY]) for name in ("null_models", "predictions", "examples_needed")}
    table = pd.concat(predictions).sort_values("curve", kind="stable", ignore_index=True)
    needed = power.examples_for_small_models(pd.concat(small).sort_index(), curves["chance"].to_numpy(dtype=float))
    return {
        "null_models": pd.concat([keyed, pd.concat(tests).sort_index(), _known_noise(curves)], axis=1),
        "predictions": pd.concat([keyed.iloc[table["curve"]].reset_index(drop=True), table.drop(columns="curve")], axis=1),
        "examples_needed": pd.concat([keyed, needed], axis=1),
    }


def _known_noise(curves):
    """The columns of KNOWN_NOISE of the curves, empty lists and NaN where they were not attached."""
    empty = pd.Series([np.empty(0)] * len(curves), dtype=object)
    missing = dict.fromkeys(("covariance", "continuous_covariance", "scatter"), empty)
    missing |= {"n_units": np.full(len(curves), np.nan), "continuous_metric": np.full(len(curves), None, dtype=object)}
    return pd.DataFrame({name: curves[name].to_numpy() if name in curves else missing[name] for name in KNOWN_NOISE})


def _null_model_tests(block, keys, draws, seed):
    """The part of the table null_models that belongs to a block, without the key."""
    low, high = block.arrays["low"], block.arrays["high"]
    parts = [
        change.change_tests(*block.common, block.scatter),
        largest_model.largest_model_z(*block.common, low, high),
    ]
    if draws:
        options = {"seed": seed, "draws": draws}
        parts.append(bounded_curves.bounded_class_p_values(*block.common, low, high, keys, **options))
        options |= {
            "covariance": block.covariance,
            "n_units": block.n_units,
            "shared_questions": block.shared_questions,
            "fit": block.fit,
        }
        parts.append(null_models.null_p_values(**block.arrays, keys=keys, **options))
    else:
        status = {f"status_{test}": NOT_RUN for test in (null_models.FLAT, null_models.SMOOTH, "class")}
        parts.append(pd.DataFrame({"noise": block.noise.kind} | status))
    return pd.concat(parts, axis=1)


# The p-values of a curve, each with its q-value. `jump` needs two of them: not foreseeable, and sharper than the stated class.
TESTS = ("homogeneity", "trend", "flat", "smooth", "flat_shared", "smooth_shared", "largest", "class", "jump")


def p_and_q_values(null_models_table, family):
    """The p-values of all tests of the curves of a benchmark, and their q-values over a family.

    The noise beyond sampling that the test of the largest model needs is moderated over the family, and false discoveries are
    controlled over it (Benjamini-Hochberg): both need the whole benchmark, so they are not in the tables of its shards.

    Parameters
    ----------
    null_models_table : DataFrame
        The table null_models, or the rows of it that an answer is taken over.
    family : (c,) of bool
        Curves that are tested together; see frames.counted.

    Returns
    -------
    DataFrame of c rows
        The key; for each name in TESTS a column p_ and a column q_, NaN outside the family; in_family; noise; moderated_excess
        (largest_model.moderated_excess), NaN outside the family.
    """
    table = null_models_table.reset_index(drop=True)
    family = np.asarray(family, dtype=bool)
    found = table[[*KEY, "noise"]].assign(in_family=family)
    largest, excess = (np.full(len(table), np.nan) for _ in range(2))
    own = table.loc[family, list(largest_model.COLUMNS)]
    largest[family], excess[family] = largest_model.moderated_p_values(own), largest_model.moderated_excess(own)[0]
    p_values = {"largest": largest}
    p_values |= {name: table[f"p_{name}"].to_numpy(dtype=float) for name in TESTS if name not in ("largest", "jump")}
    # A jump of the largest model is one that was not foreseeable and is sharper than the class: the larger p is valid for "both".
    p_values["jump"] = np.maximum(largest, p_values["class"])
    for name in TESTS:
        own = np.where(family, p_values[name], np.nan)
        found[f"p_{name}"], found[f"q_{name}"] = own, false_discovery.q_values(own)
    return found.assign(moderated_excess=excess)


def above_chance(scores, catalogue):
    """Exact one-sided test of each score against guessing, one row per score, in the order of the score table."""
    tested = power.above_chance(
        scores["score"].to_numpy(dtype=float),
        scores["n_examples"].to_numpy(dtype=float, na_value=np.nan),
        scores["chance"].to_numpy(dtype=float),
        scores["metric"].astype("category").map(catalogue["proportion"]).to_numpy(dtype=bool),
    )
    key = ["benchmark", "task", "subtask", "metric", "model_family", "model", "shots"]
    return pd.concat([scores[[*key, "scale"]].reset_index(drop=True), tested], axis=1)
