"""Resamples of the test set: one weight matrix per task, shared by all models, shots and metrics.

That is the pairing: in each resample, every model answers the same drawn questions, and every metric sees the same answers.
"""

import numpy as np

from emergence.statistics.random_streams import random_stream

# Weights in memory at once, and those drawn at once, which stay in the processor's own memory. Neither number changes what is
# drawn: the stream is read in the order of the resamples.
_CELLS = 2**22
_DRAWN = 2**17

# Statistics in memory at once; where a task has more, its resamples are drawn again for the rest.
_VALUES = 2**24


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
    found, by_subtask = [None] * len(task.measured), {}
    for number, (part, _, _) in enumerate(task.measured):
        by_subtask.setdefault(part.subtask, []).append(number)
    for subtask, numbers in by_subtask.items():
        units = np.unique(np.concatenate([task.measured[number][0].units for number in numbers]))
        shapes = [task.measured[number][2].shape for number in numbers]
        places = [
            (number, model, statistic)
            for number, (n_models, _, n_statistics) in zip(numbers, shapes, strict=True)
            for model in range(n_models)
            for statistic in range(n_statistics)
        ]
        # what is the same for all units, such as a count of 1, has the same sum in every resample
        sums, varies = np.empty((resamples, len(places))), []
        for column, place in enumerate(places):
            values = _values(task, place, units)
            if (values != values[0]).any():
                varies.append(column)
            else:
                sums[:, column] = values[0] * len(units)
        at_once = max(1, _VALUES // len(units))
        for first in range(0, len(varies), at_once):
            chosen = varies[first : first + at_once]
            matrix = np.empty((len(units), len(chosen)))
            for number, column in enumerate(chosen):
                matrix[:, number] = _values(task, places[column], units)
            start = 0
            # the stream is that of the task and the subtask: the same resamples each time
            for block in weights(seed, task.name, subtask, len(units), resamples):
                sums[start : start + len(block), chosen] = block @ matrix
                start += len(block)
        ends = np.cumsum([n_models * n_statistics for n_models, _, n_statistics in shapes])
        for number, of_curve, (n_models, _, n_statistics) in zip(numbers, np.split(sums, ends[:-1], axis=1), shapes, strict=True):
            found[number] = task.measured[number][1].aggregate(of_curve.reshape(resamples, n_models, n_statistics))
    return found


def _values(task, place, units):
    """One statistic of one model over the units of a subtask: (units,). place: of the curve, the model and the statistic."""
    number, model, statistic = place
    part, _, sums = task.measured[number]
    own = sums.column(model, statistic)
    if len(part.units) == len(units):
        return own
    spread = np.zeros(len(units))
    spread[np.searchsorted(units, part.units)] = own
    return spread
