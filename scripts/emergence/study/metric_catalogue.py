"""The metric catalogue: which way is better, what range a score can have, what kind of metric it is."""

import math

from emergence.io.documents import SCHEMAS, as_yaml, find_problems, load_schema, load_yaml, message
from emergence.io.errors import InputError, mistake

# What an entry for a metric that is not in the catalogue looks like; printed where one is met.
ENTRY = """  {name}:
    label: {label}
    higher_is_better: # true or false
    range: [0, 1] # null for an open end
    proportion: # true if it is the share of examples graded right
    linear: # true, false or null: linear in the per-token error?
    continuous: # true, false or null: continuous in it?
    reason: # why
    source: # where that is established"""


FIELDS = ("label", "higher_is_better", "range", "proportion", "linear", "continuous", "kind", "reason", "source", "aliases")


def entries(path):
    """Return the metrics of a catalogue, {name: {field: value}}, each with every one of FIELDS.

    It needs no more than YAML: the Snakefile reads the catalogue, too.

    Raises
    ------
    InputError
        With every mistake: file, metric, key, what was found, what is allowed.
    """
    content = load_yaml(path)
    schema = load_schema(SCHEMAS / "metrics.schema.yaml")
    problems = [message(path, *problem) for problem in find_problems(content, schema, ())]
    if problems:
        raise InputError(problems)
    found = content["metrics"] | _under_filters(content)
    owner = {}
    for name, entry in found.items():
        low, high = entry["range"]
        if low is not None and high is not None and low >= high:
            problems.append(message(path, ("metrics", name, "range"), f"[{low}, {high}]", "the lower number first"))
        entry.setdefault("aliases", [])
        entry["kind"] = kind(entry["linear"], entry["continuous"])
        for spelling in (name, *entry["aliases"]):
            if spelling in owner:
                met = f"`{spelling}`, which metrics.{owner[spelling]} has as well"
                problems.append(message(path, ("metrics", name), met, "a spelling that belongs to one metric"))
            owner[spelling] = name
    if problems:
        raise InputError(problems)
    return found


def with_fields(entries, fields):
    """Return the metrics with some of their fields only: what a job gets, so that it reruns when one of those changes."""
    return {name: {field: entry[field] for field in FIELDS if field in fields} for name, entry in entries.items()}


def columns_of(fields):
    """Return the columns of a catalogue's data frame that come from these fields: the range gives two, `low` and `high`."""
    return [column for field in FIELDS if field in fields for column in (("low", "high") if field == "range" else (field,))]


def frame(entries):
    """Return metrics as a data frame indexed by name.

    Columns, where the entries have the field: label, higher_is_better (bool), low and high (float, -inf and inf for open ends),
    proportion (bool), linear and continuous (object: True, False or None), kind, reason, source, aliases (list of str).
    """
    import pandas as pd

    fields = next(iter(entries.values()), {})
    table = pd.DataFrame(index=pd.Index(list(entries), name="metric", dtype="str"))
    for field in fields:
        values = [entry[field] for entry in entries.values()]
        if field == "range":
            table["low"] = [-float("inf") if low is None else float(low) for low, _ in values]
            table["high"] = [float("inf") if high is None else float(high) for _, high in values]
        else:
            kept = "object" if field in ("linear", "continuous", "aliases") else None
            table[field] = pd.Series(values, index=table.index, dtype=kept)
    return table


def load(path):
    """Return the metrics of a catalogue, with all fields, as a data frame; see entries and frame."""
    return frame(entries(path))


def _under_filters(content):
    """Entries of the metrics of texts under each answer filter of the catalogue, but for those with an entry of their own."""
    filters = content.get("filters", {"names": [], "metrics": []})
    entries = content["metrics"]
    return {
        f"{name},{chosen}": {**entries[name], "label": f"{entries[name]['label']}, {chosen.replace('-', ' ')}", "aliases": []}
        for name in filters["metrics"]
        for chosen in filters["names"]
        if name in entries and f"{name},{chosen}" not in entries
    }


def unknown_metric(name, catalogue, path):
    """The message for a metric on outputs that is not in the catalogue: the lines to add."""
    base, _, chosen = name.partition(",")
    if chosen and base in catalogue.index:
        allowed = f"a filter that {path} lists in `filters`, `names`; add `{chosen}` there"
        return mistake(f"the answer filter of `{name}`", f"`{chosen}`", allowed)
    allowed = f"a metric of {path}; add it there:\n{lines_to_add(name, catalogue)}"
    return mistake(f"the metric `{name}`", "not in the metric catalogue", allowed)


def kind(linear, continuous):
    """In which group of metrics an answer counts: `discontinuous`, `nonlinear`, `linear` or `unknown`.

    Discontinuous goes before nonlinear: a metric that jumps is called by its jump. `linear` needs both, linear and continuous.
    """
    if continuous is False:
        return "discontinuous"
    if linear is False:
        return "nonlinear"
    return "linear" if linear and continuous else "unknown"


def is_continuous(metrics, catalogue):
    """Which metrics could show a gradual change as gradual: continuous in the error per token, or linear in it.

    metrics: (c,) names. catalogue: frame with `continuous` and `linear`. Returns (c,) of bool; unknown is not.
    """
    said = catalogue[["continuous", "linear"]].reindex(metrics)
    return said.eq(True).any(axis=1).to_numpy(dtype=bool)


def spellings(catalogue):
    """Every spelling of every metric: {spelling: the metric's own name}."""
    own = {name: name for name in catalogue.index}
    return own | {alias: name for name, aliases in catalogue["aliases"].items() for alias in aliases}


def lines_to_add(name, catalogue):
    """Return the catalogue entry that a metric lacks, for the user to complete.

    A metric under an answer filter, such as `exact_match,strict-match`, is filled in from the metric itself, as far as it is known.
    """
    base, _, chosen = name.partition(",")
    if not chosen or base not in catalogue.index:
        return ENTRY.format(name=as_yaml(name), label=as_yaml(name.replace("_", " ")))
    known = catalogue.loc[base]

    def same(key):
        value = known.get(key, "")
        return f"# as for {base}" if value == "" else "null" if value is None else str(bool(value)).lower()

    low, high = (f"{float(known[bound]):g}" if math.isfinite(known[bound]) else "null" for bound in ("low", "high"))
    return f"""  {as_yaml(name)}:
    label: {as_yaml(f"{base.replace('_', ' ').capitalize()} ({chosen.replace('-', ' ')})")}
    higher_is_better: {same("higher_is_better")}
    range: [{low}, {high}]
    proportion: {same("proportion")}
    linear: {same("linear")}
    continuous: {same("continuous")}
    reason: {as_yaml(f"As for {base}. The answer is what the filter {chosen} finds in the output.")}
    source: {as_yaml(f"See {base}.")}"""
