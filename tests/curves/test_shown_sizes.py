"""Which sizes are shown: against a count of subsets by hand, a plain loop, and what must hold of copies."""

import itertools

import numpy as np
import pandas as pd
import pytest

from emergence.curves import frames, metric_pairs, shown_sizes


def curves_of(rows, catalogue):
    """Curves from (task, metric, scores), one family, sizes 1, 2, 4, ..."""
    scores = [
        {"benchmark": "b", "task": task, "subtask": "", "metric": metric, "model_family": "f", "model": str(place)}
        | {"scale": 2.0**place, "score": score}
        for task, metric, values in rows
        for place, score in enumerate(values)
    ]
    frame = pd.DataFrame(scores)
    frame["shots"] = pd.array([0] * len(frame), dtype="Int64")
    frame[["n_examples", "stderr", "chance"]] = np.nan
    frame["preferred"] = pd.array([True] * len(frame), dtype="boolean")
    return frames.measure(frames.from_scores(frame, catalogue), catalogue)


def by_curve(curves, catalogue, **settings):
    return shown_sizes.by_curve(curves, metric_pairs.swaps(curves, catalogue), catalogue, **settings)


def plain(scores):
    """|E| of one list of scores, by the formula and nothing else."""
    steps = sorted((after - before) ** 2 for before, after in itertools.pairwise(scores))
    middle = (steps[(len(steps) - 1) // 2] + steps[len(steps) // 2]) / 2
    spread = max(scores) - min(scores)
    return 0.0 if spread == 0 else np.inf if middle == 0 else spread / middle**0.5


def test_every_subset_once():
    chosen, is_sampled = shown_sizes.subsets(8, 4, seed=1)
    assert not is_sampled
    # 8 choose 4, as for the convolutional networks
    assert len({tuple(row) for row in chosen}) == len(chosen) == 70
    assert (np.diff(chosen, axis=1) > 0).all()


def test_many_subsets_are_drawn_evenly_and_again_the_same():
    chosen, is_sampled = shown_sizes.subsets(30, 4, seed=1)
    assert is_sampled
    assert chosen.shape == (shown_sizes.MOST_SUBSETS, 4)
    assert (np.diff(chosen, axis=1) > 0).all()
    # each of the 30 sizes is in 4/30 of the subsets; five standard deviations
    share = np.bincount(chosen.ravel(), minlength=30) / len(chosen)
    assert np.abs(share - 4 / 30).max() < 5 * np.sqrt(4 / 30 * 26 / 30 / len(chosen))
    np.testing.assert_array_equal(chosen, shown_sizes.subsets(30, 4, seed=1)[0])
    assert (chosen != shown_sizes.subsets(30, 4, seed=2)[0]).any()


def test_by_hand(catalogue):
    # five sizes, four shown: five subsets, by the size that is left out, 1st to 5th
    #   accuracy 0 0 0 0 8 (tenths)  E: none (0 0 8), none, none, none; constant without the last
    #   token accuracy 0 2 4 6 8     E: 3, 4, 4, 4, 3
    made = curves_of([("t", "exact_match", [0, 0, 0, 0, 0.8]), ("t", "brier_score", [0.8, 0.6, 0.4, 0.2, 0])], catalogue)
    (row,) = by_curve(made, catalogue, seed=1).to_dict("records")
    assert (row["metric_a"], row["n_subsets"], row["is_sampled"]) == ("exact_match", 5, False)
    assert row["share_a_sharper"] == pytest.approx(4 / 5)
    assert row["share_b_sharper"] == pytest.approx(1 / 5)
    assert np.isnan([row["ratio_low"], row["ratio_median"], row["ratio_high"]]).all()


def test_against_a_plain_loop(catalogue):
    generator = np.random.default_rng(3)
    rows = [
        (f"t{number}", metric, np.round(generator.random(7), 1))
        for number in range(20)
        for metric in ("exact_match", "brier_score", "multiple_choice_grade")
    ]
    made = curves_of(rows, catalogue)
    found = by_curve(made, catalogue, seed=1, n_shown=4)
    values = {(task, metric): scores for task, metric, scores in rows}
    assert len(found) == 20 * 3
    for row in found.to_dict("records"):
        pairs = []
        for shown in itertools.combinations(range(7), 4):
            a, b = (plain([values[row["task"], row[side]][place] for place in shown]) for side in ("metric_a", "metric_b"))
            pairs.append((a, b))
        # scores in tenths: no two values of E are nearer than the tolerance unless they are equal
        assert row["share_a_sharper"] == pytest.approx(np.mean([a > b * (1 + 1e-9) for a, b in pairs]))
        assert row["share_b_sharper"] == pytest.approx(np.mean([b > a * (1 + 1e-9) for a, b in pairs]))
        ratios = [a / b for a, b in pairs if np.isfinite([a, b]).all() and a > 0 and b > 0]
        expected = [min(ratios), np.median(ratios), max(ratios)] if ratios else [np.nan] * 3
        np.testing.assert_allclose([row["ratio_low"], row["ratio_median"], row["ratio_high"]], expected, rtol=1e-9)


def test_an_affine_copy_is_never_the_sharper_one(catalogue):
    scores = np.random.default_rng(4).random(9)
    made = curves_of([("t", "exact_match", scores), ("t", "multiple_choice_grade", 0.1 + 0.3 * scores)], catalogue)
    # nothing is learned from such a pair
    assert by_curve(made, catalogue, seed=1).empty
    chosen, _ = shown_sizes.subsets(9, 4, seed=1)
    found = shown_sizes.compare(*(shown_sizes.magnitudes(values[None], chosen) for values in (scores, 0.1 + 0.3 * scores)))
    assert (found["share_a_sharper"][0], found["share_b_sharper"][0]) == (0, 0)
    np.testing.assert_allclose([found["ratio_low"][0], found["ratio_high"][0]], 1, rtol=1e-9)


def test_other_curves_and_their_order_change_nothing(catalogue):
    generator = np.random.default_rng(5)
    rows = [(f"t{n}", metric, generator.random(25)) for n in range(4) for metric in ("exact_match", "brier_score")]
    every = by_curve(curves_of(rows, catalogue), catalogue, seed=1)
    assert every["is_sampled"].all()
    alone = by_curve(curves_of(rows[2:4], catalogue), catalogue, seed=1)
    pd.testing.assert_frame_equal(every[every["task"] == "t1"].reset_index(drop=True), alone)
    backwards = curves_of(rows, catalogue).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(by_curve(backwards, catalogue, seed=1), every)


def test_curves_without_a_choice_are_left_out(catalogue):
    four = curves_of([("t", "exact_match", [0, 0, 0, 1]), ("t", "brier_score", [1, 0.5, 0.2, 0])], catalogue)
    assert by_curve(four, catalogue, seed=1).empty
    assert by_curve(four.iloc[:0], catalogue, seed=1).empty
    assert shown_sizes.by_pair(by_curve(four, catalogue, seed=1)).empty


def test_summed_up_by_pair():
    table = pd.DataFrame(
        {
            "metric_a": ["x", "x", "y"],
            "metric_b": ["z", "z", "z"],
            "share_a_sharper": [0.2, 0.0, 1.0],
            "share_b_sharper": [0.8, 1.0, 0.0],
            "ratio_low": [0.5, 0.1, np.nan],
            "ratio_median": [1.0, 0.3, np.nan],
            "ratio_high": [2.0, 0.9, np.nan],
        }
    )
    first, second = shown_sizes.by_pair(table).to_dict("records")
    assert (first["metric_a"], first["n_curves"], first["n_open"]) == ("x", 2, 1)
    assert first["share_a_sharper"] == pytest.approx(0.1)
    assert [first["ratio_low"], first["ratio_median"], first["ratio_high"]] == pytest.approx([0.1, 0.65, 2.0])
    assert (second["n_open"], second["share_a_sharper"]) == (0, 1.0)


def test_subsets_of_a_pair_are_those_of_the_sizes_both_have(catalogue):
    made = curves_of([("t", "exact_match", [0, 0.1, 0.3, 0.6, 1, 1]), ("t", "brier_score", [1, 0.7, 0.5, 0.4, 0.1])], catalogue)
    assert len(metric_pairs.pairs(made, catalogue)[1]) == 1
    (row,) = by_curve(made, catalogue, seed=1).to_dict("records")
    assert (row["n_scales"], row["n_subsets"]) == (5, 5)
