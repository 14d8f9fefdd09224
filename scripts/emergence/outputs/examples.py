"""The examples of one task: what models answered, as arrays. Every statistic on outputs starts from here."""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emergence.io import tables

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


class Ragged(NamedTuple):
    """Lists of different length, one per example, end to end.

    flat: (total,). offsets: (n + 1,) int64; the list of example i is flat[offsets[i]:offsets[i + 1]].
    """

    flat: np.ndarray
    offsets: np.ndarray

    @property
    def lengths(self):
        """Length of each list: (n,) int64."""
        return np.diff(self.offsets)

    def take(self, rows):
        """The lists of some examples, in the order of `rows` ((m,) of positions)."""
        if len(rows) == len(self.offsets) - 1 and (rows == np.arange(len(rows))).all():
            return self
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return Ragged(self.flat[np.repeat(self.offsets[:-1][rows], lengths) + within], offsets)


@dataclasses.dataclass(frozen=True)
class Examples:
    """Rows of the table `outputs` that belong to one task.

    frame: the columns that hold one value each, index 0..n-1. lists: {column: Ragged} for the columns of LISTS.
    """

    frame: pd.DataFrame
    lists: dict

    def __len__(self):
        return len(self.frame)

    def take(self, rows):
        """The examples at `rows`, an index array or a mask."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, dtype=np.int64)
        lists = {name: column.take(rows) for name, column in self.lists.items()}
        return Examples(self.frame.iloc[rows].reset_index(drop=True), lists)

    @functools.cached_property
    def questions(self):
        """The number of each example's question within the task: (n,) int64, equal for the same subtask and example."""
        return np.unique(tables.key_positions(self.frame, ["subtask", "example"]), return_inverse=True)[1].astype(np.int64)

    @functools.cached_property
    def units(self):
        """The resampling unit of each example within the task: (n,) int64.

        A question with all its repeats is one unit. Questions of one subtask with the same text and the same right answers are
        one unit, and so are all questions of a cluster: what is not independent is resampled whole.
        """
        if self.frame["cluster"].isna().all() and self.frame["input_hash"].isna().all():
            return self.questions
        n_questions = int(self.questions.max(initial=-1)) + 1
        parts = [self.questions]
        subtask = pd.factorize(self.frame["subtask"])[0]
        for labels in (self._identical, self.frame["cluster"].to_numpy(dtype=object)):
            known = pd.notna(labels)
            codes = np.full(len(self), -1, dtype=np.int64)
            names = pd.MultiIndex.from_arrays([subtask[known], labels[known].astype(str)])
            codes[known] = pd.factorize(names)[0]
            parts.append(codes)
        nodes, edges_from, edges_to = n_questions, [], []
        for codes in parts[1:]:
            known = codes >= 0
            edges_from.append(self.questions[known])
            edges_to.append(nodes + codes[known])
            nodes += int(codes.max(initial=-1)) + 1
        start, end = np.concatenate(edges_from), np.concatenate(edges_to)
        graph = coo_array((np.ones(len(start), dtype=bool), (start, end)), shape=(nodes, nodes))
        component = connected_components(graph, directed=False)[1][:n_questions]
        # numbered in the order of the questions, so that it depends on nothing else
        return pd.factorize(component)[0][self.questions].astype(np.int64)

    @property
    def _identical(self):
        """A label for examples that ask the same: the hash of the input with the right answers; None where it is not known."""
        hashes = self.frame["input_hash"].to_numpy(dtype=object)
        known = np.flatnonzero(pd.notna(hashes))
        labels = np.full(len(self), None, dtype=object)
        offsets, targets, credits = self.lists["targets"].offsets, self.lists["targets"].flat, self.lists["credits"]
        for row in known:
            right = "\x1f".join(targets[offsets[row] : offsets[row + 1]])
            grades = credits.flat[credits.offsets[row] : credits.offsets[row + 1]].tobytes().hex() if not right else ""
            labels[row] = f"{hashes[row]}\x1e{right}\x1e{grades}"
        return labels


def from_arrow(table):
    """The examples in an Arrow table with the columns of `outputs`; a list that is null counts as empty."""
    lists = {}
    for name in LISTS:
        text = name in _TEXT_LISTS
        if name not in table.column_names:
            lists[name] = Ragged(np.array([], dtype=object if text else float), np.zeros(len(table) + 1, dtype=np.int64))
            continue
        column = table[name].combine_chunks() if isinstance(table[name], pa.ChunkedArray) else table[name]
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
        flat = column.flatten()
        if text:
            # each distinct text is in memory once: most come again for every model
            encoded = flat.dictionary_encode()
            distinct = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
            values = distinct[encoded.indices.fill_null(len(distinct) - 1).to_numpy(zero_copy_only=False)]
        else:
            values = flat.cast(pa.float64()).to_numpy(zero_copy_only=False)
        lists[name] = Ragged(values, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))
    single = [name for name in table.column_names if name not in LISTS]
    frame = table.select(single).to_pandas()
    for name in ("task", "subtask", "model_family", "model", "filter", "example", "kind", "output", "cluster", "input_hash"):
        if name not in frame:
            frame[name] = pd.Series([None] * len(frame), dtype=object)
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    frame["shots"] = frame["shots"].astype("Int64")
    frame["is_greedy"] = (frame["is_greedy"] if "is_greedy" in frame else pd.Series([None] * len(frame))).astype("boolean")
    return Examples(frame, lists)


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

    def sums(self, statistics):
        """Sufficient statistics summed by model and unit: (m, u, k) from those of the task's examples, (n, k)."""
        n_models, n_units = len(self.models), len(self.units)
        cell = self.model * n_units + self.unit
        chosen = statistics[self.rows]
        columns = [np.bincount(cell, weights=column, minlength=n_models * n_units) for column in chosen.T]
        return np.stack(columns, axis=-1).reshape(n_models, n_units, -1)


def series(examples):
    """The series of a task's examples, in the order of SERIES. A list of Series; empty where there is no example."""
    if not len(examples):
        return []
    frame, questions, units = examples.frame, examples.questions, examples.units
    found = []
    for key, rows in frame.groupby(list(SERIES), sort=True, dropna=False, observed=True).indices.items():
        part = frame.iloc[rows]
        order = part.groupby("model", sort=True)["scale"].first()
        order = order.sort_values(kind="stable")
        model = pd.Index(order.index).get_indexer(part["model"])
        shared, unit = np.unique(units[rows], return_inverse=True)
        names, scales = list(order.index), order.to_numpy(dtype=float)
        subtask, kind, family, shots, chosen = key
        shots = None if pd.isna(shots) else int(shots)
        # a stable order of rows, whatever the order in the file
        stable = np.lexsort((part["repeat"].to_numpy(dtype=np.int64), questions[rows], model))
        found.append(
            Series(subtask, kind, family, shots, chosen, rows[stable], model[stable], unit[stable], names, scales, shared)
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
