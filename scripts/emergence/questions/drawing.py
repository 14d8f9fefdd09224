"""What the figures of all questions share: one look, one way to save, and the parts that several of them draw."""

import functools
import importlib.metadata
import io
import re
import textwrap
import warnings
from unicodedata import east_asian_width

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox
from PIL import Image

from emergence.io import contents, tables, texts

mpl.use("agg")


def _theme():
    """Seaborn's theme for papers, as rcParams, and its palette for colour-blind readers, as triples of red, green and blue.

    To import seaborn takes as long as drawing four figures: the first job does, and notes for the others what it gives.
    """
    versions = {package: importlib.metadata.version(package) for package in ("matplotlib", "seaborn")}
    known = contents.remembered(contents.FOLDER / "theme.json")
    if known.get("versions") != versions:
        import seaborn as sns

        theme = sns.plotting_context("paper") | sns.axes_style("ticks", {"font.family": "sans-serif"})
        # a colour map that Matplotlib knows only once seaborn is imported; no figure uses the default one
        del theme["image.cmap"]
        known = {"versions": versions, "theme": theme, "palette": sns.color_palette("colorblind")}
        contents.remember(contents.FOLDER / "theme.json", known)
    return known["theme"], [tuple(color) for color in known["palette"]]


# Markers and dashes tell lines apart in grey print too.
THEME, COLORS = _theme()

MARKERS = "osD^vPX*"

DASHES = [(), (4, 1.5), (1, 1), (3, 1, 1, 1), (5, 1, 1, 1, 1, 1), (2, 2), (6, 2), (1, 2)]

KIND_COLORS = {"discontinuous": COLORS[3], "nonlinear": COLORS[1], "linear": COLORS[0], "unknown": COLORS[7]}

WIDTH = 7.2

# Above this many curves, only the sharpest of each metric are drawn as points: a figure must stay light enough to open.
MOST_POINTS = 1500


def style():
    """Set the one look of all figures."""
    mpl.rcParams |= THEME
    mpl.rcParams |= {
        "axes.prop_cycle": mpl.cycler(color=COLORS),
        "figure.constrained_layout.use": True,
        # the font that comes with Matplotlib: the same figure on every machine
        "font.sans-serif": ["DejaVu Sans"],
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
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=dpi, bbox_inches=box, pil_kwargs={"compress_level": 0})
        with tables.replacing(png) as temporary, Image.open(drawn) as image:
            # a figure has few colours: a palette makes the file, and the report that holds it, a third as large
            image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(temporary, "PNG")
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


def folded(text, width, size):
    """A name on one line or two, each at most `width` inches wide at a font size in points; cut where two have no room for it."""
    text = texts.printable(text)
    ends = [match.end() for match in re.finditer(r"[\s_:/-]+", text) if text_width(text[: match.end()].rstrip(), size) <= width]
    if text_width(text, size) <= width or not ends:
        return fitted(text, width, size)
    return f"{text[: ends[-1]].rstrip()}\n{fitted(text[ends[-1] :], width, size)}"


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


def two_standard_errors(row, catalogue):
    """Half-width of two standard errors along a curve: published, else binomial for a proportion; NaN where unknown."""
    half = 2 * row["stderr"]
    if catalogue.at[row["metric"], "proportion"]:
        # a pooled score is taken over the examples of all its models
        examples = row["n_examples"] * row["n_models"]
        binomial = 2 * np.sqrt(np.clip(row["scores"] * (1 - row["scores"]), 0, None) / examples)
        half = np.where(np.isnan(half), binomial, half)
    return half


def draw_curve(axes, row, half, **look):
    axes.plot(row["scales"], row["scores"], ms=4, lw=1.4, **look)
    if np.isfinite(half).any():
        half = np.nan_to_num(half)
        axes.vlines(row["scales"], row["scores"] - half, row["scores"] + half, color=look["color"], lw=0.8, alpha=0.6)
    axes.set_xscale("log")


def log_axis(axis, values, name=brief):
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


def scale_ticks(axes):
    """Ticks at powers of ten, in the short words that the field uses."""
    low, high = axes.get_xlim()
    ticks = log_ticks(low, high, fewest=2, most=4)
    # a label at the right end would run into the next panel, or out of the figure
    inner = [tick for tick in ticks if np.log(high / tick) > 0.04 * np.log(high / low)]
    ticks = inner if len(inner) > 1 else ticks
    axes.set_xticks(ticks, [scale_name(tick) for tick in ticks])
    axes.minorticks_off()


def score_ticks(axes, size):
    """At most five ticks on the axis of scores, in letters of `size` points. Returns the width of the widest label in inches."""
    low, high = sorted(axes.get_ylim())
    ticks = [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]
    labels = [f"{tick:.6g}" for tick in ticks]
    axes.set_yticks(ticks, labels, fontsize=size)
    return max((text_width(label, size) for label in labels), default=0)


def at_position(figure, left, top, bottom, between, above):
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


def scale_name(value):
    """A scale in short: 1.2B, 400M, 3e21."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size <= value < 1e15:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}" if value < 1e15 else f"{value:.0e}".replace("e+", "e")


def tidy_rows(row, half, **names):
    """One drawn curve as tidy rows."""
    return pd.DataFrame({**names, "scale": row["scales"], "score": row["scores"], "two_stderr": half})
