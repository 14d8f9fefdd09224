"""Reader for CSV and TSV tables, long (one score a row) or wide (one model a row)."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from emergence.documents import nearest
from emergence.errors import InputError
from emergence.readers import Rows

# The fields that make a score; a table must give them one way or another.
REQUIRED = ("task", "metric", "model_family", "model", "scale")


def read(block, account):
    """The scores of all files of the block. See emergence.readers for the contract.

    Raises InputError for a file that is no table, or that lacks a column which the block names.
    """
    parts = [_read_file(file, block, account) for file in block["files"]]
    frame = pd.concat(parts, ignore_index=True)
    for field, value in block.get("constants", {}).items():
        frame[field] = value
    for field, values in block.get("by_task", {}).items():
        known = frame.get(field)
        frame[field] = frame["task"].map(values).where(frame["task"].isin(list(values)), known)
        for task in set(values) - set(frame["task"]):
            account.count(
                block["files"][0], "ignored", 0, f"by_task.{field} names the task `{task}`, which no row has", example=task
            )
    if "source" not in frame:
        frame["source"] = frame["file"].map(lambda file: Path(file).name)
    columns = block["columns"]

    def place(row, field):
        header = frame["_header"].iat[row] if field == "score" else columns.get(field)
        at = f"{frame['file'].iat[row]}: data row {frame['_row'].iat[row]}"
        return f"{at}, column `{header}`" if header else at

    return Rows(frame, place)


def _read_file(file, block, account):
    """One file's rows, every cell still text."""
    account.file(file)
    table = _text_table(file)
    columns = block["columns"]
    pattern = _header_pattern(block)
    missing = [
        f"{file}: no column `{header}` (for the field `{field}`)\n    found: {', '.join(map(repr, table.columns))}\n"
        f"    allowed: one of them{nearest(header, table.columns)}"
        for field, header in columns.items()
        if header not in table.columns
    ]
    if missing:
        raise InputError(missing)
    matches = {header: pattern.fullmatch(header) for header in table.columns} if pattern else {}
    matches = {header: match for header, match in matches.items() if match and header not in columns.values()}
    if pattern and not matches:
        raise InputError(
            f"{file}: no column is named like `header: {block['header']}`\n    found: {', '.join(map(repr, table.columns))}\n"
            "    allowed: at least one column with scores"
        )
    ignored = [header for header in table.columns if header not in columns.values() and header not in matches]
    if ignored:
        account.count(file, "ignored", len(ignored), "column not mapped in the block", example=", ".join(ignored))
    rows = pd.DataFrame({field: table[header] for field, header in columns.items()}, index=table.index)
    rows["_row"] = np.arange(1, len(rows) + 1)
    if pattern:
        rows = pd.concat(
            [rows.assign(**match.groupdict(), score=table[header], _header=header) for header, match in matches.items()],
            ignore_index=True,
        )
    else:
        rows["_header"] = columns["score"]
    rows["file"] = str(file)
    for field, factor in block.get("multiply", {}).items():
        if field in rows:
            numbers = pd.to_numeric(rows[field], errors="coerce")
            # text that is no number stays, to be refused by name
            rows[field] = (numbers * factor).astype(object).where(numbers.notna(), rows[field])
    account.count(file, "read", len(rows))
    return rows


def _text_table(file):
    """A CSV or TSV file with every cell as text. Raises InputError where it is none."""
    if Path(file).stat().st_size == 0:
        raise InputError(f"{file}: the file is empty\n    allowed: a table with a line of column names")
    delimiter = "\t" if Path(file).suffix.lower() in (".tsv", ".tab") else ","
    try:
        with pyarrow.csv.open_csv(
            file, parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        ) as start:
            names = start.schema.names
        table = pyarrow.csv.read_csv(
            file,
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: not a table that can be read: {error}") from None
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{file}: the column `{repeated[0]}` stands twice\n    allowed: every column name once")
    if table.num_rows == 0:
        raise InputError(f"{file}: the table has column names but no row\n    allowed: at least one row")
    return table.to_pandas()


def _header_pattern(block):
    """The regular expression of a wide table's score columns, or None for a long table.

    Raises InputError where fields are given twice or not at all.
    """
    wide = block["layout"] == "wide"
    if wide != ("header" in block):
        found = "`layout: wide` without `header`" if wide else "`header` with `layout: long`"
        raise InputError(
            f"layout and header of the block\n    found: {found}\n    allowed: `header` for wide tables, and only for them"
        )
    fields = re.findall(r"\{([a-z_]+)\}", block.get("header", ""))
    given = [*fields, *block["columns"], *block.get("constants", {}), *(["score"] if wide else [])]
    known = {*REQUIRED, "subtask", "shots"}
    problems = [
        f"header: an unknown field `{field}`\n    allowed: {', '.join(sorted(known))}{nearest(field, known)}"
        for field in fields
        if field not in known
    ]
    problems += [
        f"the field `{field}` is given twice\n    allowed: one of `columns`, `header`, `constants`"
        for field in sorted(set(given))
        if given.count(field) > 1
    ]
    problems += [
        f"the field `{field}` is given nowhere\n    allowed: `columns`, `header` or `constants`"
        for field in (*REQUIRED, "score")
        if field not in given
    ]
    if problems:
        raise InputError(problems)
    if not wide:
        return None
    pieces = re.split(r"\{([a-z_]+)\}", block["header"])
    body = {"shots": r"-?\d+"}
    return re.compile(
        "".join(
            f"(?P<{piece}>{body.get(piece, '.+')})" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)
        )
    )
