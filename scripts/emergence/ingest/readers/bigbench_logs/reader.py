"""Reader for BIG-bench's full logs: results/full-log_<family>_<model>.json in each task's folder.

The format is that of ResultsFileData with `queries` (bigbench/api/results.py of PyPI `bigbench` 1.0.0). A query holds the samples
of one subtask, number of shots and function of the model. Samples have no ids: an example is the position of its sample among
those of its subtask, shots and function; the digest of the last question in the prompt shows whether that is the same question for
every model.
"""

import hashlib
import itertools
import json
import re
import typing
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emergence.ingest import trees
from emergence.ingest.readers import Rows
from emergence.ingest.readers.bigbench_logs import PREFIX
from emergence.io.errors import InputError, mistake
from emergence.io.memory import without_collecting
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


class _Score(msgspec.Struct, gc=False):
    subtask_description: str | None = None
    preferred_score: str | None = None


class _Text(msgspec.Struct, gc=False):
    """A sample of `generate_text`."""

    input: str
    targets: dict[str, dict[str, typing.Any] | None] | list[str]
    output: str | None = None
    metrics: dict[str, typing.Any] | None = None


class _Scored(msgspec.Struct, gc=False):
    """A sample of `cond_log_prob`: of multiple choice where it has `target_values`, else of log-likelihoods."""

    input: str
    targets: msgspec.Raw
    scores: msgspec.Raw = msgspec.Raw(b"null")
    absolute_scores: list[float] | None = None
    normalized_scores: msgspec.Raw = msgspec.Raw(b"null")
    target_values: msgspec.Raw = msgspec.Raw(b"null")
    correct: float | None = None
    metrics: dict[str, typing.Any] | None = None


_SAMPLES = {_TEXT: _Text, _SCORED: _Scored}


class _Query(msgspec.Struct, gc=False):
    """A query whose samples are still JSON."""

    function: str
    samples: msgspec.Raw
    task: str | None = None
    shots: int | None = None


class _Texts(msgspec.Struct, gc=False, tag_field="function", tag=_TEXT):
    function: typing.ClassVar = _TEXT
    samples: list[_Text]
    task: str | None = None
    shots: int | None = None


class _Scores(msgspec.Struct, gc=False, tag_field="function", tag=_SCORED):
    function: typing.ClassVar = _SCORED
    samples: list[_Scored]
    task: str | None = None
    shots: int | None = None


class _Log(msgspec.Struct, gc=False, kw_only=True):
    task: _Task
    model: _Model
    scores: list[_Score] | None = None


class LogFile(_Log, gc=False, kw_only=True):
    """A full log, as far as it is read."""

    queries: list[_Texts | _Scores]


class _LogInPart(_Log, gc=False, kw_only=True):
    """A full log that holds what cannot be read."""

    queries: list[_Query]


class _Targets:
    """The lists of targets of a task with their credits, decoded once: most questions come again for every model.

    lists: of texts. credits: of each of these, an array, or None where they have no values.
    """

    def __init__(self):
        self.lists, self.credits, self._codes = [], [], {}
        self._decode = msgspec.json.Decoder(list[str]).decode
        self._decode_values = msgspec.json.Decoder(dict[str, float] | None, strict=False).decode

    def code(self, targets, values):
        """The number of a list with its credits, from `targets` and `target_values` as JSON.

        Raises a MsgspecError where they are not texts and values by text, and a ValueError where a target has no value.
        """
        written = bytes(targets), bytes(values)
        if written not in self._codes:
            texts, by_text = self._decode(targets), self._decode_values(values)
            if by_text and not by_text.keys() >= set(texts):
                raise ValueError("a choice without a value in `target_values`")
            self.credits.append(np.array([by_text[text] for text in texts], dtype=float) if by_text else None)
            self.lists.append(texts)
            self._codes[written] = len(self.lists) - 1
        return self._codes[written]

    def columns(self, codes):
        """The columns of the table that the targets give, of rows that have these lists: {name: column}."""
        lengths = np.array(list(map(len, self.lists)), dtype=np.int64)
        texts = pa.array(list(itertools.chain.from_iterable(self.lists)), pa.string())
        credits = [[] if values is None else values for values in self.credits]
        found = {
            "targets": columns.from_flat(texts, lengths),
            "credits": columns.from_flat(np.concatenate([*credits, np.empty(0)]), list(map(len, credits))),
            **columns.text_sizes(texts, lengths),
        }
        return {name: columns.shared(values, codes) for name, values in found.items()}


_decode_scores = msgspec.json.Decoder(list[float] | None, strict=False).decode


def read(block, account, part=None):
    """The examples of the block's tree, one task at a time; see emergence.ingest.readers.

    Raises InputError where the tree has no full log, or where folders of two names hold logs of the same task.
    """
    directory = block["directory"]
    found = trees.find(directory, part, PREFIX)
    # a part may well be empty, the tree not
    if all(item.ignored for item in found) and all(item.ignored for item in trees.find(directory, None, PREFIX)):
        allowed = "a BIG-bench checkout with its full logs, or any folder with such files somewhere below it"
        raise InputError(mistake(str(directory), f"nothing named results/{PREFIX}*.json in this folder or below it", allowed))
    by_task, folders = {}, {}
    for item in found:
        path = trees.joined(directory, item.path)
        name = trees.path_text(path)
        if item.ignored:
            account.count(name, "ignored", 1, item.ignored)
            continue
        problem = item.refused or _too_large(item, block["max_file_mb"])
        if problem:
            account.refuse_file(
                name, 1, problem, mistake(name, problem, "a file in the tree that can be read, of at most `max_file_mb`")
            )
            continue
        task = _task_name(path)
        if task is None:
            found_ = "no `task` with a `task_name`"
            account.refuse_file(name, 1, found_, mistake(name, found_, "a full log of BIG-bench"))
            continue
        if folders.setdefault(task, item.folder) != item.folder:
            raise InputError(trees.two_folders(task, folders[task], item.folder))
        by_task.setdefault(task, []).append((path, name))
    for task in sorted(by_task):
        targets = _Targets()
        with without_collecting():
            parts = [table for path, name in by_task[task] for table in _read_file(path, name, task, targets, block, account)]
        if parts:
            yield _rows(parts, targets)


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


def _read_file(path, name, task, targets, block, account):
    """One log as Arrow tables, one for each query; none where nothing in it can be used."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        account.refuse_file(name, 1, "the file cannot be read", mistake(name, str(error.strerror), "a file that can be read"))
        return
    account.file(name, content)
    try:
        log = decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        account.refuse_file(
            name, 1, "not a full log", mistake(name, f"not a full log: {error}", "a full log of BIG-bench, whole")
        )
        return
    scale = getattr(log.model, block["scale_axis"])
    if log.task.task_name != task:
        account.refuse_file(name, 1, "two tasks", mistake(name, f"the tasks `{task}` and `{log.task.task_name}`", "one task"))
        return
    preferred = {score.subtask_description: score.preferred_score for score in log.scores or ()}
    if not log.queries:
        account.count(name, "ignored", 1, "a log without queries", name)
    n_before = {}
    for number, query in enumerate(log.queries):
        where = f"{name}: queries[{number}]"
        samples = _samples(query, name, where, account)
        subtask = "" if query.task in (None, task) else query.task
        key = subtask, query.shots, query.function
        start = n_before.get(key, 0)
        n_before[key] = start + len(samples)
        if isinstance(query.samples, list) and not samples:
            account.count(name, "ignored", 1, "a query without samples", where)
        made = _texts(samples) if query.function == _TEXT else _scored(samples, targets, name, where, account)
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
                    "preferred_metric": columns.constant(preferred.get(query.task or task) or "", n),
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
        return _decoded(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if not _BARE.search(content):
            raise
    try:
        return _decoded(_BARE.sub(rb'"\1"', content))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        quoted = _TEXT_OR_BARE.sub(lambda found: found[0] if found[0][:1] == b'"' else b'"' + found[0] + b'"', content)
        return _decoded(quoted)


def _decoded(content):
    """A full log at once, which is nearly always possible; else with the samples of its queries as they are written."""
    try:
        return msgspec.json.decode(content, type=LogFile, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(content, type=_LogInPart, strict=False)


def _samples(query, name, where, account):
    """The samples of a query: a list with None for each that cannot be used; such are counted."""
    if isinstance(query.samples, list):
        return query.samples
    kind = _SAMPLES.get(query.function)
    if kind is None:
        found = f"the function `{query.function}`"
        account.refuse_file(name, 1, "a function that is not known", mistake(where, found, " or ".join(_SAMPLES)))
        return []
    try:
        raw = msgspec.json.decode(query.samples, type=list[msgspec.Raw])
    except msgspec.MsgspecError as error:
        account.refuse_file(name, 1, "a query without samples", mistake(where, str(error), "a list of samples"))
        return []
    samples = []
    for number, sample in enumerate(raw):
        try:
            samples.append(msgspec.json.decode(sample, type=kind, strict=False))
        except msgspec.MsgspecError as error:
            message = mistake(f"{where}.samples[{number}]", str(error), "a sample as BIG-bench writes it")
            account.refuse_file(name, 1, "a sample of another form", message)
            samples.append(None)
    return samples


def _texts(samples):
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


def _scored(samples, targets, name, where, account):
    """Multiple choice, or log-likelihoods with one row for each target: (positions of the samples (n,), columns); None for none.

    targets: the lists of targets of the task, to which those of the samples are added.
    """
    kept = {True: [], False: []}
    for number, sample in enumerate(samples):
        if sample is None:
            continue
        try:
            code = targets.code(sample.targets, sample.target_values)
            scores = sample.absolute_scores or _decode_scores(sample.scores) or []
            n, n_normalised = len(targets.lists[code]), _n_items(bytes(sample.normalized_scores))
            if not n:
                raise ValueError("no targets")
            if len(scores) not in (0, n):
                raise ValueError(f"{len(scores)} scores and {n} targets")
            if n_normalised not in (0, len(scores)):
                raise ValueError(f"{len(scores)} scores and {n_normalised} normalised ones")
            # the digest of the normalised scores breaks a tie; elsewhere they follow from the scores
            is_tied = len(scores) > 1 and scores.count(max(scores)) > 1
            normalised = _decode_scores(sample.normalized_scores) or [] if is_tied else []
        except (msgspec.MsgspecError, ValueError) as error:
            message = mistake(f"{where}.samples[{number}]", str(error), "a score and a value for each target")
            account.refuse_file(name, 1, "not one score and value for each target", message)
        else:
            kept[targets.credits[code] is not None].append((number, sample, code, scores, normalised))
    tables = [_choices(kept[True]), _log_likelihoods(kept[False], targets)]
    tables = [table for table in tables if table is not None]
    if not tables:
        return None
    table = pa.concat_tables(tables, promote_options="default")
    return table["_position"].to_numpy(), dict(zip(table.column_names[1:], table.columns[1:], strict=True))


def _n_items(raw):
    """How many items a list of numbers has, given as JSON; 0 for null."""
    return raw.count(b",") + 1 if raw.strip(b"[] \t\r\n") not in (b"", b"null") else 0


def _choices(kept):
    if not kept:
        return None
    numbers, samples, codes, scores, normalised = zip(*kept, strict=True)
    return pa.table(
        {
            "_position": pa.array(numbers, pa.int64()),
            "_targets": pa.array(codes, pa.int64()),
            "kind": columns.constant("choices", len(kept)),
            "log_probs": _lists(scores),
            "normalised_log_probs": _lists(normalised),
            "input_hash": _digests(sample.input for sample in samples),
            **_stored([_correct(sample) | _plain(sample.metrics) for sample in samples]),
        }
    )


def _lists(values):
    """Lists of numbers as an Arrow array."""
    lengths = np.array(list(map(len, values)), dtype=np.int64)
    flat = np.fromiter(itertools.chain.from_iterable(values), dtype=float, count=lengths.sum())
    return columns.arrow(columns.from_flat(flat, lengths))


def _correct(sample):
    return {} if sample.correct is None else {"correct": sample.correct}


def _log_likelihoods(kept, targets):
    """A row for each target: several right answers to one question are repeats of it."""
    rows = [
        (number, sample, repeat, targets.code(msgspec.json.encode([text]), b"null"), [scores[repeat]] if scores else [])
        for number, sample, code, scores, _ in kept
        for repeat, text in enumerate(targets.lists[code])
    ]
    if not rows:
        return None
    numbers, samples, repeats, codes, scores = zip(*rows, strict=True)
    return pa.table(
        {
            "_position": pa.array(numbers, pa.int64()),
            "_targets": pa.array(codes, pa.int64()),
            "kind": columns.constant("loglikelihood", len(rows)),
            "repeat": pa.array(repeats, pa.int64()),
            "log_probs": _lists(scores),
            "input_hash": _digests(sample.input for sample in samples),
            **_stored([_plain(sample.metrics) for sample in samples]),
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


def _rows(parts, targets):
    """The examples of a task with their ids and targets, and where each stands."""
    frame = columns.to_frame(parts)
    if "_targets" in frame:
        codes = frame.pop("_targets").to_numpy(dtype=float, na_value=np.nan)
        are_here = np.isfinite(codes)
        found = targets.columns(np.where(are_here, codes, 0).astype(np.int64)) if are_here.any() else {}
        for name, values in found.items():
            # texts have no lengths, and their targets are in the frame already
            frame[name] = values if are_here.all() else _either(values, frame.get(name), are_here)
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


def _either(values, other, is_first):
    """Lists of the first column where is_first, else of the other; empty lists where there is no other."""
    first = columns.lists(values)
    second = pa.array([[]] * len(is_first), first.type) if other is None else columns.lists(other)
    return columns.column(pc.if_else(pa.array(is_first), first, second))
