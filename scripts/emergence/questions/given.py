"""What a question may look at: the tables, keys and fields that it names, and nothing else."""

import copy

from emergence.io import tables
from emergence.study import configuration, metric_catalogue


class Given:
    """The tables, settings and metrics that one question has asked for.

    Parameters
    ----------
    paths : mapping
        {table: path}, or for questions about the whole study {table: {benchmark: path}}.
    study, block : dict
        The keys of the configuration that the question reads.
    entries : dict
        The metrics, {name: fields}, with the fields that the question reads.
    files : dict
        {key of the block: path} of the files that the question reads.
    benchmark : str
        The name of the block.
    """

    def __init__(self, paths, study, block, entries, files=None, benchmark=""):
        self.benchmark, self.study, self.block, self.files = benchmark, study, block, files or {}
        self.catalogue = metric_catalogue.frame(entries)
        self._paths, self._tables, self._names = dict(paths.items()), {}, None

    def path(self, name):
        """Return the file of a table that is too large to be in memory whole."""
        self._check(name)
        return self._paths[name]

    def _check(self, name):
        if self._names is not None and name not in self._names:
            raise KeyError(f"the question does not name the table `{name}`")

    def table(self, name, categories=False):
        """Return a table as a typed frame; of the whole study, {benchmark: frame}. It is read once; do not change it.

        categories: whether the texts of a table of one benchmark may be categorical columns, which takes a fraction of the time.
        """
        self._check(name)
        if categories and name not in self._tables:
            # not kept: who asks next may want texts
            return tables.read(name, self._paths[name], categories=True)
        if name not in self._tables:
            path = self._paths[name]
            if isinstance(path, dict):
                self._tables[name] = {benchmark: tables.read(name, one) for benchmark, one in path.items()}
            else:
                self._tables[name] = tables.read(name, path)
        return self._tables[name]

    def has(self, name):
        """Whether there is such a table: of a question that is not asked of this benchmark there is none."""
        return name in self._paths or name in self._tables

    def put(self, name, frame):
        """Add a table that has just been made."""
        self._tables[name] = tables.typed(frame, name)

    def only(self, question, part):
        """Return what one question may see in its module `tables`, `figure` or `answer`."""
        seen = copy.copy(self)
        extra = question.drawn if part == "figure" else {}
        seen.study = configuration.selected(self.study, (*question.settings, *extra.get("settings", ())))
        seen.block = configuration.selected(self.block, (*question.block, *extra.get("block", ())))
        seen.files = configuration.selected(self.files, question.files)
        fields = metric_catalogue.columns_of((*question.catalogue, *extra.get("catalogue", ())))
        seen.catalogue = self.catalogue[[column for column in self.catalogue.columns if column in fields]]
        own = () if part == "tables" else question.tables
        seen._names = {*question.inputs, *own, *(question.said if part == "answer" else ())}
        return seen
