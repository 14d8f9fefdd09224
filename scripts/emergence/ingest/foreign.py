"""Files of other programs, named for what they are, with the way on: nothing is worse than a known file taken for another."""

import json
import re
import zipfile
from pathlib import Path

from emergence.io import encodings

TABLE = "write them as a table with one score per row (CSV), see docs/add_a_benchmark.md, Files of other programs"

# What files begin with that are not text tables.
_BEGINNINGS = (
    (b"\xd0\xcf\x11\xe0", "an Excel file of the old kind (.xls)", "save the sheet as CSV"),
    (b"PAR1", "a Parquet file", "`file_type: parquet`, or the ending `.parquet`"),
    (b"ARROW1", "an Arrow or Feather file", "write it as Parquet: pandas.read_feather(...).to_parquet(...)"),
    (b"SQLite format 3", "an SQLite database", "write the table as CSV"),
    (b"\x1f\x8b", "a gzip file", "the ending `.gz`"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it"),
    (b"BZh", "a bzip2 file", "unpack it"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "`git lfs pull` fetches the file"),
    (b"<!doctype html", "a web page", "download the file itself (on GitHub and Hugging Face: `raw`)"),
    (b"<html", "a web page", "download the file itself (on GitHub and Hugging Face: `raw`)"),
    (b"%PDF", "a PDF file", "write the table as CSV"),
    (b"\x80\x04\x95", "a Python pickle", "write it as Parquet or CSV; pickles are not read, since they can run programs"),
)


def beginning(file, kind=""):
    """(what a file is, the way on) for one that is not a table of its kind by its first bytes, else None.

    kind: `csv`, `tsv`, `jsonl`, `parquet`, `list` for one that is never packed, or an empty text where nothing is known.
    """
    packed = kind != "list" and str(file).lower().endswith(".gz")
    try:
        with open(file, "rb") as content:
            start = content.read(4096)
    except OSError:
        return None
    for signature, what, way in _BEGINNINGS:
        if start[: len(signature)].lower() == signature.lower():
            return None if (packed and signature == b"\x1f\x8b") or (kind == "parquet" and signature == b"PAR1") else (what, way)
    if start.startswith(b"PK\x03\x04"):
        return _packed_folder(file)
    text = start.decode(encodings.marked(start) or "utf-8", "replace").lstrip()
    if re.match(r"\[\s*([\[{]|\])", text):
        return (
            "a JSON array",
            "JSON lines are read, one object per line: pandas.read_json(...).to_json(..., orient='records', lines=True)",
        )
    if re.match(r"\|.*\n\s*\|[\s:|-]+\|", text):
        return "a table in Markdown", 'CSV: take out the bars at both ends and the line of dashes, and set `separator: "|"`'
    if re.match(r"\{\s*\n", text):
        return "a JSON document over several lines", "JSON lines are read, one object per line"
    return None


def _packed_folder(file):
    """What a zip file is, by the names of what is in it."""
    try:
        with zipfile.ZipFile(file) as folder:
            names = folder.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        names = []
    if any(name.startswith("xl/") for name in names) or str(file).lower().endswith((".xlsx", ".xlsm")):
        return "an Excel file", "save the sheet as CSV"
    if "content.xml" in names:
        return "an OpenDocument file", "save the sheet as CSV"
    if any(name.endswith("header.json") for name in names):
        return "a log of Inspect", TABLE
    return "a zip file", "unpack it"


# A key of an entry of the harness: `acc,none`, or `acc_stderr` before 0.4.
_NAMES_METRIC = re.compile(r"^[\w@]+(,[\w-]+$|_stderr$)")


def document(content):
    """(what a JSON document is, the way on) for results of other programs than lm-evaluation-harness, else None."""
    if isinstance(content, list):
        first = next(iter(content), None)
        if isinstance(first, dict) and isinstance(first.get("name"), dict) and {"name", "split"} <= set(first["name"]):
            return "statistics of HELM (stats.json)", TABLE
        if isinstance(first, dict) and {"title", "header", "rows"} <= set(first):
            return "a table of HELM", TABLE
        if isinstance(first, dict):
            return "a JSON array", "write it as JSON lines, one object per line, for `format: table`"
        return None
    if not isinstance(content, dict):
        return None
    if {"title", "header", "rows"} <= set(content):
        return "a table of HELM", TABLE
    if {"scenario_spec", "adapter_spec"} <= set(content) or {"adapter_spec", "request_states"} <= set(content):
        return "a run of HELM without its statistics", TABLE
    results = content.get("results")
    if content and all(isinstance(entry, dict) and any(_NAMES_METRIC.search(key) for key in entry) for entry in content.values()):
        way = 'the whole file of the run; or `{"results": ...}` around them, with `"model_name"` beside'
        return "the inside of `results` of lm-evaluation-harness, without its model", way
    if "config_general" in content and isinstance(results, dict):
        return "results of lighteval", TABLE
    if isinstance(content.get("eval"), dict) and isinstance(results, dict) and isinstance(results.get("scores"), list):
        return "a log of Inspect", TABLE
    if isinstance(results, list) and any(isinstance(entry, dict) and "task_name" in entry for entry in results):
        return "results of BigScience's fork of the harness, a list of entries", TABLE
    if isinstance(results, dict) and results:
        of_entries = [value for entry in results.values() if isinstance(entry, dict) for value in entry.values()]
        if of_entries and all(isinstance(value, dict) for value in of_entries):
            return (
                "not a results file of the harness: its entries are one level deeper, as BigScience's merged runs have them",
                TABLE,
            )
    if {"task_name", "metrics"} <= set(content) or {"all_primary_scores", "tasks"} <= set(content):
        return "metrics of OLMES", TABLE
    if isinstance(content.get("scores"), list) and "task" in content and "model" in content:
        return "a score file of BIG-bench", "`format: bigbench`, with the folder that holds its `results` folder"
    return None


def parsed(file, most_bytes=100_000_000):
    """A JSON file as Python objects, or None where it is not JSON, or is too large to be looked at."""
    try:
        if Path(file).stat().st_size > most_bytes:
            return None
        return json.loads(Path(file).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def what_is(file):
    """(what a file is, the way on) for one that no reader takes as it is, else None."""
    if Path(file).suffix.lower() != ".json":
        return beginning(file)
    content = parsed(file)
    return document(content) or beginning(file) or (None if content is None else ("JSON of a form that no reader knows", TABLE))
