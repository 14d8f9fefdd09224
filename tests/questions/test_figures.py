"""Figures show what the tables say, draw the same file every time, and say so where there is nothing to draw."""

import re
import subprocess
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from conftest import COLUMNS, ROOT
from emergence.curves import frames, metric_pairs
from emergence.ingest import pipeline
from emergence.questions import drawing, every_question
from emergence.questions.claims.tables import claims_by_metric
from emergence.questions.metric_swaps.tables import swap_comparisons
from emergence.questions.sharpness.tables import by_metric, over_thresholds


def figure_of(question):
    """The module that draws the figures of a question."""
    return every_question()[question].module("figure")


@pytest.fixture(autouse=True)
def look():
    drawing.style()
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


def swaps_figure(curves, catalogue, label="Parameters"):
    swaps = metric_pairs.swaps(curves, catalogue)
    compared = swap_comparisons(swaps, catalogue, 2, resamples=99, seed=1)
    return figure_of("metric_swaps").metric_swaps(curves, swaps, compared, catalogue, label)


def all_figures(measured, catalogue):
    table = by_metric(measured, catalogue, 100, 2, 0.95)
    return {
        "emergence_by_metric": figure_of("sharpness").emergence_by_metric(measured, table, 100),
        "emergence_thresholds": figure_of("sharpness").emergence_thresholds(over_thresholds(measured, [5, 50], [1, 2], 0.95)),
        "metric_swaps": swaps_figure(measured, catalogue),
        "sharpest_curves": figure_of("sharpness").sharpest_curves(measured, catalogue, "Parameters", 3),
    }


def test_data_beside_a_figure_is_what_it_shows(measured, catalogue):
    drawn = all_figures(measured, catalogue)
    assert len(drawn["emergence_by_metric"][1]) == 4
    figure, data = drawn["sharpest_curves"]
    # three panels of four points each, sharpest first
    assert len(data) == 12
    assert data["relative_emergence_score"].is_monotonic_decreasing
    lines = [axes.lines[0] for axes in figure.axes[:3]]
    np.testing.assert_allclose(np.concatenate([line.get_ydata() for line in lines]), data["score"])


def test_the_sharpest_curves_are_sharpest_by_resolution_limited_relative_e_and_three_of_a_metric(catalogue):
    """Each curve's two columns are given by hand, so that plain E would choose and order them otherwise."""
    made = pd.DataFrame({"emergence_score": [900.0, 9, 8, 7, 6, 30], "emergence_score_resolved": [2.0, 9, 8, 7, 6, 12]})
    made["metric"] = ["acc"] * 5 + ["brier_score"]
    made["task"] = [f"t{number}" for number in range(6)]
    made["n_scales"] = [3, 4, 4, 4, 4, 13]
    made = made.assign(subtask="", model_family="One", shots=pd.NA, chance=np.nan)
    for column, value in {"scores": 0.5, "stderr": np.nan, "n_examples": 10.0, "n_models": 1.0}.items():
        made[column] = [np.full(n, value) for n in made["n_scales"]]
    made["scales"] = [10.0 ** np.arange(6, 6 + n) for n in made["n_scales"]]
    _, data = figure_of("sharpness").sharpest_curves(made, catalogue, "Parameters", 12)
    # over n - 1: 1, 3, 2.67, 2.33, 2, 1; the fourth and the fifth of accuracy are one too many
    assert data["task"].unique().tolist() == ["t1", "t2", "t3", "t5"]
    assert data["relative_emergence_score"].unique() == pytest.approx([3, 8 / 3, 7 / 3, 1])
    # the first has three scales and is in no count
    better = made.assign(relative_emergence_score_resolved=[9, 1, 2, 3, 4, 5])
    _, data = figure_of("sharpness").sharpest_curves(better, catalogue, "Parameters", 12)
    assert data["task"].unique().tolist() == ["t5", "t4", "t3", "t2"]


def test_lower_is_better_is_drawn_upside_down_and_says_so(measured, catalogue):
    figure, data = all_figures(measured, catalogue)["metric_swaps"]
    assert set(data["metric"]) == {"acc", "brier_score"}
    below = figure.axes[1]
    assert below.yaxis_inverted()
    assert "lower is better" in below.get_ylabel()
    figure, data = all_figures(measured, catalogue)["sharpest_curves"]
    reversed_panels = [axes for axes in figure.axes if axes.yaxis_inverted()]
    assert len(reversed_panels) == (data["metric"] == "brier_score").sum() / 4 > 0
    assert all("(reversed)" in " ".join(text.get_text() for text in axes.texts) for axes in reversed_panels)


def overlapping(figure):
    """Pairs of texts that overprint each other once the figure is laid out."""
    if layout := figure.get_layout_engine():
        layout.execute(figure)
    figure.draw_without_rendering()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            shown = axis._update_ticks() if axes.axison else []
            ticks = (*axis.majorTicks, *axis.minorTicks)
            hidden |= {label for tick in ticks if tick not in shown for label in (tick.label1, tick.label2)}
    said = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip() and text not in hidden]
    boxes = [text.get_window_extent().padded(-1) for text in said]
    return [(said[i].get_text(), said[j].get_text()) for i in range(len(said)) for j in range(i) if boxes[i].overlaps(boxes[j])]


@pytest.mark.parametrize("highest", [0.8, 257845313.0])
@pytest.mark.parametrize("name", ["sorting", "many_words " * 9, "w" * 300, "名" * 40], ids=["short", "words", "wide", "glyphs"])
def test_no_label_overprints_another(measured, catalogue, name, highest):
    """Also where E, which the figure's ticks must reach, is 257845313, and where every name is long."""
    with_names = catalogue.assign(label=catalogue["label"] + name)
    renamed = measured.assign(task=name, subtask=name, model_family=measured["model_family"].astype(str) + name)
    renamed.loc[renamed.index[0], ["emergence_score", "emergence_score_resolved"]] = highest
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        for kind, (figure, _) in all_figures(renamed, with_names).items():
            assert overlapping(figure) == [], kind


def test_panels_of_a_row_share_an_axis_only_where_no_curve_is_flattened():
    for heights, shared in (((1, 0.9, 0.5), True), ((1, 0.9, 0.1), False)):
        _, row = plt.subplots(1, 3)
        for axes, height in zip(row, heights, strict=True):
            axes.set_ylim(0, height)
        figure_of("metric_swaps")._share_rows(row)
        assert (len({axes.get_ylim() for axes in row}) == 1) == shared


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.9, 1100, [1, 10, 100, 1000]),
        (0.9, 12, [1, 3, 10]),
        (0.7, 2.6, [0.7, 1, 1.5, 2]),
        (1e6, 1e22, [1e6, 1e9, 1e12, 1e15, 1e18, 1e21]),
        (1.05, 1.06, [1.055]),
    ],
)
def test_ticks_of_a_logarithmic_axis(low, high, ticks):
    assert drawing.log_ticks(low, high) == pytest.approx(ticks, rel=1e-4)


@pytest.mark.parametrize("size", [7, 9])
def test_a_fitted_name_is_as_wide_as_there_is_room_or_less(size):
    for name in ("w" * 300, "many words that go on and on until there is no more room for them", "short"):
        said = drawing.fitted(name, 1.2, size)
        assert drawing.text_width(said, size) <= 1.2
        assert said == name or drawing.text_width(said, size) > 0.7


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("short", ["short"]),
        ("logical_deduction_three_objects", ["logical_deduction_", "three_objects"]),
        ("Log probability of the answer", ["Log probability of", "the answer"]),
        ("x\ny", ["x\\ny"]),
    ],
)
def test_a_folded_name_is_whole_where_two_lines_have_room_for_it(name, lines):
    assert drawing.folded(name, 1.3, 9).split("\n") == lines


@pytest.mark.parametrize("name", ["w" * 300, "a_" * 300, "many words that go on and on until there is no more room for them", ""])
def test_a_folded_name_is_cut_where_two_lines_have_no_room_for_it(name):
    lines = drawing.folded(name, 1.3, 9).split("\n")
    assert len(lines) <= 2
    assert all(drawing.text_width(line, 9) <= 1.3 for line in lines)


def test_each_format_is_drawn_once_and_the_layout_solved_once(measured, catalogue, tmp_path, monkeypatch):
    n_drawn, n_solved = [], []
    draw, execute = Axes.draw, ConstrainedLayoutEngine.execute
    monkeypatch.setattr(Axes, "draw", lambda *args, **more: (n_drawn.append(1), draw(*args, **more))[1])
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda *args: (n_solved.append(1), execute(*args))[1])
    for figure, data in all_figures(measured, catalogue).values():
        n_drawn.clear()
        n_solved.clear()
        drawing.save(figure, data, *(tmp_path / f"a.{ending}" for ending in ("svg", "png", "csv")), dpi=60)
        assert len(n_drawn) == 2 * len(figure.axes)
        assert len(n_solved) <= 1


def test_both_formats_are_cut_to_the_same_box(measured, catalogue, tmp_path):
    figure, data = all_figures(measured, catalogue)["metric_swaps"]
    drawing.save(figure, data, *(tmp_path / f"a.{ending}" for ending in ("svg", "png", "csv")), dpi=144)
    head = (tmp_path / "a.svg").read_text()[:2000]
    width, height = (float(re.search(rf'<svg[^>]*? {side}="([\d.]+)pt"', head)[1]) for side in ("width", "height"))
    assert plt.imread(tmp_path / "a.png").shape[:2] == (pytest.approx(2 * height, abs=2), pytest.approx(2 * width, abs=2))


def test_the_same_figure_is_the_same_file(measured, catalogue, tmp_path):
    for run in "ab":
        figure, data = figure_of("sharpness").sharpest_curves(measured, catalogue, "Parameters", 3)
        drawing.save(figure, data, *(tmp_path / f"{run}.{ending}" for ending in ("svg", "png", "csv")), dpi=60)
    for ending in ("svg", "png", "csv"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_names_are_drawn_on_one_line_and_cut_where_there_is_no_room(measured, catalogue, tmp_path):
    """No name is taken for a formula or a command of the figure; none makes it wider; a letter that the font lacks is no warning."""
    drawing.style()
    sizes = {}
    for name in ["a name", "名前", "x\ny", "\x1b[31m\u202e", "$\\frac{1}{0}$ _^", "long " * 60, "w" * 300]:
        odd = catalogue.assign(label=name)
        renamed = measured.assign(task=name, subtask=name, model_family=name)
        for kind, (figure, data) in {
            "swaps": swaps_figure(renamed.head(2), odd, name),
            "sharpest": figure_of("sharpness").sharpest_curves(renamed, odd, name, 3),
            "metrics": figure_of("sharpness").emergence_by_metric(renamed, by_metric(renamed, odd, 100, 2, 0.95), 100),
        }.items():
            texts = [text.get_text() for text in figure.findobj(Text)]
            assert not any(re.search(r"[\x00-\x09\x0b-\x1f\u202e\u200b]", text) for text in texts)
            files = [tmp_path / f"{kind}.{ending}" for ending in ("svg", "png", "csv")]
            drawing.save(figure, data, *files, 50)
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
    assert drawing.short(name, 24) == expected


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
    figure, data = figure_of("claims").claims_by_metric(table)
    assert [bar.get_width() for bar in figure.axes[0].patches] == data["n_claims"].tolist() == [1, 1]


@pytest.mark.parametrize(("value", "name"), [(1.2e9, "1.2B"), (4e8, "400M"), (7e13, "70T"), (3e21, "3e21"), (12, "12")])
def test_scale_names(value, name):
    assert drawing.scale_name(value) == name


def test_a_remembered_theme_is_that_of_seaborn(tmp_path):
    # independent: seaborn's own way to set both
    import seaborn

    with plt.rc_context():
        seaborn.set_theme(context="paper", style="ticks", palette="colorblind")
        drawn_as = {name: plt.rcParams[name] for name in drawing.THEME} | {"axes.prop_cycle": plt.rcParams["axes.prop_cycle"]}
    (tmp_path / ".snakemake").mkdir()
    code = "import sys; from emergence.questions import drawing; print('seaborn' in sys.modules, drawing.THEME, drawing.COLORS)"
    first, second = (
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for _ in "12"
    )
    assert first.startswith("True ") and second == first.replace("True ", "False ", 1)
    plt.rcParams.update(drawing.THEME)
    assert {name: plt.rcParams[name] for name in drawing.THEME} | {
        "axes.prop_cycle": mpl.cycler(color=drawing.COLORS)
    } == drawn_as
