"""The figures: one look for all, each saved as SVG and PNG with the numbers it shows as CSV beside it.

A function takes frames, draws, and returns the figure with its data; nothing is computed here that is not in a table.
"""

import functools
import textwrap
import warnings
from unicodedata import east_asian_width

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from emergence.curves import metric_pairs
from emergence.io import tables, texts

mpl.use("agg")

# The palette is seaborn's for colour-blind readers; markers and dashes tell lines apart in grey print too.
COLORS = sns.color_palette("colorblind")
MARKERS = "osD^vPX*"
DASHES = [(), (4, 1.5), (1, 1), (3, 1, 1, 1), (5, 1, 1, 1, 1, 1), (2, 2), (6, 2), (1, 2)]
KIND_COLORS = {"discontinuous": COLORS[3], "nonlinear": COLORS[1], "linear": COLORS[0], "unknown": COLORS[7]}
WIDTH = 7.2

# Above this many curves, only the sharpest of each metric are drawn as points: a figure must stay light enough to open.
MOST_POINTS = 1500
POINTS_EACH = 20
MOST_METRICS = 45

# On every axis of scores, better is up.
REVERSED = "lower is better; axis reversed"

# Stands for an unknown number of shots where keys are compared: NaN equals nothing, not even itself. -1 is a number that
# BIG-bench does write.
UNKNOWN_SHOTS = -(2**31)


def style():
    """Set the one look of all figures."""
    sns.set_theme(context="paper", style="ticks", palette=COLORS)
    mpl.rcParams |= {
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9,
        # a title's place is given: looking for a free one measures every tick label again in each drawing
        "axes.titley": 1.0,
        "axes.labelsize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "legend.frameon": False,
        # letters as shapes: the reader's fonts may be wider than ours and run out of the picture
        "svg.fonttype": "path",
        # without hinting a letter is equally wide at every resolution, so one layout and one box serve both formats
        "text.hinting": "no_hinting",
        # the same figure is the same file, run after run
        "svg.hashsalt": "emergence",
        # a name from the data may hold a dollar sign
        "text.parse_math": False,
    }


def save(figure, data, svg, png, csv, dpi):
    """Write a figure as SVG and PNG, and its data as CSV; each file whole or not at all. Closes the figure.

    The layout is solved once and the box around it measured once; each format is then drawn once.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    data : pandas.DataFrame
        What the figure shows.
    svg, png, csv : path
    dpi : float
        Resolution of the PNG file.
    """
    # a figure that keeps its layout engine would be laid out again for each file
    with warnings.catch_warnings(), mpl.rc_context({"figure.constrained_layout.use": False}):
        # a letter that the font does not have is drawn as a box; the numbers beside the figure and the report have the name
        warnings.filterwarnings("ignore", message="Glyph .* missing|Matplotlib currently does not support")
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if not axis.get_label_text()):
            # no place is looked for where there is no label
            axis.set_label_coords(0, 0)
        if layout := figure.get_layout_engine():
            layout.execute(figure)
        figure.set_layout_engine(None)
        # the layout keeps axes within the figure; legends and what is written below it may be wider
        around = Bbox.union([figure.bbox, *(artist.get_tightbbox() for artist in (*figure.legends, *figure.texts))])
        box = around.transformed(figure.dpi_scale_trans.inverted()).padded(0.03)
        with tables.replacing(svg) as temporary:
            figure.savefig(temporary, metadata={"Date": None}, bbox_inches=box)
        with tables.replacing(png) as temporary:
            figure.savefig(temporary, dpi=dpi, bbox_inches=box, pil_kwargs={"compress_level": 4})
    with tables.replacing(csv) as temporary:
        tables.write_csv(data, temporary)
    plt.close(figure)


def short(text, width=40):
    """A name cut to a width that an axis has room for, on one line."""
    text = texts.printable(text)
    # where most letters are wide, fewer of them have room
    n_wide = sum(letter in "mwMW@%" or east_asian_width(letter) in "WF" for letter in text[:width])
    width -= width // 4 if 2 * n_wide > width else 0
    # at the end of a word, unless that leaves next to nothing
    words = textwrap.shorten(text, width, placeholder="…")
    return words if len(words) > width // 2 else texts.shortened(text, width)


@functools.lru_cache(maxsize=4096)
def text_width(text, size):
    """Width of one line of text in inches, at a font size in points."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing|Matplotlib currently does not support")
        width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return width / 72


def fitted(text, width, size):
    """A name cut so that it is at most `width` inches wide at a font size in points."""
    n_letters = 60
    while text_width(said := short(text, n_letters), size) > width and n_letters > 4:
        n_letters = max(4, min(n_letters - 1, int(len(said) * width / text_width(said, size))))
    return said


def log_ticks(low, high, fewest=3, most=7):
    """Round numbers for a logarithmic axis: powers of ten, every second or third of them, or steps within them.

    Parameters
    ----------
    low, high : float
        Ends of the axis, above zero.
    fewest, most : int
        How many ticks there should be. An axis too short for `fewest` round numbers has those that it holds, or its middle.

    Returns
    -------
    list of float
    """
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    powers = 10.0 ** np.arange(first, last + 1)
    sets = [powers[-first % step :: step] for step in range(1, len(powers) + 1)]
    for digits in ((1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), np.arange(10, 100, 5) / 10, np.arange(10, 100) / 10):
        sets.append(np.outer(powers, digits).ravel())
    within = [[float(tick) for tick in ticks if low <= tick <= high] for ticks in sets]
    few_enough = [ticks for ticks in within if len(ticks) <= most]
    return next((ticks for ticks in few_enough if len(ticks) >= fewest), max(few_enough, key=len)) or [float(np.sqrt(low * high))]


def emergence_axis(axis, low, high, linear_to=10):
    """Ticks of an axis of emergence scores: linear near zero, powers of ten beyond, never so close that labels touch.

    E is of order n - 1 for a straight line and can run to many millions where steps are tiny.
    """
    decades = np.log10(max(abs(low), abs(high), linear_to) / linear_to)
    step = 1 + int(decades // 4)
    powers = [linear_to * 10.0**power for power in range(0, int(decades) + 1, step)]
    beyond = powers if decades > 2 else [factor * power for power in powers for factor in (1, 2, 5)]
    ticks = {0, linear_to / 2, -linear_to / 2, *beyond, *(-tick for tick in powers)}
    ticks = sorted(tick for tick in ticks if low <= tick <= high)
    axis.set_ticks(ticks, [brief(tick) for tick in ticks])
    axis.set_ticks([], minor=True)


def brief(value):
    """A number in few letters: 31, 2.5, 2.6e8."""
    return f"{value:g}" if abs(value) < 1e4 else f"{value:.2g}".replace("e+0", "e").replace("e+", "e")


def notice(sentence):
    """A figure that says why there is nothing to draw."""
    figure, axes = plt.subplots(figsize=(WIDTH, 1.2))
    axes.axis("off")
    axes.text(0.5, 0.5, textwrap.fill(sentence, 90), ha="center", va="center", fontsize=10)
    return figure


def emergence_by_metric(curves, by_metric, threshold):
    """Distribution of E over the curves of each metric: quartiles, 5 to 95 %, and the curves themselves; Figure 5A of the paper.

    Metrics from the highest E down. Right of the axis: how many curves, and how many have no finite E and so no point.
    """
    scored = curves.dropna(subset="emergence_score")
    if scored.empty:
        return notice(
            "No curve of this benchmark has an emergence score: each has too few scales, or half its steps are zero."
        ), scored[["metric"]]
    shown = by_metric[by_metric["max"].notna()].head(MOST_METRICS)
    order = list(shown["metric"])
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.3 * len(order)))
    data = scored.loc[scored["metric"].isin(order), ["metric", "task", "subtask", "model_family", "shots", "emergence_score"]]
    for row, (metric, kind) in enumerate(zip(order, shown["kind"], strict=True)):
        values = data.loc[data["metric"] == metric, "emergence_score"].to_numpy()
        low, first, middle, third, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        color = KIND_COLORS[kind]
        axes.plot([low, high], [row, row], color=color, lw=1, zorder=2)
        axes.barh(row, third - first, left=first, height=0.5, color=color, alpha=0.35, lw=0, zorder=1)
        axes.plot([middle, middle], [row - 0.25, row + 0.25], color=color, lw=2, zorder=3)
        points = values if len(data) <= MOST_POINTS else np.sort(values)[-POINTS_EACH:]
        spread = 0.36 * (np.modf(np.arange(len(points)) * 0.61803398875)[0] - 0.5)
        axes.plot(points, row + spread, ".", ms=3, color=color, alpha=0.7, zorder=4)
    axes.set_xscale("symlog", linthresh=10, linscale=1.2)
    lowest, highest = min(1.6 * data["emergence_score"].min(), -1), 1.6 * max(data["emergence_score"].max(), threshold)
    axes.set_xlim(lowest, highest)
    emergence_axis(axes.xaxis, lowest, highest)
    axes.axvline(threshold, color="0.3", ls="--", lw=1, zorder=0)
    axes.annotate(
        "threshold", (threshold, 1), xycoords=("data", "axes fraction"), ha="right", va="bottom", fontsize=8, color="0.3"
    )
    axes.set_yticks(range(len(order)), [short(label) for label in shown["label"]])
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_xlabel("emergence score E")
    for row, (_, metric) in enumerate(shown.iterrows()):
        undefined = int(metric["n_zero_median_step"] + metric["n_too_few_scales"])
        text = f"n = {int(metric['n_curves']):,}" + (f" ({undefined:,} without E)" if undefined else "")
        axes.annotate(text, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color="0.3")
    kinds = [kind for kind in KIND_COLORS if kind in set(shown["kind"])]
    handles = [Line2D([], [], color=KIND_COLORS[kind], lw=4, alpha=0.6, label=f"{kind} metric") for kind in kinds]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure, data


def emergence_thresholds(over_thresholds):
    """How many metrics, and what share of curves, reach each threshold, by three readings of the score."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.6))
    for number, (reading, rows) in enumerate(over_thresholds.groupby("reading", sort=False)):
        look = {"color": COLORS[number], "marker": MARKERS[number], "dashes": DASHES[number], "ms": 4, "label": reading}
        left.plot(rows["threshold"], rows["n_metrics"], **look)
        right.plot(rows["threshold"], 100 * rows["share"], **look)
        right.fill_between(
            rows["threshold"], 100 * rows["share_low"], 100 * rows["share_high"], color=COLORS[number], alpha=0.12, lw=0
        )
    for axes, label in ((left, "metrics with a curve above"), (right, "curves above (%)")):
        axes.set_xscale("log")
        _log_axis(axes.xaxis, over_thresholds["threshold"])
        axes.set_xlabel("threshold on the emergence score")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    right.legend(title=None)
    return figure, over_thresholds


def _noise(row, catalogue):
    """Half-width of two standard errors along a curve: published, else binomial for a proportion; NaN where unknown."""
    half = 2 * row["stderr"]
    if catalogue.at[row["metric"], "proportion"]:
        # a pooled score is taken over the examples of all its models
        examples = row["n_examples"] * row["n_models"]
        binomial = 2 * np.sqrt(np.clip(row["scores"] * (1 - row["scores"]), 0, None) / examples)
        half = np.where(np.isnan(half), binomial, half)
    return half


def _draw_curve(axes, row, half, **look):
    axes.plot(row["scales"], row["scores"], ms=4, lw=1.4, **look)
    if np.isfinite(half).any():
        half = np.nan_to_num(half)
        axes.vlines(row["scales"], row["scores"] - half, row["scores"] + half, color=look["color"], lw=0.8, alpha=0.6)
    axes.set_xscale("log")


def _log_axis(axis, values, name=brief):
    """A logarithmic axis of at least a decade around the values: a tick at each where they are few, else at round numbers."""
    values = np.unique(np.asarray(values, dtype=float))
    low, high = np.log10([values[0], values[-1]])
    margin = max(0.05 * (high - low), (1 - high + low) / 2)
    low, high = 10 ** (low - margin), 10 ** (high + margin)
    axis.axes.set(**{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": (low, high)})
    few = len(values) <= 7 and np.diff(np.log10(values)).min(initial=1) > 0.1 * np.log10(high / low)
    ticks = values if few else log_ticks(low, high)
    axis.set_ticks(ticks, [name(tick) for tick in ticks])
    axis.set_ticks([], minor=True)


def _scale_ticks(axes):
    """Ticks at powers of ten, in the short words that the field uses."""
    ticks = log_ticks(*axes.get_xlim(), fewest=2, most=4)
    axes.set_xticks(ticks, [scale_name(tick) for tick in ticks])
    axes.minorticks_off()


def _score_ticks(axes, size):
    """At most five ticks on the axis of scores, in letters of `size` points. Returns the width of the widest label in inches."""
    low, high = sorted(axes.get_ylim())
    ticks = [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]
    labels = [f"{tick:.6g}" for tick in ticks]
    axes.set_yticks(ticks, labels, fontsize=size)
    return max((text_width(label, size) for label in labels), default=0)


def _place(figure, left, top, bottom, between, above):
    """Set the margins of a grid of panels and the gaps between and above them, in inches.

    Solving the layout of that many axes takes longer than drawing them, and here everything around a panel has a known size.
    """
    n_rows, n_columns = figure.axes[0].get_gridspec().get_geometry()
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=left / width,
        right=1 - 0.05 / width,
        bottom=bottom / height,
        top=1 - top / height,
        wspace=n_columns * between / max(width - left - 0.05 - (n_columns - 1) * between, 0.1),
        hspace=n_rows * above / max(height - bottom - top - (n_rows - 1) * above, 0.1),
    )


def relative_sharpness(curves):
    """Resolution-limited E over that of a straight line, n - 1: 1 for a line, of whatever length.

    Where no curve has a known resolution, plain E over n - 1.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns of the table `curves`.

    Returns
    -------
    pandas.Series
        One per curve; NaN where it is not defined.
    """
    resolved = curves.get("relative_emergence_score_resolved")
    if resolved is None:
        resolved = curves["emergence_score_resolved"] / (curves["n_scales"] - 1)
    plain = curves["emergence_score"] / (curves["n_scales"] - 1)
    return (resolved if resolved.notna().any() else plain).astype(float)


def scale_name(value):
    """A scale in short: 1.2B, 400M, 3e21."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size <= value < 1e15:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}" if value < 1e15 else f"{value:.0e}".replace("e+", "e")


def _long(row, half, **names):
    """One drawn curve as tidy rows."""
    return pd.DataFrame({**names, "scale": row["scales"], "score": row["scores"], "two_stderr": half})


def metric_swaps(curves, swaps, catalogue, scale_label, most_tasks=4, most_lines=6):
    """The same outputs under two metrics, in the manner of the paper's Figure 6: a column a task, a row a metric.

    The pair of metrics with the most scored swaps is drawn, on the tasks where E differs most; the table has them all.
    """
    scored = swaps.dropna(subset=["emergence_score_a", "emergence_score_b"])
    if scored.empty:
        reason = "No task of this benchmark has two metrics on the same model outputs and three scales, so none can be swapped."
        return notice(reason), scored
    metric_a, metric_b = scored.groupby(["metric_a", "metric_b"]).size().sort_values(kind="stable").index[-1]
    scored = scored[(scored["metric_a"] == metric_a) & (scored["metric_b"] == metric_b)]
    scored = scored.assign(gap=(scored["emergence_score_a"].abs() - scored["emergence_score_b"].abs()).abs())
    panels = scored.groupby(["task", "subtask"])["gap"].max().sort_values(ascending=False, kind="stable").index[:most_tasks]
    width = max(WIDTH * len(panels) / 4, 4.2)
    figure, grid = plt.subplots(2, len(panels), figsize=(width, 5), sharex="col", squeeze=False, layout="none")
    # one look for each family and number of shots, the same in every panel
    lines = scored.groupby(["model_family", "shots"], dropna=False)["n_scales"].agg(["size", "max"])
    lines = lines.sort_values(["size", "max"], ascending=False, kind="stable").head(most_lines).reset_index()
    lines = _keys(lines, ["model_family", "shots"])
    looks = {line: {"color": COLORS[i], "marker": MARKERS[i], "dashes": DASHES[i]} for i, line in enumerate(lines)}
    data = []
    curves = curves[curves["task"].isin(panels.get_level_values("task")) & curves["metric"].isin([metric_a, metric_b])]
    keyed = dict(zip(_keys(curves, [*metric_pairs.OUTPUTS, "metric"]), curves.to_dict("records"), strict=True))
    for column, (task, subtask) in enumerate(panels):
        chosen = scored[(scored["task"] == task) & (scored["subtask"] == subtask)]
        for side, metric in enumerate((metric_a, metric_b)):
            axes = grid[side, column]
            scores = []
            for key, swap in zip(_keys(chosen, metric_pairs.OUTPUTS), chosen.to_dict("records"), strict=True):
                look = looks.get(key[2:])
                if look is None:
                    continue
                row = keyed[(*key, metric)]
                half = _noise(row, catalogue)
                _draw_curve(axes, row, half, **look)
                score = swap["emergence_score_a" if side == 0 else "emergence_score_b"]
                data.append(
                    _long(
                        row,
                        half,
                        task=task,
                        subtask=subtask,
                        model_family=key[2],
                        shots=key[3],
                        metric=metric,
                        emergence_score=score,
                    )
                )
                scores.append(score)
            if side == 0:
                room = (width - 0.9) / len(panels) - 0.1
                axes.set_title(fitted(task + (f": {subtask}" if subtask else ""), room, 9), pad=16)
            if len(scores) <= 3:
                said = "E = " + ", ".join(f"{score:.1f}" if abs(score) < 1000 else brief(score) for score in scores)
                axes.annotate(
                    said, (0.5, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", ha="center", fontsize=8
                )
    first = others = 0
    for side, metric in enumerate((metric_a, metric_b)):
        shared = _share_rows(grid[side])
        widths = [_score_ticks(axes, 8) for axes in grid[side]]
        first, others = max(first, widths[0]), others if shared else max([others, *widths[1:]])
        upside_down = not catalogue.at[metric, "higher_is_better"]
        for axes in grid[side]:
            if upside_down:
                axes.invert_yaxis()
        label = textwrap.fill(fitted(catalogue.at[metric, "label"], 2.6, 9), 22)
        grid[side, 0].set_ylabel(label + (f"\n({REVERSED})" if upside_down else ""))
    for axes in grid[1]:
        _scale_ticks(axes)
    n_lines = max(axes.get_ylabel().count("\n") + 1 for axes in grid[:, 0])
    top = 0.5 + 0.18 * -(-len(looks) // 3)
    _place(figure, left=first + 0.2 + 0.15 * n_lines, top=top, bottom=0.45, between=others + 0.2, above=0.4)
    figure.supxlabel(fitted(scale_label, width, 9), fontsize=9, y=0.02)
    names = {line: line[0] + ("" if line[1] == UNKNOWN_SHOTS else f", {int(line[1])}-shot") for line in lines}
    handles = [Line2D([], [], ms=4, label=short(names[line]), **_line_look(look)) for line, look in looks.items()]
    figure.legend(handles=handles, loc="upper center", ncols=min(len(handles), 3))
    return figure, pd.concat(data, ignore_index=True)


def _share_rows(row):
    """One range of scores for a row of panels, unless some curve would be flattened to less than a fifth of the height.

    Returns whether they share it; then only the first panel has labels.
    """
    ends = np.array([axes.get_ylim() for axes in row])
    low, high = ends[:, 0].min(), ends[:, 1].max()
    shared = (ends[:, 1] - ends[:, 0]).min() >= 0.2 * (high - low)
    for number, axes in enumerate(row):
        if shared:
            axes.set_ylim(low, high)
            axes.tick_params(labelleft=number == 0)
    return shared


def _line_look(look):
    dashes = look["dashes"]
    return {"color": look["color"], "marker": look["marker"], "linestyle": (0, dashes) if dashes else "-"}


def _keys(frame, columns):
    """Rows of key values that can be compared: an unknown number of shots equals another."""
    return [tuple(UNKNOWN_SHOTS if pd.isna(value) else value for value in row) for row in frame[columns].itertuples(index=False)]


def sharpest_curves(curves, catalogue, scale_label, how_many, of_each_metric=3):
    """Small multiples of the curves with the highest resolution-limited relative E, at most three of a metric.

    With two standard errors of sampling noise where they are known, and the score of guessing as a dotted line.
    """
    ranked = curves.assign(relative_e=relative_sharpness(curves)).dropna(subset="relative_e")
    ranked = ranked.sort_values(["relative_e", "task"], ascending=[False, True], kind="stable")
    chosen = ranked.groupby("metric", sort=False).head(of_each_metric).head(how_many)
    if chosen.empty:
        return notice("No curve of this benchmark has an emergence score."), chosen[["task"]]
    n_columns = min(3, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    panel = WIDTH / 3
    width, height = max(panel * n_columns, 3.2), 2 * n_rows + 0.35
    figure, grid = plt.subplots(n_rows, n_columns, figsize=(width, height), squeeze=False, layout="none")
    data = []
    left = 0
    for axes, row in zip(grid.flat, chosen.to_dict("records"), strict=False):
        half = _noise(row, catalogue)
        metric = catalogue.loc[row["metric"]]
        _draw_curve(axes, row, half, color=KIND_COLORS[metric["kind"]], marker="o")
        if pd.notna(row["chance"]):
            axes.axhline(row["chance"], color="0.5", lw=0.8, ls=":")
        room = panel - 0.15
        shots = "" if pd.isna(row["shots"]) else f", {int(row['shots'])}-shot"
        said = (
            f" · relative E {row['relative_e']:.1f}" if row["relative_e"] < 1000 else f" · relative E {brief(row['relative_e'])}"
        )
        said = ("" if metric["higher_is_better"] else " (reversed)") + said
        # from the left edge of the panel, where the labels of its ticks are, too
        for line, (text, end, size, color) in enumerate(
            (
                (metric["label"], said, 7, "0.35"),
                (row["model_family"], shots, 7, "0.15"),
                (row["task"] + (f": {row['subtask']}" if row["subtask"] else ""), "", 7.5, "black"),
            )
        ):
            axes.annotate(
                fitted(text, room - text_width(end, size), size) + end,
                (0, 1),
                (-24, 4 + 10 * line),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=size,
                color=color,
            )
        axes.tick_params(labelsize=7, pad=2, length=2.5)
        _scale_ticks(axes)
        left = max(left, _score_ticks(axes, 7))
        if not metric["higher_is_better"]:
            axes.invert_yaxis()
        columns = ("task", "subtask", "metric", "model_family", "shots", "emergence_score")
        names = {name: row[name] for name in columns}
        data.append(_long(row, half, **names, relative_emergence_score=row["relative_e"], chance=row["chance"]))
    for axes in list(grid.flat)[len(chosen) :]:
        axes.remove()
    _place(figure, left=left + 0.08, top=0.5, bottom=0.45, between=left + 0.23, above=0.75)
    figure.supxlabel(fitted(scale_label, width, 9), fontsize=9, y=0.02)
    return figure, pd.concat(data, ignore_index=True)


def claims_by_metric(claims, most=20):
    """Figures 5B and 5C of the paper: claimed abilities by preferred metric, as counts and as shares with exact intervals."""
    shown = claims[claims["n_claims"] > 0].head(most)
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 0.9 + 0.34 * len(shown)), sharey=True)
    rows = np.arange(len(shown))
    left.barh(rows, shown["n_claims"], color=COLORS[0], height=0.6)
    for row, count in zip(rows, shown["n_claims"], strict=True):
        left.annotate(f"{count}", (count, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    left.set_xlabel("claimed emergent abilities")
    left.set_yticks(rows, [short(label) for label in shown["label"]])
    left.set_ylim(len(shown) - 0.5, -0.5)
    share = 100 * shown["share"]
    errors = np.clip(np.stack([share - 100 * shown["share_low"], 100 * shown["share_high"] - share]), 0, None)
    right.errorbar(share, rows, xerr=errors, fmt="o", ms=5, color=COLORS[0], elinewidth=1.4, capsize=3)
    right.set_xlim(0, 100)
    right.set_xlabel("share of the claims (%)")
    return figure, shown


def base_rates(claims, most=20):
    """What the paper leaves out: each metric's share of the claims against its share of all tasks, and the odds ratio."""
    shown = claims[claims["n_tasks"].notna()].head(most)
    if shown.empty:
        return notice(
            "This benchmark brings no list of all its tasks, so there is no base rate to set the claims against."
        ), shown
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.2 + 0.34 * len(shown)), sharey=True)
    rows = np.arange(len(shown))
    left.hlines(rows, 100 * shown["task_share"], 100 * shown["share"], color="0.75", lw=2, zorder=1)
    left.plot(100 * shown["task_share"], rows, "s", ms=6, color=COLORS[7], label="of all tasks", zorder=2)
    left.plot(100 * shown["share"], rows, "o", ms=6, color=COLORS[0], label="of the claims", zorder=3)
    left.set_xlim(-2, 100)
    left.set_xlabel("share that prefers the metric (%)")
    left.set_yticks(rows, [short(label) for label in shown["label"]])
    left.set_ylim(len(shown) - 0.5, -0.5)
    # an odds ratio of 0 or infinity has no place on a logarithmic axis: it is drawn as an arrow at the edge
    edges = (0.02, 50)
    ratio = shown["odds_ratio"].astype(float).clip(*edges).to_numpy()
    low = shown["odds_ratio_low"].astype(float).clip(*edges).to_numpy()
    high = shown["odds_ratio_high"].astype(float).clip(*edges).to_numpy()
    clear = (shown["q_value"] <= 0.05).fillna(False).to_numpy(dtype=bool)
    for row, (x, start, end, is_clear) in enumerate(zip(ratio, low, high, clear, strict=True)):
        color = COLORS[0] if is_clear else "0.55"
        right.plot([start, end], [row, row], color=color, lw=1.4)
        right.plot(x, row, "<" if x == edges[0] else ">" if x == edges[1] else "o", ms=6, color=color)
    right.axvline(1, color="0.3", lw=1, ls="--", zorder=0)
    right.set_xscale("log")
    right.set_xlim(edges[0] * 0.85, edges[1] * 1.15)
    right.set_xticks([0.02, 0.1, 0.5, 1, 2, 10, 50], ["0", "0.1", "0.5", "1", "2", "10", "50"])
    right.minorticks_off()
    right.set_xlabel("odds ratio of being claimed")
    left.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    handles = [
        Line2D([], [], color=color, marker="o", label=label) for color, label in ((COLORS[0], "q ≤ 0.05"), ("0.55", "q > 0.05"))
    ]
    right.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure, shown


def null_models(q_values, by_metric, catalogue, rate, most=14):
    """p-values under the flat and the smooth null model: their distribution, and the share of curves beyond chance by metric."""
    if q_values[["p_flat", "p_smooth"]].isna().all(axis=None):
        return notice(
            "No curve has a p-value: the simulation is turned off (`draws: 0`), or every curve is too short."
        ), by_metric
    order = by_metric[(by_metric["metric"] != "all") & (by_metric["n_tested"] > 0)]
    order = order.groupby("metric")["n_tested"].max().sort_values(ascending=False, kind="stable").index[:most]
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, max(2.8, 1.3 + 0.3 * len(order))), width_ratios=(1, 1.2))
    rows = {metric: row for row, metric in enumerate(["all", *order])}
    for number, null in enumerate(("flat", "smooth")):
        p = np.sort(q_values[f"p_{null}"].dropna())
        color = COLORS[number]
        left.step(
            np.append(p, 1),
            np.append(np.arange(1, len(p) + 1) / max(len(p), 1), 1),
            where="post",
            color=color,
            label=f"{null} null model",
        )
        shown = by_metric[(by_metric["null_model"] == null) & by_metric["metric"].isin(rows) & (by_metric["n_tested"] > 0)]
        at = shown["metric"].map(rows).astype(float) + (number - 0.5) * 0.3
        before, after = 100 * shown["n_before"] / shown["n_tested"], 100 * shown["n_after"] / shown["n_tested"]
        right.hlines(at, after, before, color=color, lw=1, alpha=0.5)
        right.plot(before, at, MARKERS[number], ms=5, mfc="white", color=color)
        right.plot(after, at, MARKERS[number], ms=5, color=color)
    left.plot([0, 1], [0, 1], color="0.5", ls="--", lw=1, label="by chance alone")
    left.set_xlabel("p-value")
    left.set_ylabel("share of curves at or below")
    left.legend(loc="lower right")
    right.axvline(5, color="0.5", ls="--", lw=1, zorder=0)
    right.set_yticks(list(rows.values()), [short(catalogue["label"].get(metric, "all metrics"), 28) for metric in rows])
    right.set_ylim(len(rows) - 0.5, -0.5)
    right.set_xlim(left=-2)
    right.set_xlabel("curves sharper than explained (%)")
    handles = [
        Line2D([], [], color="0.3", marker="o", mfc=fill, ls="", label=label)
        for fill, label in (("white", "p ≤ 0.05"), ("0.3", f"q ≤ {rate:g}"))
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure, by_metric


def predictability(summary, catalogue, most=14):
    """Median error of each predictor on the hidden largest scales, in units of sampling noise, by kind of metric and by metric."""
    shown = summary[summary["median_absolute_z"].notna()]
    if shown.empty:
        return notice("No curve has scales enough to hide some and predict them from the rest."), shown
    order = shown.groupby(["grouping", "name"], sort=False)["n_curves"].first()
    rows = {key: row for row, key in enumerate(list(order.index)[:most])}
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3 + 0.34 * len(rows)))
    for number, (predictor, label) in enumerate(
        (("smooth", "smooth curve"), ("line", "straight line"), ("no_change", "no change"))
    ):
        part = shown[shown["predictor"] == predictor]
        keys = zip(part["grouping"], part["name"], strict=True)
        points = [(z, rows[key]) for key, z in zip(keys, part["median_absolute_z"], strict=True) if key in rows]
        if points:
            x, y = np.array(points).T
            axes.plot(x, y + 0.2 * (number - 1), MARKERS[number], ms=5, color=COLORS[number], label=label)
    axes.axvline(np.sqrt(2 / np.pi), color="0.5", ls="--", lw=1, label="perfect prediction")
    drawn = shown.loc[[key in rows for key in zip(shown["grouping"], shown["name"], strict=True)], "median_absolute_z"]
    _log_axis(axes.xaxis, [*drawn[drawn > 0], np.sqrt(2 / np.pi)])
    axes.set_xlabel("median error on hidden scales (in standard deviations of sampling noise)")
    defined = shown.groupby(["grouping", "name"], sort=False)[["n_curves", "n_undefined"]].first()
    counts = {key: int(defined.at[key, "n_curves"] - defined.at[key, "n_undefined"]) for key in rows}

    def name(grouping, label):
        if grouping == "all":
            return "all curves"
        return f"{label} metrics" if grouping == "kind" else catalogue["label"].get(label, label)

    axes.set_yticks(list(rows.values()), [f"{short(name(*key), 34)} (n = {counts[key]:,})" for key in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    figure.legend(loc="outside upper right", ncols=4)
    return figure, shown


def resolution(examples_needed):
    """Test examples at hand against those needed to tell each curve's smaller models from guessing."""
    known = examples_needed[(examples_needed["status"] == "ok") & examples_needed["examples_at_hand"].notna()]
    if known.empty:
        reason = "No curve has a known number of test examples, a known score of guessing, and smaller models above it."
        return notice(reason), known
    short_of = known["examples_needed"] > known["examples_at_hand"]
    figure, axes = plt.subplots(figsize=(4.6, 3.4))
    sized = 3 if len(known) > MOST_POINTS else 5
    for number, (chosen, label) in enumerate(((~short_of, "curves with enough"), (short_of, "with too few"))):
        x, y = known.loc[chosen, "examples_at_hand"], known.loc[chosen, "examples_needed"]
        axes.plot(
            x,
            y,
            MARKERS[number],
            ms=sized,
            color=COLORS[number * 3],
            alpha=0.7,
            label=f"{label}: {int(chosen.sum()):,}",
            rasterized=len(known) > MOST_POINTS,
        )
    ends = [
        known[["examples_at_hand", "examples_needed"]].min(axis=None),
        known[["examples_at_hand", "examples_needed"]].max(axis=None),
    ]
    axes.plot(ends, ends, color="0.5", ls="--", lw=1)
    _log_axis(axes.xaxis, known["examples_at_hand"], scale_name)
    _log_axis(axes.yaxis, known["examples_needed"], scale_name)
    axes.set_xlabel("test examples at hand")
    axes.set_ylabel("test examples needed")
    figure.legend(loc="outside upper center", ncols=2)
    columns = ["task", "subtask", "metric", "model_family", "shots", "small_performance", "examples_needed", "examples_at_hand"]
    return figure, known[columns]


def swap_comparisons(metric_swaps, comparisons, catalogue, most=8):
    """|E| of the same outputs under both metrics of each pair, and the mean paired difference with its interval over tasks."""
    scored = metric_swaps.dropna(subset=["emergence_score_a", "emergence_score_b"])
    shown = comparisons[(comparisons["grouping"] == "metric") & comparisons["mean_difference"].notna()]
    shown = shown.sort_values("n_pairs", ascending=False, kind="stable").head(most)
    if scored.empty or shown.empty:
        reason = (
            "No task of this benchmark has two metrics on the same model outputs with a score under each, so none can be swapped."
        )
        return notice(reason), shown
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, max(2.9, 1.2 + 0.4 * len(shown))), width_ratios=(1, 1.1))
    highest = 1.0
    for number, row in enumerate(shown.itertuples()):
        pair = scored[(scored["metric_a"] == row.name_a) & (scored["metric_b"] == row.name_b)]
        a, b = pair["emergence_score_a"].abs(), pair["emergence_score_b"].abs()
        highest = max(highest, a.max(), b.max())
        look = {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)]}
        left.plot(a, b, ls="", ms=4 if len(scored) < MOST_POINTS else 2, alpha=0.7, rasterized=len(scored) > MOST_POINTS, **look)
        right.plot([row.mean_low, row.mean_high], [number, number], color=look["color"], lw=1.5)
        right.plot(row.mean_difference, number, ls="", ms=6, **look)
    left.plot([0, highest], [0, highest], color="0.5", ls="--", lw=1)
    left.set_xscale("symlog", linthresh=5)
    left.set_yscale("symlog", linthresh=5)
    for axis in (left.xaxis, left.yaxis):
        emergence_axis(axis, 0, 1.1 * highest, linear_to=5)
    left.set_xlabel("|E| under the first metric")
    left.set_ylabel("|E| under the second metric")
    right.axvline(0, color="0.5", ls="--", lw=1, zorder=0)
    names = [
        f"{short(catalogue.at[row.name_a, 'label'], 22)}\nor {short(catalogue.at[row.name_b, 'label'], 22)}"
        for row in shown.itertuples()
    ]
    right.set_yticks(range(len(shown)), names, fontsize=7.5)
    right.set_ylim(len(shown) - 0.5, -0.5)
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.set_xlabel("mean of |E| first minus |E| second")
    return figure, shown


def variation(shares):
    """Share of the variation in sharpness that goes with metric, task and model family, where they are crossed."""
    known = shares[shares["status"] == "ok"]
    if known.empty:
        reason = "The design does not tell metric, task and model family apart: " + ", ".join(
            f"{row.factor}: {row.status.replace('_', ' ')}" for row in shares.itertuples()
        )
        return notice(reason + "."), shares
    figure, axes = plt.subplots(figsize=(5.2, 0.9 + 0.4 * len(known)))
    rows = np.arange(len(known))
    axes.barh(rows, 100 * known["share"], color=COLORS[0], height=0.55)
    for row, record in zip(rows, known.itertuples(), strict=True):
        text = "no curves to exchange" if np.isnan(record.p_value) else f"p = {record.p_value:.2g}"
        axes.annotate(text, (100 * record.share, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(rows, [f"{record.factor.replace('_', ' ')} ({record.n_levels} levels)" for record in known.itertuples()])
    axes.set_ylim(len(known) - 0.5, -0.5)
    axes.set_xlim(0, 115)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_xlabel("share of the variation in |E| (%)")
    return figure, shares
