"""Two metrics on the same outputs: the difference of their sharpness with its interval, and which steps are more than noise."""

import dataclasses
import functools
import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from emergence.curves import sharpness
from emergence.outputs import resampling
from emergence.outputs.examples import curve_key, metric_name
from emergence.outputs.rescoring import average_by_scale, jackknife_covariance, leave_one_out
from emergence.statistics.noise import sampling_noise
from emergence.statistics.paired_comparison import mcnemar_p_value
from emergence.statistics.smooth_curves import N_PARAMETERS, fit_smooth

# Below this many scales a curve is in no comparison.
MIN_SCALES = 4

# How many of the resampled differences are kept, so that answers over tasks can draw tasks and then examples. Those of one number
# are of the same resample of a task's questions, for all of its curves.
N_KEPT = 100

OK, TOO_FEW_SCALES, NOT_FINITE, ONE_UNIT = "ok", "too_few_scales", "not_finite", "one_unit"


def absolute_emergence(scores, resolution=None):
    """|E| of curves along the last axis; infinite where the median step is zero under a range that is not.

    resolution: None, or the smallest difference that the scores can show; |E| is then resolution-limited and finite.
    """
    if resolution is not None:
        return np.abs(sharpness.emergence_score_resolved(scores, np.full(scores.shape[:-1], resolution)))
    value = np.abs(sharpness.emergence_score(scores))
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


def median(draws):
    """Median of draws that may be infinite; NaN without a draw that is defined, and where it lies between the two infinities."""
    known = np.sort(draws[~np.isnan(draws)])
    middle = known[[(len(known) - 1) // 2, len(known) // 2]] if len(known) else np.full(2, np.nan)
    return float(middle[0] if middle[0] == middle[1] else middle.mean() if np.isfinite(middle).any() else np.nan)


def interval(draws, level):
    """Percentile interval of draws that may be infinite: low, high. NaN without a draw that is defined."""
    known = np.sort(draws[~np.isnan(draws)])
    if not len(known):
        return np.nan, np.nan
    tail = (1 - level) / 2
    low = known[int(np.floor(tail * (len(known) - 1)))]
    high = known[int(np.ceil((1 - tail) * (len(known) - 1)))]
    return low, high


class Sharpness(NamedTuple):
    """How sharp one curve is, and how sharp it is in resamples of its test set.

    plain, resolved: |E| and resolution-limited |E| of the scores. centre: resolution-limited |E| of the shrunk centre. draws: (b,)
    resolution-limited |E| of resamples about that centre. infinite: (b,) whether plain |E| of a resample of the scores is infinite.
    """

    plain: float
    resolved: float
    centre: float
    draws: np.ndarray
    infinite: np.ndarray


def resampled_sharpness(scores, draws, scales, resolution):
    """The Sharpness of one curve.

    Parameters
    ----------
    scores, scales : (s,) array, s >= 4
    draws : (b, s) array
        The scores in each resample of the test set.
    resolution : float
        Smallest difference that the scores can show; NaN or 0 where it is not known, and |E| is then not limited.

    Returns
    -------
    Sharpness
    """
    limit = resolution if np.isfinite(resolution) and resolution > 0 else None
    noise = draws - draws.mean(axis=0)
    covariance = noise.T @ noise / max(len(noise) - 1, 1)
    centre = shrunk_centre(scores, scales, covariance, 0.0 if limit is None else limit)
    return Sharpness(
        float(absolute_emergence(scores)),
        float(absolute_emergence(scores, limit)),
        float(absolute_emergence(centre, limit)),
        absolute_emergence(centre + (draws - scores), limit),
        np.isinf(absolute_emergence(draws)),
    )


def difference(a, b, level):
    """D = |E_a| - |E_b| of two metrics on the same outputs, by the paired bootstrap about shrunk centres.

    Both |E| are resolution-limited: with plain E a curve whose smaller scales all score 0 has no finite value.

    Parameters
    ----------
    a, b : Sharpness
        Of the two curves, in the same resamples.
    level : float
        Coverage of the interval.

    Returns
    -------
    dict
        `emergence_score_a`, `_b` (plain |E|), `resolved_a`, `_b`, `difference` (of the resolved), `low`, `high`, `bias` (median of
        the draws less the difference of the centres), `share_infinite` (resamples in which either plain |E| is infinite),
        `draws`, the first N_KEPT, or all where there are fewer.
    """
    with np.errstate(invalid="ignore"):
        drawn = a.draws - b.draws
        plug_in = a.resolved - b.resolved
        bias = median(drawn) - (a.centre - b.centre)
    low, high = interval(drawn, level)
    return {
        "emergence_score_a": a.plain,
        "emergence_score_b": b.plain,
        "resolved_a": a.resolved,
        "resolved_b": b.resolved,
        "difference": plug_in,
        "low": low,
        "high": high,
        "bias": bias,
        "share_infinite": float((a.infinite | b.infinite).mean()),
        "draws": drawn[:N_KEPT],
    }


@dataclasses.dataclass
class _Curve:
    """One metric on one series: scores by scale (s,), resamples (b, s), and what follows from them."""

    name: str
    part: object
    scales: np.ndarray
    scores: np.ndarray
    draws: np.ndarray
    resolution: float

    @functools.cached_property
    def status(self):
        if len(self.scales) < MIN_SCALES:
            return TOO_FEW_SCALES
        if len(self.part.units) < 2:
            return ONE_UNIT
        return OK if np.isfinite(self.scores).all() and np.isfinite(self.draws).all() else NOT_FINITE

    @functools.cached_property
    def sharpness(self):
        return resampled_sharpness(self.scores, self.draws, self.scales, self.resolution)

    def at(self, scales):
        """The curve at some of its scales."""
        inside = np.isin(self.scales, scales)
        if inside.all():
            return self
        return dataclasses.replace(self, scales=scales, scores=self.scores[inside], draws=self.draws[:, inside])


def differences(task, catalogue, seed, resamples, level):
    """D of every pair of metrics on the same outputs of a task; metric_a is the one that is expected to look sharper.

    Pairs are on the same outputs, or on the answers that two filters take from them. task: Task. catalogue: frame of
    metric_catalogue.load, for the kinds of metrics. Returns a frame with the columns of the table `same_outputs`.
    """
    draws = resampling.resampled_scores(task, seed, resamples)
    curves = {}
    for (part, metric, sums), by_model in zip(task.measured, draws, strict=True):
        name = metric_name(metric.name, part.filter)
        scales, scores = average_by_scale(part.scales, metric.aggregate(sums.total()))
        smallest = resolution_of(catalogue, name, part, metric, sums)
        curve = _Curve(name, part, scales, scores, average_by_scale(part.scales, by_model)[1], smallest)
        curves.setdefault((part.subtask, part.model_family, part.shots), []).append(curve)
    found = []
    for members in curves.values():
        members.sort(key=lambda curve: (_rank(catalogue, curve.name), curve.name))
        for first, second in itertools.combinations(members, 2):
            shared = np.intersect1d(first.scales, second.scales)
            a, b = first.at(shared), second.at(shared)
            status = next((curve.status for curve in (a, b) if curve.status != OK), OK)
            key = curve_key(task.name, a.part, "")
            del key["metric"]
            key |= {"metric_a": a.name, "metric_b": b.name, "n_scales": len(shared), "n_units": len(a.part.units)}
            values = difference(a.sharpness, b.sharpness, level) if status == OK else {"draws": np.empty(0)}
            found.append(key | values | {"status": status})
    return pd.DataFrame(found)


def resolution_of(catalogue, name, part, metric, sums):
    """The smallest difference that a curve can show: range over units for a share of right answers, else the median stderr.

    The same convention as for curves whose outputs are not known (emergence.curves.frames.resolution), but that outputs show
    when another metric is a share of right answers: token accuracy is where every answer has one token. And they show which
    questions are one unit: the same question twice tells no more than once.
    """
    n_units = len(part.units)
    if name in catalogue.index and catalogue.at[name, "proportion"]:
        return (catalogue.at[name, "high"] - catalogue.at[name, "low"]) / n_units
    if are_grades(metric, sums):
        return 1 / n_units
    variance = np.diag(jackknife_covariance(leave_one_out(metric, sums)[1]))
    return float(np.sqrt(np.median(variance))) if np.isfinite(variance).all() else np.nan


def are_grades(metric, sums):
    """Whether each unit is one answer that is right or wrong. sums: Sums of the metric."""
    if not metric.is_ratio:
        return False
    values, sizes = sums.statistic(0), sums.statistic(1)
    return bool(((sizes == 1) & ((values == 0) | (values == 1))).all())


def _rank(catalogue, name):
    """The place of the kind of a metric in the order of expected sharpness."""
    kind = catalogue["kind"].get(name, "unknown")
    return ("discontinuous", "nonlinear", "unknown", "linear").index(kind)


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
        values, binary = sums.statistic(0), are_grades(metric, sums)
        lines = []
        for lower, upper in itertools.pairwise(range(len(part.models))):
            # of two infinite scores there is no step
            with np.errstate(invalid="ignore"):
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
                p_value = mcnemar_p_value(gained, lost)
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
    return float(2 * special.stdtr(n_units - 1, -abs(line["step"]) / line["stderr"]))
