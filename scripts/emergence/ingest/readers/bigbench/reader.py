"""Reader for the result files that BIG-bench's own evaluator writes: results/scores_<family>_<model>.json in each task's folder.

The format is that of ResultsFileData, ScoreData and ModelData in bigbench/api/results.py (PyPI `bigbench` 1.0.0). A score is
one value of the `score_dict` of one entry of `scores`; family, model and scale come from `model`, never from the file's name.
Scores are kept as they are written: 0 to 100 for some metrics, 0 to 1 for most.
"""

import array
import functools
import itertools
import json
import math
import os
import time
import typing

import msgspec
import numpy as np
import pandas as pd

from emergence.ingest import trees
from emergence.ingest.accounts import without
from emergence.ingest.groups import members_digest
from emergence.ingest.readers import Rows
from emergence.io import tables
from emergence.io.documents import unique_keys
from emergence.io.errors import InputError, mistake, naming
from emergence.io.logs import logger
from emergence.io.memory import without_collecting

_NAMES = (("task", "task_name"), ("model", "model_family"), ("model", "model_name"))
_NUMBER = (int, float)

# The keys of an entry, by the column of the score table that each is for.
_KEYS = {
    "subtask": "subtask_description",
    "preferred": "preferred_score",
    "shots": "number_of_shots",
    "chance": "low_score",
}

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
        return mistake(where, self.found or self.reason, self.allowed or "a score file of BIG-bench")


_Name = typing.Annotated[str, msgspec.Meta(pattern=r"\S")]
_Size = typing.Annotated[float, msgspec.Meta(gt=0)]


class _Entry(msgspec.Struct, gc=False):
    """An entry of `scores`, as it should be."""

    score_dict: typing.Annotated[dict[str, float], msgspec.Meta(min_length=1)]
    subtask_description: str | None = None
    preferred_score: str | None = None
    number_of_shots: int | None = None
    low_score: float | None = None


class _Task(msgspec.Struct, gc=False):
    task_name: _Name


class _Model(msgspec.Struct, gc=False):
    model_family: _Name
    model_name: _Name
    total_params: _Size | None = None
    non_embedding_params: _Size | None = None
    flop_matched_non_embedding_params: _Size | None = None


class ScoreFile(msgspec.Struct, gc=False):
    """A score file as it should be. Most are; those that are not are looked through key by key."""

    scores: typing.Annotated[list[_Entry], msgspec.Meta(min_length=1)]
    task: _Task
    model: _Model


_decode = msgspec.json.Decoder(ScoreFile).decode


class _Layout(typing.NamedTuple):
    """All that a file says of its scores but the scores themselves; files of one task mostly differ in nothing else.

    task: its name. numbers: position of each entry in the file. n_scores: how many scores each entry has. metrics: the metrics of
    all of them. entries: of the type _Entry, without scores. is_regular: whether all of it is of the types that it should be.
    """

    task: str
    numbers: list | range
    n_scores: list
    metrics: list
    entries: list
    is_regular: bool

    def is_like(self, other):
        # what is irregular may equal what it is not, as True does 1
        return self.is_regular and self == other


class _Contents:
    """What all files hold: in lists, one item a file; the scores of all of them one after the other; and each layout once.

    no_numbers: {position in scores: value} for every score that is not a number; in scores it is NaN.
    """

    def __init__(self):
        self.names, self.paths, self.families, self.models, self.scales, self.layouts = [], [], [], [], [], []
        self.distinct, self.scores, self.no_numbers = [], array.array("d"), {}
        # kinds of files in which no key is given twice; see _check_keys
        self.verified = set()

    def add(self, name, path, head, numbers, entries, is_regular):
        """One file. head: (task, family, model, scale). numbers: positions of the entries in it."""
        task, family, model, scale = head
        scores = [entry.score_dict for entry in entries]
        for entry in entries:
            entry.score_dict = None
        metrics = list(itertools.chain.from_iterable(scores))
        layout = _Layout(task, numbers, list(map(len, scores)), metrics, entries, is_regular)
        if not self.distinct or not layout.is_like(self.distinct[-1]):
            self.distinct.append(layout)
        self.names.append(name)
        self.paths.append(path)
        self.families.append(family)
        self.models.append(model)
        self.scales.append(scale)
        self.layouts.append(len(self.distinct) - 1)
        values = itertools.chain.from_iterable(map(dict.values, scores))
        if not is_regular:
            values = [self._number(value, len(self.scores) + position) for position, value in enumerate(values)]
        self.scores.extend(values)

    def _number(self, value, position):
        if type(value) not in _NUMBER:
            self.no_numbers[position] = value
            return math.nan
        return _float(value)


def read(block, account, part=None):
    """The scores of the block's tree, or of one part of its tasks. See emergence.ingest.readers for the contract.

    Raises InputError where the tree has no score file at all, or where folders of two names hold results of the same task.
    """
    directory = block["directory"]
    found = trees.find(directory, part)
    # a part may well be empty, the tree not
    if all(item.ignored for item in found) and all(item.ignored for item in trees.find(directory)):
        allowed = "a BIG-bench checkout, or any folder with such files somewhere below it"
        raise InputError(mistake(str(directory), "nothing named results/scores_*.json in this folder or below it", allowed))
    contents = _read_files(directory, found, block, account)
    return _rows(contents, block["scale_axis"], account)


def _read_files(directory, found, block, account):
    """All files one after the other; what is refused or ignored is counted."""
    contents, folders = _Contents(), {}
    wanted = [item for item in found if not item.ignored]
    for item in found:
        if item.ignored:
            account.count(trees.path_text(trees.joined(directory, item.path)), "ignored", 1, item.ignored)
    last = time.monotonic()
    with without_collecting():
        for number, item in enumerate(wanted):
            if time.monotonic() - last > _INTERVAL:
                last = time.monotonic()
                logger.info("%s: %s of %s files read", directory, f"{number:,}", f"{len(wanted):,}")
            name = trees.path_text(trees.joined(directory, item.path))
            try:
                with naming(name):
                    task = _read_file(directory, name, item, block, contents, account)
            except _RefusedError as refused:
                account.refuse_file(name, refused.n, refused.reason, refused.message(name))
                continue
            if folders.setdefault(task, item.folder) != item.folder:
                raise InputError(trees.two_folders(task, folders[task], item.folder))
    logger.info("%s: %s of %s files read", directory, f"{len(wanted):,}", f"{len(wanted):,}")
    return contents


def _read_file(directory, name, item, block, contents, account):
    """One file into the contents. Returns its task. Raises _RefusedError where it cannot be used as a whole."""
    content = _content(trees.joined(directory, item.path), item, block["max_file_mb"])
    account.file(name, content)
    try:
        file = _decode(content)
        head = (file.task.task_name, file.model.model_family, file.model.model_name, getattr(file.model, block["scale_axis"]))
        numbers, entries, is_regular = range(len(file.scores)), file.scores, head[-1] is not None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        is_regular = False
    if is_regular:
        _check_keys(content, file, contents.verified)
    else:
        head, numbers, entries = _look_through(_parse(content), block["scale_axis"], name, account)
    contents.add(name, trees.path_text(item.path), head, numbers, entries, is_regular)
    return head[0]


def _check_keys(content, file, verified):
    """Look for keys that are given twice, of which the fast decoder keeps the last. Raises _RefusedError.

    A key given twice is one more than the same entries have in another file. So only the first file of each kind is read again, key
    by key. verified: the kinds that were, which the file's own is added to.
    """
    kind = (file.task.task_name, len(file.scores), sum(len(entry.score_dict) for entry in file.scores), content.count(b'":'))
    if kind not in verified:
        _parse(content)
        verified.add(kind)


def _look_through(document, scale_axis, name, account):
    """Whatever can be used of a file that is not all as it should be: (head, positions of the entries, entries).

    Raises _RefusedError where that is nothing.
    """
    entries = document.get("scores") if type(document) is dict else None
    if type(entries) is not list:
        raise _RefusedError(
            "no list `scores`", place="scores", allowed="a list with an entry for each subtask and number of shots"
        )
    try:
        head = _head(document, scale_axis)
    except _RefusedError as refused:
        refused.n = sum(len(entry["score_dict"]) if _has_scores(entry) else 1 for entry in entries) or 1
        raise
    numbers = _usable(entries, name, account)
    fields = _Entry.__struct_fields__
    return head, numbers, [_Entry(*map(entries[number].get, fields)) for number in numbers]


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
    """The JSON document, by Python's own reader: its writer makes NaN and Infinity without quotes, which no other takes."""
    if not content or content.isspace():
        raise _RefusedError("the file is empty")
    try:
        document = json.loads(content, object_pairs_hook=unique_keys)
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
    return "nothing" if value is None else f"`{_written(value, str)}`"[:200]


def _written(value, write):
    """A value as text; in its place words where lists and keys are nested deeper than Python can follow."""
    try:
        return write(value)
    except RecursionError:
        return "values hundreds of levels deep"


def _usable(entries, name, account):
    """The positions of the entries that hold scores; the others are counted."""
    if not entries:
        account.count(name, "read", 1)
        account.count(name, "empty", 1, "no entry in `scores`")
    numbers = []
    for number, entry in enumerate(entries):
        if _has_scores(entry):
            numbers.append(number)
        elif type(entry) is dict and entry.get("score_dict") == {}:
            account.count(name, "read", 1)
            account.count(name, "empty", 1, "no score in `score_dict`", f"{name}: scores[{number}].score_dict")
        else:
            place = f"{name}: scores[{number}].score_dict"
            found = _shown(entry.get("score_dict") if type(entry) is dict else entry)
            message = mistake(place, found, "metrics and their scores")
            account.refuse_file(name, 1, "an entry without `score_dict`", message)
    return numbers


def _codes(values):
    """Distinct values, in order of appearance, as numbers: (codes (n,) int32, list of values)."""
    distinct = list(dict.fromkeys(values))
    index = dict(zip(distinct, range(len(distinct)), strict=True))
    return np.fromiter(map(index.__getitem__, values), dtype=np.int32, count=len(values)), distinct


def _category(values):
    """Names, kept to the letter, as a categorical column as the score table wants it: every name once, in order."""
    codes, names = _codes(values)
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int32)
    place[order] = np.arange(len(names), dtype=np.int32)
    return pd.Categorical.from_codes(place[codes], pd.Index([names[number] for number in order], dtype="str"), validate=False)


def _plain(values, kinds, missing):
    """Values of the wanted kinds, others replaced by `missing`; and which those are that are neither of a kind nor empty."""
    wrong = np.array([type(value) not in kinds and value is not None for value in values], dtype=bool)
    return [value if type(value) in kinds else missing for value in values], wrong


def _float(number):
    """A number as a float; a whole number that no float can hold as an infinity, which is refused later."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _numbers(values):
    """Values as numbers, (n,) float: NaN for null and for what is not a number; and which are the latter, (n,) bool."""
    plain, wrong = _plain(values, _NUMBER, None)
    numbers = np.array([math.nan if value is None else _float(value) for value in plain], dtype=float)
    # the literal NaN is a float that is not a number
    return numbers, wrong | (np.isnan(numbers) & np.array([value is not None for value in plain], dtype=bool))


def _cells(layouts):
    """The places for scores in all layouts, one after the other.

    Returns the columns of the score table that a place decides, as a frame; for each place the number of its entry in the file;
    and, by field, which places have a value there that is of the wrong kind, with the value that the entry has.
    """
    metrics, n_scores, numbers = (
        list(itertools.chain.from_iterable(getattr(layout, field) for layout in layouts))
        for field in ("metrics", "n_scores", "numbers")
    )
    entry = np.repeat(np.arange(len(n_scores)), n_scores)

    def of_entries(key):
        return [getattr(entry, key) for layout in layouts for entry in layout.entries]

    tasks = list(itertools.chain.from_iterable([layout.task] * len(layout.entries) for layout in layouts))
    subtasks, wrong_subtask = _plain(of_entries(_KEYS["subtask"]), (str,), "")
    preferred, wrong_preferred = _plain(of_entries(_KEYS["preferred"]), (str,), "")
    shots, wrong_shots = _numbers(of_entries(_KEYS["shots"]))
    low, wrong_low = _numbers(of_entries(_KEYS["chance"]))
    # an entry under the task's own name is the task as a whole
    subtasks = ["" if subtask == task else subtask for task, subtask in zip(tasks, subtasks, strict=True)]
    is_preferred = np.array([preferred[at] == name for at, name in zip(entry.tolist(), metrics, strict=True)], dtype=bool)
    is_aggregate, members = _aggregates(layouts, subtasks)
    cells = pd.DataFrame(
        {
            "task": _category(tasks)[entry],
            "subtask": _category(subtasks)[entry],
            "metric": _category(metrics),
            "shots": shots[entry],
            "preferred": pd.arrays.BooleanArray(is_preferred, np.array([not name for name in preferred], dtype=bool)[entry]),
            # the low score is that of the preferred metric
            "chance": np.where(is_preferred, low[entry], np.nan),
            "aggregate": is_aggregate[entry],
            "members": pd.Categorical(members, sorted({digest for digest in members if digest})),
        }
    )
    wrong = {
        "shots": (wrong_shots, "a whole number, or null"),
        "subtask": (wrong_subtask, "a text"),
        "preferred": (wrong_preferred, "the name of a metric"),
        "chance": (wrong_low, "a number, or null"),
    }
    wrong = {
        field: (flags[entry], [found[at] for at in entry.tolist()], allowed)
        for field, (flags, allowed) in wrong.items()
        if flags.any() and (found := of_entries(_KEYS[field]))
    }
    return cells, np.array(numbers, dtype=np.int64)[entry], wrong


def _aggregates(layouts, subtasks):
    """Which entries average the subtasks of their file, and which subtasks those are under each metric.

    subtasks: (entries,) names, empty for the task as a whole. Returns (entries,) bool, and for each place of a score a digest of
    the members of an aggregate, or None.
    """
    is_aggregate, members, start = [], [], 0
    for layout in layouts:
        names = subtasks[start : start + len(layout.entries)]
        start += len(names)
        has_subtasks = any(names)
        is_aggregate += [has_subtasks and not name for name in names]
        if not has_subtasks:
            members += [None] * len(layout.metrics)
            continue
        of_cells = np.repeat(np.array(names, dtype=object), layout.n_scores)
        averaged = {}
        for name, metric in zip(of_cells, layout.metrics, strict=True):
            averaged.setdefault(metric, set()).update([name] if name else [])
        digests = {metric: members_digest(found) for metric, found in averaged.items()}
        members += [None if name else digests[metric] for name, metric in zip(of_cells, layout.metrics, strict=True)]
    return np.array(is_aggregate, dtype=bool), members


def _rows(contents, scale_axis, account):
    """The contents as rows, one per score, in the order of the score table's key; what is not a number is counted and left out."""
    cells, numbers, wrong = _cells(contents.distinct)
    files = pd.DataFrame(
        {
            "model_family": _category(contents.families),
            "model": _category(contents.models),
            "scale": np.array([_float(scale) for scale in contents.scales], dtype=float),
            "source": _category(contents.paths),
            "file": _category(contents.names),
        }
    )
    n_cells = np.array([len(layout.metrics) for layout in contents.distinct], dtype=np.int64)
    layouts = np.array(contents.layouts, dtype=np.int64)
    n_scores = n_cells[layouts]
    account.count_each(contents.names, "read", n_scores.tolist())
    # of each score, the file and the place in its layout; sorted, so that the rows need not be sorted later, all columns of them
    file = np.repeat(np.arange(len(layouts), dtype=np.int32), n_scores)
    start = (np.cumsum(n_cells) - n_cells)[layouts] - (np.cumsum(n_scores) - n_scores)
    cell = np.arange(len(file), dtype=np.int32) + np.repeat(start.astype(np.int32), n_scores)
    order = _order(cells, files, cell, file)
    file, cell = file[order], cell[order]
    score = np.frombuffer(contents.scores, dtype=float)[order] if len(order) else np.empty(0)
    columns = {column: values.array[cell] for column, values in cells.items()}
    columns |= {column: values.array[file] for column, values in files.items()}
    frame = pd.DataFrame(columns | {"score": score}, copy=False)

    def place(row, field):
        where = f"{contents.names[file[row]]}: "
        if field in ("scale", "model_family", "model"):
            return f"{where}model.{scale_axis if field == 'scale' else {'model': 'model_name'}.get(field, field)}"
        if field == "task":
            return f"{where}task.task_name"
        return f"{where}scores[{numbers[cell[row]]}].{_KEYS.get(field) or 'score_dict.' + cells['metric'].iat[cell[row]]}"

    rows = Rows(frame, place)
    # the literal NaN is no empty score but a wrong one
    no_number = np.isnan(score)
    null = np.zeros(len(score), dtype=bool)
    found = {row: contents.no_numbers.get(order[row], math.nan) for row in np.flatnonzero(no_number).tolist()}
    null[[row for row, value in found.items() if value is None]] = True
    left_out = _refuse_wrong_kinds(
        rows,
        account,
        {"score": (no_number & ~null, found.__getitem__, "a number")}
        | {
            field: (flags[cell], lambda row, values=values: values[cell[row]], allowed)
            for field, (flags, values, allowed) in wrong.items()
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


def _order(cells, files, cell, file):
    """The order of the score table's key: (scores,) positions; scores with the same key stay in the order of the files.

    cells, files: frames. cell, file: (scores,), the row of each score in them.
    """
    of_cells, n_cells = _ranks(cells, ["task", "subtask", "metric"])
    of_files, n_files = _ranks(files, ["model_family", "model"])
    of_shots, n_shots = _ranks(cells, ["shots"])
    if n_cells * n_files * n_shots < 2**62:
        position = (of_cells * (n_files * n_shots) + of_shots)[cell]
        position += (of_files * n_shots)[file]
        order = np.argsort(position)
        ordered = position[order]
        return order if (ordered[1:] > ordered[:-1]).all() else np.argsort(position, kind="stable")
    return np.lexsort([of_shots[cell], of_files[file], of_cells[cell]])


def _ranks(frame, columns):
    """Where each row stands among the distinct ones: (n,) int64, and how many those are."""
    distinct, ranks = np.unique(tables.key_positions(frame, columns), return_inverse=True)
    return ranks, len(distinct)


def _refuse_wrong_kinds(rows, account, fields):
    """Refuse each row once for the first of its fields that is of the wrong kind. Returns (rows,) bool: the refused.

    fields: {field: (wrong (rows,) bool, value(row) as the file has it, what is allowed)}.
    """
    refused = np.zeros(len(rows.frame), dtype=bool)
    for field, (wrong, value, allowed) in fields.items():
        new = wrong & ~refused

        def describe(row, field=field, value=value, allowed=allowed):
            found = _written(value(row), functools.partial(json.dumps, ensure_ascii=False))[:200]
            return mistake(rows.place(row, field), f"`{found}`", allowed)

        account.refuse(rows, new, f"{field} is not {allowed}", describe)
        refused |= new
    return refused
