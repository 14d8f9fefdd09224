"""Reader for the result files that BIG-bench's own evaluator writes: results/scores_<family>_<model>.json in each task's folder.

The format is that of ResultsFileData, ScoreData and ModelData in bigbench/api/results.py (PyPI `bigbench` 1.0.0). A score is
one value of the `score_dict` of one entry of `scores`; family, model and scale come from `model`, never from the file's name.
Scores are kept as they are written: 0 to 100 for some metrics, 0 to 1 for most.
"""

import gc
import itertools
import json
import math
import operator
import os
import time

import numpy as np
import orjson
import pandas as pd

from emergence import trees
from emergence.accounts import without
from emergence.errors import InputError, told
from emergence.logs import logger
from emergence.readers import Rows

ENTRY = ("score_dict", "subtask_description", "preferred_score", "number_of_shots", "low_score", "high_score")
_IN_ENTRY = operator.itemgetter(*ENTRY)
_NAMES = (("task", "task_name"), ("model", "model_family"), ("model", "model_name"))
_NUMBER = (int, float)

# How often a person at a terminal hears how far the reading is, in seconds.
_INTERVAL = 2.0


class _RefusedError(Exception):
    """A file that cannot be used as a whole.

    n: how many scores it holds; 1 where that cannot be told. place: the key in the file. found, allowed: in words.
    """

    def __init__(self, reason, place="", found="", allowed=""):
        super().__init__(reason)
        self.reason, self.place, self.found, self.allowed, self.n = reason, place, found, allowed, 1

    def message(self, name):
        where = f"{name}: {self.place}" if self.place else name
        return told(where, self.found or self.reason, self.allowed or "a score file of BIG-bench")


class _Columns:
    """What all files hold, in columns: one item a file, one an entry of `scores`, one a value."""

    def __init__(self):
        self.names, self.paths, self.tasks, self.families, self.models, self.scales, self.n_entries = [], [], [], [], [], [], []
        self.numbers, self.metrics, self.subtasks, self.preferred, self.shots, self.low, self.high = [], [], [], [], [], [], []
        self.scores = []

    def add(self, name, path, head, numbers, entries):
        """One file. head: (task, family, model, scale). numbers: positions of the entries in it. entries: tuples of ENTRY."""
        task, family, model, scale = head
        self.names.append(name)
        self.paths.append(path)
        self.tasks.append(task)
        self.families.append(family)
        self.models.append(model)
        self.scales.append(scale)
        self.n_entries.append(len(entries))
        if not entries:
            return
        scores, subtasks, preferred, shots, low, high = zip(*entries, strict=True)
        self.numbers += numbers
        self.metrics += map(tuple, scores)
        self.scores += itertools.chain.from_iterable(map(dict.values, scores))
        self.subtasks += subtasks
        self.preferred += preferred
        self.shots += shots
        self.low += low
        self.high += high


def read(block, account, part=None):
    """The scores of the block's tree, or of one part of its tasks. See emergence.readers for the contract.

    Raises InputError where the tree has no score file at all, or where folders of two names hold results of the same task.
    """
    directory = block["directory"]
    found = trees.find(directory)
    if all(item.ignored for item in found):
        allowed = "a BIG-bench checkout, or any folder with such files somewhere below it"
        raise InputError(told(str(directory), "nothing named results/scores_*.json in this folder or below it", allowed))
    columns = _read_files(directory, trees.in_shard(found, part), block, account)
    return _rows(columns, block["scale_axis"], account)


def _read_files(directory, found, block, account):
    """All files one after the other, into columns; what is refused or ignored is counted."""
    columns, folders = _Columns(), {}
    wanted = [item for item in found if not item.ignored]
    for item in found:
        if item.ignored:
            account.count(trees.shown(trees.joined(directory, item.path)), "ignored", 1, item.ignored)
    last = time.monotonic()
    # small objects by the million come and go here, none in a cycle: looking for cycles among them costs a third of the time
    collecting = gc.isenabled()
    gc.disable()
    try:
        for number, item in enumerate(wanted):
            if time.monotonic() - last > _INTERVAL:
                last = time.monotonic()
                logger.info("%s: %s of %s files read", directory, f"{number:,}", f"{len(wanted):,}")
            name = trees.shown(trees.joined(directory, item.path))
            try:
                task = _read_file(directory, name, item, block, columns, account)
            except _RefusedError as refused:
                account.refuse_file(name, refused.n, refused.reason, refused.message(name))
                continue
            if folders.setdefault(task, item.folder) != item.folder:
                raise InputError(trees.two_folders(task, folders[task], item.folder))
    finally:
        if collecting:
            gc.enable()
    logger.info("%s: %s of %s files read", directory, f"{len(wanted):,}", f"{len(wanted):,}")
    return columns


def _read_file(directory, name, item, block, columns, account):
    """One file into the columns. Returns its task. Raises _RefusedError where it cannot be used as a whole."""
    content = _content(trees.joined(directory, item.path), item, block["max_file_mb"])
    account.file(name, content)
    document = _parse(content)
    entries = document.get("scores") if type(document) is dict else None
    if type(entries) is not list:
        raise _RefusedError(
            "no list `scores`", place="scores", allowed="a list with an entry for each subtask and number of shots"
        )
    try:
        head = _head(document, block["scale_axis"])
    except _RefusedError as refused:
        refused.n = sum(len(entry["score_dict"]) if _has_scores(entry) else 1 for entry in entries) or 1
        raise
    numbers = range(len(entries))
    try:
        taken = list(map(_IN_ENTRY, entries))
        scores = [entry[0] for entry in taken]
        regular = set(map(type, scores)) == {dict} and all(scores)
    except (KeyError, TypeError):
        regular = False
    if not regular:
        numbers, taken = _usable(entries, name, account)
    columns.add(name, trees.shown(item.path), head, numbers, taken)
    return head[0]


def _content(path, item, max_file_mb):
    """The bytes of a file. Raises _RefusedError where they cannot be had, or are more than the block allows."""
    if item.refused:
        raise _RefusedError(item.refused, allowed="a file in the tree that can be read")
    limit = int(max_file_mb * 1e6)
    if item.n_bytes > limit:
        raise _too_large(item.n_bytes, max_file_mb)
    try:
        # plain calls of the system: Python's file objects cost half as much again as reading
        descriptor = os.open(path, os.O_RDONLY)
        try:
            content = os.read(descriptor, item.n_bytes + 1)
            # a file that is being written can be longer than it was found to be
            while len(content) != item.n_bytes and len(content) <= limit and (more := os.read(descriptor, 1 << 20)):
                content += more
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _RefusedError(f"the file cannot be read: {error.strerror}", allowed="a file that can be read") from None
    if len(content) > limit:
        raise _too_large(len(content), max_file_mb)
    return content


def _too_large(n_bytes, max_file_mb):
    found, allowed = f"{n_bytes / 1e6:,.1f} MB", f"at most {max_file_mb:g} MB (`max_file_mb`)"
    return _RefusedError("the file is larger than max_file_mb", found=found, allowed=allowed)


def _parse(content):
    """The JSON document. Python's own writer makes NaN and Infinity without quotes, which only Python's own reader takes."""
    if not content.strip():
        raise _RefusedError("the file is empty")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        document = json.loads(content)
        # half a surrogate pair is no character and cannot be written again
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _RefusedError("not valid JSON", found=f"no valid JSON: {error}", allowed="a whole JSON document in UTF-8") from None
    return document


def _head(document, scale_axis):
    """Task, model family, model and scale of a file. Raises _RefusedError where one is missing."""
    texts = []
    for block, key in _NAMES:
        inside = document.get(block)
        if type(inside) is not dict:
            raise _RefusedError(f"no block `{block}`", block, _shown(inside), "keys and values")
        text = inside.get(key)
        if type(text) is not str or not text or text.isspace():
            raise _RefusedError(f"`{block}.{key}` is no name", f"{block}.{key}", _shown(text), "a name")
        texts.append(text)
    scale = document["model"].get(scale_axis)
    if type(scale) not in _NUMBER or not 0 < scale < math.inf:
        raise _RefusedError(
            f"`model.{scale_axis}` is not a number above 0", f"model.{scale_axis}", _shown(scale), "a number above 0"
        )
    return (*texts, scale)


def _has_scores(entry):
    return type(entry) is dict and type(entry.get("score_dict")) is dict and bool(entry["score_dict"])


def _shown(value):
    return "nothing" if value is None else f"`{value}`"[:200]


def _usable(entries, name, account):
    """The entries that hold scores, as positions and tuples of ENTRY (None for what is missing); the others are counted."""
    if not entries:
        account.count(name, "read", 1)
        account.count(name, "empty", 1, "no entry in `scores`")
    numbers, taken = [], []
    for number, entry in enumerate(entries):
        if _has_scores(entry):
            numbers.append(number)
            taken.append(tuple(entry.get(key) for key in ENTRY))
        elif type(entry) is dict and entry.get("score_dict") == {}:
            account.count(name, "read", 1)
            account.count(name, "empty", 1, "no score in `score_dict`", f"{name}: scores[{number}].score_dict")
        else:
            place = f"{name}: scores[{number}].score_dict"
            found = _shown(entry.get("score_dict") if type(entry) is dict else entry)
            message = told(place, found, "metrics and their scores")
            account.refuse_file(name, 1, "an entry without `score_dict`", message)
    return numbers, taken


def _codes(values):
    """Distinct values, in order of appearance, as numbers: (codes (n,) int32, list of values)."""
    # nothing here runs as Python, value by value: there are hundreds of thousands
    distinct = list(dict.fromkeys(values))
    index = dict(zip(distinct, range(len(distinct)), strict=True))
    return np.fromiter(map(index.__getitem__, values), dtype=np.int32, count=len(values)), distinct


def _category(codes, categories):
    """A column of names that are kept to the letter, as the score table wants them: every name once, in order."""
    order = sorted(range(len(categories)), key=categories.__getitem__)
    place = np.empty(len(categories), dtype=np.int32)
    place[order] = np.arange(len(categories), dtype=np.int32)
    names = pd.Index([categories[number] for number in order], dtype="str")
    return pd.Categorical.from_codes(place[codes], names, validate=False)


def _plain(values, kinds, missing):
    """Values of the wanted kinds, others replaced by `missing`; and which those are that are neither of a kind nor empty."""
    if set(map(type, values)) <= set(kinds):
        return values, np.zeros(len(values), dtype=bool)
    wrong = np.array([type(value) not in kinds and value is not None for value in values], dtype=bool)
    return [value if type(value) in kinds else missing for value in values], wrong


def _numbers(values):
    """Values as numbers, (n,) float: NaN for null and for what is no number; and which are the latter, (n,) bool."""
    plain, wrong = _plain(values, _NUMBER, math.nan)
    try:
        return np.array(plain, dtype=float), wrong
    except OverflowError:
        return np.array([value if -1e308 < value < 1e308 else math.inf for value in plain], dtype=float), wrong


def _rows(columns, scale_axis, account):
    """The columns as rows, one a value, with what is null or not of its kind left out and counted."""
    entry_file = np.repeat(np.arange(len(columns.names), dtype=np.int32), columns.n_entries)
    sets, metric_sets = _codes(columns.metrics)
    names, flat, starts = {}, [], []
    for metrics in metric_sets:
        starts.append(len(flat))
        flat += [names.setdefault(metric, len(names)) for metric in metrics]
    n_values = np.array([len(metrics) for metrics in metric_sets], dtype=np.int64)[sets]
    first_value = np.concatenate([[0], np.cumsum(n_values)]).astype(np.int64)
    n_rows = int(first_value[-1])
    entry = np.repeat(np.arange(len(n_values), dtype=np.int32), n_values)
    file = entry_file[entry]
    # where the metric of each row stands in `flat`: the start of its entry's set, and as far in as the row is in its entry
    shift = (np.array(starts, dtype=np.int64)[sets] - first_value[:-1])[entry]
    metric = np.array(flat, dtype=np.int32)[np.arange(n_rows) + shift]

    tasks, task_names = _codes(columns.tasks)
    subtask_texts, wrong_subtask = _plain(columns.subtasks, (str,), "")
    subtasks, subtask_names = _codes(subtask_texts)
    # an entry under the task's own name is the task as a whole
    spelled = {name: code for code, name in enumerate(subtask_names)}
    as_subtask = np.array([spelled.get(name, -1) for name in task_names], dtype=np.int32)
    whole = spelled.get("", len(subtask_names))
    subtasks = np.where(subtasks == as_subtask[tasks][entry_file], whole, subtasks) if len(subtasks) else subtasks
    preferred_texts, wrong_preferred = _plain(columns.preferred, (str,), "")
    preferred, preferred_names = _codes(preferred_texts)
    as_metric = np.array([names.get(name, -1) if name else -2 for name in preferred_names], dtype=np.int32)
    preferred = as_metric[preferred][entry]
    is_preferred = metric == preferred

    score, wrong_score = _numbers(columns.scores)
    null = np.isnan(score) & ~wrong_score
    # the literal NaN is no empty score but a wrong one
    null[null] = [columns.scores[row] is None for row in np.flatnonzero(null)]
    wrong_score |= np.isnan(score) & ~null
    shots, wrong_shots = _numbers(columns.shots)
    low, wrong_low = _numbers(columns.low)
    high, wrong_high = _numbers(columns.high)
    frame = pd.DataFrame(
        {
            "task": _category(tasks[file], task_names),
            "subtask": _category(subtasks[entry], [*subtask_names, ""] if whole == len(subtask_names) else subtask_names),
            "metric": _category(metric, list(names)),
            "model_family": _of_files(columns.families, file),
            "model": _of_files(columns.models, file),
            "scale": np.array(columns.scales, dtype=float)[file],
            "shots": shots[entry],
            "score": score,
            "preferred": pd.arrays.BooleanArray(is_preferred, preferred == -2),
            # both bounds are those of the preferred metric
            "chance": np.where(is_preferred, low[entry], np.nan),
            "high_score": np.where(is_preferred, high[entry], np.nan),
            "source": _of_files(columns.paths, file),
            "file": _of_files(columns.names, file),
        },
        copy=False,
    )

    keys = {
        "subtask": "subtask_description",
        "preferred": "preferred_score",
        "shots": "number_of_shots",
        "chance": "low_score",
        "high_score": "high_score",
    }
    metric_names = list(names)

    def place(row, field):
        at = entry[row]
        where = f"{columns.names[file[row]]}: "
        if field in ("scale", "model_family", "model"):
            return f"{where}model.{scale_axis if field == 'scale' else {'model': 'model_name'}.get(field, field)}"
        if field == "task":
            return f"{where}task.task_name"
        return f"{where}scores[{columns.numbers[at]}].{keys.get(field) or 'score_dict.' + metric_names[metric[row]]}"

    rows = Rows(frame, place)
    for name, n in zip(columns.names, np.bincount(file, minlength=len(columns.names)), strict=True):
        account.count(name, "read", n)
    left_out = _refuse_wrong_kinds(
        rows,
        account,
        {
            "score": (wrong_score, columns.scores, np.arange(n_rows), "a number"),
            "shots": (wrong_shots[entry], columns.shots, entry, "a whole number, or null"),
            "subtask": (wrong_subtask[entry], columns.subtasks, entry, "a text"),
            "preferred": (wrong_preferred[entry], columns.preferred, entry, "the name of a metric"),
            "chance": (wrong_low[entry], columns.low, entry, "a number, or null"),
            "high_score": (wrong_high[entry], columns.high, entry, "a number, or null"),
        },
    )
    null &= ~left_out
    if null.any():
        account.count_rows(rows, null, "empty", "null instead of a score", place(int(null.argmax()), "score"))
    rows = without(rows, left_out | null)
    negative = rows.frame["shots"] < 0
    if negative.any():
        first = rows.place(int(negative.to_numpy().argmax()), "shots")
        account.count_rows(rows, negative, "noted", "a negative number of shots, kept as it is written", first)
    return rows


def _of_files(values, file):
    codes, categories = _codes(values)
    return _category(codes[file], categories)


def _refuse_wrong_kinds(rows, account, fields):
    """Refuse each row once for the first of its fields that is of the wrong kind. Returns (rows,) bool: the refused.

    fields: {field: (wrong (rows,) bool, values as the files have them, (rows,) position of each row's value, what is allowed)}.
    """
    refused = np.zeros(len(rows.frame), dtype=bool)
    for field, (wrong, values, position, allowed) in fields.items():
        new = wrong & ~refused

        def describe(row, field=field, values=values, position=position, allowed=allowed):
            found = json.dumps(values[position[row]], ensure_ascii=False)[:200]
            return told(rows.place(row, field), f"`{found}`", allowed)

        account.refuse(rows, new, f"{field} is not {allowed}", describe)
        refused |= new
    return refused
