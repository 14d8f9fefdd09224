"""The tables that pass from stage to stage: one description, one writer, one reader.

emergence.io.descriptions names every table and column. Whatever is written or read through here has exactly those columns,
in that order and of those types.
"""

import contextlib
import functools
import glob
import heapq
import itertools
import operator
import os
import re
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emergence.io import contents, logs
from emergence.io.descriptions import description
from emergence.io.errors import InputError

_ARROW = {
    "string": pa.string(),
    "float": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "float list": pa.list_(pa.float64()),
    "integer list": pa.list_(pa.int64()),
    "string list": pa.list_(pa.string()),
}
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
_PANDAS = {"string": "str", "float": "float64", "integer": "Int64", "boolean": "boolean"}
_PANDAS |= dict.fromkeys(("float list", "integer list", "string list"), "object")

# A plain run makes tables of another version anew, unless Snakemake's own record of what they were made from is gone.
_REBUILD = "`snakemake --forceall` makes all tables anew"

# Significant digits of the fractions that are stored; see _rounded.
_DIGITS = 9
_POWERS = np.array([float(f"1e{exponent}") for exponent in range(23)])

# Rows in a row group, and items of lists: what is in memory at once where tables stream.
_ROW_GROUP = 2**17
_ITEMS = 2**22

# Rows of CSV that are made into text at once.
_CSV_ROWS = 2**14


@functools.cache
def _arrow_schema(name):
    table = description(name)
    fields = [
        pa.field(column, _ARROW[spec["type"]], nullable=spec.get("nullable", False)) for column, spec in table["columns"].items()
    ]
    metadata = {"emergence.table": name, "emergence.version": str(table.get("version", 1))}
    return pa.schema(fields, metadata=metadata)


@functools.cache
def _texts_that_repeat(name):
    """The text columns of a table that are held as dictionaries: all but those that are said to be `distinct`."""
    columns = description(name)["columns"].items()
    return [column for column, spec in columns if spec["type"] == "string" and not spec.get("distinct")]


@functools.cache
def _text_lists(name):
    """The columns of a table that are lists of texts."""
    return [column for column, spec in description(name)["columns"].items() if spec["type"] == "string list"]


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside `path` to write to; renamed onto it at the end, removed if anything fails.

    The name is unique to the process: a job that outlives its killed Snakemake cannot write into the next run's file. What killed
    jobs have left of the same file is removed. An OSError that names no file, as those of a full disk do, names `path`.

    Raises InputError where another job has been started to make the same file: that one may know better what is in it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.stem)}.*-????????{glob.escape(path.suffix)}"):
        left.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{uuid.uuid4().hex[:8]}{path.suffix}")
    superseded = InputError(
        f"{path}: not written, since another job was started to make it; this one may be left of a killed run"
    )
    try:
        yield temporary
        if logs.is_superseded():
            raise superseded
        os.replace(temporary, path)
        if logs.is_job():
            contents.note_written(path)
    except OSError as error:
        # the other job has removed the temporary file
        if logs.is_superseded():
            raise superseded from None
        if error.filename and str(error.filename) != str(temporary):
            raise
        raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def typed(frame, name, categories=False):
    """The frame with the table's columns, in order and of the table's types; columns it does not know are an error.

    categories: whether names that come as a categorical column, and lists and numbers that come as an Arrow column, stay so, which
        takes a fraction of the time and memory.
    """
    columns = description(name)["columns"]
    unknown = [column for column in frame.columns if column not in columns]
    missing = [column for column, spec in columns.items() if column not in frame.columns and not spec.get("nullable")]
    # a table without rows may be made without columns: there is nothing in them
    if unknown or (missing and len(frame)):
        raise ValueError(f"table {name}: unknown columns {unknown}, missing columns {missing}")
    typed_columns = {}
    for column, spec in columns.items():
        values = frame[column] if column in frame.columns else pd.Series(index=frame.index, dtype=_PANDAS[spec["type"]])
        stays = categories and (
            isinstance(values.dtype, pd.ArrowDtype)
            or (spec["type"] == "string" and isinstance(values.dtype, pd.CategoricalDtype))
        )
        typed_columns[column] = values if stays else values.astype(_PANDAS[spec["type"]])
    return pd.DataFrame(typed_columns, index=frame.index, copy=False)


def key_positions(frame, columns):
    """Where each row stands when rows are sorted by these columns; rows with equal values have equal numbers.

    Texts are in the order of their code points, empty values after all others. Returns (n,) int64. Much faster than to sort by
    the columns or to look for repeated rows, above all where texts are categorical.
    """
    position = np.zeros(len(frame), dtype=np.int64)
    highest = 0
    for column in columns:
        values = frame[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            names = values.cat.categories.tolist()
            n = len(names)
            order = sorted(range(n), key=names.__getitem__)
            codes = values.cat.codes.to_numpy()
            if order != list(range(n)) or codes.min(initial=0) < 0:
                # where each name stands among the sorted; behind them, at -1, what is empty
                place = np.full(n + 1, n, dtype=np.int64)
                place[order] = np.arange(n)
                codes = place[codes]
        else:
            codes, distinct = pd.factorize(values, sort=True)
            n = len(distinct)
            codes = np.where(codes < 0, n, codes)
        if highest >= 2**62 // (n + 1):
            position = np.unique(position, return_inverse=True)[1].astype(np.int64)
            highest = len(frame)
        position *= n + 1
        position += codes
        highest = highest * (n + 1) + n
    return position


def faults(frame, name):
    """What in a typed frame breaks the table's description: a list of sentences, empty where all is well."""
    table = description(name)
    found = []
    for column, spec in table["columns"].items():
        values = frame[column]
        if spec["type"].endswith("list"):
            continue
        if not spec.get("nullable") and values.isna().any():
            found.append(f"column {column}: {int(values.isna().sum())} empty values, none allowed")
        for bound, broken, words in (("above", np.less_equal, "above"), ("at_least", np.less, "at least")):
            if bound in spec:
                n_broken = int(broken(values.dropna().to_numpy(dtype=float), spec[bound]).sum())
                if n_broken:
                    found.append(f"column {column}: {n_broken} values that are not {words} {spec[bound]}")
    position = key_positions(frame, table["key"])
    in_order = len(position) < 2 or (position[1:] > position[:-1]).all()
    n_repeated = 0 if in_order else len(position) - len(np.unique(position))
    if n_repeated:
        found.append(f"{n_repeated} rows repeat the key ({', '.join(table['key'])}) of another")
    return found


def _rounded(frame, name):
    """A typed frame with its fractions to as many digits as do not depend on the processor.

    Libraries for linear algebra choose their instructions by the processor they find, and sums in another order differ in the last
    digits: in this workflow by 1e-11 at most. Whatever is decided further on is decided from the stored number, so that it is the
    same everywhere, too. Scores and curves come from files and plain arithmetic, and stay to the letter.
    """
    table = description(name)
    if table.get("exact"):
        return frame
    rounded = {
        column: pd.Series(_to_known_digits(frame[column].to_numpy(dtype=float, na_value=np.nan)), index=frame.index)
        for column, spec in table["columns"].items()
        if spec["type"] == "float" and column not in table["key"]
    }
    rounded |= {
        column: pd.Series(_lists_to_known_digits(frame[column].tolist()), index=frame.index, dtype=object)
        for column, spec in table["columns"].items()
        if spec["type"] == "float list"
    }
    return frame.assign(**rounded)


def _to_known_digits(numbers):
    """The numbers, (n,), with so many significant digits: float(f"{number:.9g}") of each, several times as fast."""
    size = np.abs(numbers)
    # of other sizes the power of ten is not a whole number of floating point; zero, infinity and NaN stay as they are
    usual = (size >= 1e-10) & (size < 1e15)
    rest = ~usual & (size > 0) & np.isfinite(size)
    found = np.array(numbers, dtype=float)
    x = found[usual]
    decimals = _DIGITS - 1 - np.floor(np.log10(size[usual])).astype(int)
    power, up = _POWERS[np.abs(decimals)], decimals >= 0
    scaled = np.where(up, x * power, x / power)
    whole = np.rint(scaled)
    found[usual] = np.where(up, whole / power, whole * power)
    # what lies next to the middle of two numbers, or where the logarithm was rounded up to the next power, is left to the text
    doubtful = (np.abs(scaled - whole) > 0.5 - 1e-6) | (np.abs(scaled) < 10.0 ** (_DIGITS - 1))
    rest[np.flatnonzero(usual)[doubtful]] = True
    found[rest] = [float(f"{number:.{_DIGITS}g}") for number in np.asarray(numbers, dtype=float)[rest].tolist()]
    return found


def _lists_to_known_digits(lists):
    """The same of lists of numbers."""
    if not any(map(len, lists)):
        return lists
    flat = iter(_to_known_digits(np.array([number for numbers in lists for number in numbers], dtype=float)).tolist())
    return [list(itertools.islice(flat, len(numbers))) for numbers in lists]


def write(frame, name, path):
    """Check a frame against the table's description and write it (Parquet or CSV by the path's ending), whole or not at all.

    Raises ValueError where the frame breaks the description: that is a mistake of ours, not of the user.
    """
    frame = _rounded(typed(frame, name, categories=True), name)
    found = faults(frame, name)
    if found:
        raise ValueError(f"table {name}: " + "; ".join(found))
    with replacing(path) as temporary:
        if Path(path).suffix == ".parquet":
            _write_parquet([_to_arrow(frame, name)], name, temporary)
        else:
            write_csv(frame, temporary)


def write_parts(parts, name, path):
    """Check and write a table given as frames that follow one another in the order of the key, whole or not at all.

    Only one part is in memory at a time, and the file is the same as if `write` had been given all rows at once.

    Parameters
    ----------
    parts : iterable of pandas.DataFrame
    name : str
        The table in workflow/schemas/tables.yaml.
    path : str or Path
        A Parquet file.

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    ValueError
        Where a part breaks the table's description, or does not follow the part before it: that is a mistake of ours.
    """
    n_rows, before = 0, None
    key = description(name)["key"]

    def arrow(frame):
        nonlocal n_rows, before
        frame = typed(frame, name, categories=True)
        found = faults(frame, name)
        ends = [tuple((pd.isna(value), value) for value in frame[key].iloc[row]) for row in ((0, -1) if len(frame) else ())]
        if before is not None and ends and ends[0] <= before:
            found.append("a part that does not follow the one before it in the order of the key")
        if found:
            raise ValueError(f"table {name}: " + "; ".join(found))
        n_rows, before = n_rows + len(frame), ends[1] if ends else before
        return _to_arrow(frame, name)

    with replacing(path) as temporary:
        # unlike a loop, `map` lets go of a part before it asks for the next
        _write_parquet(map(arrow, parts), name, temporary)
    return n_rows


def write_csv(frame, path):
    """A frame as CSV, its texts to the letter, so that the same table can be read back.

    The same as frame.to_csv, in a third of the time: a value that repeats is made a text once. A carriage return is in quotes: not
    every version of Python's csv module does that.
    """
    names = [_quoted(str(column)) for column in frame.columns]
    # a line without a character would be no row
    empty = '""' if len(names) == 1 else ""
    ends = [","] * (len(names) - 1) + ["\n"] * bool(names)
    columns = [_distinct_texts(frame[column], empty, end) for column, end in zip(frame.columns, ends, strict=True)]
    with open(path, "wb") as file:
        file.write((",".join(names) + "\n").encode())
        for start in range(0, len(frame), _CSV_ROWS):
            parts = [texts.take(pa.array(codes[start : start + _CSV_ROWS])) for texts, codes in columns]
            rows = pc.binary_join_element_wise(*parts, "")
            # the texts of an Arrow column follow one another in memory
            file.write(rows.buffers()[2])


def _quoted(text):
    """A text as a field of CSV: in quotes where it has to be."""
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def _distinct_texts(values, empty, end):
    """The distinct fields of a column, each with `end` behind it, as an Arrow column, and which of them each row has, (n,)."""
    if values.dtype == np.float64:
        # by their bits: a negative zero is equal to zero, and another text
        codes, bits = pd.factorize(values.to_numpy().view(np.int64))
        texts = [repr(number) if number == number else empty for number in bits.view(np.float64).tolist()]
    else:
        # of an object column each row is a text of its own: 1 and True are equal, and other texts
        codes, distinct = (np.arange(len(values)), values) if values.dtype == object else pd.factorize(values)
        texts = [empty if pd.isna(value) or value == "" else _quoted(str(value)) for value in distinct.tolist()]
    # what is missing has the last number
    texts.append(empty)
    return pa.array([text + end for text in texts], pa.string()), np.where(codes < 0, len(texts) - 1, codes)


def _to_arrow(frame, name):
    """A typed frame as an Arrow table, texts as dictionaries."""
    arrays = []
    for field in _arrow_schema(name):
        values = frame[field.name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy(dtype=np.int32)
            codes = pa.array(codes, mask=codes < 0 if codes.min(initial=0) < 0 else None)
            # as a list: Arrow takes an index without names for one without a type
            arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array(values.cat.categories.tolist(), pa.string())))
        elif isinstance(values.dtype, pd.ArrowDtype):
            array = values.array.__arrow_array__()
            if field.name in _texts_that_repeat(name):
                array = array.cast(field.type).dictionary_encode()
            elif not _are_shared_lists(array.type):
                array = array.cast(field.type)
            # lists that rows share stay so until they are written
            arrays.append(array)
        else:
            array = pa.array(values, field.type, from_pandas=True)
            arrays.append(array.dictionary_encode() if field.name in _texts_that_repeat(name) else array)
    return pa.table(arrays, names=_arrow_schema(name).names)


def _write_parquet(parts, name, path):
    """Write a table given as Arrow tables, one after the other, in row groups of a fixed size.

    However the rows are cut into parts, the file has the same bytes, and no more than a row group and a part are in memory.
    """
    schema = _arrow_schema(name)
    # texts go to the file as the dictionaries that they are; in the file they are plain texts all the same
    texts = _texts_that_repeat(name)
    encoded = pa.schema([field.with_type(_DICTIONARY if field.name in texts else field.type) for field in schema])
    # numbers hardly repeat: to look for repeats among them takes longer than all the rest; and a heavier compression, or the
    # extremes of every column, would take longer still and are of no use to whoever reads whole tables
    lists = [f"{field.name}.list.element" for field in schema if field.type in (_ARROW["integer list"], _ARROW["string list"])]
    settings = {"compression": "snappy", "use_dictionary": [*texts, *lists], "write_statistics": ["task"], "store_schema": False}
    with pq.ParquetWriter(path, encoded, **settings) as writer:
        writer.add_key_value_metadata(schema.metadata)
        for waiting in _row_groups(parts):
            writer.write_table(_tidied(waiting, encoded), row_group_size=_ROW_GROUP)
        if not writer.is_open:
            writer.write_table(_tidied([], encoded))


def _row_groups(parts):
    """Tables cut anew: yields lists of tables that make one row group each, wherever the rows were cut before.

    A row group ends with the row that is the last of _ROW_GROUP, or with which its lists have _ITEMS items.
    """
    waiting, n_rows, n_items = [], 0, 0
    for part in parts:
        ends, start = _n_items(part).cumsum(), 0
        while start < len(part):
            before = ends[start - 1] if start else 0
            n_until_full = int(np.searchsorted(ends[start:] - before, _ITEMS - n_items)) + 1
            n = min(_ROW_GROUP - n_rows, n_until_full, len(part) - start)
            waiting.append(part.slice(start, n))
            start, n_rows, n_items = start + n, n_rows + n, n_items + int(ends[start + n - 1] - before)
            if n_rows == _ROW_GROUP or n_items >= _ITEMS:
                yield _emptied(waiting)
                n_rows, n_items = 0, 0
        if waiting:
            # a copy: what is left of a part would hold all of it
            waiting[-1] = pa.table([pa.concat_arrays(column.chunks) for column in waiting[-1].columns], part.schema)
        del part
    if waiting:
        yield waiting


def _n_items(table):
    """How many items the lists of each row of a table have: (n,) int64."""
    found = np.zeros(len(table), dtype=np.int64)
    for values in table.columns:
        if pa.types.is_list(values.type):
            found += pc.list_value_length(values).fill_null(0).to_numpy()
        elif _are_shared_lists(values.type):
            for chunk, place in zip(values.chunks, np.cumsum([0, *map(len, values.chunks)]).tolist(), strict=False):
                found[place : place + len(chunk)] += pc.list_value_length(chunk.dictionary).to_numpy()[chunk.indices.to_numpy()]
    return found


def _are_shared_lists(kind):
    """Whether an Arrow type is that of lists which rows share; see emergence.outputs.columns.shared."""
    return pa.types.is_dictionary(kind) and pa.types.is_list(kind.value_type)


def _tidied(parts, schema):
    """Tables as one, in which each dictionary holds just the texts that occur, sorted: it does not show where rows came from."""
    columns = []
    for field in schema:
        chunks = [chunk for part in parts for chunk in part[field.name].chunks]
        chunks = [chunk.dictionary.take(chunk.indices) if _are_shared_lists(chunk.type) else chunk for chunk in chunks]
        column = pa.chunked_array(chunks, field.type)
        if field.type == _DICTIONARY:
            columns.append(_sorted_dictionary(column.unify_dictionaries()))
        else:
            columns.append(column.combine_chunks())
    return pa.table(columns, schema=schema)


def _sorted_dictionary(column):
    """A column with one dictionary, in which that holds just the texts that occur, sorted."""
    if not column.num_chunks:
        return pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], pa.string()))
    names = column.chunk(0).dictionary
    codes = pa.concat_arrays([chunk.indices for chunk in column.chunks])
    # an empty value has the number behind the last name
    numbers = codes.fill_null(len(names)).to_numpy() if codes.null_count else codes.to_numpy()
    occurs = np.zeros(len(names) + 1, dtype=bool)
    occurs[numbers] = True
    used = np.flatnonzero(occurs[:-1])
    texts = names.take(pa.array(used)).to_pylist()
    order = sorted(range(len(texts)), key=texts.__getitem__)
    renumbered = np.zeros(len(names) + 1, dtype=np.int32)
    renumbered[used[order]] = np.arange(len(used), dtype=np.int32)
    indices = pa.array(renumbered[numbers], mask=numbers == len(names) if codes.null_count else None)
    return pa.DictionaryArray.from_arrays(indices, pa.array([texts[place] for place in order], pa.string()))


def gather(name, paths, path):
    """Write parts of a table as one table, the same as if all rows had been written at once.

    Parts of a Parquet table hold different tasks, each sorted by the table's key; their rows stream through, so that memory does
    not grow with the table. Parts of a CSV table are small; they are sorted again.

    Parameters
    ----------
    name : str
        The table.
    paths : list
        The files of the parts.
    path : str or Path
        The file to write.

    Raises
    ------
    InputError
        Where a file is not such a part, or two parts hold the same task.
    """
    if Path(path).suffix != ".parquet":
        # a row that several have alike, as of a file that all shards read, is one row
        frame = pd.concat([read(name, part) for part in paths], ignore_index=True).drop_duplicates()
        # an empty text sorts before any other, as it does where a table is written whole
        write(frame.sort_values(description(name)["key"], kind="stable", ignore_index=True, na_position="first"), name, path)
        return
    with replacing(path) as temporary:
        _write_parquet(_merged([by_task(name, part) for part in paths], name), name, temporary)


def by_task(name, path, columns=None):
    """The rows of a Parquet table that is sorted by task, one task after the other: yields (task, list of Arrow tables).

    Memory does not grow with the table. columns: names of those to read, with `task`, all of them by default; then texts in lists
    are dictionaries, too. Raises InputError where the file is not that table.
    """
    try:
        texts = _texts(name, path)
        if columns is not None:
            texts = texts + [f"{column}.list.element" for column in _text_lists(name)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            waiting, task = [], None
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number, columns, use_threads=False)
                column = rows["task"].combine_chunks()
                codes, names = column.indices.to_numpy(), column.dictionary
                starts = np.flatnonzero(np.diff(codes, prepend=-1))
                for start, end in itertools.pairwise([*starts.tolist(), len(rows)]):
                    found = names[codes[start]].as_py()
                    if found != task and waiting:
                        yield task, _emptied(waiting)
                    task = found
                    waiting.append(rows.slice(start, end - start))
                del rows
            if waiting:
                yield task, _emptied(waiting)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: not a {name} table that can be read: {error}; {_REBUILD}") from error


def _emptied(waiting):
    """What is in a list, which is empty then: whoever takes it may free it."""
    taken = waiting[:]
    waiting.clear()
    return taken


def _merged(parts, name):
    """The rows of several parts in the order of their tasks. Raises InputError where a task comes twice."""
    before = None
    for task, rows in heapq.merge(*parts, key=operator.itemgetter(0)):
        if task == before:
            raise InputError(f"table {name}: the task `{task}` is in two parts")
        before = task
        yield from rows


def _texts(name, path):
    """The names of the text columns of a Parquet table. Raises InputError where it is of another version."""
    schema = pq.read_schema(path)
    found = (schema.metadata or {}).get(b"emergence.version", b"none").decode()
    wanted = _arrow_schema(name).metadata[b"emergence.version"].decode()
    if found != wanted:
        raise InputError(f"{path}: written as version {found} of the {name} table, this is version {wanted}; {_REBUILD}")
    return [column for column in _texts_that_repeat(name) if column in schema.names]


def read(name, path, categories=False):
    """A table as a typed data frame; with `categories`, texts of a Parquet table as categorical columns, which is far lighter.

    Raises InputError where the file is not that table, or one of another version.
    """
    try:
        if Path(path).suffix == ".parquet":
            texts = _texts(name, path)
            frame = pq.read_table(path, read_dictionary=texts if categories else None).to_pandas()
        else:
            columns = description(name)["columns"]
            types = {column: _PANDAS[spec["type"]] for column, spec in columns.items()}
            # an empty text is a value in a text column that is never empty, such as `subtask`
            frame = pd.read_csv(
                path, dtype=types, keep_default_na=False, na_values={c: [""] for c in columns if types[c] != "str"}
            )
            for column, spec in columns.items():
                if spec["type"] == "string" and spec.get("nullable") and column in frame:
                    frame[column] = frame[column].replace("", None)
        return typed(frame, name, categories)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(f"{path}: not a {name} table that can be read: {error}; {_REBUILD}") from error
