"""Sums of statistics in little memory, against the arrays that they stand for, summed by NumPy in one go."""

import numpy as np
import pytest

from emergence.outputs import resampling
from emergence.outputs.rescoring import Settings, Task
from emergence.outputs.sums import Collected
from invented_outputs import copied_digits, examples

MODELS, UNITS = [2, 3], [40, 7]


def statistics(rng, n):
    """Every kind of column: a count, a mostly empty one, an empty one, minus zero beside zero, numbers, and infinity."""
    rare = np.where(rng.random(n) < 0.1, rng.normal(size=n), 0.0)
    signed = np.where(rng.random(n) < 0.5, 0.0, -0.0)
    infinite = np.where(rng.random(n) < 0.05, -np.inf, rng.normal(size=n))
    return np.stack([np.ones(n), rare, np.zeros(n), signed, rng.normal(size=n), infinite], axis=-1)


@pytest.mark.parametrize("n_each", [1, 3])
def test_sums_are_those_of_the_whole_array(n_each):
    rng = np.random.default_rng(3)
    bounds = np.cumsum([0, *(m * u for m, u in zip(MODELS, UNITS, strict=True))])
    cells = rng.permutation(np.repeat(np.arange(bounds[-1]), n_each))
    values = statistics(rng, len(cells))
    expected = np.zeros((bounds[-1], values.shape[1]))
    np.add.at(expected, cells, values)
    collected = Collected()
    for start in range(0, len(cells), 25):
        collected.add(cells[start : start + 25], values[start : start + 25])
    made = collected.summed(bounds, MODELS, n_each == 1)
    for found, start, n_models, n_units in zip(made, bounds, MODELS, UNITS, strict=False):
        array = expected[start : start + n_models * n_units].reshape(n_models, n_units, -1)
        assert found.shape == array.shape
        assert np.asarray(found).tobytes() == array.tobytes()
        assert found.total().tobytes() == array.sum(axis=1).tobytes()
        assert found.statistic(4).tolist() == array[..., 4].tolist()
        assert found.column(1, 5).tolist() == array[1, :, 5].tolist()
        assert found.of_model(1).tolist() == array[1].tolist()


def test_no_examples_have_no_sums():
    collected = Collected()
    collected.add(np.empty(0, dtype=int), np.empty((0, 3)))
    (found,) = collected.summed([0, 0], [2], True)
    assert found.shape == (2, 0, 3)
    assert found.total().tolist() == [[0.0] * 3] * 2


def test_resamples_are_the_same_when_few_statistics_are_held_at_once(monkeypatch):
    task = Task(examples(copied_digits(50, [3], scales=[1e6, 1e7, 1e8, 1e9])), Settings(("token_accuracy", "edit_distance")))
    whole = resampling.resampled_scores(task, 1, 300)
    monkeypatch.setattr(resampling, "_VALUES", 150)
    few = resampling.resampled_scores(task, 1, 300)
    assert len(whole) == len(few) == 2
    for a, b in zip(whole, few, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
        assert a.std(axis=0).max() > 0
