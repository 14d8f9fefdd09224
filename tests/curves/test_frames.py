"""Curves from scores: averaging, orientation, copies; against hand-worked cases and a plain groupby."""

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from emergence.curves import frames, metric_pairs, sharpness
from emergence.ingest import pipeline
from emergence.ingest.published_digits import published_rounding
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
        step = np.diff(y)
        n_examples = rows["n_examples"].astype(float).min()
        if catalogue.at[rows.name[2], "proportion"]:
            step[np.abs(step) < 1 / n_examples - 1e-4] = 0
        middle = np.median(step**2)
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


def curve_rows(task, metric, family, scores, n_examples=None, stderr=None, first=0):
    """Rows of score_table for one curve, its scales powers of ten."""
    n = len(scores)
    n_examples, stderr = (value if isinstance(value, list) else [value] * n for value in (n_examples, stderr))
    return [
        (task, metric, family, f"m{s}", 10.0 ** (first + s), *values)
        for s, values in enumerate(zip(scores, n_examples, stderr, strict=True))
    ]


def measured_curves(rows, catalogue):
    return frames.measure(frames.from_scores(score_table(rows), catalogue), catalogue)


def test_resolution_by_hand(catalogue):
    rows = curve_rows("counts", "acc", "f", [0.1234, 0.25, 0.5], [100, 50, 200])
    rows += curve_rows("error", "bleu", "f", [1.23, 4.56, 9.99], 50, [0.2, 0.5, 0.3])
    rows += curve_rows("digits", "bleu", "f", [19.673, 19.67, 15.649])
    rows += curve_rows("coarse", "acc", "f", [0.1, 0.2, 0.4], 1000)
    # s^2 = p (1 - p) / n at p = 1/2, n = 400; a score of 1 with a standard error of 0 says nothing
    rows += curve_rows("implied", "acc", "f", [0.5, 0.5, 0.1234, 1.0], None, [0.025, 0.025, None, 0.0])
    rows += curve_rows("unknown", "acc", "f", [1 / 3, 2 / 7, 0.7654321987654321])
    made = frames.from_scores(score_table(rows), catalogue).set_index("task")
    expected = {"counts": 1 / 50, "error": 0.3, "digits": 0.001, "coarse": 0.1, "implied": 1 / 400, "unknown": np.nan}
    for task, resolution in expected.items():
        assert made.at[task, "resolution"] == pytest.approx(resolution, nan_ok=True), task


def test_scores_that_hardly_move_show_their_size(catalogue):
    # repeat_copy_logic of BIG-bench, whose size no source gives: 1 and 4 right of 32. By digits alone E would be 12,500
    scores = [0.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.03125, 0.125]
    measured = measured_curves(curve_rows("t", "acc", "f", scores), catalogue)
    assert measured["resolution"][0] == pytest.approx(1 / 32)
    assert measured["emergence_score_resolved"][0] == pytest.approx(4)
    # scores that say nothing of a size, and the same of a metric that counts nothing
    for metric, scores in (("acc", [0.1371, 0.1371, 0.1371, 0.2483]), ("bleu", [1.25, 1.25, 1.25, 3.125])):
        measured = measured_curves(curve_rows("t", metric, "f", scores), catalogue)
        assert measured["resolution"][0] == pytest.approx(measured["rounding"][0])


def test_models_at_one_scale_move_in_smaller_steps(catalogue):
    rows = [("t", "acc", "f", f"m{s}{i}", 10.0**s, 0.25 * s, 20, None) for s in range(4) for i in range(2)]
    made = frames.from_scores(score_table(rows), catalogue)
    assert made["resolution"][0] == pytest.approx(1 / 40)


def test_the_rounding_is_the_finest_of_the_source(catalogue):
    rows = curve_rows("t", "acc", "f", [0.5, 0.0, 1.0]) + curve_rows("t", "acc", "f", [0.1234, 0.2, 0.3])
    table = score_table(rows).assign(shots=pd.array([0, 0, 0, 5, 5, 5], dtype="Int64"))
    np.testing.assert_allclose(frames.from_scores(table.assign(source="a"), catalogue)["rounding"], 1e-4)
    # a source for each: what one of them shows says nothing of the other, and 0 and 1 show no digits
    two_sources = frames.from_scores(table.assign(source=list("aaabbb")), catalogue)
    np.testing.assert_allclose(two_sources["rounding"], [0.1, 1e-4])
    # one third has more decimals than are looked for; 0.25 is a decimal number
    found = published_rounding([1 / 3, 0.25, 7, 1, 0.07], ends=(0, 1))
    np.testing.assert_allclose(found, [0, 0.01, 1, np.nan, 0.01])


def test_an_edit_distance_whose_steps_are_noise_has_an_honest_score(catalogue):
    # E was 1,716: 4.024 over a median step of 0.0023. Three digits show steps of 0.001; a standard error of 0.2 shows less, and
    # then the score is 4.024 / 0.2, by hand
    scores = [19.673, 19.670, 19.670, 15.649]
    rows = curve_rows("digits", "edit_distance", "f", scores) + curve_rows("error", "edit_distance", "f", scores, 500, 0.2)
    digits, error = measured_curves(rows, catalogue).itertuples()
    assert digits.emergence_score_resolved == pytest.approx(4.024 / 0.003)
    assert (error.status, error.emergence_score_resolved) == ("zero_median_step", pytest.approx(4.024 / 0.2))
    assert error.relative_emergence_score_resolved == pytest.approx(4.024 / 0.2 / 3)


def test_counts_are_over_four_scales_and_finite_scores(catalogue):
    rise = [0.1, 0.2, 0.4, 0.9]
    rows = curve_rows("fine", "acc", "a", rise, 100) + curve_rows("fine", "acc", "b", rise, 100)
    rows += curve_rows("short", "acc", "a", rise[:3], 100) + curve_rows("flat", "acc", "a", [0.3] * 4, 100)
    # all digits, of no small test set, and its size unknown: no resolution, and half of the steps are zero
    rows += curve_rows("infinite", "acc", "a", [np.pi / 10] * 3 + [np.e / 4])
    measured = measured_curves(rows, catalogue)
    found = frames.counted(measured).assign(name=measured["task"] + " " + measured["model_family"]).set_index("name")
    assert found["reason"].to_dict() == {
        "fine a": "ok",
        "fine b": "copy",
        "short a": "too_few_scales",
        "flat a": "constant",
        "infinite a": "no_finite_score",
    }
    assert found.index[found["in_counts"]].tolist() == ["fine a", "fine b", "flat a"]
    assert found.index[found["in_family"]].tolist() == ["fine a"]
    # a curve of three scales has its score all the same
    assert measured.set_index("task").at["short", "emergence_score"] == pytest.approx(0.3 / np.sqrt(0.025))
    assert frames.counted(measured.iloc[:0]).empty


def test_copies_agree_within_half_a_percent_at_the_same_scales(catalogue):
    rise = np.array([0.2, 0.3, 0.3, 0.5])
    near = rise + np.array([0.004, -0.004, 0.0, 0.001])
    rows = curve_rows("t", "acc", "a", rise) + curve_rows("t", "acc", "b", near)
    # other models, or a larger difference, or a curve that hardly moves: no copies
    rows += curve_rows("t", "acc", "c", near + 1e-4, first=1) + curve_rows("t", "acc", "d", rise + np.array([0, 0.006, 0, 0]))
    rows += curve_rows("u", "acc", "a", 0.5 + (rise - 0.2) / 20) + curve_rows("u", "acc", "b", 0.503 + (rise - 0.2) / 20)
    # no range: only equal scores are copies
    rows += curve_rows("v", "log_likelihood", "a", -rise) + curve_rows("v", "log_likelihood", "b", -near)
    rows += curve_rows("v", "log_likelihood", "c", -rise)
    measured = measured_curves(rows, catalogue)
    found = dict(zip(measured["task"] + measured["model_family"], measured["repeats_family"], strict=True))
    assert {name: family for name, family in found.items() if pd.notna(family)} == {"tb": "a", "vc": "a"}


def test_published_copies(published):
    # statistics.md of the project's audit: 15 of 18 pairs of BIG-G T=0 and T=1 in multiple choice agree within 0.005
    _, measured = published
    copies = measured[measured["repeats_family"].notna() & (measured["model_family"] == "BIG-G T=1")]
    assert (copies["metric"] == "multiple_choice_grade").sum() == 15
    assert set(copies["repeats_family"]) == {"BIG-G T=0"}
