"""Curves: the scores of one task, subtask, metric, model family and number of shots, sorted by scale.

A frame of curves has one row per curve, with lists for what differs along it; a batch holds all curves of equal length as
arrays of shape (curves, scales), which is what the statistics take. Nothing here loops over curves.
"""

import dataclasses
import itertools

import numpy as np
import pandas as pd

from emergence.curves import sharpness
from emergence.ingest.groups import members_digest
from emergence.ingest.input_checks import is_same_count, smallest_size
from emergence.ingest.published_digits import score_rounding
from emergence.io import tables
from emergence.statuses import CONSTANT, COPY, NO_FINITE_SCORE, OK, TOO_FEW_SCALES

KEY = tuple(tables.description("curves")["key"])
ALONG = ("scales", "scores", "n_models", "n_examples", "stderr")
MEASURES = (
    "emergence_score",
    "emergence_score_resolved",
    "relative_emergence_score",
    "relative_emergence_score_resolved",
    "score_range",
    "kendall_tau",
)

# Two families whose models agree this well at every scale, as a share of the metric's range, are one family evaluated twice: models
# trained apart differ by more. The curves must move by more than a few times that, or it would say nothing.
_COPY_SHARE = 0.005
_COPY_MOVES = 4
# A model that gives one answer nearly always is this near to the score of giving it always.
_NEARLY_CONSTANT = 0.01
# How likely an accident may be where the size of a test set is looked for in scores that do not come with it, and up to which size.
_IMPLIED_SIZE = (1e-3, 1000)


@dataclasses.dataclass(frozen=True)
class Batch:
    """Curves with the same number of scales.

    positions: (curves,) rows of the frame that they come from.
    scales, n_models, n_examples, stderr: (curves, scales); NaN where unknown.
    oriented: (curves, scales), scores with higher as better, in the metric's own units.
    """

    positions: np.ndarray
    scales: np.ndarray
    oriented: np.ndarray
    n_models: np.ndarray
    n_examples: np.ndarray
    stderr: np.ndarray


def from_scores(scores, catalogue):
    """The curves of a score table, without any statistic yet.

    Models of one curve at the same scale are averaged: the mean score, the standard error of that mean where all of them are
    known, the smallest number of test examples.

    scores: frame of the score table. catalogue: frame of metric_catalogue.load. Returns a frame with the key, the columns
    of ALONG (lists), n_scales, n_scores, chance, constant_answers, rounding, resolution, aggregate, members, preferred and
    higher_is_better, sorted by key.
    """
    key = list(KEY)
    if scores.empty:
        columns = [
            "preferred",
            "higher_is_better",
            "n_scales",
            "n_scores",
            *ALONG,
            "chance",
            "constant_answers",
            "rounding",
            "resolution",
            "aggregate",
            "members",
        ]
        return pd.DataFrame(columns=[*key, *columns])
    curve, scale = tables.key_positions(scores, key), scores["scale"].to_numpy(dtype=float)
    order = np.lexsort((scale, curve))
    curve, scale = curve[order], scale[order]
    # a point is a scale of a curve; both starts mark the first row of each in the sorted table
    new_curve = np.diff(curve, prepend=-1) != 0
    point_start = np.flatnonzero(new_curve | (np.diff(scale, prepend=np.nan) != 0))
    n_models = np.diff(point_start, append=len(scores)).astype(float)

    def mean(values):
        return np.add.reduceat(values, point_start) / n_models

    numbers = {
        column: scores[column].to_numpy(dtype=float, na_value=np.nan)[order]
        for column in ("score", "n_examples", "stderr", "chance")
    }
    stderr = numbers["stderr"]
    along = {
        "scales": scale[point_start],
        "scores": mean(numbers["score"]),
        "n_models": n_models,
        "n_examples": np.minimum.reduceat(numbers["n_examples"], point_start),
        # that of a single model is left as it is, to the last digit
        "stderr": np.where(n_models == 1, stderr[point_start], np.sqrt(mean(np.square(stderr)) / n_models)),
    }
    curve_start = np.flatnonzero(new_curve)
    cuts = np.searchsorted(point_start, curve_start)
    frame = scores[[*key, "preferred"]].iloc[order[curve_start]].reset_index(drop=True)
    of_metric = frame["metric"].map(catalogue["higher_is_better"]).to_numpy(dtype=bool)
    # a task may turn a metric round: its answers without the context are better wrong than right
    said = scores["higher_is_better"].iloc[order[curve_start]] if "higher_is_better" in scores else pd.Series(dtype="boolean")
    frame["higher_is_better"] = said.fillna(pd.Series(of_metric, said.index)).to_numpy(dtype=bool) if len(said) else of_metric
    frame["n_scales"] = np.diff(cuts, append=len(point_start))
    frame["n_scores"] = np.diff(curve_start, append=len(scores))
    bounds = list(itertools.pairwise([*cuts.tolist(), len(point_start)]))
    for column, values in along.items():
        frame[column] = [values[start:end] for start, end in bounds]
    # the chance-level score belongs to the task; where models of one curve disagree about it, it is not known
    lowest, highest = (extreme.reduceat(numbers["chance"], curve_start) for extreme in (np.minimum, np.maximum))
    frame["chance"] = np.where(lowest == highest, lowest, np.nan)
    frame["constant_answers"] = _between_constant_answers(scores, order, point_start, along, new_curve)
    frame["rounding"] = np.fmin.reduceat(score_rounding(scores, catalogue)[order], curve_start)
    frame["resolution"] = resolution(frame, catalogue)
    frame["aggregate"], frame["members"] = _of_groups(scores, order, curve_start)
    return frame


def _of_groups(scores, order, curve_start):
    """Whether each curve is of averages over other scores of the table, and over which: two columns, empty where it is not known.

    A curve whose scores average different members has the digest of all their digests: it is like no other.
    """
    n_curves = len(curve_start)
    is_one = np.full(n_curves, pd.NA, dtype=object)
    members = np.full(n_curves, None, dtype=object)
    if "aggregate" in scores and scores["aggregate"].notna().any():
        said = scores["aggregate"].astype("Int8").fillna(-1).to_numpy(dtype=int)[order]
        highest = np.maximum.reduceat(said, curve_start)
        is_one[highest >= 0] = highest[highest >= 0] > 0
    if "members" in scores and scores["members"].notna().any():
        codes, digests = pd.factorize(scores["members"].to_numpy(dtype=object)[order])
        lowest, highest = (extreme.reduceat(codes, curve_start) for extreme in (np.minimum, np.maximum))
        same = (lowest == highest) & (highest >= 0)
        members[same] = digests[highest[same]]
        ends = np.append(curve_start[1:], len(codes))
        for curve in np.flatnonzero(lowest != highest):
            met = np.unique(codes[curve_start[curve] : ends[curve]])
            members[curve] = members_digest([digests[code] if code >= 0 else "" for code in met])
    return pd.array(is_one, dtype="boolean"), members


def _between_constant_answers(scores, order, point_start, along, new_curve):
    """Whether the largest step of each curve leads from the score of one constant answer to that of another.

    One end of the step is such a score to the example, and the other within a point of the range 0 to 1: a model that gives one
    answer nearly always has nearly its score. Models averaged at one scale must all be nearest to the same.

    order: (scores,) that sorts the score table by curve and scale. point_start: (points,) first sorted row of each scale of a
    curve. along: {column: (points,)}. new_curve: (scores,) bool, a sorted row begins a curve. Returns (curves,) nullable boolean,
    empty for curves with a score of which no constant answer is known.
    """
    if "constant_answer" not in scores:
        return pd.array([pd.NA] * int(new_curve.sum()), dtype="boolean")
    nearest = scores["constant_answer"].to_numpy(dtype=float)[order]
    lowest, highest = (extreme.reduceat(nearest, point_start) for extreme in (np.minimum, np.maximum))
    means = along["scores"]
    near = (lowest == highest) & (np.abs(means - lowest) <= _NEARLY_CONSTANT)
    exact = near & is_same_count(means, lowest, along["n_examples"])
    starts = np.flatnonzero(new_curve[point_start])
    lengths = np.diff(starts, append=len(point_start))
    step = np.abs(np.diff(means, prepend=np.nan))
    # a curve's first point has no step before it
    step[starts] = -1.0
    largest = np.maximum.reduceat(step, starts)
    is_largest = (step == np.repeat(largest, lengths)) & (step > 0)
    before = np.arange(len(means)) - 1
    both = is_largest & near & near[before] & (exact | exact[before]) & (lowest != lowest[before])
    found = pd.array(np.logical_or.reduceat(both, starts), dtype="boolean")
    found[~np.logical_and.reduceat(np.isfinite(lowest), starts)] = pd.NA
    return found


def batches(curves):
    """The curves of a frame in batches of equal length, shortest first."""
    if curves.empty:
        return
    lengths = curves["n_scales"].to_numpy(dtype=int)
    start = np.cumsum(lengths) - lengths
    flat = {column: np.concatenate(curves[column].to_numpy()) for column in ALONG}
    signs = np.where(curves["higher_is_better"].to_numpy(dtype=bool), 1.0, -1.0)
    for n_scales in np.unique(lengths):
        rows = np.flatnonzero(lengths == n_scales)
        points = start[rows][:, None] + np.arange(n_scales)
        along = {column: values[points] for column, values in flat.items()}
        sign = signs[rows][:, None]
        yield Batch(rows, along["scales"], sign * along["scores"], along["n_models"], along["n_examples"], along["stderr"])


def resolution(curves, catalogue):
    """The smallest difference that the scores of each curve can show.

    - A metric that grades each example right or wrong: the range of the metric over the number of examples. Where that number is
      not known but the standard error is, it follows from s^2 = p (1 - p) / n. The coarsest score of the curve counts. Where neither
      is known and half of the steps are zero, the smallest number of examples that fits all its scores, if there is one: without
      it, one right answer after many zeros would be as sharp as digits are many.
    - Any other metric: the standard error, the median along the curve.
    - Never less than the rounding of the published digits (score_rounding).

    Where several models were averaged at a scale, their mean moves in smaller steps.

    curves: frame with the columns of ALONG and `rounding`. Returns (curves,), in units of the metric; NaN where nothing is known.
    """
    if curves.empty:
        return np.empty(0)
    metric = curves["metric"].astype("category")
    low, high = (metric.map(catalogue[bound]).to_numpy(dtype=float) for bound in ("low", "high"))
    proportion = metric.map(catalogue["proportion"]).to_numpy(dtype=bool)
    span = np.where(proportion, high - low, np.nan)
    lengths = curves["n_scales"].to_numpy(dtype=int)
    start = np.cumsum(lengths) - lengths
    scores, n_models, n_examples, stderr = (
        np.concatenate(curves[column].to_numpy()) for column in ("scores", "n_models", "n_examples", "stderr")
    )
    grain = span * np.maximum.reduceat(1 / (n_examples * n_models), start)
    rounding = curves["rounding"].to_numpy(dtype=float) / np.fmin.reduceat(n_models, start)
    is_share = np.repeat(proportion, lengths)
    share = (scores - np.repeat(np.where(proportion, low, 0.0), lengths)) / np.repeat(span, lengths)
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.square(stderr) / (share * (1 - share)) / np.repeat(span, lengths)
    from_stderr = np.where(is_share, np.where((share > 0) & (share < 1) & (stderr > 0), implied, np.nan), stderr)
    typical = _median_along(from_stderr, lengths)
    known = np.where(proportion & np.isfinite(grain), grain, typical)
    for row in _tied(scores, start, lengths, np.flatnonzero(proportion & np.isnan(known))):
        own = slice(start[row], start[row] + lengths[row])
        size = smallest_size(share[own], np.full(lengths[row], rounding[row]), *_IMPLIED_SIZE)
        known[row] = span[row] / size if size and n_models[own].max() == 1 else np.nan
    least = np.fmax(known, rounding)
    # full precision is not a resolution: nothing is known then
    return np.where(least > 0, least, np.nan)


def _tied(scores, start, lengths, rows):
    """Those of the rows whose curves move, but not in half of their steps or more. scores: all curves one after the other."""
    still = np.append(np.diff(scores) == 0, False)
    # the step from the last score of a curve leads to another curve
    still[start + lengths - 1] = False
    n_still = np.add.reduceat(still, start)
    return rows[(2 * n_still >= lengths - 1)[rows] & (n_still < lengths - 1)[rows]]


def _median_along(values, lengths):
    """Median of the known values of each curve. values: all curves one after the other. Returns (curves,), NaN where none is."""
    curve = np.repeat(np.arange(len(lengths)), lengths)
    known = np.isfinite(values)
    values, curve = values[known], curve[known]
    values = values[np.lexsort((values, curve))]
    count = np.bincount(curve, minlength=len(lengths))
    start = np.cumsum(count) - count
    median = np.full(len(lengths), np.nan)
    some = count > 0
    median[some] = (values[start[some] + (count[some] - 1) // 2] + values[start[some] + count[some] // 2]) / 2
    return median


def measure(curves, catalogue):
    """The frame with `status` and the columns of MEASURES, for all curves at once; see emergence.curves.sharpness for each."""
    measured = {column: np.full(len(curves), np.nan) for column in MEASURES}
    status = np.full(len(curves), TOO_FEW_SCALES, dtype=object)
    finest, rounding = (curves[column].to_numpy(dtype=float) for column in ("resolution", "rounding"))
    for batch in batches(curves):
        rows, y = batch.positions, batch.oriented
        found = sharpness.measure(y, finest[rows], rounding[rows])
        status[rows] = found.pop("status")
        for column, values in found.items():
            measured[column][rows] = values
        if y.shape[1] >= sharpness.MIN_SCALES:
            measured["kendall_tau"][rows] = sharpness.kendall_tau(y)
    for column in ("emergence_score", "emergence_score_resolved"):
        measured[f"relative_{column}"] = sharpness.relative(measured[column], np.maximum(curves["n_scales"].to_numpy(float), 2))
    return curves.assign(status=status, **measured, repeats_family=_repeated_families(curves, status, catalogue))


def _repeated_families(curves, status, catalogue):
    """For each curve the first model family, if any, of which it is a copy on the same task, metric and shots.

    Families can be one set of models under two settings that a metric does not see, such as the sampling temperature for multiple
    choice: their curves are copies, not evidence twice. A copy has the very same scores; or the same scales, and scores that all
    agree within half a percent of the metric's range, on a curve that moves by more than 2 %.
    Constant curves agree without being copies and are left out.
    """
    family = curves["model_family"].to_numpy(dtype=object)
    repeated = np.full(len(curves), None, dtype=object)
    varying = np.flatnonzero((status != CONSTANT) & (curves["n_scales"].to_numpy(dtype=int) >= sharpness.MIN_SCALES))
    if len(varying) == 0:
        return pd.Series(repeated, index=curves.index, dtype="str")
    outputs = tables.key_positions(curves.iloc[varying], ["task", "subtask", "metric", "shots"])
    span = catalogue["high"].astype(float) - catalogue["low"].astype(float)
    near = _COPY_SHARE * curves["metric"].astype("category").map(span).to_numpy(dtype=float)
    group = pd.Series(outputs, index=varying)
    for batch in batches(curves.iloc[varying]):
        rows, scores, scales = varying[batch.positions], batch.oriented, batch.scales
        size = np.abs(scores).max(axis=1)
        moves = np.ptp(scores, axis=1) > _COPY_MOVES * near[rows]
        own = group.loc[rows].to_numpy()
        by_group = own.argsort(kind="stable")
        # each curve beside the one that is so many places before it in its group; the first family of all is met, and named, last
        most = np.bincount(np.unique(own, return_inverse=True)[1]).max()
        for lag in range(1, most):
            later, earlier = by_group[lag:], by_group[:-lag]
            same = own[later] == own[earlier]
            later, earlier = later[same], earlier[same]
            apart = np.abs(scores[later] - scores[earlier]).max(axis=1)
            equal = apart <= 1e-12 * size[later]
            scale_apart = np.abs(scales[later] / scales[earlier] - 1).max(axis=1)
            close = (scale_apart <= 1e-6) & moves[later] & moves[earlier] & (apart <= near[rows[later]])
            copies = (equal | close) & (family[rows[later]] != family[rows[earlier]])
            repeated[rows[later[copies]]] = family[rows[earlier[copies]]]
    return pd.Series(repeated, index=curves.index, dtype="str")


def counted(curves):
    """Which curves are in counts, thresholds and families of tests, and why the others are not.

    Counts are over curves with four scales or more whose sharpness is a finite number, plain or limited by resolution. Constant
    curves are in counts, with E = 0. A family of tests also leaves out constant curves, in which there is nothing to find, and
    copies of another family's curve, which are not evidence twice.

    Returns a frame, one row per curve: in_counts, in_family (bool), reason (`ok`, `too_few_scales`, `no_finite_score`,
    `constant` or `copy`).
    """
    finite = np.isfinite(curves[["emergence_score", "emergence_score_resolved"]].to_numpy(dtype=float)).any(axis=1)
    reason = np.select(
        [
            curves["n_scales"].to_numpy(dtype=int) < sharpness.MIN_SCALES_COUNTED,
            ~finite,
            (curves["status"] == CONSTANT).to_numpy(dtype=bool),
            curves["repeats_family"].notna().to_numpy(dtype=bool),
        ],
        [TOO_FEW_SCALES, NO_FINITE_SCORE, CONSTANT, COPY],
        default=OK,
    ).astype(object)
    return pd.DataFrame(
        {"in_counts": np.isin(reason, (OK, CONSTANT, COPY)), "in_family": reason == OK, "reason": reason}, index=curves.index
    )


def chosen(curves, entries, metrics="all"):
    """Return the curves that answers are taken over.

    Parameters
    ----------
    curves : DataFrame
        With columns subtask and preferred.
    entries : {"all", "tasks", "subtasks"}
        Both, whole tasks only, or subtasks only.
    metrics : {"all", "preferred"}
        Every metric, or those that the benchmark prefers for the entry; a curve of which it does not say stays.
    """
    whole = curves["subtask"] == ""
    kept = {"all": whole | True, "tasks": whole, "subtasks": ~whole}[entries]
    if metrics == "preferred":
        kept &= curves["preferred"].fillna(True).astype(bool)
    return curves[kept].reset_index(drop=True)


def rows_of(table, curves):
    """Return the rows of a table, such as one of tests or of scores, that belong to some curves, in the table's order."""
    key = list(KEY)
    # a merge takes unknown numbers of shots as equal
    wanted = table[key].merge(curves[key].drop_duplicates().assign(wanted=True), on=key, how="left")["wanted"]
    return table[wanted.notna().to_numpy()].reset_index(drop=True)


def names(curves):
    """A name a person can read for each curve: task, subtask, metric, model family, shots. Returns a Series of str."""
    shots = ["" if pd.isna(shots) else f", {int(shots)}-shot" for shots in curves["shots"]]
    subtasks = [f": {subtask}" if subtask else "" for subtask in curves["subtask"]]
    parts = zip(curves["task"], subtasks, curves["model_family"], shots, strict=True)
    return pd.Series(
        [f"{task}{subtask} · {family}{shot}" for task, subtask, family, shot in parts], index=curves.index, dtype=object
    )


def attach_covariance(curves, covariances):
    """The frame with the covariance of the noise of each curve over its scales, row by row, and the units it is estimated from.

    Parameters
    ----------
    curves : DataFrame
        Of from_scores.
    covariances : DataFrame
        Of the table score_covariance, with both orders of a pair of scales of one metric or one.

    Returns
    -------
    DataFrame
        With four more columns. `covariance`: lists of n * n numbers for n scales, empty for a curve whose covariance is not known
        for every pair. `n_units`: NaN there. `continuous_metric` and `continuous_covariance`: the metric, and the covariance of this
        curve's noise with that metric's at the same scales; None and empty where it is not known for every pair.
    """
    lengths = curves["n_scales"].to_numpy(dtype=int)
    squares = lengths * lengths
    start = np.cumsum(squares) - squares
    own, cross = (np.full(int(squares.sum()), np.nan) for _ in range(2))
    n_units, beside = np.full(len(curves), np.nan), np.full(len(curves), None, dtype=object)
    if len(curves) and len(covariances):
        key = list(KEY)
        place = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        owner = np.repeat(np.arange(len(curves)), lengths)
        scales = curves[key].iloc[owner].assign(owner=owner, place=place, scale=np.concatenate(curves["scales"].to_numpy()))
        # a merge takes unknown numbers of shots as equal
        pairs = covariances.merge(scales.rename(columns={"scale": "scale_a", "place": "place_a"}), on=[*key, "scale_a"])
        pairs = pairs.merge(scales.rename(columns={"scale": "scale_b", "place": "place_b"}), on=[*key, "scale_b", "owner"])
        is_own = (pairs["metric_b"].astype(str) == pairs["metric"].astype(str)).to_numpy()
        owner, a, b = (pairs[column].to_numpy(dtype=int) for column in ("owner", "place_a", "place_b"))
        values = pairs["covariance"].to_numpy(dtype=float)
        at, turned = start[owner] + a * lengths[owner] + b, start[owner] + b * lengths[owner] + a
        own[at[is_own]] = own[turned[is_own]] = values[is_own]
        cross[at[~is_own]] = values[~is_own]
        n_units[owner] = pairs["n_units"].to_numpy(dtype=float)
        beside[owner[~is_own]] = pairs["metric_b"].astype(object).to_numpy()[~is_own]
    lists = {}
    for name, flat in (("covariance", own), ("continuous_covariance", cross)):
        parts = (flat[first : first + size] for first, size in zip(start, squares, strict=True))
        known = [part if np.isfinite(part).all() else part[:0] for part in parts]
        lists[name] = pd.Series(known, index=curves.index, dtype=object)
    given = {name: np.array([len(part) > 0 for part in parts], dtype=bool) for name, parts in lists.items()}
    n_units = np.where(given["covariance"], n_units, np.nan)
    return curves.assign(**lists, n_units=n_units, continuous_metric=np.where(given["continuous_covariance"], beside, None))


def attach_scatter(curves, scores):
    """The frame with a column `scatter`: the variance (divisor m - 1) of the scores of the m models at each scale of a curve.

    curves: frame of from_scores of these scores. NaN at scales with one model; an empty list for curves without several anywhere.
    """
    key = list(KEY)
    lists = [np.empty(0)] * len(curves)
    several = np.flatnonzero((curves["n_scores"] > curves["n_scales"]).to_numpy())
    if len(several):
        averaged = curves[key].iloc[several].assign(position=several)
        spread = scores.merge(averaged, on=key).groupby(["position", "scale"])["score"].var(ddof=1)
        for position, values in spread.groupby(level="position", sort=True):
            lists[position] = values.to_numpy(dtype=float)
    return curves.assign(scatter=pd.Series(lists, index=curves.index, dtype=object))
