"""Figures show what the tables say, draw the same file every time, and say so where there is nothing to draw."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

from conftest import COLUMNS, ROOT
from emergence.curves import frames, metric_pairs
from emergence.ingest import pipeline
from emergence.questions import figures
from emergence.questions.claims.tables import claims_by_metric
from emergence.questions.sharpness.tables import by_metric, over_thresholds


@pytest.fixture(autouse=True)
def look():
    figures.style()
    yield
    plt.close("all")


@pytest.fixture
def measured(table_block, catalogue):
    rows = [
        f"sorting,{metric},{family},m{scale},{scale},{score}"
        for family in ("One", "T$w$o")
        for metric, scores in {"acc": (0.1, 0.2, 0.1, 0.8), "brier_score": (0.8, 0.7, 0.6, 0.3)}.items()
        for scale, score in zip((1e6, 1e7, 1e8, 1e9), scores, strict=True)
    ]
    scores, _, _ = pipeline.ingest("mine", table_block([",".join(COLUMNS), *rows]), str(ROOT / "config/metrics.yaml"))
    return frames.measure(frames.from_scores(scores, catalogue), catalogue)


def all_figures(measured, catalogue):
    table = by_metric(measured, catalogue, 100, 0.95)
    return {
        "emergence_by_metric": figures.emergence_by_metric(measured, table, 100),
        "emergence_thresholds": figures.emergence_thresholds(over_thresholds(measured, [5, 50], 0.95)),
        "metric_swaps": figures.metric_swaps(measured, metric_pairs.swaps(measured, catalogue), catalogue, "Parameters"),
        "sharpest_curves": figures.sharpest_curves(measured, catalogue, "Parameters", 3),
    }


def test_data_beside_a_figure_is_what_it_shows(measured, catalogue):
    drawn = all_figures(measured, catalogue)
    assert len(drawn["emergence_by_metric"][1]) == 4
    figure, data = drawn["sharpest_curves"]
    # three panels of four points each, sharpest first
    assert len(data) == 12
    assert data["emergence_score"].is_monotonic_decreasing
    lines = [axes.lines[0] for axes in figure.axes[:3]]
    np.testing.assert_allclose(np.concatenate([line.get_ydata() for line in lines]), data["score"])


def test_lower_is_better_is_drawn_upside_down_and_says_so(measured, catalogue):
    figure, data = all_figures(measured, catalogue)["metric_swaps"]
    assert set(data["metric"]) == {"acc", "brier_score"}
    below = figure.axes[1]
    assert below.yaxis_inverted()
    assert "lower is better" in below.get_ylabel()


def test_the_same_figure_is_the_same_file(measured, catalogue, tmp_path):
    for run in "ab":
        figure, data = figures.sharpest_curves(measured, catalogue, "Parameters", 3)
        figures.save(figure, data, *(tmp_path / f"{run}.{ending}" for ending in ("svg", "png", "csv")), dpi=60)
    for ending in ("svg", "png", "csv"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_names_are_drawn_on_one_line_and_cut_where_there_is_no_room(measured, catalogue, tmp_path):
    """No name is taken for a formula or a command of the figure; none makes it wider; a letter that the font lacks is no warning."""
    figures.style()
    sizes = {}
    for name in ["a name", "名前", "x\ny", "\x1b[31m\u202e", "$\\frac{1}{0}$ _^", "long " * 60, "w" * 300]:
        odd = catalogue.assign(label=name)
        renamed = measured.assign(task=name, subtask=name, model_family=name)
        for kind, (figure, data) in {
            "swaps": figures.metric_swaps(renamed.head(2), metric_pairs.swaps(renamed.head(2), odd), odd, name),
            "sharpest": figures.sharpest_curves(renamed, odd, name, 3),
            "metrics": figures.emergence_by_metric(renamed, by_metric(renamed, odd, 100, 0.95), 100),
        }.items():
            texts = [text.get_text() for text in figure.findobj(Text)]
            assert not any(re.search(r"[\x00-\x09\x0b-\x1f\u202e\u200b]", text) for text in texts)
            files = [tmp_path / f"{kind}.{ending}" for ending in ("svg", "png", "csv")]
            figures.save(figure, data, *files, 50)
            sizes.setdefault(kind, []).append(plt.imread(files[1]).shape)
    # with axes of a fixed size, a wide label makes the picture wider
    for kind, (usual, *others) in sizes.items():
        assert all(height <= 1.2 * usual[0] and width <= 1.6 * usual[1] for height, width, _ in others), (kind, usual, others)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("short enough", "short enough"),
        ("words that end before the edge", "words that end before…"),
        ("a " + "b" * 100, "a " + "b" * 21 + "…"),
        ("b" * 100 + " c", "b" * 23 + "…"),
        ("w" * 100, "w" * 17 + "…"),
        ("名" * 100, "名" * 17 + "…"),
        ("x\ny", "x\\ny"),
        ("", ""),
    ],
)
def test_short_names(name, expected):
    assert figures.short(name, 24) == expected


def test_nothing_to_draw_is_said(catalogue):
    empty = frames.measure(frames.from_scores(pd.DataFrame(), catalogue), catalogue)
    for name, (figure, data) in all_figures(empty, catalogue).items():
        if name != "emergence_thresholds":
            assert "No " in figure.axes[0].texts[0].get_text()
            assert data.empty


def test_claims_figures(catalogue):
    claims = pd.DataFrame({"task": ["a", "b"], "preferred_metric": ["acc", "bleu"]})
    tasks = pd.DataFrame({"task": list("abcd"), "preferred_metric": ["acc", "bleu", "bleu", "f1"]})
    table = claims_by_metric(claims, tasks, catalogue, 0.95)
    figure, data = figures.claims_by_metric(table)
    assert [bar.get_width() for bar in figure.axes[0].patches] == data["n_claims"].tolist() == [1, 1]
    assert len(figures.base_rates(table)[1]) == 3
    without = claims_by_metric(claims, tasks.iloc[:0], catalogue, 0.95).assign(n_tasks=np.nan)
    assert "no list of all its tasks" in " ".join(figures.base_rates(without)[0].axes[0].texts[0].get_text().split())


@pytest.mark.parametrize(("value", "name"), [(1.2e9, "1.2B"), (4e8, "400M"), (7e13, "70T"), (3e21, "3e21"), (12, "12")])
def test_scale_names(value, name):
    assert figures.scale_name(value) == name
