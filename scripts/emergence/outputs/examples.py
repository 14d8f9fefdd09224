"""The examples of one task: what models answered, as arrays. Every statistic on outputs starts from here."""

import dataclasses
import functools

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emergence.io import tables
from emergence.outputs import columns

CHOICES = "choices"
TEXT = "text"
LOGLIKELIHOOD = "loglikelihood"

LISTS = (
    "targets",
    "log_probs",
    "credits",
    "n_characters",
    "n_bytes",
    "n_words",
    "mutual_log_probs",
    "normalised_log_probs",
    "stored_metrics",
    "stored_values",
)
_TEXT_LISTS = ("targets", "stored_metrics")
# Filters that name no choice of an answer: that of the harness without one, and what BIG-bench's models write beside choices.
NO_FILTER = ("", "none", "generate_text")
SERIES = ("subtask", "kind", "model_family", "shots", "filter")


_NAMES = ("task", "subtask", "model_family", "model", "filter", "example", "kind", "cluster", "input_hash")

# How many lists are compared at once.
_AT_ONCE = 2**16


@dataclasses.dataclass(frozen=True)
class Ragged:
    """Lists of different length, one per example, end to end.

    flat: (total,). offsets: (n + 1,) int64; the list of example i is flat[offsets[i]:offsets[i + 1]].
    """

    flat: np.ndarray
    offsets: np.ndarray

    @property
    def lengths(self):
        """Length of each list: (n,) int64."""
        return np.diff(self.offsets)

    def __getitem__(self, row):
        """The list of one example."""
        return self.flat[self.offsets[row] : self.offsets[row + 1]]

    def take(self, rows):
        """The lists of some examples, in the order of `rows` ((m,) of positions)."""
        if len(rows) == len(self.offsets) - 1 and (rows == np.arange(len(rows))).all():
            return self
        place, offsets = self._places(rows)
        return Ragged(self.flat[place], offsets)

    def equals(self, rows):
        """Whether the list of each example is that of another one: (n,) bool. rows: (n,) the positions of the others."""
        lengths = self.lengths
        same = lengths == lengths[rows]
        for start in range(0, len(rows), _AT_ONCE):
            here = start + np.flatnonzero(same[start : start + _AT_ONCE])
            (own, offsets), (other, _) = self._places(here), self._places(rows[here])
            differs = self.flat[own] != self.flat[other]
            if differs.any():
                same[here[np.repeat(np.arange(len(here)), np.diff(offsets))[differs]]] = False
        return same

    def _places(self, rows):
        """Where the items of the lists of some examples are in `flat`, and the offsets of these lists among them."""
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1]), offsets


@dataclasses.dataclass(frozen=True)
class Examples:
    """Rows of the table `outputs` that belong to one task.

    frame: the columns that hold one value each, index 0..n-1, names as categories. lists: Lists.
    """

    frame: pd.DataFrame
    lists: "Lists"

    def __len__(self):
        return len(self.frame)

    def take(self, rows):
        """The examples at `rows`, an index array or a mask."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, dtype=np.int64)
        return Examples(self.frame.iloc[rows].reset_index(drop=True), self.lists.take(rows))

    @functools.cached_property
    def questions(self):
        """The number of each example's question within the task: (n,) int64, equal for the same subtask and example."""
        return _ranks(tables.key_positions(self.frame, ["subtask", "example"]))

    @functools.cached_property
    def units(self):
        """The resampling unit of each example within the task: (n,) int64.

        A question with all its repeats is one unit. Questions of one subtask with the same text and the same right answers are
        one unit, and so are all questions of a cluster: what is not independent is resampled whole.
        """
        labels = [label for label in (self._identical, self._clusters) if (label >= 0).any()]
        if not labels:
            return self.questions
        n_questions = int(self.questions.max(initial=-1)) + 1
        nodes, edges = n_questions, []
        for codes in labels:
            known, n_codes = codes >= 0, int(codes.max()) + 1
            # each pair of a question and a label once, however many models answer the question
            pairs = pd.unique(self.questions[known] * n_codes + codes[known])
            edges.append((pairs // n_codes, nodes + pairs % n_codes))
            nodes += n_codes
        start, end = (np.concatenate(ends) for ends in zip(*edges, strict=True))
        graph = coo_array((np.ones(len(start), dtype=bool), (start, end)), shape=(nodes, nodes))
        component = connected_components(graph, directed=False)[1][:n_questions]
        # numbered in the order of the questions, so that it depends on nothing else
        return pd.factorize(component)[0][self.questions].astype(np.int64)

    @property
    def _clusters(self):
        """A number for each cluster of a subtask: (n,) int64, -1 for examples that are in none."""
        codes = _ranks(tables.key_positions(self.frame, ["subtask", "cluster"]))
        return np.where(self.frame["cluster"].isna(), -1, codes)

    @property
    def _identical(self):
        """A number for examples of a subtask that ask the same: same digest of the input, same right answers; -1 if not known."""
        known = self.frame["input_hash"].notna().to_numpy()
        if not known.any():
            return np.full(len(self), -1)
        codes = _ranks(tables.key_positions(self.frame, ["subtask", "input_hash"]))
        _, first = np.unique(codes, return_index=True)
        # nearly always all examples of one digest have the right answers of the first; only others are looked at one by one
        other = known & ~self._has_answers_of(first[codes])
        if other.any():
            mixed = np.flatnonzero(known & np.isin(codes, codes[other]))
            targets, credits = self.lists.coded("targets")[0], self.lists["credits"]
            answers = [(codes[row], tuple(targets[row]), () if len(targets[row]) else tuple(credits[row])) for row in mixed]
            numbers = {answer: len(codes) + number for number, answer in enumerate(dict.fromkeys(answers))}
            codes[mixed] = [numbers[answer] for answer in answers]
        return np.where(known, _ranks(codes), -1)

    def _has_answers_of(self, rows):
        """Whether each example has the right answers of another one: (n,) bool. rows: (n,) the positions of the others."""
        targets = self.lists.coded("targets")[0]
        same = targets.equals(rows)
        # where texts are not known, the places of the right ones tell questions apart
        no_text = targets.lengths == 0
        return same & (~no_text | self.lists["credits"].equals(rows)) if no_text.any() else same


def _ranks(positions):
    """Positions as numbers from 0 without gaps: (n,) int64, equal for equal positions and in the same order."""
    return np.unique(positions, return_inverse=True)[1].astype(np.int64)


class Lists(dict):
    """The columns of LISTS: {column: Ragged}, each made from Arrow's when it is first asked for.

    columns: {column: Arrow array of lists}; a column that is not there has empty lists only. rows: (n,) those that are meant.
    """

    def __init__(self, columns, rows):
        super().__init__()
        self._columns, self._rows = columns, rows

    def __missing__(self, name):
        if name in _TEXT_LISTS:
            codes, texts = self.coded(name)
            # each distinct text is in memory once: most come again for every model
            self[name] = Ragged(np.array([*texts, None], dtype=object)[codes.flat], codes.offsets)
        else:
            flat, offsets = self._flat(name)
            self[name] = Ragged(flat.cast(pa.float64()).to_numpy(zero_copy_only=False), offsets)
        return self[name]

    def coded(self, name):
        """A column of lists of texts as the numbers of its distinct texts, -1 for none (Ragged), and these texts (list of str)."""
        flat, offsets = self._flat(name)
        encoded = flat if pa.types.is_dictionary(flat.type) else flat.cast(pa.string()).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Ragged(codes, offsets), encoded.dictionary.to_pylist()

    def _flat(self, name):
        rows = self._rows
        if name not in self._columns:
            return pa.array([], pa.string() if name in _TEXT_LISTS else pa.float64()), np.zeros(len(rows) + 1, dtype=np.int64)
        column = self._columns[name]
        is_run = len(rows) and (np.diff(rows) == 1).all()
        column = column.slice(rows[0], len(rows)) if is_run else column.take(pa.array(rows))
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
        return column.flatten(), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])

    def take(self, rows):
        """The lists of some of the rows. rows: (m,) positions."""
        return Lists(self._columns, self._rows[rows])


def from_arrow(*tables):
    """The examples in Arrow tables with the columns of `outputs`; a list that is null counts as empty."""
    return joined(list(tables))


def joined(parts):
    """The same of a list of tables, which is empty afterwards, so that what they hold is in memory once."""
    n, single, lists = sum(map(len, parts)), {}, {}
    for name, values in columns.joined(parts):
        (lists if name in LISTS else single)[name] = values if name in LISTS else _single(name, values)
    frame = pd.DataFrame(single, index=range(n))
    for name in _NAMES:
        if name not in frame:
            frame[name] = pd.Categorical.from_codes(np.full(n, -1), pd.Index([], dtype="str"))
    if "output" not in frame:
        frame["output"] = columns.column(pa.nulls(n, pa.string()))
    frame["shots"] = frame["shots"].astype("Int64")
    frame["is_greedy"] = (frame["is_greedy"] if "is_greedy" in frame else pd.Series([None] * n)).astype("boolean")
    return Examples(frame, Lists(lists, np.arange(n)))


def _single(name, values):
    """An Arrow array without lists for a frame: names as categories, what models wrote as an Arrow column."""
    if name == "output":
        return columns.column(values.cast(pa.string()))
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_dictionary(values.type)
    return columns.categories(values) if is_text else values.to_pandas()


@dataclasses.dataclass(frozen=True)
class Series:
    """The outputs behind the curves of one subtask, kind, model family, number of shots and answer filter.

    rows: (r,) positions in the Examples. model: (r,) which of the models; unit: (r,) which of the units. models: names, in the
    order of scale and name. scales: (m,). units: (u,) the units' numbers in the task, increasing.
    """

    subtask: str
    kind: str
    model_family: str
    shots: object
    filter: str
    rows: np.ndarray
    model: np.ndarray
    unit: np.ndarray
    models: list
    scales: np.ndarray
    units: np.ndarray

    @property
    def cells(self):
        """The number of each row's model and unit among all pairs of them: (r,)."""
        return self.model * len(self.units) + self.unit

    def sums(self, statistics):
        """Sufficient statistics summed by model and unit: (m, u, k) from those of the task's examples, (n, k)."""
        shape = len(self.models), len(self.units)
        columns = [np.bincount(self.cells, weights=column[self.rows], minlength=shape[0] * shape[1]) for column in statistics.T]
        return np.stack(columns, axis=-1).reshape(*shape, -1)


def series(examples):
    """The series of a task's examples, in the order of SERIES. A list of Series; empty where there is no example."""
    if not len(examples):
        return []
    frame, questions, units = examples.frame, examples.questions, examples.units
    groups = _ranks(tables.key_positions(frame, SERIES))
    by_group = np.argsort(groups, kind="stable")
    names = frame["model"].cat.categories
    by_name, model_of = tables.key_positions(frame, ["model"]), frame["model"].cat.codes.to_numpy()
    scale_of, repeat = frame["scale"].to_numpy(dtype=float), frame["repeat"].to_numpy(dtype=np.int64)
    found = []
    for rows in np.split(by_group, np.cumsum(np.bincount(groups))[:-1]):
        # models in the order of their names, then of their scales
        _, first, model = np.unique(by_name[rows], return_index=True, return_inverse=True)
        scales = scale_of[rows[first]]
        order = np.argsort(scales, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        model = place[model]
        shared, unit = np.unique(units[rows], return_inverse=True)
        subtask, kind, family, shots, chosen = (frame[field].iat[rows[0]] for field in SERIES)
        shots = None if pd.isna(shots) else int(shots)
        # a stable order of rows, whatever the order in the file
        stable = np.lexsort((repeat[rows], questions[rows], model))
        models = [str(names[code]) for code in model_of[rows[first[order]]]]
        found.append(
            Series(subtask, kind, family, shots, chosen, rows[stable], model[stable], unit[stable], models, scales[order], shared)
        )
    return found


def metric_name(metric, chosen_filter):
    """The name of a metric under an answer filter, as the harness writes it."""
    return metric if chosen_filter in NO_FILTER else f"{metric},{chosen_filter}"


def curve_key(task, found, name):
    """The columns that name a curve, from its series and the name of its metric."""
    return {
        "task": task,
        "subtask": found.subtask,
        "metric": name,
        "model_family": found.model_family,
        "shots": found.shots,
    }
