"""Reader for tables, long (one score a row) or wide (one model a row): CSV, TSV, Parquet, JSON lines."""

import gzip
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

from emergence.ingest.readers import Rows
from emergence.ingest.readers.table.keys import header_pattern
from emergence.io.documents import nearest, unique_keys
from emergence.io.errors import InputError, naming, told

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

# Brackets in a line of JSON, and so the most levels of it: far fewer than it takes to end the process in Arrow's reader.
_MOST_BRACKETS = 500

# Compressed, or as runs of one value, a small file can hold more than any memory: what a table may hold that is packed.
_MOST_ROWS = 20_000_000
_MOST_BYTES = 2 * 10**9


# The fields that are numbers; all others are names.
NUMBERS = ("scale", "shots", "score", "chance", "high_score", "n_examples", "stderr")

_PLAIN_JSON = {pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.null()}


def read(block, account):
    """The scores of all files of the block. See emergence.ingest.readers for the contract.

    Raises InputError for a file that is no table, or that lacks a column which the block names.
    """
    parts = [_read_file(file, block, account) for file in block["files"]]
    frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    for field, replacements in block.get("values", {}).items():
        frame[field] = _replaced(
            frame[field], {str(found): value for found, value in replacements.items()}, field, block, account
        )
    for field, factor in block.get("multiply", {}).items():
        numbers = pd.to_numeric(frame[field], errors="coerce")
        # text that is no number stays, to be refused by name
        frame[field] = (
            numbers * factor if numbers.notna().all() else (numbers * factor).astype(object).where(numbers.notna(), frame[field])
        )
    for field, value in block.get("constants", {}).items():
        frame[field] = value
    if "source" not in frame:
        frame["source"] = frame["file"].map({file: Path(file).name for file in block["files"]})
    columns = block["columns"]

    def place(row, field):
        header = frame["_header"].iat[row] if field == "score" else columns.get(field)
        at = f"{frame['file'].iat[row]}: data row {frame['_row'].iat[row]}"
        return f"{at}, column `{header}`" if header else at

    return Rows(frame, place)


def file_type(file, block):
    """Of which type a file is: as the block says, else by its ending (a last `.gz` aside), else CSV."""
    name = Path(file).name.lower().removesuffix(".gz")
    return block.get("file_type") or ENDINGS.get(Path(name).suffix, "csv")


def load(file, kind, is_wanted):
    """The names of all columns of a file, and an Arrow table of those for which is_wanted(name) is true.

    Text files give text, Parquet files what they hold. Raises InputError where the file is no table of that kind, or a column's name
    stands twice.
    """
    if Path(file).stat().st_size == 0:
        raise InputError(f"{file}: the file is empty\n    allowed: a table")
    try:
        if _is_packed(file):
            _check_unpacked_size(file)
        names, table = _LOADERS[kind](file, is_wanted)
        if len(set(names)) < len(names):
            repeated = next(name for name, n in Counter(names).items() if n > 1)
            raise InputError(f"{file}: the column `{repeated}` stands twice\n    allowed: every column name once")
        # texts that are no UTF-8 come through some of Arrow's readers
        table.validate(full=True)
        return names, table
    except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        said = str(error)
        if "straddling" in said:
            said = "a row of more than a megabyte, or a quotation mark that is never closed"
        raise InputError(f"{file}: not a table of type {kind} that can be read: {said}") from None


def _is_packed(file):
    return str(file).lower().endswith(".gz")


def _stream(file):
    """The bytes of a file, unpacked if it is a `.gz`; no other ending is taken for a packed file."""
    return pa.input_stream(str(file), compression="gzip" if _is_packed(file) else None)


def _check_unpacked_size(file):
    n_bytes = 0
    with _stream(file) as content:
        while more := len(content.read(1 << 20)):
            n_bytes += more
            if n_bytes > _MOST_BYTES:
                found = f"more than {_MOST_BYTES:,} bytes when it is unpacked"
                raise InputError(told(str(file), found, "a smaller packed file; unpack this one to have it read as it is"))


def _read_file(file, block, account):
    """One file's rows, their cells still as the file has them."""
    with naming(file):
        return _rows_of(file, block, account)


def _rows_of(file, block, account):
    kind = file_type(file, block)
    columns, pattern = block["columns"], header_pattern(block)

    def is_wanted(header):
        return header in columns.values() or bool(pattern and pattern.fullmatch(header))

    with account.reading(file):
        names, table = load(file, kind, is_wanted)
    _check_names(file, names, columns)
    if table.num_rows == 0:
        raise InputError(f"{file}: the table has column names but no row\n    allowed: at least one row")
    matches = {header: pattern.fullmatch(header) for header in names if header not in columns.values()} if pattern else {}
    matches = {header: match for header, match in matches.items() if match}
    if pattern and not matches:
        where = f"{file}: no column is named like `header: {block['header']}`"
        raise InputError(told(where, ", ".join(map(repr, names)), "at least one column with scores"))
    ignored = [header for header in names if not is_wanted(header)]
    if ignored:
        account.count(file, "ignored", len(ignored), "column not mapped in the block", example=", ".join(ignored))
    numeric = {*matches, *(columns[field] for field in NUMBERS if field in columns)}
    cells = {header: _cells(file, header, table.column(header), header in numeric) for header in table.column_names}
    rows = pd.DataFrame({field: cells[header] for field, header in columns.items()}, index=range(table.num_rows))
    rows["_row"] = np.arange(1, len(rows) + 1)
    if pattern:
        rows = pd.concat(
            [rows.assign(**match.groupdict(), score=cells[header], _header=header) for header, match in matches.items()],
            ignore_index=True,
        )
    else:
        rows["_header"] = columns["score"]
    rows["file"] = str(file)
    account.count(file, "read", len(rows))
    return rows


def _check_names(file, names, columns):
    have = ", ".join(map(repr, names))
    missing = [
        told(f"{file}: no column `{header}` (for the field `{field}`)", have, f"one of them{nearest(header, names)}")
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
            told(f"{file}: the column `{header}`", f"cells of type {column.type}", "numbers, or text in UTF-8")
        ) from None


def _delimited(delimiter):
    def load(file, is_wanted):
        parsing = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        with pyarrow.csv.open_csv(_stream(file), parse_options=parsing) as start:
            names = start.schema.names
        chosen = [name for name in dict.fromkeys(names) if is_wanted(name)]
        if len(set(names)) < len(names) or not chosen:
            # it will be refused, for which the names are enough
            return names, pa.table({"": []})
        # every cell as text: a type guessed from the first rows would be a mistake in the others
        conversion = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(chosen, pa.string()), include_columns=chosen, strings_can_be_null=False
        )
        return names, pyarrow.csv.read_csv(_stream(file), parse_options=parsing, convert_options=conversion)

    return load


def _load_parquet(file, is_wanted):
    content = pyarrow.parquet.ParquetFile(file)
    if content.metadata.num_rows > _MOST_ROWS:
        found = f"{content.metadata.num_rows:,} rows"
        raise InputError(told(str(file), found, f"at most {_MOST_ROWS:,} rows in a Parquet file; give the table in several"))
    names = content.schema_arrow.names
    wanted = [name for name in names if is_wanted(name)]
    _check_unpacked_columns(file, wanted, _bytes_in_pages(content.metadata, wanted))
    # texts as the dictionaries that they are in the file: a text that is repeated a million times is in memory once
    texts = [
        field.name for field in content.schema_arrow if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    table = pyarrow.parquet.ParquetFile(file, read_dictionary=texts).read(columns=wanted)
    _check_unpacked_columns(file, wanted, sum(_bytes_of_texts(column) for column in table.columns))
    plain = [column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    return names, pa.table(plain, names=table.column_names)


def _check_unpacked_columns(file, names, n_bytes):
    if n_bytes > _MOST_BYTES:
        found = f"{n_bytes:,} bytes in the columns {', '.join(names)} when they are unpacked"
        raise InputError(told(str(file), found, f"at most {_MOST_BYTES:,} bytes; give the table in several files"))


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


def _load_json_lines(file, is_wanted):
    with _opened(file, "rb") as content:
        if not all(_is_safe_for_arrow(line) for line in content):
            return _load_json_lines_one_by_one(file, is_wanted)
    try:
        table = pyarrow.json.read_json(_stream(file))
        table.validate(full=True)
    except (pa.ArrowException, UnicodeDecodeError):
        return _load_json_lines_one_by_one(file, is_wanted)
    names = table.schema.names
    table = table.select([name for name in names if is_wanted(name)])
    if not all(kind in _PLAIN_JSON for kind in table.schema.types):
        return _load_json_lines_one_by_one(file, is_wanted)
    return names, table


def _opened(file, mode, **keys):
    return (gzip.open if _is_packed(file) else open)(file, mode, **keys)


def _is_safe_for_arrow(line):
    """Whether Arrow survives a line of JSON: of one that is `null`, or very deep, it does not, and takes the process with it."""
    return line.lstrip()[:1] in (b"{", b"") and line.count(b"[") + line.count(b"{") <= _MOST_BRACKETS


def _load_json_lines_one_by_one(file, is_wanted):
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

    with _opened(file, "rt", encoding="utf-8") as content:
        for number, line in enumerate(content, start=1):
            if line.strip():
                lines.append(_json_record(file, number, line))
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
                for name, value in record.items()
            }
            # half a surrogate pair is no character and cannot be written again
            "".join(text for item in record.items() for text in item if text).encode()
    except (ValueError, RecursionError) as error:
        raise InputError(told(f"{file}: line {number}", str(error), "a JSON object on every line")) from None
    if not isinstance(record, dict):
        raise InputError(told(f"{file}: line {number}", "no JSON object", "a JSON object on every line"))
    return record


_LOADERS = {"csv": _delimited(","), "tsv": _delimited("\t"), "parquet": _load_parquet, "jsonl": _load_json_lines}


def _plain_number(text):
    """A number in one spelling, so that 7, 7.0 and 7e0 are the same; other text as it is."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def _replaced(values, replacements, field, block, account):
    """A field with its `values` replaced; what is not named there stays as it is. Numbers are the same however they are written."""
    plain = _plain_number if field in NUMBERS else str
    given, replacements = replacements, {plain(text.strip()): value for text, value in replacements.items()}
    if len(replacements) < len(given):
        raise InputError(told(f"values.{field} of the block", "the same value twice: " + ", ".join(given), "each value once"))
    codes, distinct = pd.factorize(values)
    found = [plain(str(value).strip()) for value in distinct]
    for unused in set(replacements) - set(found):
        reason = f"values.{field} names `{unused}`, which no row has"
        account.count(block["files"][0], "ignored", 0, reason, example=unused)
    by_code = np.array(
        [replacements.get(text, value) for text, value in zip(found, distinct, strict=True)] + [None], dtype=object
    )
    return pd.Series(by_code[codes], index=values.index)
