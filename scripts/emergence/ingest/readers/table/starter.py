"""Starter block for tables. Columns are told by their headers, and every such guess is marked to be checked."""

import csv
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

from emergence.ingest.names import is_average, plain_name, size_in_name, suggested_pattern
from emergence.ingest.readers.table import reader
from emergence.ingest.readers.table.keys import header_patterns
from emergence.ingest.readers.table.numbers import AFTER_SCORE, SEPARATORS, decimal_sign, odd_cells, read_column, understood
from emergence.io.documents import as_yaml, files_below
from emergence.io.errors import InputError, told
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
    "model": "fullname model model_name model_id modell modellname modele nom_du_modele modelo modello name llm checkpoint",
    "scale": "scale parameters parameter params param_count parameter_count n_params n_parameters num_params num_parameters "
    "parametres nombre_de_parametres parametros parametri total_params non_embedding_params size model_size grosse groesse "
    "modellgrosse taille taille_du_modele tamano tamanho dimensione flops train_flops training_flops compute tokens",
    "step": "step steps global_step train_step training_step training_steps iteration checkpoint_step",
    "shots": "shots n_shots n_shot num_shots num_fewshot few_shot",
    "score": "score value result wert ergebnis valeur resultat valor resultado valore risultato",
    "preferred": "preferred",
    "chance": "chance random baseline",
    "n_examples": "n_examples examples n_samples num_examples n",
    "stderr": "stderr standard_error se",
    "source": "source",
}
HEADERS = {field: tuple(names.split()) for field, names in _HEADERS.items()}

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
    "a rank or a number of a row": r"((overall|mean)_)?(rank|ranking|rang|position)|index|id|no|nr|unnamed_\d+|index_level_\d+|"
    r"(.*_)?elo(_rating)?",
    "a count": r"hub(_likes)?|(.*_)?(likes|downloads|votes|stars)|count|anzahl|n|(n|num)_(models|examples|samples|tasks|questions)",
    "tokens": r"(.*_)?tokens?(_(seen|trained|b|t))?|data|(.*_)?data_?set_size|(.*_)?data_size|d",
    "training compute": r"(.*_)?(peta|exa|zetta)?flops?|((training|train)_)?compute|gpu_hours|c",
    "a setting or a date": r"year|jahr|(.*_)?(date|datum)|time|epochs?|seed|batch(_size)?|lr|learning_rate|generation|"
    r"((n|num)_)?(layers|heads|shots?)|d_model|width|depth|context(_length)?|vocab(_size)?|precision|dtype|bits|price|cost|"
    r"co2(_.*)?|memory|latency|throughput|seconds",
    "a size": r"(.*_)?(params?|parameters?)(_(b|m|billions?|millions?))?|(.*_)?size(_(b|m|gb))?",
}

# So many cells that are not numbers are listed.
_MOST_CELLS = 100

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
    if not files:
        return None
    kind = reader.file_type(files[0], {})
    form = {"skip_rows": n} if kind in ("csv", "tsv") and (n := _title_rows(files[0], kind)) else {}
    names_of, content = reader.load(files[0], kind, lambda header: True, form)
    frame = pd.DataFrame({header: _texts(content.column(header)) for header in content.column_names})
    # a spreadsheet leaves empty rows below its table
    frame = frame[(frame.fillna("") != "").any(axis=1)].reset_index(drop=True)
    if not len(frame):
        raise InputError(told(files[0], "names of columns but no row", "at least one row"))
    block = _files(path, files, names_of)
    has_pattern = any(line.startswith("model_from:") for line in block)
    block += [f"skip_rows: {form['skip_rows']} # check: lines above the names of the columns"] if form else []
    sign = reader.separator(files[0], form) if kind == "csv" else ","
    block += (
        [f"# cells are separated by `{printable(repr(sign)[1:-1])}`, as the first rows tell (separator)"] if sign != "," else []
    )
    columns = _columns(frame)
    lines_of, gaps = (_long if "score" in columns else _wide)(frame, columns, catalogue)
    if has_pattern and "model" not in columns:
        # the paths say it
        lines_of = [line for line in lines_of if not line.startswith(f"  model: {FILL}")]
    return block + _emptied(frame, columns) + lines_of, gaps


def _texts(column):
    """A column as texts; bytes, which need not be text, as Python writes them."""
    values = column.to_pandas()
    are_bytes = pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
    return (values.map(repr, na_action="ignore") if are_bytes else values).astype("str").str.strip()


def _columns(frame):
    """{field: header} as far as the headers tell."""
    plain = {}
    for header in frame.columns:
        name = re.sub(r"_(b|m|bn|billions?|millions?)\Z", "", plain_name(header))
        plain.setdefault(name, header)
    columns = {field: next((plain[name] for name in known if name in plain), None) for field, known in HEADERS.items()}
    of_names = ("task", "subtask", "metric", "model_family")
    columns = {
        field: header for field, header in columns.items() if header and not (field in of_names and _is_numeric(frame[header]))
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


def _title_rows(file, kind):
    """How many lines are above the names of the columns: those with far fewer cells than the fullest line."""
    counts = {}
    try:
        with reader.opened(file, "rt", encoding="utf-8-sig", errors="replace", newline="") as content:
            start = content.read(1 << 16).splitlines()[:50]
        for sign in ("\t",) if kind == "tsv" else SEPARATORS:
            counts[sign] = [sum(bool(cell.strip()) for cell in cells) for line in start for cells in _cells_of(line, sign)]
    except (OSError, EOFError, zlib.error, csv.Error):
        # whoever reads the table says what is wrong with it
        return 0
    n_cells = max(counts.values(), key=lambda found: (median(found), max(found)), default=[]) if start else []
    full = max(n_cells, default=0)
    return next((row for row, n in enumerate(n_cells) if n > 1 and n >= _FULL * full), 0)


def _cells_of(line, sign):
    """The cells of one line, in a list of one; csv gives no row for an empty line."""
    return list(csv.reader([line], delimiter=sign)) or [[]]


def _emptied(frame, columns):
    """A comment on names that are missing below others, as a spreadsheet leaves them where cells are merged."""
    lines_of = []
    for field in ("task", "subtask", "metric", "model_family", "model"):
        if field in columns:
            empty = frame[columns[field]].fillna("") == ""
            if 0 < empty.sum() < len(frame) and not empty.iat[0] and field != "subtask":
                lines_of.append(
                    f"# {int(empty.sum())} cells of the column {as_yaml(columns[field])} are empty; where cells were merged, fill "
                    "them in first: docs/add_a_benchmark.md, Emptied cells"
                )
    return lines_of


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
    met = _filled_in(frame[columns["metric"]]) if "metric" in columns else {}
    block += _units(frame, columns, [columns["score"]], met, catalogue)
    lines_of, unclear = _as_written(frame, {columns["score"]: "score"} | _numbers_among(columns))
    block += lines_of + _averages(frame, columns) + _values(frame, columns, met, catalogue, unclear)
    return block + metric_lines(met, catalogue), _gaps(frame, columns)


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
    columns = _without_repeated_models({field: name for field, name in columns.items() if field != "score"}, frame)
    spellings = metric_catalogue.spellings(catalogue)
    headers = [name for name in frame.columns if name not in columns.values() and _is_numeric(frame[name])]
    of_stderr = _stderr_pairs(headers)
    likely = [name for name in headers if name not in of_stderr.values()]
    # what no column says, the headers say
    is_open = {field: field not in columns for field in ("task", "model", "metric")}
    field = "task" if is_open["task"] else "model" if is_open["model"] else "metric"
    header = []
    if is_open["task"] and is_open["metric"]:
        header = _patterns([name for name in likely if _kind(name) is None] or likely, spellings)
    block = [_scale_label(columns), "layout: wide"]
    met = Counter()
    if header:
        shown = as_yaml(header[0]) if len(header) == 1 else f"[{', '.join(map(as_yaml, header))}]"
        block.append(f"header: {shown} # guessed; check that it splits the headers as it should")
        matches = _matches(header, list(likely))
        for name, match in matches:
            met[match["metric"]] += _n_filled(frame[name])
        scores = [name for name, _ in matches]
        out = {name: "an average of others" for name in scores if _kind(name) == "an average of others"} | _rescaled(scores)
    else:
        block.append(f'header: "{{{field}}}" # every column that is neither named nor left out below')
        header = [f"{{{field}}}"]
        out = _rescaled(likely)
        known = {*columns.values(), *of_stderr.values(), *out}
        out |= _others(frame, [name for name in frame.columns if name and name not in known], likely, field)
        scores = [name for name in likely if name and name not in out]
        if not is_open["metric"]:
            met = _filled_in(frame[columns["metric"]])
        elif field == "metric":
            met = Counter({name: _n_filled(frame[name]) for name in scores})
    scores = [name for name in scores if name not in out]
    if of_stderr:
        form = next(form for form in STDERR if form.format("") in {_without(error, score) for score, error in of_stderr.items()})
        shown = ", ".join(as_yaml(form.format(pattern)) for pattern in header)
        shown = shown if len(header) == 1 else f"[{shown}]"
        block.append(f"stderr_header: {shown} # the standard errors of the scores; check")
    gaps = gaps_of({name: ["family", "scale"] for name in scores}) if field == "model" else _gaps(frame, columns)
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
    block += ["leave_out:"] if out or repeated else []
    block += ["  columns: # guessed to be something else than scores; check each"] if out else []
    block += [f"    - {as_yaml(glob_escaped(name))} # {kind}" for name, kind in out.items()]
    block += (
        ["  models: # check: several rows of one model with different scores; or tell them apart by another column"]
        if repeated
        else []
    )
    block += [f"    - {as_yaml(glob_escaped(name))}" for name in repeated]
    if is_open["metric"] and not met:
        block += ["constants:", f"  metric: {FILL}: what the scores are"]
    block.append("columns: # guessed from the headers; check each")
    block += [f"  {name}: {as_yaml(header)}" for name, header in columns.items()]
    block += [] if "model" in columns or field == "model" else [f"  model: {FILL}: the column"]
    block += _computed_scale(frame, columns)
    block += _units(frame, columns, scores, met, catalogue)
    lines_of, unclear = _as_written(frame, dict.fromkeys(scores, "score") | _numbers_among(columns))
    block += lines_of + _values(frame, columns, met, catalogue, unclear) + metric_lines(met, catalogue)
    return block, gaps


def _rescaled(headers):
    """Scores that a leaderboard rescaled, beside those that were measured: {header: what it is}."""
    return {name: f"a rescaled copy of {as_yaml(name + ' Raw')}" for name in headers if f"{name} Raw" in headers}


def _filled_in(values):
    """How often each name occurs, without empty cells."""
    return Counter(name for name in values.dropna() if name)


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


def _without(error, score):
    return error.replace(score, "", 1)


def _stderr_pairs(headers):
    """{score: the column with its standard error} for headers that are those of another column and a sign of a standard error."""
    known = set(headers)
    return {name: form.format(name) for form in STDERR for name in headers if form.format(name) in known}


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


def _patterns(headers, spellings):
    """The patterns by which most headers name a known metric, else one that all of them follow; none where there is none."""
    text = "\n".join(headers)
    met = sorted((name for name in spellings if name in text), key=lambda name: (-len(name), name))
    best, most = [], 0
    for pattern in PATTERNS:
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
    if best:
        return best
    # a name may well hold a point or an underscore, so those separators alone say nothing
    telling = [pattern for pattern in PATTERNS if re.search(r"[|/:]", pattern)]
    chosen = next((pattern for pattern in telling if headers and len(_matches([pattern], headers)) == len(headers)), None)
    return [chosen] if chosen else []


def _unit(columns):
    """The factor that the header of the scales names, in brackets or after `_`, or None."""
    header = columns.get("scale", "")
    named = re.search(r"\(([^()]+)\)", header) or re.search(r"_(b|m|bn|billions?|millions?)\Z", header, re.IGNORECASE)
    power = re.fullmatch(r"(?:1e|10\^|10\*\*)(\d{1,2})", named[1].strip(), re.IGNORECASE) if named else None
    return float(f"1e{power[1]}") if power else UNITS.get(named[1].strip(" .").lower()) if named else None


def _scale_label(columns):
    label = columns.get("scale", "Parameters")
    label = re.sub(r" *[(].*?[)]|_(b|m|bn|billions?|millions?)\Z", "", label, flags=re.IGNORECASE) if _unit(columns) else label
    return f"scale_label: {as_yaml(label)} # what the scales are; the axis label"


def _units(frame, columns, scores, met, catalogue):
    """`multiply` for scales in a unit that the header names, and for scores that look like percent."""
    factor = _unit(columns)
    # sizes with a unit of their own are not to be multiplied once more
    if factor and any(_has_unit(text) for text in frame[columns["scale"]].dropna().unique()):
        factor = None
    block = [f"  scale: {factor:.1e} # the header says {as_yaml(columns['scale'])}"] if factor else []
    spellings = metric_catalogue.spellings(catalogue)
    known = [catalogue.at[spellings[name], "high"] for name in met if name in spellings]
    values = pd.concat([_as_numbers(frame[name]) for name in scores]) if scores else pd.Series(dtype=float)
    if not any(high > 1 for high in known) and 1.5 < values.max() <= 100 and values.min() >= 0:
        block.append(f"  score: 0.01 # check: the scores go to {values.max():g}, so they are taken for percent")
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
    block += [f"    {line}" for line in key_lines(dict.fromkeys(unknown, f" {FILL}"))]
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
