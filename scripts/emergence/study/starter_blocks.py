"""Starter blocks: the configuration of a benchmark as far as its files say it, with a comment at every value left to fill in."""

import importlib
import importlib.util
import re
from pathlib import Path

from emergence.io.documents import as_yaml, nearest
from emergence.io.errors import InputError, told
from emergence.io.texts import printable
from emergence.study import configuration, metric_catalogue

FILL = "# fill in"

# A key of YAML that is not marked as one has at most 1,024 letters.
LONGEST_KEY = 1000


def starter(path, name=None, catalogue_path=configuration.DEFAULT_METRICS):
    """The text of a configuration with one benchmark block for the files at `path`, a file or a folder.

    Each format may have a module `starter.py` in its folder in emergence.ingest.readers, with a function lines(path, catalogue),
    which gives the lines of a block for files that it knows, and None for others. Formats of outputs are asked before those of
    scores, since outputs give every score and more. Raises InputError where no format knows the files.
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
            name = name or block_name(path)
            names = configuration.study_schema()["properties"]["benchmarks"]["propertyNames"]
            if not re.search(names["pattern"], name):
                raise InputError(told("the name of the block", f"`{name}`", names["description"]))
            head = [f"title: {as_yaml(name)} # the name in figures and in the report", f"format: {format_name}"]
            return "\n".join(["benchmarks:", f"  {name}:", *("    " + line for line in head + found)]) + "\n"
    raise InputError(
        f"{path}: no reader knows these files\n    allowed: files for one of the formats {', '.join(configuration.formats())}"
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


def model_lines(lacking):
    """The key `models` for models whose files leave something open. lacking: {model: list of `family`, `scale`}."""
    entries = {name: f" {{{', '.join(f'{key}: ' for key in keys)}}} {FILL}" for name, keys in sorted(lacking.items()) if keys}
    if not entries:
        return []
    return [
        "models: # family: the models that make one curve; scale: a number above 0, the size in the unit of scale_label",
        *(f"  {line}" for line in key_lines(entries)),
    ]
