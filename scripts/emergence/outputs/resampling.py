"""Resamples of the test set: one weight matrix per task, shared by all models, shots and metrics.

That is the pairing: in each resample, every model answers the same drawn questions, and every metric sees the same answers.
"""

import numpy as np

from emergence.statistics.random_streams import random_stream

# Weights in memory at once, and those drawn at once, which stay in the processor's own memory. Neither number changes what is
# drawn: the stream is read in the order of the resamples.
_CELLS = 2**22
_DRAWN = 2**17


def weights(seed, task, subtask, n_units, resamples):
    """How often each unit is drawn in each resample, in blocks: yields (b, n_units) float64, `resamples` rows in all.

    A block is valid until the next one is asked for.

    A subtask is a stratum: as many of its units are drawn as it has. The stream belongs to the task and the subtask, so it depends
    on no other task, on no model and on no metric.

    seed: int. task, subtask: str. n_units: int, the units of the subtask. resamples: int.
    """
    if not n_units:
        return
    generator = random_stream(seed, "outputs", f"{task}\x1f{subtask}")
    size, at_once = min(resamples, max(1, _CELLS // n_units)), max(1, _DRAWN // n_units)
    block = np.empty((size, n_units))
    for start in range(0, resamples, size):
        filled = block[: min(size, resamples - start)]
        for first in range(0, len(filled), at_once):
            part = filled[first : first + at_once]
            drawn = generator.integers(n_units, size=part.shape)
            drawn += np.arange(len(part))[:, None] * n_units
            part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
        yield filled


def resampled_scores(task, seed, resamples):
    """Scores of every curve of a task in every resample.

    task: emergence.outputs.rescoring.Task. Returns a list of (resamples, m), one for each of task.measured, in that order.
    """
    found = [None] * len(task.measured)
    by_subtask = {}
    for number, (part, _, _) in enumerate(task.measured):
        by_subtask.setdefault(part.subtask, []).append(number)
    for subtask, numbers in by_subtask.items():
        units = np.unique(np.concatenate([task.measured[number][0].units for number in numbers]))
        # what is the same for all units, such as a count of 1, has the same sum in every resample
        first, varies = [], []
        for number in numbers:
            columns = _columns(task.measured[number], units)
            first.append(columns[0])
            varies.append((columns != columns[0]).any(axis=0))
        ends = np.cumsum(list(map(len, first)))
        varying, filled = np.empty((len(units), int(sum(map(np.sum, varies))))), 0
        for number, chosen in zip(numbers, varies, strict=True):
            columns = _columns(task.measured[number], units)[:, chosen]
            varying[:, filled : filled + columns.shape[1]] = columns
            filled += columns.shape[1]
        first, varies = np.concatenate(first), np.concatenate(varies)
        sums = np.tile(first * len(units), (resamples, 1))
        start = 0
        for block in weights(seed, task.name, subtask, len(units), resamples):
            sums[start : start + len(block), varies] = block @ varying
            start += len(block)
        for number, part_sums in zip(numbers, np.split(sums, ends[:-1], axis=1), strict=True):
            _, metric, own = task.measured[number]
            found[number] = metric.aggregate(part_sums.reshape(len(part_sums), own.shape[0], own.shape[2]))
    return found


def _columns(measured, units):
    """Statistics of one series and metric over the units of its subtask: (units, m * k)."""
    part, _, sums = measured
    by_unit = sums.transpose(1, 0, 2)
    if len(part.units) == len(units):
        return by_unit.reshape(len(units), -1)
    spread = np.zeros((len(units), *by_unit.shape[1:]))
    spread[np.searchsorted(units, part.units)] = by_unit
    return spread.reshape(len(units), -1)
