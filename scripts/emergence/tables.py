"""The tables that pass from stage to stage: one description, one writer, one reader.

workflow/schemas/tables.yaml names every table and column. Whatever is written or read through here has exactly those columns,
in that order and of those types.
"""

import contextlib
import functools
import hashlib
import os
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emergence.documents import SCHEMAS, load_schema
from emergence.errors import InputError

_ARROW = {
    "string": pa.string(),
    "float": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "float list": pa.list_(pa.float64()),
}
_PANDAS = {"string": "str", "float": "float64", "integer": "Int64", "boolean": "boolean", "float list": "object"}


def description(name):
    """What workflow/schemas/tables.yaml says of a table: path, description, key, columns, version."""
    return load_schema(SCHEMAS / "tables.yaml")[name]


@functools.cache
def _arrow_schema(name):
    table = description(name)
    fields = [
        pa.field(column, _ARROW[spec["type"]], nullable=spec.get("nullable", False)) for column, spec in table["columns"].items()
    ]
    metadata = {"emergence.table": name, "emergence.version": str(table.get("version", 1))}
    return pa.schema(fields, metadata=metadata)


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside `path` to write to; renamed onto it at the end, removed if anything fails.

    The name is unique to the process: a job that outlives its killed Snakemake cannot write into the next run's file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def typed(frame, name):
    """The frame with the table's columns, in order and of the table's types; columns it does not know are an error."""
    columns = description(name)["columns"]
    unknown = [column for column in frame.columns if column not in columns]
    missing = [column for column, spec in columns.items() if column not in frame.columns and not spec.get("nullable")]
    if unknown or missing:
        raise ValueError(f"table {name}: unknown columns {unknown}, missing columns {missing}")
    typed_columns = {}
    for column, spec in columns.items():
        values = frame[column] if column in frame.columns else pd.Series([None] * len(frame), index=frame.index)
        typed_columns[column] = values.astype(_PANDAS[spec["type"]])
    return pd.DataFrame(typed_columns, index=frame.index)


def faults(frame, name):
    """What in a typed frame breaks the table's description: a list of sentences, empty where all is well."""
    table = description(name)
    found = []
    for column, spec in table["columns"].items():
        values = frame[column]
        if spec["type"] == "float list":
            continue
        if not spec.get("nullable") and values.isna().any():
            found.append(f"column {column}: {int(values.isna().sum())} empty values, none allowed")
        for bound, broken, words in (("above", np.less_equal, "above"), ("at_least", np.less, "at least")):
            if bound in spec:
                n_broken = int(broken(values.dropna().to_numpy(dtype=float), spec[bound]).sum())
                if n_broken:
                    found.append(f"column {column}: {n_broken} values that are not {words} {spec[bound]}")
    n_repeated = int(frame.duplicated(table["key"]).sum())
    if n_repeated:
        found.append(f"{n_repeated} rows repeat the key ({', '.join(table['key'])}) of another")
    return found


def write(frame, name, path):
    """Check a frame against the table's description and write it (Parquet or CSV by the path's ending), whole or not at all.

    Raises ValueError where the frame breaks the description: that is a mistake of ours, not of the user.
    """
    frame = typed(frame, name)
    found = faults(frame, name)
    if found:
        raise ValueError(f"table {name}: " + "; ".join(found))
    with replacing(path) as temporary:
        if Path(path).suffix == ".parquet":
            table = pa.Table.from_pandas(frame, schema=_arrow_schema(name), preserve_index=False)
            # from_pandas adds its own metadata, which names versions of libraries
            pq.write_table(table.replace_schema_metadata(_arrow_schema(name).metadata), temporary, compression="zstd")
        else:
            frame.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def read(name, path):
    """A table as a typed data frame.

    Raises InputError where the file is not that table, or one of another version.
    """
    try:
        if Path(path).suffix == ".parquet":
            table = pq.read_table(path)
            found = (table.schema.metadata or {}).get(b"emergence.version", b"none").decode()
            wanted = _arrow_schema(name).metadata[b"emergence.version"].decode()
            if found != wanted:
                raise InputError(
                    f"{path}: written as version {found} of the {name} table, this is version {wanted}; rerun to rebuild it"
                )
            frame = table.to_pandas()
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
        return typed(frame, name)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(f"{path}: not a {name} table that can be read: {error}") from error


def digest(path):
    """SHA-256 of a file, as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
