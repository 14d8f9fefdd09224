"""Starter block for tables. Columns are told by their headers, and every such guess is marked to be checked."""

import re
from collections import Counter

import pandas as pd

from emergence.ingest.readers.table import reader
from emergence.ingest.readers.table.keys import header_pattern
from emergence.io.documents import as_yaml, files_below
from emergence.study import metric_catalogue
from emergence.study.starter_blocks import FILL, key_lines, metric_lines, model_lines

# Headers that often name a field, in small letters, with `_` for anything else.
HEADERS = {
    "task": ("task", "task_name", "dataset", "benchmark", "eval"),
    "subtask": ("subtask", "subtask_name", "subset"),
    "metric": ("metric", "metric_name", "measure"),
    "model_family": ("model_family", "family", "series"),
    "model": ("model", "model_name", "name"),
    "scale": (
        "scale",
        "parameters",
        "params",
        "n_params",
        "n_parameters",
        "num_parameters",
        "size",
        "model_size",
        "flops",
        "tokens",
    ),
    "shots": ("shots", "n_shots", "n_shot", "num_shots", "num_fewshot", "few_shot"),
    "score": ("score", "value", "result"),
    "preferred": ("preferred",),
    "chance": ("chance", "random", "baseline"),
    "high_score": ("high_score",),
    "n_examples": ("n_examples", "examples", "n_samples", "num_examples", "n"),
    "stderr": ("stderr", "standard_error", "se"),
    "source": ("source",),
}

# How wide tables name their columns, the more telling patterns first.
PATTERNS = (
    "{task}_{shots}_{metric}",
    "{task} | {metric}",
    "{task}/{metric}",
    "{task}:{metric}",
    "{task}.{metric}",
    "{task}_{metric}",
)

UNITS = {"k": 1e3, "thousands": 1e3, "m": 1e6, "millions": 1e6, "b": 1e9, "billions": 1e9, "t": 1e12, "trillions": 1e12}


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    files = [file for file in files_below(path, "*") if file.name.lower().removesuffix(".gz").endswith(tuple(reader.ENDINGS))]
    if not files:
        return None
    kind = reader.file_type(files[0], {})
    names, content = reader.load(files[0], kind, lambda header: True)
    frame = pd.DataFrame(
        {header: content.column(header).to_pandas().astype("str").str.strip() for header in content.column_names}
    )
    block = [f"files: [{as_yaml(files[0])}]"]
    block += [f"# another table in the folder: {as_yaml(file)}" for file in files[1:]]
    columns = {field: next((header for header in names if plain(header) in known), None) for field, known in HEADERS.items()}
    columns = {field: header for field, header in columns.items() if header}
    return block + (_long if "score" in columns else _wide)(frame, columns, catalogue)


def _long(frame, columns, catalogue):
    block = [_scale_label(columns), "columns: # guessed from the headers; check each"]
    block += [f"  {field}: {as_yaml(header)}" for field, header in columns.items()]
    missing = [field for field in ("task", "metric", "model") if field not in columns]
    block += [f"  {field}: {FILL}: the column, or move it to `constants`" for field in missing]
    met = Counter(frame[columns["metric"]].dropna()) if "metric" in columns else {}
    return (
        block + _units(columns) + _values(frame, columns, met, catalogue) + metric_lines(met, catalogue) + _models(frame, columns)
    )


def _wide(frame, columns, catalogue):
    columns = {field: name for field, name in columns.items() if field not in ("score", "metric", "task")}
    headers = [name for name in frame.columns if name not in columns.values() and _is_numeric(frame[name])]
    header = _best_pattern(headers, metric_catalogue.spellings(catalogue))
    block = [_scale_label(columns), "layout: wide"]
    met = Counter()
    if header:
        block.append(f"header: {as_yaml(header)} # guessed; check that it splits the headers as it should")
        for name, match in _matches(header, headers):
            met[match["metric"]] += int((frame[name].fillna("").str.strip() != "").sum())
    else:
        block += [
            'header: "{task}" # every column that is not named below',
            "constants:",
            f"  metric: {FILL}: what the scores are",
        ]
    block.append("columns: # guessed from the headers; check each")
    block += [f"  {field}: {as_yaml(name)}" for field, name in columns.items()]
    block += [] if "model" in columns else [f"  model: {FILL}: the column"]
    return (
        block + _units(columns) + _values(frame, columns, met, catalogue) + metric_lines(met, catalogue) + _models(frame, columns)
    )


def plain(header):
    """A header for comparison: small letters, without a unit in brackets."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\(.*?\)", "", header.lower())).strip("_")


def _is_numeric(values):
    known = values[values.str.strip() != ""].dropna()
    return len(known) > 0 and pd.to_numeric(known, errors="coerce").notna().mean() > 0.5


def _matches(pattern, headers):
    expression = header_pattern({"layout": "wide", "header": pattern})
    return [(header, match) for header in headers if (match := expression.fullmatch(header))]


def _best_pattern(headers, spellings):
    """The pattern by which most headers end in a known metric, else one that all of them follow; None where there is none."""
    known = {pattern: sum(match["metric"] in spellings for _, match in _matches(pattern, headers)) for pattern in PATTERNS}
    best = max(known, key=known.get)
    if known[best]:
        return best
    # a name may well hold a point or an underscore, so those separators alone say nothing
    telling = [pattern for pattern in PATTERNS if re.search(r"[|/:]", pattern)]
    return next((pattern for pattern in telling if headers and len(_matches(pattern, headers)) == len(headers)), None)


def _unit(columns):
    """The factor that the header of the scales names in brackets, or None."""
    named = re.search(r"\(([A-Za-z]+)\)", columns.get("scale", ""))
    return UNITS.get(named[1].lower()) if named else None


def _scale_label(columns):
    label = columns.get("scale", "Parameters")
    label = re.sub(r" *[(].*?[)]", "", label) if _unit(columns) else label
    return f"scale_label: {as_yaml(label)} # what the scales are; the axis label"


def _units(columns):
    factor = _unit(columns)
    return ["multiply:", f"  scale: {factor:.1e} # the header says {as_yaml(columns['scale'])}"] if factor else []


def _values(frame, columns, met, catalogue):
    """`values` for metrics under other names than the catalogue's and for scales in words."""
    unknown = sorted(set(met) - set(metric_catalogue.spellings(catalogue)))
    block = (
        ["  metric: # the catalogue's name for each; or take the line out and add the metric to the catalogue"] if unknown else []
    )
    block += [f"    {line}" for line in key_lines(dict.fromkeys(unknown, f" {FILL}"))]
    cells = frame[columns["scale"]].dropna().str.strip() if "scale" in columns else []
    words = sorted({cell for cell in cells if cell and pd.isna(pd.to_numeric(cell, errors="coerce"))})
    block += ["  scale: # sizes that are no numbers"] if words else []
    block += [f"    {line}" for line in key_lines(dict.fromkeys(words, f" {FILL}"))]
    return ["values:", *block] if block else []


def _models(frame, columns):
    if "model" not in columns:
        return []
    found = frame.groupby(columns["model"], sort=True)
    lacking = {}
    for name, rows in found:
        empty = {
            key: field not in columns or (rows[columns[field]].fillna("").str.strip() == "").any()
            for field, key in (("model_family", "family"), ("scale", "scale"))
        }
        lacking[name] = [key for key, lacks in empty.items() if lacks]
    return model_lines(lacking)
