"""Reader for BIG-bench's full logs: results/full-log_<family>_<model>.json in each task's folder.

The format is that of ResultsFileData with `queries` (bigbench/api/results.py of PyPI `bigbench` 1.0.0). A query holds the samples
of one subtask, number of shots and function of the model. Samples have no ids: an example is the position of its sample among
those of its subtask, shots and function; the digest of the last question in the prompt shows whether that is the same question for
every model.
"""

import gc
import hashlib
import json
import re
import typing
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from emergence.ingest import trees
from emergence.ingest.readers import Rows
from emergence.ingest.readers.bigbench_logs import PREFIX
from emergence.io.errors import InputError, told
from emergence.outputs import columns

_TASK_NAME = re.compile(rb'"task_name"\s*:\s*("(?:[^"\\]|\\.)*")')

# Python writes these without quotes, which is not JSON; in quotes they are read as numbers. Quotes in a text would end it, so that
# the text is not JSON any more; then texts are passed over one by one, which takes longer.
_BARE = re.compile(rb"(?<=[\s,:\[])(-?Infinity|NaN)(?=[\s,\]}])")
_TEXT_OR_BARE = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?Infinity|NaN')

_TEXT, _SCORED = "generate_text", "cond_log_prob"

_Name = typing.Annotated[str, msgspec.Meta(pattern=r"\S")]


class _Task(msgspec.Struct, gc=False):
    task_name: _Name


class _Model(msgspec.Struct, gc=False):
    model_family: _Name
    model_name: _Name
    total_params: float | None = None
    non_embedding_params: float | None = None
    flop_matched_non_embedding_params: float | None = None


class _Query(msgspec.Struct, gc=False):
    function: str
    samples: msgspec.Raw
    task: str | None = None
    shots: int | None = None


class LogFile(msgspec.Struct, gc=False):
    """A full log, as far as it is read."""

    task: _Task
    model: _Model
    queries: list[_Query]


class _Text(msgspec.Struct, gc=False):
    """A sample of `generate_text`."""

    input: str
    targets: dict[str, dict[str, typing.Any] | None] | list[str]
    output: str | None = None
    metrics: dict[str, typing.Any] | None = None


class _Scored(msgspec.Struct, gc=False):
    """A sample of `cond_log_prob`: of multiple choice where it has `target_values`, else of log-likelihoods."""

    input: str
    targets: list[str]
    scores: list[float] | None = None
    absolute_scores: list[float] | None = None
    normalized_scores: list[float] | None = None
    target_values: dict[str, float] | None = None
    correct: float | None = None
    metrics: dict[str, typing.Any] | None = None


_SAMPLES = {_TEXT: list[_Text], _SCORED: list[_Scored]}


def read(block, account, part=None):
    """The examples of the block's tree, one task at a time; see emergence.ingest.readers.

    Raises InputError where the tree has no full log, or where folders of two names hold logs of the same task.
    """
    directory = block["directory"]
    found = trees.find(directory, part, PREFIX)
    # a part may well be empty, the tree not
    if all(item.ignored for item in found) and all(item.ignored for item in trees.find(directory, None, PREFIX)):
        allowed = "a BIG-bench checkout with its full logs, or any folder with such files somewhere below it"
        raise InputError(told(str(directory), f"nothing named results/{PREFIX}*.json in this folder or below it", allowed))
    by_task, folders = {}, {}
    for item in found:
        path = trees.joined(directory, item.path)
        name = trees.shown(path)
        if item.ignored:
            account.count(name, "ignored", 1, item.ignored)
            continue
        problem = item.refused or _too_large(item, block["max_file_mb"])
        if problem:
            account.refuse_file(
                name, 1, problem, told(name, problem, "a file in the tree that can be read, of at most `max_file_mb`")
            )
            continue
        task = _task_name(path)
        if task is None:
            found_ = "no `task` with a `task_name`"
            account.refuse_file(name, 1, found_, told(name, found_, "a full log of BIG-bench"))
            continue
        if folders.setdefault(task, item.folder) != item.folder:
            raise InputError(trees.two_folders(task, folders[task], item.folder))
        by_task.setdefault(task, []).append((path, name))
    for task in sorted(by_task):
        parts = [table for path, name in by_task[task] for table in _read_file(path, name, task, block, account)]
        if parts:
            yield _rows(parts)


def _too_large(item, max_file_mb):
    return "the file is larger than max_file_mb" if item.n_bytes > max_file_mb * 1e6 else ""


def _task_name(path):
    """The task of a log, which its first kilobytes mostly say; None where the file does not."""
    try:
        with open(path, "rb") as file:
            start = file.read(1 << 16)
            found = _TASK_NAME.search(start) or _TASK_NAME.search(start + file.read())
        name = json.loads(found[1]) if found else ""
        name.encode()
    except (OSError, ValueError):
        return None
    return name if name.strip() else None


def _read_file(path, name, task, block, account):
    """One log as Arrow tables, one for each query; none where nothing in it can be used."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        account.refuse_file(name, 1, "the file cannot be read", told(name, str(error.strerror), "a file that can be read"))
        return
    account.file(name, content)
    collecting = gc.isenabled()
    gc.disable()
    try:
        log = decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        account.refuse_file(name, 1, "not a full log", told(name, f"not a full log: {error}", "a full log of BIG-bench, whole"))
        return
    finally:
        if collecting:
            gc.enable()
    scale = getattr(log.model, block["scale_axis"])
    if log.task.task_name != task:
        account.refuse_file(name, 1, "two tasks", told(name, f"the tasks `{task}` and `{log.task.task_name}`", "one task"))
        return
    n_before = {}
    for number, query in enumerate(log.queries):
        where = f"{name}: queries[{number}]"
        samples = _samples(query, name, where, account)
        subtask = "" if query.task in (None, task) else query.task
        key = subtask, query.shots, query.function
        start = n_before.get(key, 0)
        n_before[key] = start + len(samples)
        made = (_texts if query.function == _TEXT else _scored)(samples, name, where, account)
        if made is not None:
            positions, found = made
            n = len(positions)
            yield pa.table(
                {
                    "task": columns.constant(task, n),
                    "subtask": columns.constant(subtask, n),
                    "model_family": columns.constant(log.model.model_family, n),
                    "model": columns.constant(log.model.model_name, n),
                    "source": columns.constant(name, n),
                    "scale": pa.array(np.full(n, np.nan if scale is None else scale)),
                    "shots": pa.array(np.full(n, np.nan if query.shots is None else float(query.shots))),
                    "_id": pa.array(start + positions),
                    "_query": pa.array(np.full(n, number)),
                    "_sample": pa.array(positions),
                    **found,
                }
            )


def decode(content):
    """A full log from its bytes. Raises a MsgspecError, or a ValueError, where they are not one."""
    try:
        return msgspec.json.decode(content, type=LogFile, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if not _BARE.search(content):
            raise
    try:
        return msgspec.json.decode(_BARE.sub(rb'"\1"', content), type=LogFile, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        quoted = _TEXT_OR_BARE.sub(lambda found: found[0] if found[0][:1] == b'"' else b'"' + found[0] + b'"', content)
        return msgspec.json.decode(quoted, type=LogFile, strict=False)


def _samples(query, name, where, account):
    """The samples of a query: a list with None for each that cannot be used; such are counted."""
    kind = _SAMPLES.get(query.function)
    if kind is None:
        found = f"the function `{query.function}`"
        account.refuse_file(name, 1, "a function that is not known", told(where, found, " or ".join(_SAMPLES)))
        return []
    try:
        return msgspec.json.decode(query.samples, type=kind, strict=False)
    except msgspec.MsgspecError:
        pass
    try:
        raw = msgspec.json.decode(query.samples, type=list[msgspec.Raw])
    except msgspec.MsgspecError as error:
        account.refuse_file(name, 1, "a query without samples", told(where, str(error), "a list of samples"))
        return []
    samples = []
    for number, sample in enumerate(raw):
        try:
            samples.append(msgspec.json.decode(sample, type=kind.__args__[0], strict=False))
        except msgspec.MsgspecError as error:
            message = told(f"{where}.samples[{number}]", str(error), "a sample as BIG-bench writes it")
            account.refuse_file(name, 1, "a sample of another form", message)
            samples.append(None)
    return samples


def _texts(samples, name, where, account):
    """Generations: (positions of the samples (n,), their columns); None where there are none."""
    positions = np.array([number for number, sample in enumerate(samples) if sample is not None], dtype=np.int64)
    chosen = [sample for sample in samples if sample is not None]
    if not chosen:
        return None
    stored = []
    for sample in chosen:
        values = {}
        for of_target in sample.targets.values() if isinstance(sample.targets, dict) else ():
            for metric, value in (of_target or {}).items():
                # BIG-bench takes the best over the right answers
                if type(value) in (int, float) and value > values.get(metric, -np.inf):
                    values[metric] = float(value)
        stored.append(values | _plain(sample.metrics))
    n = len(chosen)
    return positions, {
        "kind": columns.constant("text", n),
        "output": pa.array([sample.output for sample in chosen], pa.string()),
        "targets": pa.array([list(dict.fromkeys(sample.targets)) for sample in chosen], pa.list_(pa.string())),
        "input_hash": _digests(sample.input for sample in chosen),
        **_stored(stored),
    }


def _plain(metrics):
    return {metric: float(value) for metric, value in (metrics or {}).items() if type(value) in (int, float)}


def _stored(values):
    return {
        "stored_metrics": pa.array([list(row) for row in values], pa.list_(pa.string())),
        "stored_values": pa.array([list(row.values()) for row in values], pa.list_(pa.float64())),
    }


def _scored(samples, name, where, account):
    """Multiple choice, or log-likelihoods with one row for each target: (positions of the samples (n,), columns); None for none."""
    kept = []
    for number, sample in enumerate(samples):
        if sample is None:
            continue
        scores = sample.absolute_scores or sample.scores or []
        found = None
        if scores and len(scores) != len(sample.targets):
            found = f"{len(scores)} scores and {len(sample.targets)} targets"
        elif sample.normalized_scores and len(sample.normalized_scores) != len(scores):
            found = f"{len(scores)} scores and {len(sample.normalized_scores)} normalised ones"
        elif sample.target_values and not sample.target_values.keys() >= set(sample.targets):
            found = "a choice without a value in `target_values`"
        if found:
            message = told(f"{where}.samples[{number}]", found, "a score and a value for each target")
            account.refuse_file(name, 1, "not one score and value for each target", message)
        else:
            kept.append((number, sample, scores))
    tables = [_choices([entry for entry in kept if entry[1].target_values])]
    tables.append(_log_likelihoods([entry for entry in kept if not entry[1].target_values]))
    tables = [table for table in tables if table is not None]
    if not tables:
        return None
    table = pa.concat_tables(tables, promote_options="default")
    return table["_position"].to_numpy(), dict(zip(table.column_names[1:], table.columns[1:], strict=True))


def _choices(kept):
    if not kept:
        return None
    lengths = np.array([len(scores) for _, _, scores in kept], dtype=np.int64)
    flat = np.fromiter((score for _, _, scores in kept for score in scores), dtype=float, count=lengths.sum())
    normalised = [sample.normalized_scores or [] for _, sample, _ in kept]
    n_normalised = np.array(list(map(len, normalised)), dtype=np.int64)
    n_targets = np.array([len(sample.targets) for _, sample, _ in kept], dtype=np.int64)
    texts = pa.array([target for _, sample, _ in kept for target in sample.targets], pa.string())
    credits = np.array([sample.target_values[target] for _, sample, _ in kept for target in sample.targets], dtype=float)
    return pa.table(
        {
            "_position": pa.array([number for number, _, _ in kept], pa.int64()),
            "kind": columns.constant("choices", len(kept)),
            "targets": columns.arrow(columns.from_flat(texts, n_targets)),
            "credits": columns.arrow(columns.from_flat(credits, n_targets)),
            "log_probs": columns.arrow(columns.from_flat(flat, lengths)),
            "normalised_log_probs": columns.arrow(
                columns.from_flat(np.array([score for row in normalised for score in row], dtype=float), n_normalised)
            ),
            "input_hash": _digests(sample.input for _, sample, _ in kept),
            **{field: columns.arrow(sizes) for field, sizes in columns.text_sizes(texts, n_targets).items()},
            **_stored([_correct(sample) | _plain(sample.metrics) for _, sample, _ in kept]),
        }
    )


def _correct(sample):
    return {} if sample.correct is None else {"correct": sample.correct}


def _log_likelihoods(kept):
    """A row for each target: several right answers to one question are repeats of it."""
    if not kept:
        return None
    rows = [
        (number, sample, repeat, target, [scores[repeat]] if scores else [])
        for number, sample, scores in kept
        for repeat, target in enumerate(sample.targets)
    ]
    ones = np.ones(len(rows), dtype=np.int64)
    texts = pa.array([target for _, _, _, target, _ in rows], pa.string())
    return pa.table(
        {
            "_position": pa.array([number for number, *_ in rows], pa.int64()),
            "kind": columns.constant("loglikelihood", len(rows)),
            "repeat": pa.array([repeat for _, _, repeat, _, _ in rows], pa.int64()),
            "targets": columns.arrow(columns.from_flat(texts, ones)),
            "log_probs": pa.array([score for *_, score in rows], pa.list_(pa.float64())),
            "input_hash": _digests(sample.input for _, sample, *_ in rows),
            **{field: columns.arrow(sizes) for field, sizes in columns.text_sizes(texts, ones).items()},
            **_stored([_plain(sample.metrics) for _, sample, *_ in rows]),
        }
    )


def _digests(inputs):
    """Digests of the last question in each prompt: what follows the last empty line, or the last `Q: `."""
    found = []
    for text in inputs:
        question = text.rstrip()
        start = max(question.rfind("\n\n"), question.rfind("\nQ: "), 0)
        found.append(hashlib.blake2b(question[start:].strip().encode(), digest_size=8).hexdigest())
    return pa.array(found, pa.string()).dictionary_encode()


def _rows(parts):
    """The examples of a task with their ids, and where each stands."""
    frame = columns.to_frame(parts)
    frame["example"] = columns.numbered(frame.pop("_id").to_numpy())
    if "repeat" in frame:
        frame["repeat"] = frame["repeat"].fillna(0)
    query, sample, source = frame.pop("_query").to_numpy(), frame.pop("_sample").to_numpy(), frame["source"]
    # where a task has both, a question is answered in two ways, and what is written goes under its own name
    is_text = (frame["kind"] == "text").to_numpy()
    frame["filter"] = np.where(is_text & ~is_text.all(), _TEXT, "")

    def place(i, field):
        return f"{source.iat[i]}: queries[{query[i]}].samples[{sample[i]}]"

    return Rows(frame, place)
