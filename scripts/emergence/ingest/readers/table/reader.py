"""Reader for tables, long (one score per row) or wide (one model per row): CSV, TSV, Parquet, JSON lines."""

import csv
import io
import itertools
import json
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from emergence.ingest import foreign
from emergence.ingest.names import is_average, number_with_unit, path_fields
from emergence.ingest.readers import Rows
from emergence.ingest.readers.table import expressions
from emergence.ingest.readers.table.keys import REQUIRED, header_patterns
from emergence.ingest.readers.table.numbers import AFTER_SCORE, decimal_sign, odd_cells, read_column
from emergence.ingest.selection import FIELDS, fitting, renamed
from emergence.io import encodings
from emergence.io.documents import chosen_files, nearest, unique_keys
from emergence.io.errors import InputError, mistake, naming
from emergence.io.separators import separator_of

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

# JSON lines pass through Python objects, so many at a time would cost more memory than the table.
_LINES_AT_ONCE = 20_000

# Bytes at the beginning of a text that tell UTF-16 without a byte order mark.
_START = 4096

# Fractions, also those of an average that may exceed 1 by rounding, are smaller.
_MOST_FRACTION = 1.5

# What columns are called that have no name.
_NAMELESS = "(nameless column"

# Brackets in a line of JSON, and so the most levels of it: far fewer than it takes to end the process in Arrow's reader.
_MOST_BRACKETS = 500

# Compressed, or as runs of one value, a small file can hold more than any memory: what a table may hold that is packed.
_MOST_ROWS = 20_000_000
_MOST_BYTES = 2 * 10**9


# The fields that are numbers; all others are names.
NUMBERS = ("scale", "shots", "score", "chance", "n_examples", "stderr", "step")

# The fields that tell scores apart by names.
_NAMED = ("task", "subtask", "metric", "model_family", "model")

_SEVERAL = (
    "; `repeated_runs: latest` takes that with the latest date (`columns: {date: ...}`), another column may tell the models apart, "
    "and `leave_out: {models: ...}` leaves them out"
)

_PLAIN_JSON = {pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.null()}


def read(block, account):
    """The scores of all files of the block. See emergence.ingest.readers for the contract.

    A file that is not a table, or that lacks a column which the block names, is refused, and the others are read.
    """
    files = list(chosen_files(block["files"]))
    if not files:
        raise InputError(mistake("`files`", "no file is left", "at least one table"))
    _note_unused_columns(files, block, account)
    parts = [part for part in account.readable(files, lambda file: _read_file(file, block, account)) if part is not None]
    if not parts:
        return Rows(pd.DataFrame({field: [] for field in ("file", *REQUIRED)}, dtype=object), lambda row, field: "")
    frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    for field, replacements in block.get("values", {}).items():
        frame[field] = _replaced(
            frame[field], {str(found): value for found, value in replacements.items()}, field, files[0], account
        )
    factors = block.get("multiply", {})
    if block.get("plus_minus") == "stderr" and "score" in factors:
        factors = factors | {"stderr": factors["score"]}
    for field, factor in factors.items():
        if field not in frame:
            continue
        factor = _factor_of_each(frame, factor, block, files[0], account)
        numbers = pd.to_numeric(frame[field], errors="coerce")
        # text that is not a number stays, to be refused by name
        frame[field] = (
            numbers * factor if numbers.notna().all() else (numbers * factor).astype(object).where(numbers.notna(), frame[field])
        )
    if "score" in factors and not isinstance(factors["score"], dict):
        _note_fractions(frame, factors["score"], files[0], account)
    for field, value in block.get("constants", {}).items():
        # a pattern of headers may give the field, too
        frame[field] = value if field not in frame else _filled(frame[field], value)
    if "model" in block.get("constants", {}) and "step" not in frame and "scale" in frame:
        # one model at several scales is a model at several steps of its training
        frame["step"] = frame["scale"]
    frame = _latest(frame, block, account)
    _mark_averages(frame, files[0], account)
    if "source" not in frame:
        frame["source"] = frame["file"].map({file: Path(file).name for file in files})
    columns = block["columns"]

    def place(row, field):
        header = frame["_header"].iat[row] if field == "score" else columns.get(field)
        at = f"{frame['file'].iat[row]}: data row {frame['_row'].iat[row]}"
        return f"{at}, column `{header}`" if header else at

    return Rows(frame, place)


def _factor_of_each(frame, factor, block, file, account):
    """The factor of every row, where `multiply` has one for each of some metrics; a single one as it is."""
    if not isinstance(factor, dict):
        return factor
    metrics = frame["metric"] if "metric" in frame else pd.Series(block["constants"]["metric"], index=frame.index)
    metrics = metrics.astype("str").str.strip()
    for unused in set(factor) - set(metrics.unique()):
        account.count(file, "ignored", 0, f"multiply.score names the metric `{unused}`, which no row has", example=unused)
    return metrics.map(factor).fillna(1.0).astype(float)


def _note_fractions(frame, factor, file, account):
    """Note the tasks whose scores may be fractions already, where those of others are percent that the block multiplies."""
    numbers = pd.to_numeric(frame["score"], errors="coerce").abs() / factor
    if factor != 0.01 or "task" not in frame or not numbers.max() > _MOST_FRACTION:
        return
    top = numbers.groupby(frame["task"], observed=True).max()
    small = top[(top > 0) & (top <= 1)]
    if len(small):
        is_one = frame["task"].isin(small.index) & numbers.notna()
        reason = "the scores of a task go to 1 at most before `multiply`, those of others further: they may be fractions already"
        account.count(file, "noted", int(is_one.sum()), reason, ", ".join(map(str, small.index[:10])))


def _latest(frame, block, account):
    """The rows without those of which the block asks for the latest only; rows without a date stay, to be compared as they are."""
    if block["repeated_runs"] == "latest":
        codes, texts = pd.factorize(frame["date"].astype(object))
        dates = pd.to_datetime(pd.Series(texts, dtype="str").str.strip(), format="ISO8601", utc=True, errors="coerce")
        date = pd.Series(np.append(dates.to_numpy(dtype="datetime64[ns]"), np.datetime64("NaT", "ns"))[codes], index=frame.index)
        fields = [field for field in (*_NAMED, "shots", "step") if field in frame]
        # several names of one model are one model, and so are those of a task
        words = {field: word for word, field in FIELDS.items()}
        key = [pd.factorize(renamed(frame[name], block, words[name]) if name in words else frame[name])[0] for name in fields]
        superseded = date.notna() & (date < date.groupby(key).transform("max"))
        for file, n in frame["file"][superseded].value_counts(sort=False).items():
            if n:
                account.count(file, "left_out", n, "a later row has this score")
        frame = frame[~superseded].reset_index(drop=True)
    frame["_hint"] = _categories([_SEVERAL], np.zeros(len(frame), dtype=int))
    return frame.drop(columns="date", errors="ignore")


def _mark_averages(frame, file, account):
    """Mark scores of tasks whose names say that they average others, such as `Average`."""
    for field in ("task", "subtask"):
        if field in frame:
            codes, distinct = pd.factorize(frame[field])
            named = [str(name) for name in distinct if is_average(str(name))]
            if named:
                is_one = np.array([str(name) in named for name in distinct] + [False])[codes]
                frame["aggregate"] = pd.array(is_one, dtype="boolean") | frame.get("aggregate", False)
                reason = f"the name of the {field} says that it averages others: it is marked as an aggregate; see `leave_out`"
                account.count(file, "noted", int(is_one.sum()), reason, ", ".join(named))


def _filled(values, value):
    return values.astype(object).where(values.notna(), value)


def _note_unused_columns(files, block, account):
    """Lists of columns that name what no file has, such as a column that was renamed."""
    for key in ("only", "leave_out"):
        patterns = block.get(key, {}).get("columns", [])
        if patterns:
            met = [name for file in files for name in _columns_of(file, block)]
            for pattern in fitting(met, patterns)[1]:
                reason = f"{key}.columns names `{pattern}`, which is not a column of these files"
                account.count(files[0], "ignored", 0, reason, example=pattern)


def _columns_of(file, block):
    """The names of a file's columns; none where it cannot be read, which its reader says."""
    try:
        return load(file, file_type(file, block), lambda header: False, block)[0]
    except InputError:
        return []


def file_type(file, block):
    """Of which type a file is: as the block says, else by its ending (a last `.gz` aside), else CSV."""
    name = Path(file).name.lower().removesuffix(".gz")
    return block.get("file_type") or ENDINGS.get(Path(name).suffix, "csv")


def load(file, kind, is_wanted, block=None):
    """The names of all columns of a file, and an Arrow table of those for which is_wanted(name) is true.

    Text files give text, Parquet files what they hold. Raises InputError where the file is not a table of that kind, or a
    column's name occurs twice.
    """
    block = block or {}
    if Path(file).stat().st_size == 0:
        raise InputError(f"{file}: the file is empty\n    allowed: a table")
    known = foreign.beginning(file, kind)
    if known:
        raise InputError(mistake(f"{file}: not a table of type {kind}", *known))
    try:
        if _is_packed(file):
            _check_unpacked_size(file)
        if kind != "parquet":
            _check_encoding(file, block)
        names, table = _LOADERS[kind](file, is_wanted, block)
        if len(set(names)) < len(names):
            repeated = next(name for name, n in Counter(names).items() if n > 1)
            hint = "; where the names fill two rows, `header_rows: 2` joins them" if kind in ("csv", "tsv") else ""
            raise InputError(mistake(file, f"the column `{repeated}` twice", f"every column name once{hint}"))
        # texts that are not UTF-8 come through some of Arrow's readers
        table.validate(full=True)
        return names, table
    except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeError) as error:
        said = str(error)
        if isinstance(error, UnicodeError) or "invalid UTF8" in said:
            raise _not_of_encoding(file, kind, block) from None
        if "Empty CSV" in said:
            with _stream(file, block) as content:
                is_blank = not content.read(1 << 16).strip()
            what = "no row and no name of a column" if is_blank else "a row of more than a megabyte"
            raise InputError(mistake(f"{file}: not a table of type {kind}", what, "a table")) from None
        if "straddling" in said:
            said = "a row of more than a megabyte, or a quotation mark that is never closed"
        if "columns, got" in said and kind == "csv":
            sign = separator(file, block)
            said += f"; cells are separated by `{sign}` here (key `separator`); `skip_rows` leaves out title rows above the names"
        raise InputError(f"{file}: not a table of type {kind} that can be read: {said}") from None


def _is_packed(file):
    return str(file).lower().endswith(".gz")


def _unpacked(file):
    """The bytes of a file, unpacked if it is a `.gz`; no other ending is taken for a packed file."""
    return pa.input_stream(str(file), compression="gzip" if _is_packed(file) else None)


def encoding_of(file, block):
    """The encoding of a text file: as its byte order mark says, else the block, else UTF-8."""
    with _unpacked(file) as content:
        return encodings.marked(content.read(4)) or block.get("encoding", "utf-8")


def _stream(file, block):
    """The text of a file, in UTF-8."""
    return pa.transcoding_input_stream(_unpacked(file), encoding_of(file, block), "utf-8")


def lines_of(file, block):
    """The lines of a text file, as an iterable stream of UTF-8."""
    return io.BufferedReader(_stream(file, block), 1 << 20)


def _check_encoding(file, block):
    """Raise InputError where a text without a byte order mark is surely of another encoding than the block says."""
    with io.BufferedReader(_unpacked(file)) as content:
        start = content.peek(_START)[:_START]
        if encodings.marked(start):
            return
        if "encoding" not in block and b"\0" in start:
            raise _not_of_encoding(file, "text", block)
        if "encoding" in block and encodings.is_utf8_beyond_ascii(content):
            found = f"text in UTF-8, where `encoding` says {block['encoding']}"
            raise InputError(
                mistake(file, found, "files of one encoding in a block; give those in UTF-8 in a block without the key")
            )


def _not_of_encoding(file, kind, block):
    """The InputError for a text that is not of its encoding, with one that it may have."""
    known, guess = encoding_of(file, block), likely_encoding(file)
    where = "" if kind == "text" else f", in a table of type {kind}"
    if not known.startswith("utf-8") or guess is None:
        return InputError(mistake(file, f"text that is not {known}{where}", "the right `encoding`; or save the file as UTF-8"))
    likely, example = guess
    allowed = f"`encoding: {likely}` in the block, or whichever is right; or save the file as UTF-8 (in Excel: `CSV UTF-8`)"
    return InputError(mistake(file, f"text that is not UTF-8{where}; in {likely}, {example}", allowed))


def likely_encoding(file):
    """The encoding that a text file which is not UTF-8 may have, and how its first odd line reads then; None for one in UTF-8."""
    with io.BufferedReader(_unpacked(file)) as content:
        odd = None if encodings.marked(content.peek(4)[:4]) else encodings.not_utf8(content)
    if odd is None:
        return None
    number, line = odd
    likely = encodings.likely(line)
    return likely, f"line {number} would be `{encodings.excerpt(line, likely)}`"


def _check_unpacked_size(file):
    n_bytes = 0
    with _unpacked(file) as content:
        while more := len(content.read(1 << 20)):
            n_bytes += more
            if n_bytes > _MOST_BYTES:
                found = f"more than {_MOST_BYTES:,} bytes when it is unpacked"
                raise InputError(mistake(str(file), found, "a smaller packed file; unpack this one to have it read as it is"))


def _read_file(file, block, account):
    """One file's rows, their cells still as the file has them; None where its path does not fit, or no column is left."""
    with naming(file):
        return _rows_of(file, block, account)


def _rows_of(file, block, account):
    kind = file_type(file, block)
    columns, patterns, of_stderr = block["columns"], header_patterns(block), header_patterns(block, "stderr_header")
    of_scale = expressions.columns_of(block["scale_from"]) if "scale_from" in block else []

    def is_wanted(header):
        return header in columns.values() or header in of_scale or bool(_match([*of_stderr, *patterns], header))

    with account.reading(file):
        names, table = load(file, kind, is_wanted, block)
    _check_names(file, names, columns | {f"scale_from, {name}": name for name in of_scale})
    if table.num_rows == 0:
        raise InputError(f"{file}: the table has column names but no row\n    allowed: at least one row")
    open_names = [header for header in names if header not in columns.values()]
    errors = {header: match for header in open_names if (match := _match(of_stderr, header))}
    matches = {header: match for header in open_names if header not in errors and (match := _match(patterns, header))}
    if patterns and not matches:
        where = f"{file}: no column is named like `header: {block['header']}`"
        raise InputError(mistake(where, ", ".join(map(repr, names)), "at least one column with scores"))
    ignored = [header for header in names if not is_wanted(header)]
    if ignored:
        account.count(file, "ignored", len(ignored), "column not mapped in the block", example=", ".join(ignored))
    matches = _chosen_columns(file, matches, table.num_rows, block, account)
    if patterns and not matches:
        return None
    _note_encoding(file, kind, block, account)
    _note_separator(file, kind, block, account)
    numeric = dict.fromkeys(matches, "score") | dict.fromkeys(errors, "stderr")
    numeric |= dict.fromkeys(of_scale, "scale") | {columns[field]: field for field in NUMBERS if field in columns}
    used = {*columns.values(), *of_scale, *matches, *errors}
    wanted = [name for name in table.column_names if name in used]
    cells = {header: _cells(file, header, table.column(header), header in numeric) for header in wanted}
    percent, after = _read_as_written(file, table, cells, numeric, kind, block, account)
    # a column of sizes may name the models, too, and names are as they are written
    names_of = {
        header: _cells(file, header, table.column(header), False)
        for field, header in columns.items()
        if field not in NUMBERS and header in numeric
    }
    rows = pd.DataFrame(
        {field: (cells if field in NUMBERS else cells | names_of)[header] for field, header in columns.items()},
        index=range(table.num_rows),
    )
    _fill_down(rows, file, block, account)
    if of_scale:
        rows["scale"] = _computed(block["scale_from"], {name: cells[name] for name in of_scale})
    if "model_from" in block:
        found = path_fields(block["model_from"], file)
        if found is None:
            allowed = f"`{block['model_from']}` at the end of the path"
            message = mistake(file, "a path that `model_from` does not fit", allowed)
            account.refuse_file(file, len(rows) * max(1, len(matches)), "the path does not fit `model_from`", message)
            return None
        for field, text in found.items():
            if field == "model" and ("model" in columns or "model" in block.get("constants", {})):
                continue
            value = number_with_unit(text) if field == "scale" else text
            rows[{"family": "model_family"}.get(field, field)] = value
    rows["_row"] = np.arange(1, len(rows) + 1)
    if patterns:
        rows = _unfolded(rows, matches, errors, cells, percent, after)
    else:
        rows["_header"] = columns["score"]
        if columns["score"] in percent:
            rows["_percent"] = percent[columns["score"]]
        if columns["score"] in after:
            rows["stderr"] = after[columns["score"]]
    rows["file"] = pd.Categorical.from_codes(np.zeros(len(rows), dtype=np.int8), [str(file)])
    account.count(file, "read", len(rows))
    return rows


def _fill_down(rows, file, block, account):
    """Give empty cells the value above them, in the fields of which the block says that cells were merged."""
    for field in block.get("fill_down", []):
        values = rows[field].astype(object)
        empty = values.isna() | (values.astype("str").str.strip() == "")
        rows[field] = values.mask(empty).ffill()
        n = int((empty & rows[field].notna()).sum())
        if n:
            account.count(
                file, "noted", n, f"the {field} of a row is that above it, as `fill_down` says", block["columns"][field]
            )


def _match(patterns, header):
    return next((match for pattern in patterns if (match := pattern.fullmatch(header))), None)


def _chosen_columns(file, matches, n_rows, block, account):
    """The columns with scores that the block takes; the scores in the others are counted."""
    for key in ("only", "leave_out"):
        patterns = block.get(key, {}).get("columns")
        if patterns and matches:
            chosen, _ = fitting(list(matches), patterns)
            out = dict.fromkeys(header for header, is_it in zip(matches, chosen, strict=True) if is_it == (key == "leave_out"))
            if out:
                said = "is named by" if key == "leave_out" else "is not named by"
                account.count(file, "read", len(out) * n_rows)
                reason = f"the column {said} `{key}.columns`"
                account.count(file, "left_out", len(out) * n_rows, reason, ", ".join(out))
            matches = {header: match for header, match in matches.items() if header not in out}
    return matches


def _note_encoding(file, kind, block, account):
    name = encoding_of(file, block) if kind != "parquet" else "utf-8"
    if not name.startswith("utf-8") and name != block.get("encoding"):
        account.count(file, "noted", 0, f"the text is in {name.upper()}, as its byte order mark says")


def _note_separator(file, kind, block, account):
    if kind == "csv" and "separator" not in block and (sign := separator(file, block)) != ",":
        account.count(file, "noted", 0, f"cells are separated by {sign!r}, as the first rows tell; the key is `separator`")


def _read_as_written(file, table, cells, numeric, kind, block, account):
    """Replace in `cells` what people write for numbers by numbers.

    Returns {header: (rows,) bool, which have `%`} and {header: (rows,) float, what follows `±`}.
    """
    text = {header: cells[header] for header in numeric if header in cells and cells[header].dtype.kind not in "fi"}
    odd = {header: values[odd_cells(values)].unique() for header, values in text.items()}
    if not any(map(len, odd.values())):
        return {}, {}
    decimal = block.get("decimal")
    if decimal is None and any("," in cell or "." in cell for cells_of in odd.values() for cell in cells_of):
        decimal = decimal_sign([str(cell) for cell in _texts(table, cells, numeric)])
        # where cells are separated by semicolons, that is because the comma is taken
        only_commas = not any("." in cell for found in odd.values() for cell in found)
        if decimal is None and kind == "csv" and separator(file, block) == ";" and only_commas:
            decimal = ","
        if decimal == ",":
            account.count(file, "noted", 0, "the decimal sign is `,`, as the cells tell; the key is `decimal`")
    if decimal == ",":
        text = {header: table.column(header).cast(pa.string()).to_pandas() for header in numeric if _is_text(table, header)}
    factors, percent, after = block.get("multiply", {}), {}, {}
    for header, values in text.items():
        field = numeric[header]
        if decimal != "," and not len(odd.get(header, ())):
            continue

        def is_allowed(cell, field=field):
            # a number with its unit is not to be multiplied once more; percent may be, by a hundredth
            return not (cell.has_unit and field in factors) and (not cell.is_percent or factors.get(field, 0.01) == 0.01)

        cells[header], is_percent, errors, kinds = read_column(values, field, decimal, is_allowed)
        if is_percent.any() and field not in factors:
            percent[header] = is_percent
        if block.get("plus_minus") == "stderr" and np.isfinite(errors).any():
            after[header] = errors
        for said, (n, first) in kinds.items():
            ignored = said == AFTER_SCORE and block.get("plus_minus") != "stderr"
            more = "; it is not read, since it may be a deviation or half an interval; see `plus_minus`" if ignored else ""
            account.count(file, "noted", n, f"{said}{more}", f"column `{header}`: {first}")
    return percent, after


def _is_text(table, header):
    return header in table.column_names and pa.types.is_string(table.column(header).type)


def _texts(table, cells, numeric):
    """All texts of the columns that should be numbers, each once."""
    found = {}
    for header in numeric:
        if header in cells and _is_text(table, header):
            found |= dict.fromkeys(pc.unique(table.column(header)).to_pylist())
    return [text for text in found if text]


def _computed(expression, cells):
    """The scale from several columns; where one of them is not a number, a text that says so and will be refused."""
    numbers = {name: pd.to_numeric(values, errors="coerce").to_numpy(dtype=float) for name, values in cells.items()}
    scale = expressions.evaluate(expression, numbers)
    bad = ~np.isfinite(scale)
    if not bad.any():
        return scale
    column = scale.astype(object)
    for row in np.flatnonzero(bad):
        column[row] = f"{expression} with " + ", ".join(f"{name} = {values.iat[row]}" for name, values in cells.items())
    return column


def _unfolded(rows, matches, errors, cells, percent, after):
    """A wide table with one score per row: all rows of the first column with scores, then all of the next."""
    n_rows, headers = len(rows), list(matches)
    repeated = np.tile(np.arange(n_rows), len(headers))
    of_column = np.repeat(np.arange(len(headers)), n_rows)
    long = {}
    for field in rows:
        values = rows[field]
        if values.dtype.kind in "fiub":
            long[field] = values.to_numpy()[repeated]
        elif field in NUMBERS:
            long[field] = values.astype(object).to_numpy()[repeated]
        else:
            # names as categories, stripped as the pipeline strips others
            codes, distinct = pd.factorize(values, use_na_sentinel=False)
            long[field] = _categories(["" if pd.isna(name) else str(name).strip() for name in distinct], codes[repeated])
    for field in dict.fromkeys(field for match in matches.values() for field in match.groupdict()):
        found = [matches[header].groupdict().get(field) for header in headers]
        if None in found:
            # a pattern without the field leaves it to `constants`
            long[field] = np.array(found, dtype=object)[of_column]
        else:
            long[field] = _categories([text.strip() for text in found], of_column)
    long["score"] = _joined([cells[header] for header in headers], n_rows)
    long["_header"] = _categories(headers, of_column)
    if errors:
        by_fields = {tuple(sorted(match.groupdict().items())): header for header, match in errors.items()}
        paired = [by_fields.get(tuple(sorted(matches[header].groupdict().items()))) for header in headers]
        long["stderr"] = _joined([cells[header] if header else None for header in paired], n_rows)
    elif after:
        long["stderr"] = np.concatenate([after.get(header, np.full(n_rows, np.nan)) for header in headers])
    if percent:
        long["_percent"] = np.concatenate([percent.get(header, np.zeros(n_rows, dtype=bool)) for header in headers])
    return pd.DataFrame(long, copy=False)


def _joined(columns, n_rows):
    """Columns one below the other; None is a column of nothing."""
    if not columns:
        return np.empty(0)
    if all(column is None or column.dtype.kind in "fi" for column in columns):
        return np.concatenate([np.full(n_rows, np.nan) if column is None else column.to_numpy(dtype=float) for column in columns])
    empty = np.full(n_rows, None, dtype=object)
    return np.concatenate([empty if column is None else column.astype(object).to_numpy() for column in columns])


def _categories(names, codes):
    """A categorical column: names by their codes, each once and in order."""
    own = sorted(set(names))
    place = {name: number for number, name in enumerate(own)}
    return pd.Categorical.from_codes(np.array([place[name] for name in names], dtype=np.int32)[codes], own)


def _check_names(file, names, columns):
    have = ", ".join(map(repr, names))
    hint = "; where the names fill two rows, `header_rows: 2` joins them" if any(map(_is_nameless, names)) else ""
    missing = [
        mistake(f"{file}: no column `{header}` (for the field `{field}`)", have, f"one of them{nearest(header, names)}{hint}")
        for field, header in columns.items()
        if header not in names
    ]
    if missing:
        raise InputError(missing)


def _cells(file, header, column, is_numeric):
    """A column of numbers as such if each of its cells is one, else as text: a missing cell stays missing, and NaN is `nan`.

    Raises InputError where its cells are neither numbers nor text, such as lists.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_numeric and not column.null_count and not pa.types.is_boolean(column.type):
        try:
            numbers = column.cast(pa.float64())
        except pa.ArrowException:
            pass
        else:
            if pc.all(pc.is_finite(numbers)).as_py():
                return numbers.to_pandas()
    try:
        return column.cast(pa.string()).to_pandas()
    except pa.ArrowException:
        raise InputError(
            mistake(f"{file}: the column `{header}`", f"cells of type {column.type}", "numbers, or text in UTF-8")
        ) from None


def separator(file, block):
    """What separates the cells of a CSV file: as the block says, else told by its first two rows; the comma where they do not."""
    if "separator" in block:
        return block["separator"]
    with _stream(file, block) as content:
        start = content.read(1 << 16).decode("utf-8", "replace")
    return separator_of(start, block.get("skip_rows", 0))


def _delimited(file, is_wanted, block):
    delimiter = block.get("separator", "\t") if file_type(file, block) == "tsv" else separator(file, block)
    parsing = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    reading = pyarrow.csv.ReadOptions(skip_rows=block.get("skip_rows", 0))
    if block.get("header_rows", 1) > 1:
        names, n_lines = _names_in_rows(file, delimiter, block)
        reading = pyarrow.csv.ReadOptions(skip_rows=n_lines, column_names=names)
    with pyarrow.csv.open_csv(_stream(file, block), read_options=reading, parse_options=parsing) as start:
        names = start.schema.names
    n_nameless = sum(not name.strip() for name in names)
    if n_nameless > 1:
        # a spreadsheet leaves empty columns behind its table
        names = [name if name.strip() else f"{_NAMELESS} {number})" for number, name in enumerate(names, start=1)]
        after = 0 if reading.column_names else 1
        reading = pyarrow.csv.ReadOptions(skip_rows=reading.skip_rows, column_names=names, skip_rows_after_names=after)
    chosen = [name for name in dict.fromkeys(names) if is_wanted(name) and not _is_nameless(name)]
    if len(set(names)) < len(names) or not chosen:
        # it will be refused, for which the names are enough
        return names, pa.table({"": []})
    # every cell as text: a type guessed from the first rows would be a mistake in the others
    conversion = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(chosen, pa.string()), include_columns=chosen, strings_can_be_null=False
    )
    return names, pyarrow.csv.read_csv(
        _stream(file, block), read_options=reading, parse_options=parsing, convert_options=conversion
    )


def _is_nameless(name):
    return name.startswith(_NAMELESS)


def _names_in_rows(file, delimiter, block):
    """Names of columns that fill several rows, joined by `|`, and the number of lines down to the last of them."""
    n_rows, n_skipped = block["header_rows"], block.get("skip_rows", 0)
    with io.TextIOWrapper(lines_of(file, block), encoding="utf-8", newline="") as text:
        for _ in range(n_skipped):
            text.readline()
        cells = csv.reader(text, delimiter=delimiter)
        rows = list(itertools.islice(cells, n_rows))
        return joined_names(rows), n_skipped + cells.line_num


def joined_names(rows):
    """The names of columns that fill several rows, from the top down, joined by `|`.

    rows: lists of cells. An empty cell above a name is a part of the merged cell to its left, within the merged cell above that.
    """
    rows = [[cell.strip() for cell in row] for row in zip(*itertools.zip_longest(*rows, fillvalue=""), strict=True)]
    names = [[] for _ in rows[0]] if rows else []
    for number, row in enumerate(rows):
        merged = ""
        for column, cell in enumerate(row):
            begins = any(above[column] for above in rows[:number])
            merged = cell or ("" if begins else merged)
            if cell or (merged and any(below[column] for below in rows[number + 1 :])):
                names[column].append(merged)
    return ["|".join(parts) for parts in names]


def _load_parquet(file, is_wanted, _block):
    content = pyarrow.parquet.ParquetFile(file)
    if content.metadata.num_rows > _MOST_ROWS:
        found = f"{content.metadata.num_rows:,} rows"
        raise InputError(mistake(str(file), found, f"at most {_MOST_ROWS:,} rows in a Parquet file; give the table in several"))
    names = _without_structs(content.schema_arrow.empty_table()).column_names
    wanted = [name for name in names if is_wanted(name)]
    _check_unpacked_columns(file, wanted, _bytes_in_pages(content.metadata, wanted))
    # texts as the dictionaries that they are in the file: a text that is repeated a million times is in memory once
    texts = [
        field.name for field in content.schema_arrow if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    table = _without_structs(pyarrow.parquet.ParquetFile(file, read_dictionary=texts).read(columns=wanted))
    _check_unpacked_columns(file, wanted, sum(_bytes_of_texts(column) for column in table.columns))
    plain = [column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    return names, pa.table(plain, names=table.column_names)


def _without_structs(table):
    """A table whose nested values are columns of their own, with names such as `results.piqa.acc`."""
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    return table


def _check_unpacked_columns(file, names, n_bytes):
    if n_bytes > _MOST_BYTES:
        found = f"{n_bytes:,} bytes in the columns {', '.join(names)} when they are unpacked"
        raise InputError(mistake(str(file), found, f"at most {_MOST_BYTES:,} bytes; give the table in several files"))


def _bytes_in_pages(metadata, names):
    """Bytes of some columns as the metadata of a Parquet file states them: unpacked, but with texts in dictionaries."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    return sum(column.total_uncompressed_size for column in columns if column.path_in_schema.split(".")[0] in names)


def _bytes_of_texts(column):
    """Bytes of a column whose texts are written out; 0 where it is not one of texts."""
    if not pa.types.is_dictionary(column.type):
        return 0
    n_bytes = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary).to_numpy(zero_copy_only=False)
        counts = np.bincount(chunk.indices.drop_null().to_numpy(), minlength=len(lengths))
        n_bytes += int(counts @ lengths.astype(np.int64))
    return n_bytes


def _load_json_lines(file, is_wanted, block):
    with lines_of(file, block) as content:
        if not all(_is_safe_for_arrow(line) for line in content):
            return _load_json_lines_one_by_one(file, is_wanted, block)
    try:
        table = _without_structs(pyarrow.json.read_json(_stream(file, block)))
        table.validate(full=True)
    except (pa.ArrowException, UnicodeError):
        return _load_json_lines_one_by_one(file, is_wanted, block)
    names = table.schema.names
    table = table.select([name for name in names if is_wanted(name)])
    if not all(kind in _PLAIN_JSON for kind in table.schema.types):
        return _load_json_lines_one_by_one(file, is_wanted, block)
    return names, table


def _is_safe_for_arrow(line):
    """Whether Arrow survives a line of JSON: of one that is `null`, or very deep, it does not, and takes the process with it."""
    return line.lstrip()[:1] in (b"{", b"") and line.count(b"[") + line.count(b"{") <= _MOST_BRACKETS


def _load_json_lines_one_by_one(file, is_wanted, block):
    """For what Arrow takes amiss (numbers and text in one column, NaN, text like a date), and to say which line is wrong."""
    names, parts, lines = {}, [], []

    def add():
        for record in lines:
            names.update(dict.fromkeys(record))
        chosen = [name for name in names if is_wanted(name)]
        columns = {name: pa.array([record.get(name) for record in lines], pa.string()) for name in chosen}
        # lines without any wanted name are rows too; a nameless column counts them
        parts.append(pa.table(columns | {"": pa.nulls(len(lines), pa.string())}))
        lines.clear()

    with lines_of(file, block) as content:
        for number, line in enumerate(content, start=1):
            if line.strip():
                lines.append(_json_record(file, number, line.decode()))
                if len(lines) == _LINES_AT_ONCE:
                    add()
    if lines or not parts:
        add()
    return list(names), pa.concat_tables(parts, promote_options="default").drop_columns("")


def _json_record(file, number, line):
    """One line as {name: text or None}."""
    try:
        record = json.loads(line, object_pairs_hook=unique_keys)
        if isinstance(record, dict):
            record = {
                name: value if value is None or isinstance(value, str) else json.dumps(value, allow_nan=True)
                for name, value in unique_keys(list(_flat(record))).items()
            }
            # half a surrogate pair is no character and cannot be written again
            "".join(text for item in record.items() for text in item if text).encode()
    except (ValueError, RecursionError) as error:
        raise InputError(mistake(f"{file}: line {number}", str(error), "a JSON object on every line")) from None
    if not isinstance(record, dict):
        raise InputError(mistake(f"{file}: line {number}", "no JSON object", "a JSON object on every line"))
    return record


def _flat(record, above=""):
    """The values of an object and of the objects in it: pairs of name and value, with names such as `results.piqa.acc`."""
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


_LOADERS = {"csv": _delimited, "tsv": _delimited, "parquet": _load_parquet, "jsonl": _load_json_lines}


def _plain_number(text):
    """A number in one spelling, so that 7, 7.0 and 7e0 are the same; other text as it is."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def _replaced(values, replacements, field, file, account):
    """A field with its `values` replaced; what is not named there stays as it is. Numbers are the same however they are written."""
    plain = _plain_number if field in NUMBERS else str
    given, replacements = replacements, {plain(text.strip()): value for text, value in replacements.items()}
    if len(replacements) < len(given):
        raise InputError(mistake(f"values.{field} of the block", "the same value twice: " + ", ".join(given), "each value once"))
    codes, distinct = pd.factorize(values)
    found = [plain(str(value).strip()) for value in distinct]
    for unused in set(replacements) - set(found):
        reason = f"values.{field} names `{unused}`, which no row has"
        account.count(file, "ignored", 0, reason, example=unused)
    by_code = np.array(
        [replacements.get(text, value) for text, value in zip(found, distinct, strict=True)] + [None], dtype=object
    )
    return pd.Series(by_code[codes], index=values.index)
