"""Starter block for tables. Columns are told by their headers, and every such guess is marked to be checked."""

import csv
import itertools
import math
import re
import zlib
from collections import Counter
from glob import escape as glob_escaped
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyarrow as pa

from emergence.ingest import foreign
from emergence.ingest.names import is_average, path_fields, plain_name, size_in_name, suggested_pattern
from emergence.ingest.readers.table import reader
from emergence.ingest.readers.table.keys import header_patterns
from emergence.ingest.readers.table.numbers import AFTER_SCORE, decimal_sign, odd_cells, read_column, understood
from emergence.io.documents import as_yaml, files_below
from emergence.io.errors import InputError, mistake
from emergence.io.separators import SEPARATORS
from emergence.io.texts import printable
from emergence.study import metric_catalogue
from emergence.study.starter_blocks import FILL, MOST_MODELS, as_number, gaps_of, key_lines, metric_lines

# Headers that often name a field, in small letters, with `_` for anything else; the more telling first.
_HEADERS = {
    "task": "task task_name dataset dataset_name benchmark benchmark_name eval evaluation aufgabe datensatz tache tarea tarefa "
    "compito",
    "subtask": "subtask subtask_name subset",
    "metric": "metric metric_name measure metrik metrique metrica",
    "model_family": "model_family family model_series series familie modellfamilie famille familia famiglia",
    "model": "fullname model model_name model_id model_version modell modellname modele nom_du_modele modelo "
    "modello name llm checkpoint",
    "scale": "scale parameters parameter params param_count parameter_count n_params n_parameters num_params num_parameters "
    "parametres nombre_de_parametres parametros parametri total_params non_embedding_params size model_size grosse groesse "
    "modellgrosse taille taille_du_modele tamano tamanho dimensione flops train_flops training_flops compute "
    "training_compute tokens total_tokens",
    "step": "step steps global_step train_step training_step training_steps iteration checkpoint_step",
    "shots": "shots n_shots n_shot num_shots num_fewshot few_shot",
    "score": "score value result wert ergebnis valeur resultat valor resultado valore risultato",
    "preferred": "preferred",
    "chance": "chance random baseline",
    "n_examples": "n_examples examples n_samples num_examples num_instances n",
    "stderr": "stderr standard_error se",
    "source": "source",
}
HEADERS = {field: tuple(names.split()) for field, names in _HEADERS.items()}

# How wide tables name their columns, the more telling patterns first.
PATTERNS = (
    "{task}_{shots}_{metric}",
    "{task} ({metric})",
    "{task} | {metric}",
    "{task} - {metric}",
    "{task}|{metric}",
    "{metric}|{task}",
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
    "a share of comparisons won, which depends on the other models": r"(mean_|average_|avg_)?win_?rate",
    "a rank or a number of a row": r"((overall|mean)_)?(rank|ranking|rang|position)|index|id|no|nr|unnamed_\d+|index_level_\d+|"
    r"(.*_)?elo(_rating)?",
    "a count": r"hub(_likes)?|(.*_)?(likes|downloads|votes|stars)|(.*_)?count|anzahl|n|"
    r"(n|num)_(models|examples|samples|tasks|questions)",
    "tokens": r"(.*_)?tokens?(_(seen|trained|b|t))?|data|(.*_)?data_?set_size|(.*_)?data_size|d",
    "training compute": r"(.*_)?([gtpez]|giga|tera|peta|exa|zetta)?flops?|((training|train)_)?compute|gpu_hours|c",
    "a setting or a date": r"year|jahr|(.*_)?(date|datum)|time|epochs?|seed|(.*_)?batch(_size(_.*)?)?|lr|"
    r"(.*_)?learning_rate(_.*)?|generation|((n|num)_)?(layers|heads|shots?)|d_model|width|depth|context(_length)?|"
    r"vocab(_size)?|precision|dtype|bits|price|cost|"
    r"co2(_.*)?|memory|latency|throughput|seconds|version|revision",
    "a size": r"(.*_)?(params?|parameters?)(_(b|m|billions?|millions?))?|(.*_)?size(_(b|m|gb))?",
}

# Metrics whose names are no other words, also with a capital.
_IN_HEADINGS = ("acc", "accuracy", "exact_match", "bleu", "perplexity")

# So many cells that are not numbers are listed.
_MOST_CELLS = 100

# What nested values are below that are scores.
_NESTED = ("metrics", "scores", "results")

# A pattern by which no more than this share of the headers name a known metric is an accident.
_FEW = 0.25

# A line with less than this share of the cells of the fullest is no line of names.
_FULL = 0.6

# So much larger than the numbers of most columns is another quantity; scores of one metric lie closer together.
_FAR = 10

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
    "bn": 1e9,
    "mio": 1e6,
    "mrd": 1e9,
    "millionen": 1e6,
    "milliarden": 1e9,
    "milliards": 1e9,
    "millones": 1e6,
}


def lines(path, catalogue):
    """See emergence.study.starter_blocks."""
    files = [file for file in files_below(path, "*") if file.name.lower().removesuffix(".gz").endswith(tuple(reader.ENDINGS))]
    if not files and _looks_like_a_table(path):
        # any other ending is taken for CSV
        files = [path]
    if not files:
        return None
    kind, form = reader.file_type(files[0], {}), form_of(files[0])
    names_of, content = reader.load(files[0], kind, lambda header: True, form)
    frame = pd.DataFrame({header: _texts(content.column(header)) for header in content.column_names})
    # a spreadsheet leaves empty rows below its table
    frame = frame[(frame.fillna("") != "").any(axis=1)].reset_index(drop=True)
    if kind == "jsonl" and _holds_runs(frame.columns):
        allowed = "a file of its own for each run (`.json`), which `format: lm_eval` reads"
        raise InputError(mistake(files[0], "results of lm-evaluation-harness, one run on each line", allowed))
    if not len(frame):
        raise InputError(mistake(files[0], "names of columns but no row", "at least one row"))
    block, pattern = _files(path, files, form, names_of)
    block += form_lines(files[0], form)
    sign = reader.separator(files[0], form) if kind == "csv" else ","
    block += (
        [f"# cells are separated by `{printable(repr(sign)[1:-1])}`, as the first rows tell (separator)"] if sign != "," else []
    )
    columns = _columns(frame)
    block += _fill_down(frame, columns) if kind in ("csv", "tsv") else []
    if not pattern or "model" in columns:
        lines_of, gaps = (_long if "score" in columns else _wide)(frame, columns, catalogue)
        return block + lines_of, gaps
    # the paths say who the model is; where it has a row for each scale, these are steps of its training
    if "scale" in columns and "task" not in columns and not frame[columns["scale"]].duplicated().any():
        columns["step"] = columns.pop("scale")
    lines_of, _ = (_long if "score" in columns else _wide)(frame, columns, catalogue, is_model_open=False)
    if "step" in columns or "{step}" in pattern:
        return block + lines_of, {}
    lacking = [key for field, key in (("model_family", "family"), ("scale", "scale")) if field not in columns]
    return block + lines_of, gaps_of(dict.fromkeys(sorted(_models_by_path(path, pattern)), lacking))


def _looks_like_a_table(path):
    """Whether a file of an ending that says nothing, such as `scores.txt`, has rows of several cells each."""
    if not path.is_file() or path.suffix.lower() == ".json" or foreign.what_is(path):
        return False
    try:
        n_cells = [_n_cells(row) for row in _first_rows(path, "csv", form_of(path)) if row]
    except (pa.ArrowException, OSError, ValueError, csv.Error):
        return False
    return len(n_cells) > 1 and median(n_cells) > 1 and len(set(n_cells)) < len(n_cells)


def _models_by_path(path, pattern):
    return {fields["model"] for file in files_below(path, "*") if (fields := path_fields(pattern, file)) and "model" in fields}


def _texts(column):
    """The cells of an Arrow column as they are written, also NaN, which is not a missing cell, and bytes, which need not be text."""
    try:
        texts = column.cast(pa.string()).to_pandas()
    except pa.ArrowException:
        texts = column.to_pandas().map(str, na_action="ignore")
    return texts.astype("str").str.strip()


def _holds_runs(names_of):
    """Whether nested values are whole runs of the harness: results beside its configuration or the versions of its tasks."""
    parts = {name.split(".")[0] for name in names_of if "." in name}
    return "results" in parts and bool({"config", "configs", "versions"} & parts)


def _columns(frame):
    """{field: header} as far as the headers tell."""
    plain = {}
    for header in frame.columns:
        name = re.sub(r"_(b|m|bn|billions?|millions?)\Z", "", plain_name(header))
        plain.setdefault(name, header)
    for header in frame.columns:
        # the last part of a name such as `model_config.model`, of a nested value, or `throughput/total_tokens`, of a log
        plain.setdefault(plain_name(re.split(r"[./]", header)[-1]), header)
    columns = {field: next((plain[name] for name in known if name in plain), None) for field, known in HEADERS.items()}
    of_names = ("task", "subtask", "metric", "model_family")
    columns = {
        field: header
        for field, header in columns.items()
        if header and not (field in of_names and _is_numeric(frame[header])) and (field != "score" or _is_numeric(frame[header]))
    }
    if {"task", "metric", "model"} <= set(columns) and "score" not in columns:
        # all that tells scores apart is in columns of its own: what else holds numbers is the score, if it is one column
        others = [name for name in frame if name not in columns.values() and _kind(name) is None and _is_numeric(frame[name])]
        columns |= {"score": others[0]} if len(others) == 1 else {}
    index = next((name for name in ("__index_level_0__", "") if name in frame and not _is_numeric(frame[name])), None)
    if index is not None and not {"model", "task"} & set(columns):
        # an index that was written with the table, such as pandas does: of models, or of tasks beside columns of models
        sizes = [name for name in frame if name != index and size_in_name(name)]
        columns["task" if len(sizes) > len(frame.columns) / 2 else "model"] = index
    return columns


def form_of(file):
    """How the text of a table is to be read: {key of the block: value} for what is not as usual, as far as the file tells.

    `encoding` where it is not UTF-8, `skip_rows` for lines above the names of the columns, `header_rows` where these fill several.
    """
    kind, form = reader.file_type(file, {}), {}
    try:
        if kind != "parquet" and (guess := reader.likely_encoding(file)):
            form["encoding"] = guess[0]
        if kind in ("csv", "tsv"):
            n_above, n_rows = _header(_first_rows(file, kind, form))
            form |= {"skip_rows": n_above} if n_above else {}
            form |= {"header_rows": n_rows} if n_rows > 1 else {}
    except (pa.ArrowException, OSError, EOFError, ValueError, zlib.error, csv.Error):
        # whoever reads the table says what is wrong with it
        pass
    return form


def form_lines(file, form):
    """Lines of a block for what form_of found."""
    said = {
        "encoding": lambda: f"the text is not UTF-8; {reader.likely_encoding(file)[1]}",
        "skip_rows": lambda: "lines above the names of the columns",
        "header_rows": lambda: "the names of the columns fill so many rows, and are joined by `|`",
    }
    return [f"{key}: {value} # check: {printable(said[key]())}" for key, value in form.items()]


def _first_rows(file, kind, form):
    """The cells of the first lines of a file, separated by whatever gives the fullest rows."""
    with reader.lines_of(file, form) as content:
        start = content.read(1 << 16).decode("utf-8", "replace").removeprefix("\ufeff").splitlines()[:50]
    rows = {sign: [_cells_of(line, sign) for line in start] for sign in (("\t",) if kind == "tsv" else SEPARATORS)}
    return max(rows.values(), key=lambda found: (median(counts := list(map(_n_cells, found))), max(counts))) if start else []


def _header(rows):
    """How many lines are above the names of the columns, and how many rows these fill.

    The names are in the first line with about as many cells as the fullest. Where they are no names of their own, since cells are
    empty or repeated, the lines around it without numbers belong to them.
    """
    full = max(map(_n_cells, rows), default=0)
    first = next((number for number, row in enumerate(rows) if _n_cells(row) > 1 and _n_cells(row) >= _FULL * full), None)
    if first is None:
        return 0, 1
    last = first
    while last + 1 < len(rows) and _has_no_number(rows[last + 1]) and _goes_on(rows[first : last + 1], rows[last + 1]):
        last += 1
    while (
        first and not _tells_apart(rows[first : last + 1]) and _n_cells(rows[first - 1]) > 1 and _has_no_number(rows[first - 1])
    ):
        first -= 1
    return (first, last - first + 1) if _tells_apart(rows[first : last + 1]) else (first, 1)


def _goes_on(names, row):
    """Whether a line of texts belongs to the names above it: these lack something, or the line says nothing in the first column.

    The name of an index, which pandas writes below those of the columns, is alone in its line.
    """
    is_index = _n_cells(row) == 1 and not any(above[0].strip() for above in names)
    return not _tells_apart(names) or not row[0].strip() or is_index


def _n_cells(row):
    return sum(bool(cell.strip()) for cell in row)


def _has_no_number(row):
    """Whether a line holds texts only, and some."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return bool(cells) and not any(_plain(pd.Series([cell])) is not None or understood(cell, "score", ".") for cell in cells)


def _tells_apart(rows):
    """Whether rows of names give each column a name of its own; empty columns at the end are none."""
    names = reader.joined_names(rows)
    while names and not names[-1]:
        names.pop()
    return len(set(names)) == len(names) and "" not in names[1:]


def _cells_of(line, sign):
    """The cells of one line."""
    return next(csv.reader([line], delimiter=sign), [])


def _fill_down(frame, columns):
    """Fill cells that are empty below others, as a spreadsheet leaves them where cells are merged, and say so in the block.

    Tasks and metrics in the first columns are merged. Other names may well be unknown where they are missing, so the block only
    names the key for them.
    """
    empty = {header: frame[header].fillna("") == "" for header in frame}
    merged = [header for header in frame if not empty[header].iat[0] and empty[header].any()]
    first = {header for header, other in zip(merged, frame.columns, strict=False) if header == other}
    lines_of, filled = [], []
    for field in ("task", "subtask", "metric", "model_family", "model"):
        header = columns.get(field)
        if header in first and field not in ("model_family", "model"):
            filled.append(field)
            frame[header] = frame[header].mask(empty[header]).ffill()
        elif header in merged and field != "subtask":
            lines_of.append(
                f"# {int(empty[header].sum())} cells of the column {as_yaml(header)} are empty; where cells were merged, "
                f"`fill_down: [{field}]` fills them"
            )
    if filled:
        shown = ", ".join(as_yaml(columns[field]) for field in filled)
        lines_of.append(f"fill_down: [{', '.join(filled)}] # check: cells of {shown} are empty, as merged cells leave them")
    return lines_of


def _files(path, files, form, names_of):
    """The files of the block, all of one form together or the first, and what their paths say of the models, or None."""
    alike = [file for file in files if len(files) > 1 and _same_columns(file, form, names_of)]
    if len(alike) < 2 or not (pattern := suggested_pattern(Path(path), alike)):
        block = [f"files: [{as_yaml(files[0])}]", *(f"# another table in the folder: {as_yaml(file)}" for file in files[1:])]
        return block, None
    block = [f"files: [{as_yaml(f'{path}/**/*{alike[0].suffix}')}] # {len(alike)} tables with the same columns"]
    known = {plain_name(name) for name in names_of} & set(HEADERS["model"])
    sign = "# " if known else ""
    block += [f"{sign}model_from: {as_yaml(pattern)} # check: who the model is, by the path of its file"]
    return block, None if known else pattern


def _same_columns(file, form, names_of):
    try:
        return reader.load(file, reader.file_type(file, {}), lambda header: False, form)[0] == names_of
    except InputError:
        return False


def _long(frame, columns, catalogue, is_model_open=True):
    block = [_scale_label(columns), "columns: # guessed from the headers; check each"]
    block += [f"  {field}: {as_yaml(header)}" for field, header in columns.items()]
    known = {*columns, *([] if is_model_open else ["model"])}
    missing = [field for field in ("task", "metric", "model") if field not in known]
    block += [f"  {field}: {FILL}: the column, or move it to `constants`" for field in missing]
    met = _metrics(frame, columns, [columns["score"]]) if "metric" in columns else {}
    block += _units(frame, columns, _by_metric(frame, columns, [columns["score"]], {}), catalogue)
    lines_of, unclear = _as_written(frame, {columns["score"]: "score"} | _numbers_among(columns))
    averages, met = _averages(frame, columns, met, catalogue)
    block += lines_of + (["leave_out:", *averages] if averages else []) + _values(frame, columns, met, catalogue, unclear)
    return block + metric_lines(met, catalogue), _gaps(_with_scores(frame, [columns["score"]]), columns)


def _averages(frame, columns, met, catalogue):
    """Lines of `leave_out` for scores that average others, by the name of their task or of their metric, such as `naive_average`.

    Returns them, and the metrics that are left.
    """
    tasks = frame[columns["task"]].dropna().unique() if "task" in columns else []
    metrics = set(met) - set(metric_catalogue.spellings(catalogue)) if "metric" in columns else []
    found = {"tasks": sorted(filter(is_average, tasks)), "metrics": sorted(filter(is_average, metrics))}
    lines_of = [
        f"  {key}: [{', '.join(as_yaml(glob_escaped(name)) for name in names_of)}] # check: averages of others"
        for key, names_of in found.items()
        if names_of
    ]
    return lines_of, Counter({name: n for name, n in met.items() if name not in found["metrics"]})


def _kind(header):
    """What a column is that holds numbers and not scores, by its header; None for a score."""
    if is_average(header):
        return "an average of others"
    plain = plain_name(header)
    return next((kind for kind, pattern in NOT_SCORES.items() if re.fullmatch(pattern, plain)), None)


def _wide(frame, columns, catalogue, is_model_open=True):
    columns = _without_repeated_models({field: name for field, name in columns.items() if field != "score"}, frame)
    spellings = metric_catalogue.spellings(catalogue)
    headers = [name for name in frame.columns if name not in columns.values() and _is_numeric(frame[name])]
    of_stderr = _stderr_pairs(headers)
    likely = [name for name in headers if name not in of_stderr.values()]
    # what no column says, the headers say
    is_open = {field: field not in columns for field in ("task", "model", "metric")}
    is_open["model"] &= is_model_open
    field = "task" if is_open["task"] else "model" if is_open["model"] else "metric"
    header, rest, metric_of = [], [], {}
    if field != "metric" and is_open["metric"]:
        candidates = [name for name in likely if _kind(name) is None] or likely
        header = _patterns(candidates, spellings | _in_capitals(spellings), field)
    met = Counter()
    if header:
        matches = dict(_matches(header, list(likely)))
        metric_of = {name: match["metric"] for name, match in matches.items()}
        scores = list(matches)
        # `total_tokens` may fit the pattern, too
        kinds = {name: _kind(name) for name in scores if metric_of[name] not in spellings or is_average(name)}
        out = {name: kind for name, kind in kinds.items() if kind} | _rescaled(scores)
        for name in scores:
            met[metric_of[name]] += 0 if name in out else _n_filled(frame[name])
        met = +met
        known = {*scores, *columns.values(), *of_stderr.values()}
        no_scores = _others(frame, [name for name in frame if name and name not in known], likely, field)
        rest = [name for name in likely if name and name not in known and name not in no_scores]
        if rest:
            # their headers say no metric
            header, scores, out = [*header, f"{{{field}}}"], scores + rest, out | no_scores
        said = "guessed; check that it splits the headers as it should"
    else:
        above = next((f"{name}." for name in _NESTED if field == "metric" and any(_is_below(name, one) for one in likely)), "")
        likely = [name for name in likely if name.startswith(above)]
        header = [f"{above}{{{field}}}"]
        out = _rescaled(likely)
        known = {*columns.values(), *of_stderr.values(), *out}
        below = [name for name in frame.columns if name and name not in known and name.startswith(above)]
        out |= _others(frame, below, likely, field)
        scores = [name for name in likely if name and name not in out]
        if not is_open["metric"]:
            met = _metrics(frame, columns, scores)
        elif field == "metric":
            metric_of = {name: name.removeprefix(above) for name in scores}
            met = Counter({metric: _n_filled(frame[name]) for name, metric in metric_of.items()})
        said = "every column that is neither named nor left out below"
    block = [_scale_label(columns), "layout: wide", f"header: {_listed(header)} # {said}"]
    scores = [name for name in scores if name not in out]
    if of_stderr:
        form = next((form for form in STDERR if any(form.format(score) == error for score, error in of_stderr.items())), None)
        of_errors = [form.format(one) if form else re.sub(r"(\{metric.*?\})", r"\1_stderr", one) for one in header]
        block.append(f"stderr_header: {_listed(of_errors)} # the standard errors of the scores; check")
    if field == "model":
        named = {(match.groupdict() or {}).get("model") or name for name, match in _matches(header, scores)}
        gaps = gaps_of({name: ["family", "scale"] for name in sorted(named)})
    else:
        gaps = _gaps(_with_scores(frame, scores), columns)
    repeated, date = [], None
    if is_open["task"] and is_open["metric"]:
        repeated, date = _repeated_models(frame, columns, scores), _date_column(frame)
        n_before = len(repeated)
        repeated = repeated if date is None else _repeated_models(frame, columns, scores, date)
        date = date if len(repeated) < n_before else None
    if date is not None:
        columns = columns | {"date": date}
        out.pop(date, None)
        block.append(f"repeated_runs: latest # check: {n_before} models have several rows with different scores; or refuse")
    if len(gaps) > MOST_MODELS and all("family" in gaps[name].keys for name in repeated if name in gaps):
        # without a family they are left out, and the file in which families are filled in says why
        for name in repeated:
            gaps[name].note = "several rows of this model have different scores, which are refused; leave the family empty"
        repeated = []
    for name in repeated:
        gaps.pop(name, None)
    averages, met = _averages(frame, columns, met, catalogue)
    block += ["leave_out:", *averages] if out or repeated or averages else []
    block += ["  columns: # guessed to be something else than scores; check each"] if out else []
    block += [f"    - {as_yaml(glob_escaped(name))} # {kind}" for name, kind in out.items()]
    block += (
        ["  models: # check: several rows of one model with different scores; or tell them apart by another column"]
        if repeated
        else []
    )
    block += [f"    - {as_yaml(glob_escaped(name))}" for name in repeated]
    if is_open["metric"] and (rest or not met):
        which = f"what the scores are in columns such as {as_yaml(rest[0])}" if rest else "what the scores are"
        block += ["constants:", f"  metric: {FILL}: {which}"]
    block.append("columns: # guessed from the headers; check each")
    block += [f"  {name}: {as_yaml(header)}" for name, header in columns.items()]
    block += [] if columns else [f"  scale: {FILL}: the column"]
    if is_open["model"] and field != "model":
        block.append(f"  model: {FILL}: the column; or take the line out and name the one model of the table in `constants`")
    block += _computed_scale(frame, columns)
    block += _units(frame, columns, _by_metric(frame, columns, scores, metric_of), catalogue)
    lines_of, unclear = _as_written(frame, dict.fromkeys(scores, "score") | _numbers_among(columns))
    block += lines_of + _values(frame, columns, met, catalogue, unclear) + metric_lines(met, catalogue)
    return block, gaps


def _listed(patterns):
    return as_yaml(patterns[0]) if len(patterns) == 1 else f"[{', '.join(map(as_yaml, patterns))}]"


def _is_below(name, header):
    return header.startswith(f"{name}.")


def _with_scores(frame, scores):
    """The rows that hold any score: headings and sources below a table hold none."""
    if not scores:
        return frame
    return frame[np.logical_or.reduce([_is_filled(frame[name]) for name in scores])]


def _is_filled(cells):
    """Which cells hold something, be it a number or not, and not a word or a dash for nothing: (n,) bool."""
    if (plain := _plain(cells)) is not None:
        return np.isfinite(plain)
    cells = cells.fillna("")
    return ~cells.isin([text for text in cells.unique() if not text or _is_no_number(text)]).to_numpy()


def _by_metric(frame, columns, scores, metric_of):
    """{metric: {what it is of: (n,) scores}} as far as columns or headers name metrics; an empty text where nothing does."""
    found = {}
    for name in scores:
        numbers = _as_numbers(frame[name])
        if "metric" in columns:
            for metric, of_metric in numbers.groupby(frame[columns["metric"]]):
                found.setdefault(metric, {})[name] = of_metric.dropna()
        else:
            found.setdefault(metric_of.get(name, ""), {})[name] = numbers.dropna()
    return found


def _in_capitals(spellings):
    """Names of metrics as headings have them: `EM`, `ACC`, `Accuracy`, `Exact Match`."""
    words = {name.replace("_", " "): own for name, own in spellings.items() if name in _IN_HEADINGS}
    capitals = {change(name): own for name, own in words.items() for change in (str.title, str.capitalize)}
    return {name.upper(): own for name, own in spellings.items()} | capitals


def _rescaled(headers):
    """Scores that a leaderboard rescaled, beside those that were measured: {header: what it is}."""
    return {name: f"a rescaled copy of {as_yaml(name + ' Raw')}" for name in headers if f"{name} Raw" in headers}


def _metrics(frame, columns, scores):
    """How many scores there are under each metric of a column: rows without any, such as headings between rows, have none."""
    n_scores = sum((_as_numbers(frame[name]).notna().astype(int) for name in scores), pd.Series(0, index=frame.index))
    counts = n_scores.groupby(frame[columns["metric"]]).sum()
    return Counter({name: int(n) for name, n in counts.items() if n and name})


def _n_filled(values):
    return int((values.fillna("").str.strip() != "").sum())


def _numbers_among(columns):
    """{header: field} of the columns of numbers beside the scores."""
    return {columns[field]: field for field in ("scale", "shots", "n_examples") if field in columns}


def _others(frame, taken, numeric, field):
    """{header: what it is} for the columns of a table under one metric that are not scores.

    By their headers; by numbers that are far larger than those of the other columns; and the averages of all others.
    """
    out = {name: _kind(name) if name in numeric else "text" for name in taken}
    out = {name: kind for name, kind in out.items() if kind}
    if field == "metric":
        return out
    values = {name: _as_numbers(frame[name]) for name in numeric if name in taken and name not in out}
    largest = {name: numbers.abs().max() for name, numbers in values.items()}
    if len(largest) > 2:
        far = _FAR * max(median(largest.values()), 0.1)
        out |= {name: f"numbers up to {top:.4g}, beside smaller ones" for name, top in largest.items() if top > far}
    table = pd.DataFrame({name: numbers for name, numbers in values.items() if name not in out}).dropna()
    averages = []
    if len(table) > 2 and len(table.columns) > 2:
        means = (table.to_numpy().sum(axis=1)[:, None] - table.to_numpy()) / (len(table.columns) - 1)
        for name, mean in zip(table.columns, means.T, strict=True):
            digits = frame[name].dropna().str.extract(r"[.,](\d+)", expand=False).str.len().max()
            rounding = 0.6 * 10.0 ** -(0 if pd.isna(digits) else digits)
            if (table[name] != table[name].iat[0]).any() and (table[name] - mean).abs().max() <= rounding + 1e-9:
                averages.append(name)
    # where several are, nothing tells which of them was computed from the others
    return out | ({averages[0]: "the average of the others"} if len(averages) == 1 else {})


def _repeated_models(frame, columns, scores, date=None):
    """The models with several rows whose scores differ, of which the table does not say which one counts.

    date: the column whose latest date tells, or None.
    """
    if "model" not in columns:
        return []
    key = [columns[field] for field in ("model", "model_family", "shots", "step") if field in columns]
    if date is not None:
        dates = _dates(frame[date])
        frame = frame[~(dates < dates.groupby([frame[name] for name in key], dropna=False).transform("max"))]
    repeated = frame[frame.duplicated(key, keep=False)].drop_duplicates([*key, *scores])
    return sorted(repeated.loc[repeated.duplicated(key), columns["model"]].dropna().unique())


def _dates(values):
    return pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")


def _date_column(frame):
    """The last column of dates in a table, or None."""
    named = [name for name in frame if re.fullmatch(r"(.*_)?(date|datum|time|timestamp)", plain_name(name))]
    return next((name for name in reversed(named) if _dates(frame[name]).notna().mean() > 0.5), None)


def _stderr_pairs(headers):
    """{score: the column with its standard error} for headers that are those of another column and a sign of a standard error.

    The sign is around the header, or after the metric within it: `piqa (acc_stderr)`.
    """
    known = set(headers)
    around = {name: form.format(name) for form in STDERR for name in headers if form.format(name) in known}
    within = {name.replace("_stderr", "", 1): name for name in headers if "_stderr" in name}
    return around or {score: name for score, name in within.items() if score in known}


def _without_repeated_models(columns, frame):
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
    """Comments about numbers that are not written plainly: how they will be read. And {field: cells that cannot be}."""
    fields = {name: field for name, field in fields.items() if _plain(frame[name]) is None}
    found, decimal, first, unclear = Counter(), None, {}, {}
    texts = [text for name in fields for text in frame[name].dropna().unique()]
    if any("," in text or "." in text for text in texts):
        decimal = decimal_sign(texts)
    for name, field in fields.items():
        cells = frame[name].fillna("")
        no_numbers = [text for text in cells.unique() if text.lower() in ("nan", "inf", "-inf")]
        unclear.setdefault(field, {}).update(dict.fromkeys(no_numbers))
        for text in cells[odd_cells(cells)].unique():
            cell = understood(text, field, decimal or ("," if "." not in "".join(texts) else None))
            if cell is None:
                unclear[field][text] = None
            else:
                found[cell.kind] += 1
                first.setdefault(cell.kind, text)
    lines_of = [
        f"# check: {f'{n} different cells have' if n > 1 else 'one cell has'} {kind}; the first is {as_yaml(first[kind])}"
        for kind, n in sorted(found.items())
    ]
    if AFTER_SCORE in found:
        lines_of.append("plus_minus: ignore # or stderr, if the number after the score is its standard error")
    if decimal == ",":
        lines_of.append('decimal: "," # check: as the cells tell')
    return lines_of, {field: list(cells) for field, cells in unclear.items() if cells}


def _plain(values):
    """Cells as numbers, (n,) float with NaN for empty ones; None where any is written in another way than plainly."""
    try:
        numbers = np.array([float(text) if text else math.nan for text in values.fillna("")])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers[(values.fillna("") != "").to_numpy()]).all() else None


def _is_numeric(values):
    plain = _plain(values)
    if plain is not None:
        return bool(np.isfinite(plain).any())
    texts = pd.Series(values.fillna("").unique(), dtype="str")
    # what stands for no number says nothing of the others
    empty = [text for text in texts if not text or text.lower() in ("nan", "inf", "-inf") or _is_no_number(text)]
    known = values[~values.fillna("").isin(empty)].dropna()
    if not len(known):
        return False
    is_number = pd.to_numeric(known, errors="coerce").notna()
    if is_number.mean() > 0.5:
        return True
    # what is a number by one decimal sign or the other
    rest = known[~is_number].unique()
    read = {text: any(understood(text, "score", sign) for sign in (None, ".", ",")) for text in rest[:1000]}
    return (is_number | known.map(read).fillna(False).astype(bool)).mean() > 0.5


def _is_no_number(text):
    cell = understood(text, "score", None)
    return cell is not None and cell.value is None


def _matches(patterns, headers):
    expressions = header_patterns({"layout": "wide", "header": patterns})
    found = [(header, next(filter(None, (one.fullmatch(header) for one in expressions)), None)) for header in headers]
    return [(header, match) for header, match in found if match]


def _patterns(headers, spellings, field="task"):
    """The patterns by which most headers name a known metric, else one that all of them follow; none where there is none.

    field: what they name beside the metric, `task` or `model`.
    """
    # what is above nested values, such as `results.piqa.acc`
    above = re.match(r"(.*[./])?", _shared_beginning(headers), re.DOTALL)[0]
    if above and above[:-1] not in spellings and len(headers) > 1 and not set("{}") & set(above):
        inside = [name.removeprefix(above) for name in headers]
        return [f"{above}{pattern}" for pattern in _patterns(inside, spellings, field)]
    # the answer filter of the harness, as in `piqa/acc,none`
    behind = _shared_beginning([name[::-1] for name in headers])[::-1]
    if "," in behind and len(headers) > 1 and not set("{}") & set(behind):
        behind = behind[behind.index(",") :]
        inside = [name.removesuffix(behind) for name in headers]
        return [f"{pattern}{behind}" for pattern in _patterns(inside, spellings, field)]
    text = "\n".join(headers)
    met = sorted((name for name in spellings if name in text), key=lambda name: (-len(name), name))
    best, most = [], 0
    for pattern in (pattern.replace("{task}", f"{{{field}}}") for pattern in PATTERNS):
        to_the_letter = {name: pattern.replace("{metric}", f"{{metric={name}}}") for name in met}
        generic = {header: match["metric"] for header, match in _matches([pattern], headers)}
        left, given, is_split_elsewhere = list(generic), [], False
        for name, one in to_the_letter.items():
            fits = {header for header, _ in _matches([one], [header for header in left if name in header])}
            given += [one] if fits else []
            is_split_elsewhere |= any(generic[header] != name for header in fits)
            left = [header for header in left if header not in fits]
        n_known = len(generic) - len(left)
        if n_known > max(most, _FEW * len(headers)):
            # `arc_acc_norm` ends in `norm` by its last `_`: names of metrics are given to the letter, the longest first
            best, most = [*(given if is_split_elsewhere else []), pattern], n_known
    if best or field != "task":
        return best
    # a name may well hold a point or an underscore, so those separators alone say nothing
    telling = [pattern for pattern in PATTERNS if re.search(r"[|/:]", pattern)]
    return next(([pattern] for pattern in telling if headers and _repeats_metrics(pattern, headers)), [])


def _shared_beginning(texts):
    return "".join(
        letters[0] for letters in itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    )


def _repeats_metrics(pattern, headers):
    """Whether all headers follow a pattern and metrics return from task to task, as groups of tasks above their names do not."""
    found = [(match["task"], match["metric"]) for _, match in _matches([pattern], headers)]
    tasks, metrics = map(set, zip(*found, strict=True)) if found else (set(), set())
    is_grid = len(metrics) < len(found) and (pattern.startswith("{task}") or len(tasks) < len(found))
    return len(found) == len(headers) and (is_grid or len(found) == 1)


def _unit(columns):
    """The factor that the header of the scales names, in brackets or after `_`, or None."""
    header = columns.get("scale", "")
    named = re.search(r"\(([^()]+)\)", header) or re.search(r"_(b|m|bn|billions?|millions?)\Z", header, re.IGNORECASE)
    power = re.fullmatch(r"(?:1e|10\^|10\*\*)(\d{1,2})", named[1].strip(), re.IGNORECASE) if named else None
    return float(f"1e{power[1]}") if power else UNITS.get(named[1].strip(" .").lower()) if named else None


def _scale_label(columns):
    label = columns.get("scale", columns.get("step", "Parameters"))
    label = label.strip()
    label = re.sub(r" *[(].*?[)]|_(b|m|bn|billions?|millions?)\Z", "", label, flags=re.IGNORECASE) if _unit(columns) else label
    return f"scale_label: {as_yaml(label)} # what the scales are; the axis label"


def _units(frame, columns, by_metric, catalogue):
    """`multiply` for scales in a unit that the header names, and for scores that look like percent."""
    factor = _unit(columns)
    # sizes with a unit of their own are not to be multiplied once more
    if factor and any(_has_unit(text) for text in frame[columns["scale"]].dropna().unique()):
        factor = None
    block = [f"  scale: {factor:.1e} # the header says {as_yaml(columns['scale'])}"] if factor else []
    spellings = metric_catalogue.spellings(catalogue)
    tops, small, has_other = {}, {}, False
    for metric, of_metric in by_metric.items():
        values = pd.concat(of_metric.values()) if of_metric else pd.Series(dtype=float)
        is_share = metric not in spellings or catalogue.at[spellings[metric], "high"] <= 1
        if is_share and 1.5 < values.max() <= 100 and values.min() >= 0:
            tops[metric] = values.max()
            small |= {name: found.max() for name, found in of_metric.items() if found.max() <= 1}
        elif is_share:
            small |= {name: found.max() for name, found in of_metric.items() if len(found)}
        has_other |= not is_share
    if set(by_metric) & set(spellings):
        # beside metrics that are known, an unknown one may be anything
        tops = {metric: top for metric, top in tops.items() if metric in spellings or not metric}
    if tops and has_other:
        shown = ", ".join(f"{as_yaml(metric)}: 0.01" for metric in sorted(tops) if metric)
        block += [f"  score: {{{shown}}} # check: scores that go to {max(tops.values()):g}, taken for percent"] if shown else []
    elif tops:
        block.append(f"  score: 0.01 # check: the scores go to {max(tops.values()):g}, so they are taken for percent")
        block += [
            f"  # check: those of {as_yaml(name)} go to {top:g} only; are they percent, too?" for name, top in small.items()
        ]
    return ["multiply:", *block] if block else []


def _has_unit(text):
    cell = understood(text, "scale", None)
    return cell is not None and cell.has_unit


def _as_numbers(cells):
    """A column of text as numbers, as far as it can be read; cells with `%` as they are written."""
    plain = _plain(cells)
    if plain is not None:
        return pd.Series(plain, index=cells.index)
    read = read_column(cells, "score", decimal_sign(cells.dropna().unique()), lambda cell: True)[0]
    return pd.to_numeric(read, errors="coerce")


def _values(frame, columns, met, catalogue, unclear):
    """`values` for metrics under other names than the catalogue's, and for cells that cannot be read as numbers."""
    unknown = sorted(set(met) - set(metric_catalogue.spellings(catalogue)))
    block = (
        ["  metric: # the catalogue's name for each; or take the line out and add the metric to the catalogue"] if unknown else []
    )
    block += [f"    {line}" for line in key_lines({name: _metric_guess(name, catalogue) for name in unknown})]
    no_sizes = _no_sizes(frame, columns)
    if no_sizes:
        unclear = unclear | {"scale": [*unclear.get("scale", []), *no_sizes]}
    for field, cells in sorted(unclear.items()):
        entries = {
            text: ' "" # check: no size' if field == "scale" and text in no_sizes else _guess(text, field)
            for text in sorted(cells)[:_MOST_CELLS]
        }
        more = f"; {len(cells) - _MOST_CELLS:,} more are not listed" if len(cells) > _MOST_CELLS else ""
        keys = key_lines(entries)
        block += [f"  {field}: # cells that are not numbers{more}"] if keys[0][0] != "#" else []
        block += [f"    {line}" for line in keys]
    return ["values:", *block] if any(line.strip()[0] != "#" for line in block) else [line.strip() for line in block]


def _metric_guess(name, catalogue):
    """The metric of the catalogue that a name differs from in case and in what is between its words, as the end of a line."""
    plain = re.sub(r"[\s_-]", "", name.casefold())
    spellings = metric_catalogue.spellings(catalogue)
    found = {own for spelling, own in spellings.items() if re.sub(r"[\s_-]", "", spelling.casefold()) == plain}
    return f" {as_yaml(found.pop())} # check" if len(found) == 1 else f" {FILL}"


def _guess(text, field):
    """What a cell that is not a number may stand for, as the end of a line of `values`."""
    digits = re.findall(r"\d+", text)
    if field == "scale" and (size := size_in_name(text)):
        return f" {as_number(size)} # check: the size that the cell names"
    if field == "shots" and len(digits) == 1:
        return f" {digits[0]} # check"
    if field == "score" and (not digits or text.startswith("#")):
        return ' "" # check: no score'
    return f" {FILL}"


def _is_open(frame, columns, field):
    """Which rows say nothing of a field: empty cells, and sizes that are no sizes."""
    cells = frame[columns[field]].fillna("")
    nothing = [text for text in cells.unique() if _is_no_number(text)] + _no_sizes(frame, columns) if field == "scale" else []
    return cells.isin(["", *nothing])


def _no_sizes(frame, columns):
    """The cells of the scale that stand for an unknown one: numbers below 0, and 0 where it is a number of parameters."""
    if "scale" not in columns:
        return []
    cells = pd.Series(frame[columns["scale"]].dropna().unique(), dtype="str")
    numbers = pd.to_numeric(cells, errors="coerce")
    is_size = _kind(columns["scale"]) == "a size"
    return cells[(numbers < 0) | ((numbers == 0) & is_size)].tolist()


def _gaps(frame, columns):
    if "model" not in columns or "step" in columns:
        return {}
    names_of = frame[columns["model"]]
    lacking = {name: [] for name in sorted(names_of.dropna().unique()) if name}
    for field, key in (("model_family", "family"), ("scale", "scale")):
        if field in columns:
            # what one row says of a model, another need not
            is_open = _is_open(frame, columns, field).groupby(names_of).transform("all").fillna(False).astype(bool)
            open_ones = names_of[is_open].dropna().unique()
        else:
            open_ones = lacking
        for name in open_ones:
            if name in lacking:
                lacking[name].append(key)
    return gaps_of(lacking)
