"""Curves from scores: averaging, orientation, copies; against hand-worked cases and a plain groupby."""

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from emergence.curves import frames, metric_pairs, sharpness
from emergence.ingest import pipeline
from emergence.io.documents import load_yaml
from emergence.study.configuration import check


def score_table(rows):
    """A score table from rows of (task, metric, family, model, scale, score, n_examples, stderr)."""
    frame = pd.DataFrame(rows, columns=["task", "metric", "model_family", "model", "scale", "score", "n_examples", "stderr"])
    return frame.assign(
        benchmark="b", subtask="", shots=pd.array([None] * len(frame), dtype="Int64"), preferred=None, chance=np.nan
    )


def test_models_of_one_scale_are_averaged_and_counted(catalogue):
    scores = score_table(
        [
            ("t", "acc", "f", "a", 1e6, 0.2, 100, 0.03),
            ("t", "acc", "f", "b", 1e6, 0.4, 50, 0.04),
            ("t", "acc", "f", "c", 1e7, 0.5, 100, 0.05),
        ]
    )
    (curve,) = frames.from_scores(scores, catalogue).to_dict("records")
    np.testing.assert_allclose(curve["scores"], [0.3, 0.5])
    assert curve["n_models"].tolist() == [2, 1]
    assert curve["n_examples"].tolist() == [50, 100]
    # standard error of a mean of two: sqrt(0.03^2 + 0.04^2) / 2
    np.testing.assert_allclose(curve["stderr"], [0.025, 0.05])
    assert (curve["n_scales"], curve["n_scores"]) == (2, 3)


def test_lower_is_better_is_negated_for_the_score_only(catalogue):
    rows = [("t", "perplexity", "f", f"m{s}", 10.0**s, y, None, None) for s, y in enumerate((90.0, 80.0, 30.0, 20.0))]
    measured = frames.measure(frames.from_scores(score_table(rows), catalogue), catalogue)
    assert measured["scores"][0].tolist() == [90, 80, 30, 20]
    # falling perplexity is a rise: range 70, steps 10, 50, 10
    assert measured["emergence_score"][0] == pytest.approx(7)
    assert measured["kendall_tau"][0] == 1


@pytest.fixture(scope="module")
def published(catalogue):
    study = check(load_yaml(ROOT / "config/config.yaml") | {"metrics": str(ROOT / "config/metrics.yaml")})
    scores, _, _ = pipeline.ingest("big_bench", study["benchmarks"]["big_bench"], study["metrics"])
    return scores, frames.measure(frames.from_scores(scores, catalogue), catalogue)


def test_published_scores_make_219_curves(published):
    # the README of the published figures counts 219 curves; 13 are constant and 3 have no finite score
    _, measured = published
    assert measured["status"].value_counts().to_dict() == {"ok": 203, "constant": 13, "zero_median_step": 3}


def test_all_at_once_is_one_by_one(published, catalogue):
    # independent implementation: a plain groupby with a textbook function of one curve
    scores, measured = published

    def plain(rows):
        y = rows.sort_values("scale")["score"].to_numpy()
        y = y if catalogue.at[rows.name[2], "higher_is_better"] else -y
        middle = np.median(np.diff(y) ** 2)
        return (
            np.sign(np.argmax(y) - np.argmin(y)) * np.ptp(y) / np.sqrt(middle) if middle else (0.0 if np.ptp(y) == 0 else np.nan)
        )

    key = list(frames.KEY)[1:]
    expected = scores.groupby(key, dropna=False).apply(plain, include_groups=False).reset_index(name="expected")
    both = measured.merge(expected, on=key, how="outer")
    assert len(both) == len(measured)
    np.testing.assert_allclose(both["emergence_score"], both["expected"], rtol=1e-9)


def test_order_of_rows_does_not_matter(published, catalogue):
    scores, measured = published
    shuffled = frames.measure(frames.from_scores(scores.sample(frac=1, random_state=1), catalogue), catalogue)
    pd.testing.assert_frame_equal(shuffled, measured)


def test_copies_of_another_family_are_found(catalogue):
    rows = [("t", "acc", family, f"m{s}", 10.0**s, y, None, None) for family in "ab" for s, y in enumerate((0.1, 0.2, 0.4))]
    rows += [("u", "acc", family, f"m{s}", 10.0**s, 0.5, None, None) for family in "ab" for s in range(3)]
    measured = frames.measure(frames.from_scores(score_table(rows), catalogue), catalogue)
    found = dict(zip(measured["task"] + measured["model_family"], measured["repeats_family"], strict=True))
    assert found["tb"] == "a"
    # a constant curve agrees with another without being its copy
    assert pd.isna([found["ta"], found["ua"], found["ub"]]).all()


def test_no_scores_make_no_curves(catalogue):
    measured = frames.measure(frames.from_scores(score_table([]), catalogue), catalogue)
    assert len(measured) == 0
    assert len(metric_pairs.swaps(measured, catalogue)) == 0


def test_swap_uses_the_scales_that_have_both_metrics(catalogue):
    rows = [("t", "acc", "f", f"m{s}", 10.0**s, y, None, None) for s, y in enumerate((0.1, 0.2, 0.4, 0.9))]
    rows += [("t", "brier_score", "f", f"m{s}", 10.0**s, y, None, None) for s, y in enumerate((0.8, 0.7, 0.5))]
    made = frames.from_scores(score_table(rows), catalogue)
    (swap,) = metric_pairs.swaps(made, catalogue).to_dict("records")
    assert (swap["metric_a"], swap["metric_b"], swap["n_scales"]) == ("acc", "brier_score", 3)
    # on the three shared scales both are steps 0.1, 0.2: E = 0.3 / sqrt(0.025)
    assert swap["emergence_score_a"] == pytest.approx(0.3 / np.sqrt(0.025))
    assert swap["emergence_score_b"] == pytest.approx(0.3 / np.sqrt(0.025))
    assert swap["status_a"] == sharpness.OK


def test_swaps_of_figure_6(published, catalogue):
    # the same 16 curves as in the published table, paired
    swaps = metric_pairs.swaps(published[1], catalogue)
    assert len(swaps) == 8
    assert set(swaps["metric_a"]) == {"multiple_choice_grade"}
    row = swaps[(swaps["task"] == "logical_args") & (swaps["shots"] == 2)].iloc[0]
    assert (round(row["emergence_score_a"], 1), round(row["emergence_score_b"], 1)) == (18.0, 9.6)


def test_resolution_is_the_range_over_the_smallest_test_set(catalogue):
    rows = [("t", "bleu", "f", f"m{s}", 10.0**s, y, n, None) for s, (y, n) in enumerate(((1, 100), (2, 50), (9, 100)))]
    rows += [("t", "log_likelihood", "f", f"m{s}", 10.0**s, -y, 50, None) for s, y in enumerate((3.0, 2, 1))]
    made = frames.from_scores(score_table(rows), catalogue)
    # bleu runs from 0 to 100, so 100 / 50; a likelihood has no lowest value
    found = dict(zip(made["metric"], frames.resolution(made, catalogue), strict=True))
    assert found["bleu"] == 2
    assert np.isnan(found["log_likelihood"])
