"""Starter block for tables. Columns are told by their headers, and every such guess is marked to be checked."""

import re
from collections import Counter
from glob import escape as glob_escaped
from pathlib import Path

import pandas as pd

from emergence.ingest.names import is_average, plain_name, suggested_pattern
from emergence.ingest.readers.table import reader
from emergence.ingest.readers.table.keys import header_patterns
from emergence.ingest.readers.table.numbers import decimal_sign, odd_cells, read_column, understood
from emergence.io.documents import as_yaml, files_below
from emergence.io.errors import InputError
from emergence.io.texts import printable
from emergence.study import metric_catalogue
from emergence.study.starter_blocks import FILL, gaps_of, key_lines, metric_lines

# Headers that often name a field, in small letters, with `_` for anything else.
HEADERS = {
    "task": ("task", "task_name", "dataset", "benchmark", "eval", "aufgabe", "tache", "tarea", "tarefa"),
    "subtask": ("subtask", "subtask_name", "subset"),
    "metric": ("metric", "metric_name", "measure", "metrik", "metrique", "metrica"),
    "model_family": ("model_family", "family", "series", "familie", "famille", "familia"),
    "model": ("model", "model_name", "name", "modell", "modele", "modelo", "fullname"),
    "scale": (
        "scale",
        "parameters",
        "params",
        "n_params",
        "n_parameters",
        "num_parameters",
        "size",
        "model_size",
        "grosse",
        "groesse",
        "taille",
        "tamano",
        "flops",
        "tokens",
    ),
    "step": ("step", "steps", "global_step", "train_step", "training_step", "training_steps", "iteration", "checkpoint_step"),
    "shots": ("shots", "n_shots", "n_shot", "num_shots", "num_fewshot", "few_shot"),
    "score": ("score", "value", "result", "wert", "valeur", "valor"),
    "preferred": ("preferred",),
    "chance": ("chance", "random", "baseline"),
    "n_examples": ("n_examples", "examples", "n_samples", "num_examples", "n"),
    "stderr": ("stderr", "standard_error", "se"),
    "source": ("source",),
}

# How wide tables name their columns, the more telling patterns first.
PATTERNS = (
    "{task}_{shots}_{metric}",
    "{task} ({metric})",
    "{task} | {metric}",
    "{task}|{metric}",
    "{task}/{metric}",
    "{task}:{metric}",
    "{task}.{metric}",
    "{task},{metric}",
    "{task}_{metric}",
    "{task}-{metric}",
    "{task} {metric}",
    "('{task}', '{metric}')",
    "{metric} ({task})",
    "{metric}/{task}",
    "{metric}:{task}",
    "{metric}.{task}",
    "{metric}_{task}",
    "{metric}-{task}",
    "{metric} {task}",
    "('{metric}', '{task}')",
)

# What the header of a standard error has that that of its score has not.
STDERR = (
    "{}_stderr",
    "{} stderr",
    "{}_se",
    "{} SE",
    "{} (SE)",
    "{}_std_err",
    "{}_standard_error",
    "stderr_{}",
    "{}-stderr",
    "{}.stderr",
)

# Numbers beside scores, by their headers in small letters with `_` for anything else: what each is.
NOT_SCORES = {
    "a rank or a number of a row": r"((overall|mean)_)?(rank|ranking|position)|index|id|no|nr|unnamed_\d+|index_level_\d+|"
    r"elo(_rating)?",
    "a count": r"hub(_likes)?|(.*_)?(likes|downloads|votes|stars)|count|n|(n|num)_(models|examples|samples|tasks|questions)",
    "tokens": r"(.*_)?tokens?(_(seen|trained|b|t))?|data|dataset_size|d",
    "training compute": r"(.*_)?(peta|exa|zetta)?flops?|((training|train)_)?compute|gpu_hours|c",
    "a setting or a date": r"year|(.*_)?date|time|epochs?|seed|batch(_size)?|lr|learning_rate|((n|num)_)?(layers|heads|shots?)|"
    r"d_model|width|depth|context(_length)?|vocab(_size)?|precision|dtype|bits|price|cost|co2(_.*)?|memory|latency|throughput|seconds",
    "a size": r"(.*_)?(params?|parameters)|size|(model|file)_size",
}

UNITS = {
    "k": 1e3,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "thousands": 1e3,
    "m": 1e6,
    "millions": 1e6,
    "b": 1e9,
    "billions": 1e9,
    "t": 1e12,
    "trillions": 1e12,
}


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    files = [file for file in files_below(path, "*") if file.name.lower().removesuffix(".gz").endswith(tuple(reader.ENDINGS))]
    if not files:
        return None
    kind = reader.file_type(files[0], {})
    names_of, content = reader.load(files[0], kind, lambda header: True)
    frame = pd.DataFrame(
        {header: content.column(header).to_pandas().astype("str").str.strip() for header in content.column_names}
    )
    block = _files(path, files, names_of)
    has_pattern = any(line.startswith("model_from:") for line in block)
    sign = reader.separator(files[0], {}) if kind == "csv" else ","
    block += (
        [f"# cells are separated by `{printable(repr(sign)[1:-1])}`, as the first rows tell (separator)"] if sign != "," else []
    )
    columns = {
        field: next((header for header in names_of if plain_name(header) in known), None) for field, known in HEADERS.items()
    }
    columns = {field: header for field, header in columns.items() if header}
    if "model" not in columns:
        # an index that was written with the table, such as pandas does
        index = next((name for name in ("__index_level_0__", "") if name in frame and not _is_numeric(frame[name])), None)
        columns |= {"model": index} if index is not None else {}
    lines_of, gaps = (_long if "score" in columns else _wide)(frame, columns, catalogue)
    if has_pattern and "model" not in columns:
        # the paths say it
        lines_of = [line for line in lines_of if not line.startswith(f"  model: {FILL}")]
    return block + lines_of, gaps


def _files(path, files, names_of):
    """The files of the block: all of one form together, with what their paths say of the models, or the first."""
    alike = [file for file in files if len(files) > 1 and _same_columns(file, names_of)]
    if len(alike) < 2 or not (pattern := suggested_pattern(Path(path), alike)):
        return [f"files: [{as_yaml(files[0])}]", *(f"# another table in the folder: {as_yaml(file)}" for file in files[1:])]
    block = [f"files: [{as_yaml(f'{path}/**/*{alike[0].suffix}')}] # {len(alike)} tables with the same columns"]
    known = {plain_name(name) for name in names_of} & set(HEADERS["model"])
    sign = "# " if known else ""
    block += [f"{sign}model_from: {as_yaml(pattern)} # check: who the model is, by the path of its file"]
    return block


def _same_columns(file, names_of):
    try:
        return reader.load(file, reader.file_type(file, {}), lambda header: False)[0] == names_of
    except InputError:
        return False


def _long(frame, columns, catalogue):
    block = [_scale_label(columns), "columns: # guessed from the headers; check each"]
    block += [f"  {field}: {as_yaml(header)}" for field, header in columns.items()]
    missing = [field for field in ("task", "metric", "model") if field not in columns]
    block += [f"  {field}: {FILL}: the column, or move it to `constants`" for field in missing]
    met = Counter(frame[columns["metric"]].dropna()) if "metric" in columns else {}
    block += _units(frame, columns, [columns["score"]], met, catalogue)
    block += _as_written(frame, {columns["score"]: "score"} | {columns[f]: f for f in ("scale",) if f in columns})
    block += _averages(frame, columns)
    return block + _values(frame, columns, met, catalogue) + metric_lines(met, catalogue), _gaps(frame, columns)


def _averages(frame, columns):
    """`leave_out` for tasks of a long table that average others."""
    names_of = frame[columns["task"]].dropna().unique() if "task" in columns else []
    averages = sorted(name for name in names_of if _kind(name) == "an average of others")
    if not averages:
        return []
    return ["leave_out:", f"  tasks: [{', '.join(map(as_yaml, averages))}] # check: averages of other tasks"]


def _kind(header):
    """What a column is that holds numbers and not scores, by its header; None for a score."""
    if is_average(header):
        return "an average of others"
    plain = plain_name(header)
    return next((kind for kind, pattern in NOT_SCORES.items() if re.fullmatch(pattern, plain)), None)


def _wide(frame, columns, catalogue):
    columns = {field: name for field, name in columns.items() if field not in ("score", "metric", "task")}
    columns = _without_repeated_models(frame, columns)
    spellings = metric_catalogue.spellings(catalogue)
    headers = [name for name in frame.columns if name not in columns.values() and _is_numeric(frame[name])]
    of_stderr = _stderr_pairs(headers)
    likely = [name for name in headers if name not in of_stderr.values()]
    header = _best_pattern([name for name in likely if _kind(name) is None] or likely, spellings)
    block = [_scale_label(columns), "layout: wide"]
    met = Counter()
    if header:
        block.append(f"header: {as_yaml(header)} # guessed; check that it splits the headers as it should")
        matches = _matches(header, list(likely))
        for name, match in matches:
            met[match["metric"]] += int((frame[name].fillna("").str.strip() != "").sum())
        scores = [name for name, _ in matches]
    else:
        block.append('header: "{task}" # every column that is neither named nor left out below')
        scores = likely
    taken = [name for name in frame.columns if name not in columns.values() and (name in scores or not header)]
    out = {name: "an average of others" for name in scores if header and _kind(name) == "an average of others"}
    if not header:
        out = {name: _kind(name) if name in headers else "text" for name in taken if name not in of_stderr.values()}
    # leaderboards rescale a score and keep the one that was measured beside it
    out |= {name: f"a rescaled copy of {as_yaml(name + ' Raw')}" for name in scores if f"{name} Raw" in scores}
    out = {name: kind for name, kind in out.items() if kind}
    scores = [name for name in scores if name not in out]
    if of_stderr:
        form = next(form for form in STDERR if form.format("") in {_without(error, score) for score, error in of_stderr.items()})
        block.append(f"stderr_header: {as_yaml(form.format(header or '{task}'))} # the standard errors of the scores; check")
    if out:
        block += ["leave_out:", "  columns: # guessed to be something else than scores; check each"]
        block += [f"    - {as_yaml(glob_escaped(name))} # {kind}" for name, kind in out.items()]
    if not header:
        block += ["constants:", f"  metric: {FILL}: what the scores are"]
    block.append("columns: # guessed from the headers; check each")
    block += [f"  {field}: {as_yaml(name)}" for field, name in columns.items()]
    block += [] if "model" in columns else [f"  model: {FILL}: the column"]
    block += _computed_scale(frame, columns)
    block += _units(frame, columns, scores, met, catalogue)
    block += _as_written(frame, dict.fromkeys(scores, "score") | {columns[f]: f for f in ("scale",) if f in columns})
    return block + _values(frame, columns, met, catalogue) + metric_lines(met, catalogue), _gaps(frame, columns)


def _without(error, score):
    return error.replace(score, "", 1)


def _stderr_pairs(headers):
    """{score: the column with its standard error} for headers that are those of another column and a sign of a standard error."""
    known = set(headers)
    return {name: form.format(name) for form in STDERR for name in headers if form.format(name) in known}


def _without_repeated_models(frame, columns):
    """Where rows share a model's name and differ in scale, the name is that of the family, and the scale tells the models."""
    if not {"model", "scale"} <= set(columns) or {"model_family", "step"} & set(columns):
        return columns
    names_of, scales = frame[columns["model"]], frame[columns["scale"]]
    if names_of.duplicated().any() and not pd.DataFrame({"a": names_of, "b": scales}).duplicated().any():
        return columns | {"model_family": columns["model"], "model": columns["scale"]}
    return columns


def _computed_scale(frame, columns):
    """A comment with the training compute, where there are parameters and tokens."""
    tokens = next((name for name in frame.columns if _kind(name) == "tokens" and _is_numeric(frame[name])), None)
    if not tokens or "scale" not in columns or columns["scale"] == tokens:
        return []
    expression = as_yaml(f"6 * `{columns['scale']}` * `{tokens}`")
    return [f"# scale_from: {expression} # training FLOPs, in place of columns.scale; check the units"]


def _as_written(frame, fields):
    """Comments about numbers that are not written plainly: how they will be read."""
    found, decimal = Counter(), None
    texts = [text for name in fields for text in frame[name].dropna().unique()]
    if any("," in text or "." in text for text in texts):
        decimal = decimal_sign(texts)
    first, unclear = {}, []
    for name, field in fields.items():
        for text in frame.loc[odd_cells(frame[name]), name].unique():
            cell = understood(text, field, decimal or ("," if "." not in "".join(texts) else None))
            if cell is None:
                unclear.append(text)
            else:
                found[cell.kind] += 1
                first.setdefault(cell.kind, text)
    lines_of = [f"# check: {n} different cells have {kind}, such as {as_yaml(first[kind])}" for kind, n in sorted(found.items())]
    if any("±" in text for text in first.values()):
        lines_of.append("plus_minus: ignore # or stderr, if what follows ± is the standard error")
    if decimal == ",":
        lines_of.append('decimal: "," # check: as the cells tell')
    return lines_of


def _is_numeric(values):
    known = values[values.str.strip() != ""].dropna()
    if not len(known):
        return False
    is_number = pd.to_numeric(known, errors="coerce").notna()
    if is_number.mean() > 0.5:
        return True
    # what is a number by one decimal sign or the other, or a dash
    rest = known[~is_number].unique()
    read = {text: any(understood(text, "score", sign) for sign in (None, ".", ",")) for text in rest[:1000]}
    return (is_number | known.map(read).fillna(False).astype(bool)).mean() > 0.5


def _matches(pattern, headers):
    (expression,) = header_patterns({"layout": "wide", "header": pattern})
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


def _units(frame, columns, scores, met, catalogue):
    """`multiply` for scales in a unit that the header names, and for scores that look like percent."""
    factor = _unit(columns)
    block = [f"  scale: {factor:.1e} # the header says {as_yaml(columns['scale'])}"] if factor else []
    spellings = metric_catalogue.spellings(catalogue)
    known = [catalogue.at[spellings[name], "high"] for name in met if name in spellings]
    values = pd.concat([_as_numbers(frame[name]) for name in scores]) if scores else pd.Series(dtype=float)
    if not any(high > 1 for high in known) and 1.5 < values.max() <= 100 and values.min() >= 0:
        block.append(f"  score: 0.01 # check: the scores go to {values.max():g}, so they are taken for percent")
    return ["multiply:", *block] if block else []


def _as_numbers(cells):
    """A column of text as numbers, as far as it can be read; cells with `%` as they are written."""
    read = read_column(cells, "score", decimal_sign(cells.dropna().unique()), lambda cell: True)[0]
    return pd.to_numeric(read, errors="coerce")


def _values(frame, columns, met, catalogue):
    """`values` for metrics under other names than the catalogue's and for scales in words."""
    unknown = sorted(set(met) - set(metric_catalogue.spellings(catalogue)))
    block = (
        ["  metric: # the catalogue's name for each; or take the line out and add the metric to the catalogue"] if unknown else []
    )
    block += [f"    {line}" for line in key_lines(dict.fromkeys(unknown, f" {FILL}"))]
    cells = frame[columns["scale"]].dropna().str.strip() if "scale" in columns else pd.Series(dtype="str")
    decimal = decimal_sign(cells.unique())
    words = sorted(
        {
            cell
            for cell in cells.unique()
            if cell and pd.isna(pd.to_numeric(cell, errors="coerce")) and not understood(cell, "scale", decimal)
        }
    )
    keys = key_lines(dict.fromkeys(words, f" {FILL}"))
    block += ["  scale: # sizes that are not numbers"] if keys and keys[0][0] != "#" else []
    block += [f"    {line}" for line in keys]
    return ["values:", *block] if any(line.strip()[0] != "#" for line in block) else [line.strip() for line in block]


def _gaps(frame, columns):
    if "model" not in columns or "step" in columns:
        return {}
    names_of = frame[columns["model"]]
    lacking = {name: [] for name in sorted(names_of.dropna().unique())}
    for field, key in (("model_family", "family"), ("scale", "scale")):
        open_ones = (
            names_of[frame[columns[field]].fillna("").str.strip() == ""].dropna().unique() if field in columns else lacking
        )
        for name in open_ones:
            lacking[name].append(key)
    return gaps_of(lacking)
