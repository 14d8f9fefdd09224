"""The sweep of the threshold: against counts by hand, a known distribution, and the score at every threshold one by one."""

import numpy as np
import pandas as pd
import pytest

from emergence.curves import sharpness
from emergence.outputs import threshold_sweep
from invented_outputs import examples_of


def outputs_of(values, scales, kind="loglikelihood", **columns):
    """Rows of `outputs` with one value per example and scale: values (scales, examples)."""
    n_scales, n = values.shape
    frame = pd.DataFrame(
        {
            "task": "t",
            "subtask": "",
            "model_family": "f",
            "model": np.repeat([f"m{scale:g}" for scale in scales], n),
            "scale": np.repeat(np.asarray(scales, dtype=float), n),
            "filter": "",
            "example": np.tile(np.arange(n).astype(str), n_scales),
            "kind": kind,
            "log_probs": [[-value] for value in values.ravel()],
            "credits": [[] for _ in values.ravel()],
            "stored_metrics": [[] for _ in values.ravel()],
            "stored_values": [[] for _ in values.ravel()],
        }
    )
    frame["shots"] = pd.array([pd.NA] * len(frame), dtype="Int64")
    return frame.assign(**columns)


def sweep(frame, catalogue):
    return threshold_sweep.sweep([examples_of(frame)], catalogue)


def test_thresholds_are_round_and_within_the_values():
    values = np.geomspace(0.004, 0.9, 1000)
    cuts = threshold_sweep.thresholds(values)
    assert {0.01, 0.02, 0.05, 0.1, 0.2, 0.5} <= set(cuts)
    assert cuts[0] >= 0.004 and cuts[-1] <= 0.9
    assert (np.diff(cuts) > 0).all()
    # thirty decades are covered more coarsely
    assert len(threshold_sweep.thresholds(np.geomspace(1e-15, 1e15, 1000))) <= threshold_sweep.MOST_THRESHOLDS
    # values around zero have no logarithm
    around = threshold_sweep.thresholds(np.linspace(-1, 1, 1000))
    assert len(around) == threshold_sweep.MOST_THRESHOLDS and around[0] < 0 < around[-1]
    assert len(threshold_sweep.thresholds(np.full(10, 3.0))) == 0
    assert len(threshold_sweep.thresholds(np.array([]))) == 0
    assert len(threshold_sweep.thresholds(np.array([2.1, 2.2, 2.3]))) == 1


def test_shares_by_hand():
    values, scales = np.array([0.1, 0.3, 0.5, 0.2, 0.2, 0.05]), np.array([2, 2, 2, 1, 1, 1])
    distinct, share = threshold_sweep.shares(values, scales, np.array([0.2, 0.3]), True)
    np.testing.assert_array_equal(distinct, [1, 2])
    # a value at the threshold is not below it
    np.testing.assert_allclose(share, [[1 / 3, 1 / 3], [1, 1 / 3]])
    np.testing.assert_allclose(threshold_sweep.shares(values, scales, np.array([0.2, 0.3]), False)[1], 1 - share)


def test_exponential_values_have_a_known_share(catalogue):
    # with mean m the share below c is 1 - exp(-c / m)
    scales = np.geomspace(1, 100, 8)
    means = 1 / np.sqrt(scales)
    values = np.random.default_rng(1).exponential(means[:, None], (8, 20_000))
    found = sweep(outputs_of(values, scales), catalogue)
    assert set(found["value"]) == {threshold_sweep.SURPRISE}
    assert len(found) > 10
    for row in found.to_dict("records"):
        truth = 1 - np.exp(-row["threshold"] / means)
        np.testing.assert_allclose(row["shares"], truth, atol=5 * 0.5 / np.sqrt(20_000))
        assert row["emergence_score"] == pytest.approx(float(sharpness.emergence_score(row["shares"])))
    assert found["emergence_score_of_mean"].iat[0] == pytest.approx(float(sharpness.emergence_score(-means)), rel=0.1)


def test_stored_values_go_by_the_catalogue(catalogue):
    scales = [1, 2, 4, 8]
    errors = np.array([[0.9, 0.8, 0.7], [0.5, 0.4, 0.3], [0.2, 0.1, 0.1], [0.03, 0.02, 0.01]])
    frame = outputs_of(errors, scales, kind="text", log_probs=[[] for _ in range(12)])
    # one value that the catalogue knows as continuous, one that it does not know
    frame["stored_metrics"] = [["unheard_of", "squared_error"]] * 12
    frame["stored_values"] = [[1.0, value] for value in errors.ravel()]
    found = sweep(frame, catalogue)
    assert set(found["value"]) == {"squared_error"}
    assert found["is_lower_better"].all()
    row = found[found["threshold"] == 0.3].iloc[0]
    np.testing.assert_allclose(row["shares"], [0, 0, 1, 1])
    assert row["n_examples"] == 3


def test_probability_of_the_right_choice(catalogue):
    log_probs = [np.log([0.2, 0.1, 0.1]), np.log([0.02, 0.06, 0.02])] * 3
    frame = outputs_of(np.zeros((3, 2)), [1, 2, 4], kind="choices", log_probs=log_probs)
    frame["credits"] = [[1, 0, 0]] * 6
    (found,) = list(threshold_sweep.continuous_values(examples_of(frame), catalogue))
    name, is_lower_better, _, values = found
    assert (name, is_lower_better) == (threshold_sweep.RIGHT_CHOICE, False)
    # among the choices: .2 of .4, and .02 of .10
    np.testing.assert_allclose(values, [0.5, 0.2] * 3)


def test_nothing_continuous_gives_no_row(catalogue):
    frame = outputs_of(np.zeros((4, 2)), [1, 2, 4, 8], kind="text", log_probs=[[] for _ in range(8)])
    assert sweep(frame, catalogue).empty
    assert sweep(frame.iloc[:0], catalogue).empty


def test_the_order_of_examples_changes_nothing(catalogue):
    values = np.random.default_rng(2).exponential(1, (5, 50)) / np.arange(1, 6)[:, None]
    frame = outputs_of(values, [1, 2, 4, 8, 16])
    shuffled = frame.sample(frac=1, random_state=3).reset_index(drop=True)
    # a mean depends on the order in its last digits
    pd.testing.assert_frame_equal(sweep(shuffled, catalogue), sweep(frame, catalogue))


def test_thresholds_of_log_probabilities_are_round_too():
    cuts = threshold_sweep.thresholds(-np.geomspace(0.004, 9, 1000))
    np.testing.assert_array_equal(cuts, -threshold_sweep.thresholds(np.geomspace(0.004, 9, 1000))[::-1])
    assert (np.diff(cuts) > 0).all() and -1.0 in cuts
