"""Sums of sufficient statistics, in a fraction of the memory of the array that they are.

Of the statistics of most metrics a column is the same for every example, such as a count of 1, and those of a calibration error are
zero in all bins but one. So each column is one number, or the values that are not zero and their places, or an array.
"""

import numpy as np

# Values with their places take as much memory as an array where two in three are not zero.
_SPARSE = 1 / 3


class Column:
    """A column of numbers: (n,) float64. values: an array, or one number for all; places: of the values, all others being zero."""

    def __init__(self, numbers):
        self.n, self.places, self.values = len(numbers), None, np.array(numbers[:1])
        if not (numbers == numbers[:1]).all():
            places = np.flatnonzero(numbers)
            is_sparse = len(places) < _SPARSE * self.n
            self.places = places.astype(np.int32) if is_sparse else None
            self.values = numbers[places] if is_sparse else np.array(numbers)

    def array(self):
        """The numbers: (n,)."""
        if self.places is None:
            return np.broadcast_to(self.values, self.n)
        found = np.zeros(self.n)
        found[self.places] = self.values
        return found


class Sums:
    """The sums of a metric's statistics by model and unit, like an array (m, u, k).

    columns: for each model, a list of k Columns over the units.
    """

    def __init__(self, columns):
        self._columns = columns

    @property
    def shape(self):
        """Models, units and statistics."""
        return len(self._columns), self._columns[0][0].n, len(self._columns[0])

    def column(self, model, statistic):
        """One statistic of one model: (u,)."""
        return self._columns[model][statistic].array()

    def statistic(self, number):
        """One statistic of all models: (m, u)."""
        return np.stack([of_model[number].array() for of_model in self._columns])

    def of_model(self, model):
        """All statistics of one model: (u, k)."""
        return np.stack([column.array() for column in self._columns[model]], axis=-1)

    def total(self):
        """The sums over the units: (m, k)."""
        return np.stack([self.of_model(model).sum(axis=0) for model in range(len(self._columns))])

    def __array__(self, dtype=None, copy=None):
        """All of it, (m, u, k)."""
        return np.stack([self.of_model(model) for model in range(len(self._columns))]).astype(dtype or float, copy=False)


class Collected:
    """Statistics of examples, some at a time, until they are summed by cell."""

    def __init__(self):
        self._parts = []

    def add(self, cells, statistics):
        """Statistics (r, k) of examples that belong to some cells, (r,) numbers."""
        # with 0 added, as a sum has it, minus zero is zero
        self._parts.append((cells, [Column(numbers + 0.0) for numbers in statistics.T]))

    def summed(self, bounds, n_models, is_single):
        """The Sums of each series, and the memory of what was collected is free.

        bounds: where the cells of each series begin among all of them, and where the last ones end. n_models: of each series.
        is_single: whether every cell has one example.
        """
        cut = [[] for _ in n_models]
        for number in range(len(self._parts[0][1])):
            sums = np.zeros(bounds[-1])
            for cells, columns in self._parts:
                if is_single:
                    sums[cells] = columns[number].array()
                else:
                    np.add.at(sums, cells, columns[number].array())
                columns[number] = None
            for place, (start, end, n) in enumerate(zip(bounds[:-1], bounds[1:], n_models, strict=True)):
                cut[place].append([Column(numbers) for numbers in sums[start:end].reshape(n, -1)])
        self._parts.clear()
        return [Sums([list(columns) for columns in zip(*of_series, strict=True)]) for of_series in cut]
