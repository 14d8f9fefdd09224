"""Was it predictable? Each curve's largest scales are hidden, predicted from the rest, and compared with what came.

Three predictors: `smooth` (smooth curves in log scale, module smooth_curves), `line` (a straight line in log scale) and
`no_change` (the last score seen). Errors are in units of the metric, in points (hundredths of its range), and in units of the
sampling noise of the hidden scores, of which a perfect prediction errs by 0.8 on average.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from emergence.statistics.noise import KINDS, NONE, RESIDUAL, variance
from emergence.statistics.smooth_curves import blocks, curve_by_curve, logistic_shapes, standard_logistic

OK = "ok"
TOO_FEW_SCALES = "too_few_scales"
MISSING_SCORE = "missing_score"
INVALID_SCALES = "invalid_scales"
NO_NOISE_ESTIMATE = "no_noise_estimate"

STATUSES = sorted((OK, TOO_FEW_SCALES, MISSING_SCORE, INVALID_SCALES, NO_NOISE_ESTIMATE))

SMOOTH, LINE, NO_CHANGE = PREDICTORS = ("smooth", "line", "no_change")

# A smooth curve has four parameters, so it is not fitted to fewer scores; a line is, from three.
MIN_SEEN_SMOOTH = 4
MIN_SEEN = 3
# With noise of unknown size the scatter about the fit must supply it: two degrees of freedom beyond a smooth curve's four.
MIN_SEEN_RESIDUAL = 6
_WEIGHTING_ROUNDS = 2
_ROUNDING = 1e-6
_BLOCK = 512
_MEASURES = (
    "mean_absolute_error",
    "error_points",
    "mean_z",
    "mean_absolute_z",
    "share_within_noise",
    "share_within_interval",
)


def n_hidden_scales(n_scales):
    """How many of the largest scales are hidden by default: a third, at least one."""
    return max(1, n_scales // 3)


def _linear_prediction(seen, weight, x_seen, x_hidden):
    """Weighted straight line: prediction (c, k) and the variance (c, k) that the noise of the seen scores gives it."""
    total = weight.sum(axis=1, keepdims=True)
    centre = (weight * x_seen).sum(axis=1, keepdims=True) / total
    mean = (weight * seen).sum(axis=1, keepdims=True) / total
    moment = (weight * np.square(x_seen - centre)).sum(axis=1, keepdims=True)
    slope = (weight * (x_seen - centre) * (seen - mean)).sum(axis=1, keepdims=True) / moment
    away = x_hidden - centre
    return mean + slope * away, 1 / total + np.square(away) / moment


class _Posterior(NamedTuple):
    """The smooth curves through some scores, g shapes with their posterior probability. All (c, 1) or (c, g).

    mean, total: weighted mean of the scores, and the sum of the weights. probability: of each shape. centre: its weighted mean.
    height: of its rise, and shrunk: the weighted sum of squares about the centre, with the prior. unit: noise variance per unit of
    one over the weight.
    """

    mean: np.ndarray
    total: np.ndarray
    probability: np.ndarray
    centre: np.ndarray
    height: np.ndarray
    shrunk: np.ndarray
    unit: np.ndarray


def _posterior(seen, weight, shapes, height_sd, unit_noise):
    """The smooth curves that fit the seen scores, weighted by their posterior probability.

    Every shape of the grid has the same prior probability; level is flat, height normal about zero.

    seen, weight: (c, s). shapes: (s, g). height_sd: (c,) prior standard deviation of the height of a rise. unit_noise: (c,) bool,
    whether 1 / weight is the variance itself and not only its shape. Returns _Posterior.
    """
    total = weight.sum(axis=1)[:, None]
    mean = (weight * seen).sum(axis=1)[:, None] / total
    centred = seen - mean
    weighted = weight * centred
    centre = curve_by_curve(weight, shapes) / total
    moment = curve_by_curve(weight, np.square(shapes)) - total * np.square(centre)
    product = curve_by_curve(weighted, shapes)
    squared = np.square(product)
    # The height of a rise has no more freedom than the metric allows, which keeps a shape that was not seen rising from anything.
    left = (weighted * centred).sum(axis=1)
    freedom = max(seen.shape[1] - 4, 1)
    # scores on a smooth curve leave a scatter of zero, or a rounding error below it
    scatter = left - (squared / moment).max(axis=1)
    unit = np.where(unit_noise, 1.0, np.maximum(scatter, 0.0) / freedom)[:, None]
    prior = unit / np.square(height_sd)[:, None]
    shrunk = moment + prior
    with np.errstate(divide="ignore", invalid="ignore"):
        log_evidence = -0.5 * (left[:, None] - squared / shrunk) / unit + 0.5 * np.log(prior / shrunk)
    log_evidence = np.where(np.isfinite(log_evidence), log_evidence, -np.inf)
    top = log_evidence.max(axis=1, keepdims=True)
    probability = np.exp(log_evidence - np.where(np.isfinite(top), top, 0))
    probability /= np.maximum(probability.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return _Posterior(mean, total, probability, centre, product / shrunk, shrunk, unit)


def _average(posterior, shapes):
    """The average of the smooth curves at some scales, (c, k). shapes: (k, g)."""
    heights = posterior.probability * posterior.height
    return posterior.mean + curve_by_curve(heights, shapes.T) - (heights * posterior.centre).sum(axis=1, keepdims=True)


def _uncertainty(posterior, shapes, average):
    """Variance between and within the smooth curves about their average, (c, k) like that. shapes: (k, g)."""
    found = np.empty(average.shape)
    for place, shape in enumerate(shapes):
        away = shape - posterior.centre
        between = np.square(posterior.mean + posterior.height * away - average[:, [place]])
        within = posterior.unit * (1 / posterior.total + np.square(away) / posterior.shrunk)
        found[:, place] = (posterior.probability * (within + between)).sum(axis=1)
    return found


def _predict(scores, x, noise, low, high, n_seen):
    """Predictions (p, c, k), their variances (p, c, k) and the noise variance (c, k) of hidden scores, one set of scales."""
    seen, hidden = scores[:, :n_seen], scores[:, n_seen:]
    x_seen, x_hidden = x[:n_seen], x[n_seen:]
    seen_noise, hidden_noise = noise.at_scales(slice(None, n_seen)), noise.at_scales(slice(n_seen, None))
    known = noise.kind != RESIDUAL
    span = high - low
    spread = seen.max(axis=1) - seen.min(axis=1)
    fitted = (seen + seen.mean(axis=1, keepdims=True)) / 2
    midpoint, rise = logistic_shapes(x_seen)
    shapes = standard_logistic(x[:, None], midpoint, rise)
    for _ in range(_WEIGHTING_ROUNDS):
        noise_seen = variance(seen_noise, fitted)
        height_sd = np.where(np.isfinite(span), span, np.maximum(2 * spread, np.sqrt(noise_seen.mean(axis=1))))
        posterior = _posterior(seen, 1 / noise_seen, shapes[:n_seen], height_sd, known)
        fitted = _average(posterior, shapes[:n_seen])
    smooth = _average(posterior, shapes[n_seen:])
    smooth_variance, unit = _uncertainty(posterior, shapes[n_seen:], smooth), posterior.unit[:, 0]
    line, line_variance = _linear_prediction(seen, 1 / noise_seen, x_seen, x_hidden)
    last = np.broadcast_to(seen[:, -1:], hidden.shape)
    last_variance = np.broadcast_to((noise_seen[:, -1] * unit)[:, None], hidden.shape)
    predicted = np.stack([smooth, line, last])
    bounds = (np.where(np.isnan(bound), limit, bound)[None, :, None] for bound, limit in ((low, -np.inf), (high, np.inf)))
    predicted = np.clip(predicted, *bounds)
    uncertainty = np.stack([smooth_variance, line_variance * unit[:, None], last_variance])
    return predicted, uncertainty, variance(hidden_noise, hidden) * unit[:, None]


def predict_hidden(scores, scales, noise, low, high, *, hidden=None):
    """Hides the largest scales of each curve, predicts them from the rest, and measures the error.

    Parameters
    ----------
    scores : (c, n)
        Oriented, sorted by scale; counts exact.
    scales : (c, n)
        Positive, increasing.
    noise : Noise
        Of the same curves. Correlations between scales are left aside here.
    low, high : (c,)
        Bounds of the score, NaN where open.
    hidden : int, optional
        How many of the largest scales to hide; a third, at least one, if None.

    Returns
    -------
    DataFrame of 3 c rows, curve by curve, predictors in the order of PREDICTORS
        curve: int64, row of `scores`; predictor, noise, status: categories.
        status: `ok`; `too_few_scales` (smooth: fewer than 4 seen, 6 with residual noise; others: fewer than 3 seen);
        `missing_score`; `invalid_scales`; `no_noise_estimate` (residual noise of zero size, or fewer than 6 scales seen with it:
        the error is known, not how large it is beside the noise).
        n_seen, n_hidden: int64. decades_ahead: float, log10 of the largest hidden scale over the largest that is seen; NaN where
        the curve is not predicted.
        mean_absolute_error: float, in units of the score. error_points: the same in hundredths of the range of the metric, NaN
        where that is open.
        mean_z: float, mean of (score - prediction) / noise sd of the hidden scores: above 0, more came than was predicted.
        mean_absolute_z: float, mean of |score - prediction| / noise sd. About 0.8 for a perfect prediction.
        share_within_noise: float, share of hidden scores within 2 noise sd of the prediction.
        share_within_interval: float, the same with the prediction's own uncertainty in the sd (root of the sum of variances).
        Binomial noise is taken at the hidden score, residual noise from the scatter of the seen scores about the smooth fit.

    Raises
    ------
    ValueError
        For shapes that do not fit, or if hidden < 1.
    """
    scores, scales = np.asarray(scores, dtype=float), np.asarray(scales, dtype=float)
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    n_curves, n_scales = scores.shape
    if scales.shape != scores.shape or low.shape != (n_curves,) or high.shape != (n_curves,):
        raise ValueError("scales must have the shape of scores; low and high one entry per curve")
    hidden = n_hidden_scales(n_scales) if hidden is None else hidden
    if hidden < 1:
        raise ValueError(f"at least one scale has to be hidden, got {hidden}")
    n_seen = n_scales - hidden

    residual = noise.kind == RESIDUAL
    status = np.full((n_curves, len(PREDICTORS)), OK, dtype=object)
    status[residual & (n_seen < MIN_SEEN_RESIDUAL)] = NO_NOISE_ESTIMATE
    status[n_seen < np.where(residual, MIN_SEEN_RESIDUAL, MIN_SEEN_SMOOTH), PREDICTORS.index(SMOOTH)] = TOO_FEW_SCALES
    if n_seen < MIN_SEEN:
        status[:] = TOO_FEW_SCALES
    with np.errstate(invalid="ignore"):
        valid = (np.isfinite(scales) & (scales > 0)).all(axis=1) & (np.diff(scales, axis=1) > 0).all(axis=1)
    status[~valid] = INVALID_SCALES
    status[noise.kind == NONE] = MISSING_SCORE

    measures = np.full((len(_MEASURES), n_curves, len(PREDICTORS)), np.nan)
    ahead = np.full(n_curves, np.nan)
    usable = np.flatnonzero(np.isin(status, (OK, NO_NOISE_ESTIMATE)).any(axis=1))
    if len(usable):
        log_scales = np.log10(scales[usable])
        ahead[usable] = log_scales[:, -1] - log_scales[:, n_seen - 1]
        for x, _, members in blocks(log_scales, np.zeros(len(usable), dtype=bool), _BLOCK, _BLOCK):
            block = usable[members]
            predicted, uncertainty, noise_variance = _predict(
                scores[block], x, noise.take(block), low[block], high[block], n_seen
            )
            error = scores[block, n_seen:] - predicted
            sd = np.sqrt(noise_variance)
            own = status[block]
            own[~(sd > 0).all(axis=1)[:, None] & (own == OK)] = NO_NOISE_ESTIMATE
            status[block] = own
            # without noise an error is infinitely many of its standard deviations; such curves have a status instead
            with np.errstate(divide="ignore", invalid="ignore"):
                within = np.abs(error) <= 2 * np.sqrt(noise_variance + uncertainty)
                z = error / sd
                values = np.stack([np.abs(error), z, np.abs(z), np.abs(z) <= 2, within]).mean(axis=-1).swapaxes(1, 2)
            measures[0, block] = np.where(np.isin(own, (OK, NO_NOISE_ESTIMATE)), values[0], np.nan)
            measures[1, block] = 100 * measures[0, block] / (high - low)[block, None]
            measures[2:, block] = np.where(own == OK, values[1:], np.nan)

    table = {
        "curve": np.repeat(np.arange(n_curves), len(PREDICTORS)),
        "predictor": pd.Categorical(np.tile(np.array(PREDICTORS, dtype=object), n_curves), sorted(PREDICTORS)),
        "noise": pd.Categorical(np.repeat(noise.kind, len(PREDICTORS)), KINDS),
        "status": pd.Categorical(status.ravel(), STATUSES),
        "n_seen": n_seen,
        "n_hidden": hidden,
        "decades_ahead": np.repeat(ahead, len(PREDICTORS)),
    }
    return pd.DataFrame(table | {name: values.ravel() for name, values in zip(_MEASURES, measures, strict=True)})


def summarise_by(table, group):
    """Prediction errors by metric, by kind of metric, or by any other label.

    Predictors are compared on the same curves, those that every predictor of the table predicts: a line also predicts short curves,
    and its errors on them say nothing about how it stands to a smooth curve. Errors in units of noise have medians only: one curve
    with an error of a hundred standard deviations must not decide a mean.

    Parameters
    ----------
    table : DataFrame
        What predict_hidden returns, of all predictors or of some.
    group : sequence or str
        Label of each row of the table, or the name of one of its columns.

    Returns
    -------
    DataFrame, one row per label and predictor
        The label, predictor, n_curves, n_undefined (curves without a prediction by this predictor) and n_compared (curves with a
        prediction by every predictor). Of those that are compared: n_without_noise (without noise to compare the error with),
        median_decades_ahead, median_absolute_z, median_error_points and median_z (medians over curves), mean_error_points (their
        mean), share_higher (curves whose scores were higher than predicted, on average over the hidden scales),
        share_within_noise and share_within_interval (means over curves: every curve counts once), share_best (curves in which
        the predictor has the smallest mean absolute error; ties count for each).
    """
    table = table.reset_index(drop=True)
    label = table[group] if isinstance(group, str) else pd.Series(np.asarray(group), index=table.index, name="label")
    errors = table.groupby("curve")["mean_absolute_error"]
    compared = errors.transform("count") == table["predictor"].nunique()
    measures = table[["mean_absolute_z", "error_points", "mean_z", "share_within_noise", "share_within_interval"]]
    measures = measures.assign(decades_ahead=table["decades_ahead"]).where(compared)
    is_best = (table["mean_absolute_error"] <= errors.transform("min")).where(compared).astype(float)
    # of a curve that was predicted exactly, only rounding is left
    higher = (measures["mean_z"] > _ROUNDING).where(measures["mean_z"].notna()).astype(float)
    frame = table[["curve", "predictor"]].assign(
        **{label.name: label, "is_best": is_best, "higher": higher},
        **measures,
        compared=compared,
        undefined=table["mean_absolute_error"].isna(),
        without_noise=compared & table["mean_z"].isna(),
    )
    grouped = frame.groupby([label.name, "predictor"], sort=True)
    return grouped.agg(
        n_curves=("curve", "size"),
        n_undefined=("undefined", "sum"),
        n_compared=("compared", "sum"),
        n_without_noise=("without_noise", "sum"),
        median_decades_ahead=("decades_ahead", "median"),
        median_absolute_z=("mean_absolute_z", "median"),
        median_error_points=("error_points", "median"),
        mean_error_points=("error_points", "mean"),
        median_z=("mean_z", "median"),
        share_higher=("higher", "mean"),
        share_within_noise=("share_within_noise", "mean"),
        share_within_interval=("share_within_interval", "mean"),
        share_best=("is_best", "mean"),
    ).reset_index()
