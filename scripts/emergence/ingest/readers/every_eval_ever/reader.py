"""Reader for the instance files of Every Eval Ever: JSON lines, one record for each sample of a model.

The form is that of instance_level_eval.schema.json of the releases 0.2.0 to 0.3.0 (github.com/evaleval/every_eval_ever). A record
has what the model wrote and the reference answers, but no log-probabilities: every output is a text. `evaluation_name` is the task;
the converter from lm-evaluation-harness puts the filter behind it, and into `metadata`.
"""

import hashlib

import msgspec
import numpy as np
import pyarrow as pa

from emergence.ingest.readers import Rows
from emergence.io.documents import chosen_files
from emergence.io.memory import without_collecting
from emergence.outputs import columns
from emergence.outputs.lines import Lines, whole

_VERSIONS = ("0.2.", "0.3.")


class _Input(msgspec.Struct, gc=False):
    raw: str
    reference: list[str] | str


class _Output(msgspec.Struct, gc=False):
    raw: list[str] | str


class _Evaluation(msgspec.Struct, gc=False):
    score: float | None = None
    is_correct: bool | None = None


class Record(msgspec.Struct, gc=False):
    """An instance, as far as it is read."""

    schema_version: str
    model_id: str
    evaluation_name: str
    sample_id: str | int
    interaction_type: str
    input: _Input
    output: _Output | None = None
    evaluation: _Evaluation | None = None
    sample_hash: str | None = None
    error: str | None = None
    metadata: dict[str, str] | None = None


def read(block, account):
    """The examples of the block, one task at a time; see emergence.ingest.readers."""
    by_task = {}
    files = whole(list(chosen_files(block["files"], "*.jsonl*")), (".jsonl",), account)
    with without_collecting():
        for file in files:
            for records, numbers in Lines(file, Record, account).pieces():
                for task, chosen in _usable(file, records, numbers, block, account).items():
                    by_task.setdefault(task, []).append(_table(file, task, chosen))
    for task in sorted(by_task):
        yield _rows(by_task.pop(task))


def _usable(file, records, numbers, block, account):
    """The records of single turns in a version that is known: {task: list of (record, line, filter)}."""
    found = {}
    left_out = {}
    for record, number in zip(records, numbers, strict=True):
        version = record.schema_version.removeprefix("instance_level_eval_")
        if not version.startswith(_VERSIONS):
            reason = "a version of the format that is not known"
        elif record.interaction_type != "single_turn":
            reason = "not a single turn"
        else:
            task, chosen = _task(record)
            if "filters" in block and (chosen or "none") not in block["filters"]:
                reason = "a filter that `filters` does not name"
            else:
                found.setdefault(task, []).append((record, number, chosen))
                continue
        n, first = left_out.get(reason, (0, f"{file}: line {number}"))
        left_out[reason] = n + 1, first
    for reason, (n, first) in left_out.items():
        account.count(file, "read", n)
        account.count(file, "left_out", n, reason, first)
    return found


def _task(record):
    """The task and the filter of a record."""
    chosen = (record.metadata or {}).get("filter", "none")
    task = record.evaluation_name
    if chosen not in ("", "none"):
        return task.removesuffix(f"/{chosen}"), chosen
    return task, ""


def _table(file, task, chosen):
    """Records of one task and file as an Arrow table, one row for each response."""
    rows = [
        (record, number, name, repeat, text) for record, number, name in chosen for repeat, text in enumerate(_responses(record))
    ]
    n = len(rows)
    records = [row[0] for row in rows]
    references = [record.input.reference for record in records]
    stored = [_stored(record.evaluation) for record in records]
    return pa.table(
        {
            "task": columns.constant(task, n),
            "model": pa.array([record.model_id for record in records], pa.string()).dictionary_encode(),
            "source": columns.constant(file, n),
            "kind": columns.constant("text", n),
            "filter": pa.array([row[2] for row in rows], pa.string()).dictionary_encode(),
            "repeat": pa.array([row[3] for row in rows], pa.int64()),
            "output": pa.array([row[4] for row in rows], pa.string()),
            "targets": pa.array([[text] if isinstance(text, str) else text for text in references], pa.list_(pa.string())),
            "input_hash": pa.array([_digest(record) for record in records], pa.string()).dictionary_encode(),
            "stored_metrics": pa.array([list(values) for values in stored], pa.list_(pa.string())),
            "stored_values": pa.array([list(values.values()) for values in stored], pa.list_(pa.float64())),
            "scale": pa.array(np.full(n, np.nan)),
            "_id": pa.array([str(record.sample_id) for record in records], pa.string()),
            "_line": pa.array([row[1] for row in rows], pa.int64()),
        }
    )


def _responses(record):
    """What the model wrote, once or several times; None where the sample failed."""
    if record.error or record.output is None:
        return [None]
    return [record.output.raw] if isinstance(record.output.raw, str) else record.output.raw or [None]


def _digest(record):
    """A digest of the question alone: `sample_hash` takes in the references, whose order may differ between runs."""
    return hashlib.blake2b(record.input.raw.strip().encode(), digest_size=8).hexdigest()


def _stored(evaluation):
    values = {"score": evaluation.score, "is_correct": evaluation.is_correct} if evaluation else {}
    return {metric: float(value) for metric, value in values.items() if value is not None}


def _rows(tables):
    frame = columns.to_frame(tables)
    frame["example"] = columns.examples(frame.pop("_id").astype("str"))
    lines, source = frame.pop("_line").to_numpy(), frame["source"]
    return Rows(frame, lambda i, field: f"{source.iat[i]}: line {lines[i]}")
