"""Two metrics on the same outputs: the difference of their sharpness with its interval, and which steps are more than noise."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from emergence.curves import sharpness
from emergence.outputs import resampling
from emergence.outputs.rescoring import (
    average_by_scale,
    curve_key,
    jackknife_covariance,
    leave_one_out,
    metric_name,
)
from emergence.statistics.noise import sampling_noise
from emergence.statistics.smooth_curves import N_PARAMETERS, fit_smooth

# Below this many scales a curve is in no comparison.
MIN_SCALES = 4

# Levels at which the resampled difference is kept, so that answers over tasks can draw tasks and then examples.
LEVELS = np.linspace(0, 1, 41)

OK, TOO_FEW_SCALES, NOT_FINITE, ONE_UNIT = "ok", "too_few_scales", "not_finite", "one_unit"


def absolute_emergence(scores, resolution=None):
    """|E| of curves along the last axis; infinite where the median step is zero under a range that is not.

    resolution: None, or the smallest difference that the scores can show; |E| is then resolution-limited and finite.
    """
    limit = None if resolution is None else np.full(scores.shape[:-1], resolution)
    value = np.abs(sharpness.emergence_score(scores, limit))
    return np.where(np.isnan(value) & np.isfinite(scores).all(axis=-1), np.inf, value)


def shrunk_centre(scores, scales, covariance, resolution):
    """The curve about which resamples are drawn so that they vary as the observed scores vary about the truth.

    Observed scores hold noise already. Resamples about them would hold it twice, which widens small steps and lowers E. So the
    residuals about the smooth fit are shrunk by the factor at which residuals plus noise have the variance that is observed, each
    scale weighed by one over its variance.

    Parameters
    ----------
    scores, scales : (s,) array, s >= 4
    covariance : (s, s) array
        Sampling covariance of the scores.
    resolution : float
        Smallest difference that the scores can show; no standard error counts for less.

    Returns
    -------
    (s,) array
    """
    stderr = np.fmax(np.sqrt(np.diag(covariance)), resolution)
    if not (stderr > 0).all():
        return scores
    if len(scores) > N_PARAMETERS:
        unknown = np.full((1, len(scores)), np.nan)
        noise = sampling_noise(scores[None], unknown, np.ones_like(unknown), stderr[None], np.zeros(1, dtype=bool))
        fit = fit_smooth(scores[None], scales[None], noise)
        fitted, smoother = fit.fitted[0], fit.smoother[0]
    else:
        # too few scales for a smooth curve: the straight line in log scale
        basis = np.stack([np.ones(len(scales)), np.log10(scales)], axis=-1) / stderr[:, None]
        smoother = stderr[:, None] * (basis @ np.linalg.pinv(basis)) / stderr
        fitted = smoother @ scores
    leftover = (np.eye(len(scores)) - smoother) / stderr[:, None]
    noise_in_residual = np.trace(leftover @ covariance @ leftover.T)
    residual = scores - fitted
    observed = np.square(residual / stderr).sum()
    factor = np.sqrt(max(0.0, 1 - noise_in_residual / observed)) if observed > 0 else 0.0
    return fitted + factor * residual


def interval(draws, level):
    """Percentile interval of draws that may be infinite: low, high. NaN without a draw that is defined."""
    known = np.sort(draws[~np.isnan(draws)])
    if not len(known):
        return np.nan, np.nan
    tail = (1 - level) / 2
    low = known[int(np.floor(tail * (len(known) - 1)))]
    high = known[int(np.ceil((1 - tail) * (len(known) - 1)))]
    return low, high


def difference(scores, draws, scales, resolution, level):
    """D = |E_a| - |E_b| of two metrics on the same outputs, by the paired bootstrap about shrunk centres.

    Both |E| are resolution-limited: with plain E a curve whose smaller scales all score 0 has no finite value.

    Parameters
    ----------
    scores : pair of (s,) array
        The two curves, each in its own units; s >= 4.
    draws : pair of (b, s) array
        Both curves in the same resamples of the test set.
    scales : (s,) array
    resolution : pair of float
        Smallest difference that each curve can show, above 0; NaN where it is not known.
    level : float
        Coverage of the interval.

    Returns
    -------
    dict
        `emergence_score_a`, `_b` (plain |E|), `resolved_a`, `_b`, `difference` (of the resolved), `low`, `high`, `bias` (median of
        the draws less the difference of the centres), `share_infinite` (resamples in which either plain |E| is infinite),
        `quantiles` of the draws at LEVELS.
    """
    limits = [value if np.isfinite(value) and value > 0 else None for value in resolution]
    drawn, centres, infinite = [], [], np.zeros(len(draws[0]), dtype=bool)
    for curve, resampled, limit in zip(scores, draws, limits, strict=True):
        noise = resampled - resampled.mean(axis=0)
        covariance = noise.T @ noise / max(len(noise) - 1, 1)
        centre = shrunk_centre(curve, scales, covariance, 0.0 if limit is None else limit)
        drawn.append(absolute_emergence(centre + (resampled - curve), limit))
        centres.append(absolute_emergence(centre, limit))
        infinite |= np.isinf(absolute_emergence(resampled))
    resolved = [float(absolute_emergence(curve, limit)) for curve, limit in zip(scores, limits, strict=True)]
    with np.errstate(invalid="ignore"):
        differences_drawn = drawn[0] - drawn[1]
        plug_in = resolved[0] - resolved[1]
        known = differences_drawn[~np.isnan(differences_drawn)]
        bias = float(np.median(known) - (centres[0] - centres[1])) if len(known) else np.nan
    low, high = interval(differences_drawn, level)
    return {
        "emergence_score_a": float(absolute_emergence(scores[0])),
        "emergence_score_b": float(absolute_emergence(scores[1])),
        "resolved_a": resolved[0],
        "resolved_b": resolved[1],
        "difference": plug_in,
        "low": low,
        "high": high,
        "bias": bias,
        "share_infinite": float(infinite.mean()),
        "quantiles": _quantiles(differences_drawn),
    }


def _quantiles(draws):
    known = np.sort(draws[~np.isnan(draws)])
    if not len(known):
        return np.full(len(LEVELS), np.nan)
    return known[np.round(LEVELS * (len(known) - 1)).astype(int)]


def differences(task, catalogue, seed, resamples, level):
    """D of every pair of metrics on the same outputs of a task; metric_a is the one that is expected to look sharper.

    Pairs are on the same outputs, or on the outputs of two filters. task: Task. catalogue: frame of metric_catalogue.load, for the
    kinds of metrics. Returns a frame with the columns of the table `same_outputs` but for the benchmark.
    """
    draws = resampling.resampled_scores(task, seed, resamples)
    curves = {}
    for (part, metric, sums), by_model in zip(task.measured, draws, strict=True):
        scales, score = average_by_scale(part.scales, metric.aggregate(sums.sum(axis=1)))
        drawn = average_by_scale(part.scales, by_model)[1]
        outputs = (part.subtask, part.model_family, part.shots)
        name = metric_name(metric.name, part.filter)
        smallest = resolution_of(catalogue, name, part, metric, sums)
        curves.setdefault(outputs, []).append((name, part, scales, score, drawn, smallest))
    found = []
    for members in curves.values():
        members.sort(key=lambda member: (_rank(catalogue, member[0]), member[0]))
        for a, b in itertools.combinations(members, 2):
            key = curve_key(task.name, a[1], "")
            del key["metric"]
            key |= {"metric_a": a[0], "metric_b": b[0], "n_units": len(a[1].units)}
            found.append(key | _paired(a, b, level))
    return pd.DataFrame(found)


def resolution_of(catalogue, name, part, metric, sums):
    """The smallest difference that a curve can show: range over outputs for a share of right answers, else the median stderr.

    The same convention as for curves whose outputs are not known (emergence.curves.frames.resolution).
    """
    if name in catalogue.index and catalogue.at[name, "proportion"]:
        span = catalogue.at[name, "high"] - catalogue.at[name, "low"]
        return span / np.bincount(part.model, minlength=len(part.models)).min()
    variance = np.diag(jackknife_covariance(leave_one_out(metric, sums)[1]))
    return float(np.sqrt(np.median(variance))) if np.isfinite(variance).all() else np.nan


def _rank(catalogue, name):
    """Where the kind of a metric stands in the order of expected sharpness."""
    kind = catalogue["kind"].get(name, "unknown")
    return ("discontinuous", "nonlinear", "unknown", "linear").index(kind)


def _paired(a, b, level):
    (_, part, scales, score_a, draws_a, smallest), (_, other, scales_b, score_b, draws_b, smallest_b) = a, b
    shared = np.intersect1d(scales, scales_b)
    inside, inside_b = np.isin(scales, shared), np.isin(scales_b, shared)
    score_a, score_b, draws_a, draws_b = score_a[inside], score_b[inside_b], draws_a[:, inside], draws_b[:, inside_b]
    line = {"n_scales": len(shared)}
    if len(shared) < MIN_SCALES:
        return line | _nothing(TOO_FEW_SCALES)
    if not (np.isfinite(score_a).all() and np.isfinite(score_b).all()):
        return line | _nothing(NOT_FINITE)
    if min(len(part.units), len(other.units)) < 2:
        return line | _nothing(ONE_UNIT)
    usable = np.isfinite(draws_a).all(axis=1) & np.isfinite(draws_b).all(axis=1)
    if usable.sum() < 2:
        return line | _nothing(NOT_FINITE)
    found = difference((score_a, score_b), (draws_a[usable], draws_b[usable]), shared, (smallest, smallest_b), level)
    return line | found | {"status": OK}


def _nothing(status):
    empty = dict.fromkeys(
        (
            *("emergence_score_a", "emergence_score_b", "resolved_a", "resolved_b"),
            *("difference", "low", "high", "bias", "share_infinite"),
        ),
        np.nan,
    )
    return empty | {"quantiles": np.full(len(LEVELS), np.nan), "status": status}


def holm(p_values):
    """P-values adjusted for their number by Holm (1979): (n,) to (n,); NaN stays and does not count."""
    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors))
    return adjusted


def steps(task):
    """A paired test of every step between neighbouring models of each curve, with Holm's correction over the steps of the curve.

    Where each unit is one answer that is right or wrong: McNemar's exact test, which is the binomial test of the answers that
    changed. Elsewhere the t-test of the jackknife on units, with one degree of freedom fewer than units.

    task: Task. Returns a frame with the columns of the table `output_steps` but for the benchmark.
    """
    found = []
    for part, metric, sums in task.measured:
        score, left_out = leave_one_out(metric, sums)
        covariance = jackknife_covariance(left_out)
        values, sizes = sums[..., 0], sums[..., 1]
        binary = metric.is_ratio and bool(((sizes == 1) & ((values == 0) | (values == 1))).all())
        lines = []
        for lower, upper in itertools.pairwise(range(len(part.models))):
            step = score[upper] - score[lower]
            variance = covariance[lower, lower] + covariance[upper, upper] - 2 * covariance[lower, upper]
            line = curve_key(task.name, part, metric_name(metric.name, part.filter)) | {
                "model_before": part.models[lower],
                "model_after": part.models[upper],
                "scale_before": part.scales[lower],
                "scale_after": part.scales[upper],
                "step": step if np.isfinite(step) else np.nan,
                "stderr": np.sqrt(max(variance, 0.0)) if np.isfinite(variance) else np.nan,
            }
            if binary:
                gained = int((values[upper] > values[lower]).sum())
                lost = int((values[upper] < values[lower]).sum())
                p_value = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
                line |= {"n_gained": gained, "n_lost": lost, "test": "mcnemar", "p_value": p_value}
            else:
                line |= {"n_gained": None, "n_lost": None, "test": "jackknife_t", "p_value": _t_test(line, len(part.units))}
            lines.append(line)
        adjusted = holm([line["p_value"] for line in lines])
        found += [line | {"p_holm": p} for line, p in zip(lines, adjusted, strict=True)]
    return pd.DataFrame(found)


def _t_test(line, n_units):
    if not np.isfinite(line["stderr"]) or not np.isfinite(line["step"]) or n_units < 2:
        return np.nan
    if line["stderr"] == 0:
        return 1.0 if line["step"] == 0 else np.nan
    return float(2 * stats.t.sf(abs(line["step"]) / line["stderr"], n_units - 1))
