"""Starter blocks: the configuration of a benchmark as far as its files say it, with a comment at every value left to fill in."""

import csv
import dataclasses
import importlib
import importlib.util
import io
import re
from pathlib import Path

from emergence.ingest import foreign, names
from emergence.io.documents import as_yaml, files_below, nearest
from emergence.io.errors import InputError, mistake
from emergence.io.texts import printable
from emergence.study import configuration, metric_catalogue

FILL = "# fill in"

# More models than this are listed in a file, which is easier to fill in than a block.
MOST_MODELS = 50

# How many files of a folder are looked at to say what it is that no reader takes.
_MOST_FILES = 200

# A key of YAML that is not marked as one has at most 1,024 letters.
LONGEST_KEY = 1000


@dataclasses.dataclass
class Gap:
    """What the files leave open of a model.

    keys: those of `family`, `scale` that are wanted. family, scale: guesses that the files allow, to be checked. note: where a
    guess comes from, or what else there is to know.
    """

    keys: list
    family: str | None = None
    scale: float | None = None
    note: str = ""


def starter(path, name=None, catalogue_path=configuration.DEFAULT_METRICS, models_file=None):
    """The text of a configuration with one benchmark block for the files at `path`, a file or a folder.

    Each format may have a module `starter.py` in its folder in emergence.ingest.readers, with a function lines(path, catalogue),
    which gives for files that it knows the lines of a block, or these and {model: Gap}; and None for others. Formats of outputs
    are asked before those of scores, since outputs give every score and more.

    models_file: where the list of models is written, if there are more than MOST_MODELS; without it `<name>_models.csv`.
    Raises InputError where no format knows the files, or where the list of models would replace a file.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    catalogue = metric_catalogue.load(catalogue_path)
    formats = configuration.formats()
    for format_name in sorted(formats, key=lambda format_name: formats[format_name].get("x-reads") != "outputs"):
        module = f"emergence.ingest.readers.{format_name}.starter"
        found = importlib.import_module(module).lines(path, catalogue) if importlib.util.find_spec(module) else None
        if found:
            found, gaps = found if isinstance(found, tuple) else (found, {})
            name = name or block_name(path)
            names_allowed = configuration.study_schema()["properties"]["benchmarks"]["propertyNames"]
            if not re.search(names_allowed["pattern"], name):
                raise InputError(mistake("the name of the block", f"`{name}`", names_allowed["description"]))
            gaps = {model: gap for model, gap in gaps.items() if gap.keys}
            if len(gaps) > MOST_MODELS:
                found = found + _write_models(gaps, models_file or f"{name}_models.csv")
            else:
                found = found + model_lines(gaps)
            head = [f"title: {as_yaml(name)} # the name in figures and in the report", f"format: {format_name}"]
            return "\n".join(["benchmarks:", f"  {name}:", *("    " + line for line in head + found)]) + "\n"
    for file in files_below(path, "*")[:_MOST_FILES]:
        known = foreign.what_is(file)
        if known:
            raise InputError(mistake(file, *known))
    raise InputError(
        f"{path}: no reader knows these files\n    allowed: files for one of the formats {', '.join(configuration.formats())}; "
        f"others: {foreign.TABLE}"
    )


def block_name(path):
    """A name that a block may have, from a path."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", path.name.split(".")[0]).strip("_-")[:60] or "benchmark"
    return name if name[0].isalpha() and name != "logs" else f"b_{name}"[:60]


def metric_lines(met, catalogue):
    """Comments about the metrics that files have, with the lines that the catalogue lacks.

    met: {metric as the files name it: number of scores}.
    """
    spellings = metric_catalogue.spellings(catalogue)
    known = [f"{printable(name)} ({n:,})" for name, n in sorted(met.items()) if name in spellings]
    lines = [f"# metrics in the catalogue, with the number of scores: {', '.join(known) or 'none'}"]
    for name, n in sorted(met.items()):
        if name not in spellings:
            lines.append(f"# not in the catalogue: {as_yaml(name)} ({n:,}){nearest(name, spellings)} Lines to add there:")
            lines += [f"#{line}" for line in metric_catalogue.lines_to_add(name, catalogue).splitlines()]
    return lines


def key_lines(entries):
    """Lines of keys with what follows each, {key: text}; a comment in place of those that are longer than a key of YAML can be."""
    lines = [f"{as_yaml(key)}:{rest}" for key, rest in entries.items() if len(as_yaml(key)) <= LONGEST_KEY]
    n_long = len(entries) - len(lines)
    return lines + ([f"# {n_long} names of more than {LONGEST_KEY} letters cannot stand here"] if n_long else [])


def gaps_of(lacking):
    """{model: Gap} from {model: list of `family`, `scale`}, with the sizes that names say as guesses."""
    gaps = {}
    for name, keys in lacking.items():
        size = names.size_in_name(str(name)) if "scale" in keys else None
        gaps[name] = Gap(list(keys), scale=size, note="the scale is read from the name" if size else "")
    return gaps


def _entry(gap):
    values = {"family": "" if gap.family is None else as_yaml(gap.family), "scale": as_number(gap.scale)}
    inside = ", ".join(f"{key}: {values[key]}" for key in gap.keys)
    is_open = any(not values[key] for key in gap.keys)
    comment = "; ".join(([FILL[2:]] if is_open else []) + ([f"check: {gap.note}"] if gap.note else []))
    return f" {{{inside}}}" + (f" # {printable(comment)}" if comment else "")


def as_number(value):
    """A number as YAML 1.1 reads one: 1.0e+09, since it takes 1e+09 for text."""
    if value is None:
        return ""
    digits, _, exponent = f"{value:.15g}".partition("e")
    if value >= 1e6:
        digits, _, exponent = f"{value:.14e}".partition("e")
        digits = digits.rstrip("0")
    return f"{digits + '0' if digits.endswith('.') else digits}e{exponent}" if exponent else digits


def model_lines(gaps):
    """The key `models` for models whose files leave something open. gaps: {model: Gap}, or {model: list of `family`, `scale`}."""
    gaps = {name: gap if isinstance(gap, Gap) else gaps_of({name: gap})[name] for name, gap in gaps.items()}
    entries = {name: _entry(gap) for name, gap in sorted(gaps.items()) if gap.keys}
    if not entries:
        return []
    return [
        "models: # family: the models that make one curve; scale: a number above 0, the size in the unit of scale_label",
        *(f"  {line}" for line in key_lines(entries)),
    ]


def _write_models(gaps, path):
    """Write a list of models to fill in, sorted by name. Returns the lines of the block."""
    path = Path(path)
    if path.exists():
        allowed = "another file (`--models-file`), or this one out of the way: what has been filled in is not written over"
        raise InputError(mistake(path, "a file of that name", allowed))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["model", "model_family", "scale", "note"])
    for name, gap in sorted(gaps.items()):
        note = f"check: {gap.note}" if gap.note else "fill in the scale" if "scale" in gap.keys and gap.scale is None else ""
        table.writerow([name, gap.family or "", as_number(gap.scale), note])
    path.write_text(text.getvalue(), encoding="utf-8")
    wanted = " and ".join(key for key in ("family", "scale") if any(key in gap.keys for gap in gaps.values()))
    return [
        f"models_file: {as_yaml(path)} # {FILL[2:]} in that file: the {wanted} of each of {len(gaps):,} models; check the scales "
        "that are there; models without them are left out"
    ]
