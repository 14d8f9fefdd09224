"""Reader for tables of outputs, one row per example and model: CSV, TSV, Parquet, JSON lines."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from emergence.ingest.pipeline import TRUTH
from emergence.ingest.readers import Rows
from emergence.ingest.readers.table import reader as table
from emergence.io.documents import nearest
from emergence.io.errors import InputError, mistake
from emergence.outputs import columns
from emergence.outputs.targets import answers, gold

_NAMES = ("task", "subtask", "model_family", "model", "filter", "example", "kind", "cluster")
_NUMBERS = ("scale", "shots", "repeat")

# What tells the examples apart that have no id: the position within these.
_WITHIN = ["task", "subtask", "model_family", "model", "shots", "filter"]


def read(block, account):
    """The examples of the block, one task at a time; see emergence.ingest.readers.

    A file that is not a table, or that lacks a column which the block names, is refused, and the others are read.
    """
    parts = [part for part in account.readable(block["files"], lambda file: _read_file(str(file), block, account)) if len(part)]
    if not parts:
        return
    frame = pd.concat(parts, ignore_index=True)
    for field, value in block.get("constants", {}).items():
        frame[field] = value
    for field, factor in block.get("multiply", {}).items():
        numbers = pd.to_numeric(frame[field], errors="coerce")
        # a text that is not a number stays, to be refused by name
        frame[field] = (numbers * factor).astype(object).where(numbers.notna(), frame[field])
    if "example" in frame:
        frame["example"] = columns.examples(frame["example"])
    else:
        within = [field for field in _WITHIN if field in frame]
        frame["example"] = columns.numbered(frame.groupby(within, dropna=False, sort=False).cumcount().to_numpy())
    frame["source"] = frame["source"].astype("category")
    tasks = frame["task"].fillna("")
    for _, positions in sorted(tasks.groupby(tasks).indices.items()):
        of_task = frame.iloc[positions].reset_index(drop=True)
        numbers, sources = of_task.pop("_row").to_numpy(), of_task["source"]

        def place(i, field, numbers=numbers, sources=sources):
            header = block["columns"].get(field)
            at = _place(sources.iat[i], numbers[i])
            return f"{at}, column `{header}`" if header else at

        yield Rows(of_task, place)


def _place(file, number):
    return f"{file}: data row {number}"


def _read_file(file, block, account):
    """One file's rows, as a frame with the columns of the table of outputs."""
    headers = block["columns"]
    stored = block.get("stored", {})
    wanted = {*headers.values(), *stored.values()}
    with account.reading(file):
        names, content = table.load(file, table.file_type(file, block), lambda header: header in wanted, block)
    missing = [
        mistake(
            f"{file}: no column `{header}` (for `{field}`)", ", ".join(map(repr, names)), f"one of them{nearest(header, names)}"
        )
        for field, header in {**headers, **{f"stored.{metric}": header for metric, header in stored.items()}}.items()
        if header not in names
    ]
    if missing:
        raise InputError(missing)
    ignored = [name for name in names if name not in wanted]
    if ignored:
        account.count(file, "ignored", 0, "columns that are not mapped in the block", ", ".join(ignored))
    cells = {field: _plain(content[header]) for field, header in headers.items()}
    n = content.num_rows
    if not n:
        account.count(file, "ignored", 1, "a file without a sample", file)
    given = {*headers, *block.get("constants", {})}
    frame = pd.DataFrame({"_row": np.arange(1, n + 1)})
    frame["source"] = file
    for field in _NAMES:
        if field in cells:
            frame[field] = _texts(file, field, cells[field]).fillna("").str.strip()
    for field in _NUMBERS:
        if field in cells:
            frame[field] = _texts(file, field, cells[field])
    if "kind" not in given:
        frame["kind"] = "text" if "output" in given else "choices" if {"gold", "credits"} & given else "loglikelihood"
    if "cluster" in frame:
        frame["cluster"] = frame["cluster"].replace("", None)
    if "question" in cells:
        frame["input_hash"] = [_digest(text) for text in _texts(file, "question", cells["question"])]
    bad = {}
    if "output" in cells:
        frame["output"] = columns.column(pa.array(_texts(file, "output", cells["output"]), pa.string(), from_pandas=True))
    if "is_greedy" in cells:
        words = _texts(file, "is_greedy", cells["is_greedy"]).fillna("").str.strip().str.lower()
        frame["is_greedy"] = words.map(TRUTH).astype("boolean")
        for row in np.flatnonzero(frame["is_greedy"].isna() & (words != "")):
            bad.setdefault(int(row), ("is_greedy", f"`{words[row]}`", "true or false, or nothing"))
    _add_lists(frame, cells, block.get("constants", {}).get("kind"), bad)
    if stored:
        _add_stored(frame, {metric: _texts(file, metric, _plain(content[header])) for metric, header in stored.items()})
    for row, (field, found, allowed) in bad.items():
        where = f"{_place(file, row + 1)}, column `{headers[field]}`"
        account.refuse_file(file, 1, f"{field} cannot be read", mistake(where, found[:300], allowed))
    return frame.drop(index=list(bad)).reset_index(drop=True) if bad else frame


def _plain(column):
    column = column.combine_chunks()
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _texts(file, field, column):
    """A column as texts, with None for what is missing. Raises InputError where its cells are lists or the like."""
    if pa.types.is_floating(column.type):
        # what is missing among numbers may be NaN; and whole numbers beside it have become 3.0 on their way into the file
        column = pc.if_else(pc.is_nan(column), None, column)
        whole = pc.all(pc.and_(pc.equal(pc.round(column), column), pc.less(pc.abs(column), 2**53))).as_py()
        column = column.cast(pa.int64()) if whole and field not in ("output", "scale") else column
    try:
        return pd.Series(column.cast(pa.string()).to_pylist(), dtype=object)
    except pa.ArrowException:
        allowed = "numbers, or text in UTF-8"
        raise InputError(mistake(f"{file}: the column for `{field}`", f"cells of type {column.type}", allowed)) from None


def _digest(text):
    return None if text is None else hashlib.blake2b(text.strip().encode(), digest_size=8).hexdigest()


def _add_lists(frame, cells, kind, bad):
    """The columns of lists; what cannot be read is put into `bad`: {row: (field, found, allowed)}."""
    n = len(frame)
    kinds = frame["kind"] if "kind" in frame else pd.Series(kind, index=frame.index)
    is_text = (kinds == "text").to_numpy()
    if "log_probs" in cells:
        frame["log_probs"] = _numbers(cells["log_probs"], "log_probs", ~is_text, bad)
    texts = [[] for _ in range(n)]
    for field in ("targets", "choices"):
        if field in cells:
            found = cells[field].to_pylist()
            for row in range(n):
                if field == "choices" and is_text[row]:
                    continue
                read, _ = answers(found[row], is_cell=True) if field == "targets" else (_choices(found[row]), False)
                if read is None:
                    bad.setdefault(row, (field, f"`{found[row]}`", "a text, or a list of texts"))
                else:
                    texts[row] = read or texts[row]
    frame["targets"] = columns.column(pa.array(texts, pa.list_(pa.string())))
    if "credits" in cells:
        frame["credits"] = _numbers(cells["credits"], "credits", ~is_text, bad)
    elif "gold" in cells:
        frame["credits"] = _credits(frame, cells["gold"], texts, is_text, bad)
    if "log_probs" in cells:
        flat, lengths = columns.to_flat(frame["targets"])
        sizes = columns.text_sizes(flat, lengths)
        for name, values in sizes.items():
            frame[name] = values
        if is_text.any():
            keep = np.where(is_text, 0, lengths)
            flat = flat.filter(pa.array(~is_text[columns.rows_of(lengths)]))
            for name, values in columns.text_sizes(flat, keep).items():
                frame[name] = values


def _choices(cell):
    if isinstance(cell, str):
        try:
            cell = json.loads(cell) if cell.strip() else []
        except (ValueError, RecursionError):
            return None
    if cell is None:
        return []
    return list(map(str, cell)) if isinstance(cell, list) and all(isinstance(item, (str, int, float)) for item in cell) else None


def _numbers(column, field, is_needed, bad):
    """A column of lists of numbers; a cell with one number is a list of it, and an empty one an empty list."""
    if pa.types.is_list(column.type) and not column.null_count:
        try:
            return columns.column(column.cast(pa.list_(pa.float64())))
        except pa.ArrowException:
            pass
    values = []
    for row, cell in enumerate(column.to_pylist()):
        found = _list_of_numbers(cell) if is_needed[row] else []
        if found is None:
            bad.setdefault(row, (field, f"`{cell}`", "a number, or a list of numbers such as [-1.5, -2.25]"))
        values.append(found or [])
    return columns.column(pa.array(values, pa.list_(pa.float64())))


def _list_of_numbers(cell):
    try:
        if isinstance(cell, str):
            text = cell.strip()
            cell = (json.loads(text) if text.startswith("[") else [float(text)]) if text else []
        if cell is None:
            return []
        # null is not a number, which is refused as such
        return [np.nan if item is None else float(item) for item in (cell if isinstance(cell, list) else [cell])]
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def _credits(frame, column, texts, is_text, bad):
    _, lengths = columns.to_flat(frame["log_probs"])
    starts = np.cumsum(lengths) - lengths
    credits = np.zeros(int(lengths.sum()))
    for row, cell in enumerate(column.to_pylist()):
        n = int(lengths[row])
        if is_text[row] or not n:
            continue
        right = gold(cell, texts[row], n)
        if right is None:
            allowed = f"a position from 0 to {n - 1}, or the text of a choice"
            bad.setdefault(row, ("gold", f"`{cell}` of {n} choices", allowed))
        else:
            credits[starts[row] + np.array(right)] = 1
    return columns.from_flat(credits, lengths)


def _add_stored(frame, cells):
    """The values that the file has of metrics; what is not a number is not there."""
    values = np.array([pd.to_numeric(found, errors="coerce").to_numpy(dtype=float) for found in cells.values()]).T
    known = np.isfinite(values)
    names = pa.array(list(cells), pa.string())
    codes = np.tile(np.arange(len(cells), dtype=np.int32), len(frame))[known.ravel()]
    frame["stored_metrics"] = columns.from_flat(names.take(pa.array(codes)), known.sum(axis=1))
    frame["stored_values"] = columns.from_flat(values[known], known.sum(axis=1))
