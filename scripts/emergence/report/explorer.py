"""The explorer: a page beside the report in which every curve of the study can be found and looked at, offline.

The page holds the names and the scores E of all curves. Their points are in files beside it, read when a curve is looked at. These
are scripts, since a page opened from a folder may read nothing else. They hold numbers only; every name is in the page, as text.
"""

import base64
import hashlib
import json
import shutil

import jinja2
import numpy as np
import pandas as pd

from emergence.curves import frames
from emergence.io import tables
from emergence.io.documents import ROOT
from emergence.io.texts import printable
from emergence.report import overview

TEMPLATES = ROOT / "workflow" / "report" / "explorer"
SCRIPTS = ("vendor/d3.min.js", "vendor/plot.min.js", "explorer.js")

# The metrics of one set of outputs follow each other, so that one file has them all.
ORDER = ("benchmark", "task", "subtask", "model_family", "shots", "metric")

# Points in one file beside the page: some hundred kilobytes, read in a moment.
POINTS_PER_FILE = 6000

VERDICT_COLUMNS = ("word", "verdict", "reason")


def write(curves, verdicts, catalogue, blocks, folder, threshold=100.0, relative_threshold=2.0):
    """Write explorer.html and the files of explorer/ into a folder; the page last.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns of the table `curves`, of all benchmarks.
    verdicts : pandas.DataFrame or None
        Columns of the table `verdicts`, of all benchmarks: the key of a curve, `word`, `verdict`, `reason`, `claimed`. A
        curve without a row has none.
    catalogue : pandas.DataFrame
        As of metric_catalogue.load.
    blocks : dict
        {benchmark: its block of the configuration}; `title`, `origin`, `scale_label` and `answers_over` are used.
    folder : pathlib.Path
    threshold, relative_threshold : float
        Where the slider is at first, on E and on relative E.
    """
    index, points = contents(curves, verdicts, catalogue, blocks)
    index |= {"thresholds": {"e": threshold, "relative": relative_threshold}}
    beside = folder / "explorer"
    making = folder / ".explorer.new"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for number, rows in enumerate(points):
        text = f"explorer.add({number},{as_script(rows)});\n"
        (making / f"{number}.js").write_text(text, encoding="ascii")
    shutil.rmtree(beside, ignore_errors=True)
    making.rename(beside)
    with tables.replacing(folder / "explorer.html") as temporary:
        temporary.write_text(page(index), encoding="utf-8")


def as_script(value):
    """JSON that can be put into a script of a page: no character in it ends the script, a line or a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page(index):
    """The page as text. index: dict, as of contents()."""
    scripts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template("explorer.html.j2").render(
        style=(TEMPLATES / "explorer.css").read_text(encoding="utf-8"),
        scripts=scripts,
        digests=[script_digest(script) for script in scripts],
        index=as_script(index),
    )


def script_digest(script):
    """What a policy of the page calls a script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def contents(curves, verdicts, catalogue, blocks):
    """What the page and the files beside it hold.

    Returns
    -------
    index : dict
        `names`, lists of texts; `curves`, one list per column, with positions in the lists of names; `scales`, the different lists
        of scales; `files`, the position of the first curve in each file.
    points : list of list of list
        For each file, for each of its curves: [exponent, position in `scales`, scores, half-widths, chance]. Scores are whole
        numbers times 10 to the exponent, half-widths times 10 to the exponent plus one. Unknown half-widths are -1; 0 instead of
        their list where all are.
    """
    curves = curves.reset_index(drop=True)
    if len(curves):
        curves = curves.iloc[np.argsort(tables.key_positions(curves, ORDER), kind="stable")].reset_index(drop=True)
    curves = with_verdicts(curves, verdicts)
    columns, names = {}, {}
    for column in ("benchmark", "task", "subtask", "metric", "model_family", "status", *VERDICT_COLUMNS):
        codes, distinct = pd.factorize(curves[column])
        columns[column], names[column] = codes.tolist(), [printable(name) for name in distinct]
    benchmarks = pd.unique(curves["benchmark"])
    names["benchmark"] = [printable(blocks[name]["title"]) for name in benchmarks]
    # networks trained for the study and simulated outputs are no evidence about language models, and are not counted with them
    present = [origin for origin in overview.ORIGINS if origin in {blocks[name]["origin"] for name in benchmarks}]
    names["origin"] = [overview.ORIGINS[origin] for origin in present]
    names["benchmark_origin"] = [present.index(blocks[name]["origin"]) for name in benchmarks]
    names["scale_label"] = [printable(blocks[name].get("scale_label", "scale")) for name in benchmarks]
    metrics = catalogue.loc[list(pd.unique(curves["metric"]))]
    names["metric_label"] = [printable(label) for label in metrics["label"]]
    names["kind"] = metrics["kind"].tolist()
    names["lower_is_better"] = [not better for better in metrics["higher_is_better"]]
    # where no resolution is known, the plain relative score, as in the verdicts
    relative = curves["relative_emergence_score_resolved"].fillna(curves["relative_emergence_score"])
    columns |= {
        "shots": [None if pd.isna(shots) else int(shots) for shots in curves["shots"]],
        "n_scales": curves["n_scales"].astype(int).tolist(),
        "counted": in_counts(curves, blocks).astype(int).tolist(),
        "e": rounded(curves["emergence_score"]),
        "relative": rounded(relative),
        "claimed": [None if pd.isna(claimed) else int(claimed) for claimed in curves["claimed"]],
    }
    scales, starts, points = files_of_points(curves, catalogue)
    return {"names": names, "curves": columns, "scales": scales, "files": starts}, points


def in_counts(curves, blocks):
    """Which curves the tables count above a threshold: (curves,) bool."""
    asked = [
        frames.chosen(part.assign(row=part.index), **blocks[name]["answers_over"]) for name, part in curves.groupby("benchmark")
    ]
    rows = pd.concat(asked)["row"] if asked else []
    return frames.counted(curves)["in_counts"].to_numpy(dtype=bool) & curves.index.isin(rows)


def with_verdicts(curves, verdicts):
    """The curves with the columns of their verdicts, empty where there is none."""
    if verdicts is None or verdicts.empty:
        return curves.assign(**dict.fromkeys((*VERDICT_COLUMNS, "claimed")))
    key = [column for column in frames.KEY if column in verdicts.columns]
    wanted = verdicts[[*key, *VERDICT_COLUMNS, "claimed"]].drop_duplicates(key)
    # positions are equal for equal keys, also where a number of shots is not known
    both = pd.concat([curves[key], wanted[key]], ignore_index=True)
    position = tables.key_positions(both, key)
    given = wanted.drop(columns=key).set_axis(position[len(curves) :])
    return curves.assign(**given.reindex(position[: len(curves)]).set_axis(curves.index).to_dict("series"))


def rounded(values, digits=6):
    """Numbers with so many significant digits, None where there is none."""
    values = np.asarray(values, dtype=float)
    # without `.0` and the last digits of binary fractions, both of which cost room
    short = [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in values.tolist()]
    return [int(value) if value is not None and value.is_integer() and abs(value) < 1e15 else value for value in short]


def files_of_points(curves, catalogue):
    """The points of all curves, cut into files at the end of a set of outputs: `scales`, `files` and points of contents()."""
    if curves.empty:
        return [], [], []
    lengths = curves["n_scales"].to_numpy(dtype=int)
    ends = np.cumsum(lengths)
    flat = {column: np.concatenate(curves[column].to_numpy()).astype(float) for column in frames.ALONG}
    half = two_standard_errors(flat, np.repeat(curves["metric"].map(catalogue["proportion"]).to_numpy(dtype=bool), lengths))
    largest = np.maximum.reduceat(np.abs(flat["scores"]), ends - lengths)
    # five digits of the largest score
    exponent = np.where(largest > 0, np.floor(np.log10(np.where(largest > 0, largest, 1))) - 4, 0).astype(int)
    factor = np.repeat(10.0**-exponent, lengths)
    scores = np.round(flat["scores"] * factor).astype(np.int64).tolist()
    known = np.isfinite(half)
    half = np.where(known, np.round(np.where(known, half, 0) * factor / 10), -1).astype(np.int64).tolist()
    chance = rounded(curves["chance"])
    scales = {}
    outputs = tables.key_positions(curves, ORDER[:-1])
    starts, files, n_points = [], [], POINTS_PER_FILE
    for row, (end, length) in enumerate(zip(ends.tolist(), lengths.tolist(), strict=True)):
        start = end - length
        if n_points >= POINTS_PER_FILE and (row == 0 or outputs[row] != outputs[row - 1]):
            starts.append(row)
            files.append([])
            n_points = 0
        n_points += length
        errors = half[start:end] if known[start:end].any() else 0
        along = scales.setdefault(tuple(flat["scales"][start:end].tolist()), len(scales))
        files[-1].append([int(exponent[row]), along, scores[start:end], errors, chance[row]])
    return [rounded(values) for values in scales], starts, files


def two_standard_errors(flat, proportion):
    """Half-widths of the error bars: twice the published standard error, else the binomial one of a proportion; NaN where unknown.

    Parameters
    ----------
    flat : dict of numpy.ndarray
        scores, stderr, n_examples and n_models of points, (points,) each.
    proportion : numpy.ndarray
        (points,) of bool, whether the score is the share of examples graded right.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.clip(flat["scores"] * (1 - flat["scores"]), 0, None) / (flat["n_examples"] * flat["n_models"])
    binomial = np.where(proportion, np.sqrt(variance), np.nan)
    return 2 * np.where(np.isnan(flat["stderr"]), binomial, flat["stderr"])
