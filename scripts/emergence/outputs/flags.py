"""What makes a curve of outputs sharp other than ability: the length of outputs, or a handful of examples."""

import numpy as np
import pandas as pd
from rapidfuzz.distance import Levenshtein

from emergence.curves import sharpness
from emergence.outputs import answers, metrics
from emergence.outputs.examples import TEXT, curve_key, metric_name
from emergence.outputs.paired_answers import absolute_emergence
from emergence.outputs.rescoring import average_by_scale

# |E| over that of a straight line, at or above which a curve is called sharp.
SHARP = 2.0

# Below this many effective examples, a curve is the curve of those examples.
FEWEST_EFFECTIVE = 10.0

# Cut to the target's length, a curve made by length keeps less than this share of its range.
KEPT_RANGE = 0.25


def output_lengths(task):
    """Mean length of answers and targets, and mean edit operations from target to answer, for every model of a task.

    Operations are those of one shortest edit path to the nearest target: a token of the answer that the target does not have is an
    insertion. task: Task. Returns a frame with the columns of the table `output_length` but for the benchmark.
    """
    if TEXT not in task.views:
        return pd.DataFrame()
    seen = task.views[TEXT]
    pair = seen.nearest
    said, wanted = seen.pairs
    operations = np.array([_operations(wanted[i], said[i]) for i in pair.tolist()], dtype=float).reshape(-1, 3)
    columns = {
        "n_answers": np.ones(len(pair)),
        "answer_length": seen.lengths[0][pair],
        "target_length": seen.lengths[1][pair],
        "substitutions": operations[:, 0],
        "insertions": operations[:, 1],
        "deletions": operations[:, 2],
        "empty_answers": (seen.lengths[0][pair] == 0).astype(float),
    }
    statistics = np.zeros((len(task.examples), len(columns)))
    statistics[seen.rows] = np.stack(list(columns.values()), axis=-1)
    found = []
    for part in task.series:
        if part.kind != TEXT:
            continue
        sums = part.sums(statistics).sum(axis=1)
        for model, label in enumerate(part.models):
            n = sums[model, 0]
            if not n:
                continue
            key = curve_key(task.name, part, "")
            del key["metric"]
            line = key | {"filter": part.filter, "model": label, "scale": part.scales[model], "n_answers": int(n)}
            means = dict(zip(list(columns)[1:], (sums[model, 1:] / n).tolist(), strict=True))
            found.append(line | means)
    return pd.DataFrame(found)


def _operations(target, answer):
    """Substitutions, insertions and deletions of one shortest path from target to answer."""
    tags = [operation.tag for operation in Levenshtein.editops(target, answer)]
    return tags.count("replace"), tags.count("insert"), tags.count("delete")


def effective_examples(contributions):
    """How many examples a difference between two scores hangs on: (sum of |d|)^2 / sum of d^2 over the examples' differences d.

    n examples that change alike give n; one that changes alone gives 1. contributions: (u,) differences, one per unit. Returns a
    float, NaN where nothing changes.
    """
    size = np.abs(contributions)
    squares = np.square(size).sum()
    return float(np.square(size.sum()) / squares) if squares > 0 else np.nan


def curve_flags(task):
    """Flags of every curve of a task: made by the length of outputs, or by a few examples.

    `few_examples` where the curve is sharp (relative |E| of at least SHARP, or none that is finite) and its range, between the
    scales of its lowest and highest score, hangs on fewer than FEWEST_EFFECTIVE effective examples. `length_made` where a sharp
    curve of texts, with every answer cut to the length of its longest target, is no longer sharp or keeps less than KEPT_RANGE of
    its range. Returns a frame with the columns of the table `output_flags` but for the benchmark.
    """
    cut = _cut_views(task)
    found = []
    for part, metric, sums in task.measured:
        scales, score = average_by_scale(part.scales, metric.aggregate(sums.total()))
        if len(scales) < sharpness.MIN_SCALES or not np.isfinite(score).all():
            continue
        relative = _relative(score)
        line = curve_key(task.name, part, metric_name(metric.name, part.filter)) | {
            "n_scales": len(scales),
            "n_units": len(part.units),
            "relative_emergence": relative,
            "effective_examples": _effective(metric, sums, score, part.scales),
            "relative_emergence_cut": np.nan,
            "range": float(np.ptp(score)),
            "range_cut": np.nan,
        }
        if cut is not None and part.kind == TEXT:
            statistics = np.zeros((len(task.examples), sums.shape[2]))
            statistics[cut.rows] = metric.statistics(cut)
            _, score_cut = average_by_scale(part.scales, metric.aggregate(part.sums(statistics).sum(axis=1)))
            if np.isfinite(score_cut).all():
                line |= {"relative_emergence_cut": _relative(score_cut), "range_cut": float(np.ptp(score_cut))}
        sharp = relative >= SHARP
        lost = line["relative_emergence_cut"] < SHARP or line["range_cut"] < KEPT_RANGE * line["range"]
        line["few_examples"] = bool(sharp and line["effective_examples"] < FEWEST_EFFECTIVE)
        line["length_made"] = bool(sharp and lost)
        found.append(line)
    return pd.DataFrame(found)


def _cut_views(task):
    """The texts with every answer cut to the length of its longest target; None where there are none, or they are cut already."""
    if TEXT not in task.views or task.settings.answer.get("cut") == answers.TARGET:
        return None
    specification = task.settings.answer | {"cut": answers.TARGET}
    return metrics.view(TEXT, task.examples, task.settings.dialect, specification, task.settings.tokens)


def _relative(score):
    """|E| over that of a straight line with as many scales; infinite where the median step is zero under a range that is not."""
    return float(absolute_emergence(score) / (len(score) - 1))


def _effective(metric, sums, score, scales):
    """Effective examples behind the range of a curve; NaN for a metric that is not a ratio of sums."""
    if not metric.is_ratio or sums.statistic(2).any():
        return np.nan
    weight = sums.statistic(1).mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        contribution = average_by_scale(scales, (sums.statistic(0) / weight).T)[1].T
    return effective_examples(contribution[score.argmax()] - contribution[score.argmin()])
