"""All of K right: against every way to choose K examples, and random groups."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from emergence.outputs import all_of_k


def test_every_way_to_choose():
    answers = [1, 1, 0, 1, 1, 0, 1]
    for group_size in range(1, 8):
        groups = [all(group) for group in itertools.combinations(answers, group_size)]
        assert all_of_k.all_right(5, 7, group_size) == pytest.approx(np.mean(groups))


def test_binomial_coefficients():
    n_right = np.arange(0, 501)
    for group_size in (1, 3, 20, 50):
        expected = [math.comb(int(n), group_size) / math.comb(500, group_size) for n in n_right]
        np.testing.assert_allclose(all_of_k.all_right(n_right, 500, group_size), expected, rtol=1e-12)


def test_random_groups_scatter_around_it():
    generator = np.random.default_rng(1)
    answers = np.arange(500) < 430
    # 500 examples in 50 groups of 10, regrouped 2,000 times
    means = [generator.permutation(answers).reshape(50, 10).all(axis=1).mean() for _ in range(2000)]
    standard_error = np.std(means) / np.sqrt(len(means))
    assert np.mean(means) == pytest.approx(float(all_of_k.all_right(430, 500, 10)), abs=4 * standard_error)


def scores_of(rows):
    """A score table from (metric, family, model, scale, score, n_examples)."""
    frame = pd.DataFrame(rows, columns=["metric", "model_family", "model", "scale", "score", "n_examples"])
    frame = frame.assign(benchmark="b", task="t", subtask="", chance=np.nan, stderr=np.nan)
    frame["shots"] = pd.array([0] * len(frame), dtype="Int64")
    frame["preferred"] = pd.array([pd.NA] * len(frame), dtype="boolean")
    return frame


def test_curves_by_group_size(catalogue):
    right = [10, 40, 70, 90, 100]
    rows = [("acc", "f", f"m{n}", 2.0**n, value / 100, 100) for n, value in enumerate(right)]
    rows += [("brier_score", "f", f"m{n}", 2.0**n, 1 - value / 100, 100) for n, value in enumerate(right)]
    found = all_of_k.by_group_size(scores_of(rows), catalogue, (1, 3, 200))
    # no curve of a metric that counts nothing, none for more examples than there are
    assert found[["metric", "group_size"]].to_numpy().tolist() == [["acc", 1], ["acc", 3]]
    np.testing.assert_allclose(found["scores"][0], [0.1, 0.4, 0.7, 0.9, 1])
    np.testing.assert_allclose(found["scores"][1], [math.comb(n, 3) / math.comb(100, 3) for n in right])
    # steps .3 .3 .2 .1, range .9
    assert found["emergence_score"][0] == pytest.approx(0.9 / np.sqrt((0.09 + 0.04) / 2))


def test_models_of_one_scale_are_averaged_after_grouping(catalogue):
    rows = [("acc", "f", f"m{n}{seed}", 2.0**n, score, 10) for n in range(4) for seed, score in enumerate([0.0, 1.0])]
    (row,) = all_of_k.by_group_size(scores_of(rows), catalogue, (5,)).to_dict("records")
    # one model has all five right and one none; half of the answers right would give far less
    np.testing.assert_allclose(row["scores"], 0.5)


def test_no_scores(catalogue):
    assert all_of_k.by_group_size(scores_of([]), catalogue).empty
    unknown = scores_of([("acc", "f", f"m{n}", 2.0**n, 0.5, None) for n in range(4)])
    unknown["n_examples"] = pd.array([pd.NA] * 4, dtype="Int64")
    assert all_of_k.by_group_size(unknown, catalogue).empty
