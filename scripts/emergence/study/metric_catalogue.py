"""The metric catalogue: which way is better, what range a score can have, what kind of metric it is."""

import textwrap

import numpy as np
import pandas as pd
import yaml

from emergence.io.documents import SCHEMAS, as_yaml, find_problems, load_schema, load_yaml, message
from emergence.io.errors import InputError

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


def load(path):
    """The catalogue as a data frame indexed by metric name.

    Columns: label, higher_is_better (bool), low and high (float, -inf and inf for open ends), proportion (bool), linear and
    continuous (object: True, False or None), reason, source, kind, aliases (list of str).

    Raises InputError with every mistake: file, metric, key, found, allowed.
    """
    content = load_yaml(path)
    schema = load_schema(SCHEMAS / "metrics.schema.yaml")
    problems = [message(path, *problem) for problem in find_problems(content, schema, ())]
    if problems:
        raise InputError(problems)
    entries = content["metrics"]
    for name, entry in entries.items():
        low, high = entry["range"]
        if low is not None and high is not None and low >= high:
            problems.append(message(path, ("metrics", name, "range"), f"[{low}, {high}]", "the lower number first"))
    owner = {}
    for name, entry in entries.items():
        for spelling in (name, *entry.get("aliases", ())):
            if spelling in owner:
                found = f"`{spelling}`, which metrics.{owner[spelling]} has as well"
                problems.append(message(path, ("metrics", name), found, "a spelling that belongs to one metric"))
            owner[spelling] = name
    if problems:
        raise InputError(problems)
    catalogue = pd.DataFrame.from_dict(entries, orient="index")
    bounds = [entry["range"] for entry in entries.values()]
    catalogue["low"] = [-float("inf") if low is None else float(low) for low, _ in bounds]
    catalogue["high"] = [float("inf") if high is None else float(high) for _, high in bounds]
    catalogue["kind"] = [kind(entry["linear"], entry["continuous"]) for entry in entries.values()]
    catalogue["aliases"] = [entry.get("aliases", []) for entry in entries.values()]
    for column in ("linear", "continuous"):
        catalogue[column] = pd.Series([entry[column] for entry in entries.values()], index=catalogue.index, dtype=object)
    catalogue.index.name = "metric"
    return catalogue.drop(columns="range")


def kind(linear, continuous):
    """In which group of metrics an answer counts: `discontinuous`, `nonlinear`, `linear` or `unknown`.

    Discontinuous goes before nonlinear: a metric that jumps is called by its jump. `linear` needs both, linear and continuous.
    """
    if continuous is False:
        return "discontinuous"
    if linear is False:
        return "nonlinear"
    return "linear" if linear and continuous else "unknown"


def spellings(catalogue):
    """Every spelling of every metric: {spelling: the metric's own name}."""
    own = {name: name for name in catalogue.index}
    return own | {alias: name for name, aliases in catalogue["aliases"].items() for alias in aliases}


def lines_to_add(name, catalogue):
    """The catalogue entry that a metric lacks, for the user to complete.

    A metric under an answer filter, such as `exact_match,strict-match`, is filled in from the metric itself, if that is known.
    """
    base, _, chosen = name.partition(",")
    if not chosen or base not in catalogue.index:
        return ENTRY.format(name=as_yaml(name), label=as_yaml(name.replace("_", " ")))
    known = catalogue.loc[base]
    bounds = [float(bound) if np.isfinite(bound) else None for bound in (known["low"], known["high"])]
    entry = {
        "label": f"{known['label']}, {chosen.replace('-', ' ')}",
        "higher_is_better": bool(known["higher_is_better"]),
        "range": bounds,
        **{key: known[key] if known[key] is None else bool(known[key]) for key in ("proportion", "linear", "continuous")},
        "reason": f"{known['reason']} The answer is what the filter {chosen} finds in the output.",
        "source": known["source"],
    }
    lines = yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True, default_flow_style=None, width=float("inf"))
    return textwrap.indent(lines.rstrip(), "  ")
