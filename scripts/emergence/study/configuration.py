"""The study's configuration: checked against its schema and completed with defaults.

Every job on a cluster imports this module, so it needs nothing heavier than YAML and JSON Schema.
"""

import copy
import functools
from pathlib import Path

from emergence.ingest import readers
from emergence.io.documents import (
    ROOT,
    SCHEMAS,
    chosen_files,
    files_below,
    find_problems,
    in_words,
    is_exclusion,
    is_there,
    load_schema,
    load_yaml,
    message,
    nearest,
    nearest_file,
    paths_of,
)
from emergence.io.errors import InputError
from emergence.outputs import block_keys
from emergence.study import configuration_checks, lists, metric_catalogue

READERS = Path(__file__).resolve().parents[1] / "ingest" / "readers"
DEFAULT_METRICS = ROOT / "config" / "metrics.yaml"


@functools.cache
def formats():
    """The formats that have a reader: {name: its part of the configuration schema}."""
    return {path.parent.name: load_schema(path) for path in sorted(READERS.glob("*/schema.yaml"))}


@functools.cache
def benchmark_schema(format_name):
    """The schema of a benchmark block of one format: the keys that all blocks have and the format's own. Not to be changed."""
    schema = copy.deepcopy(load_schema(SCHEMAS / "config.schema.yaml")["$defs"]["benchmark"])
    own = formats()[format_name]
    for key, part in own["properties"].items():
        known = schema["properties"].get(key, {"x-stages": ["ingest"]})
        schema["properties"][key] = {"x-stages": known.get("x-stages", []), **part}
    schema["properties"]["format"]["enum"] = [format_name]
    if own.get("x-reads") == "outputs":
        schema["properties"] |= load_schema(SCHEMAS / "outputs.schema.yaml")["properties"]
    schema["required"] = schema["required"] + own.get("required", [])
    schema["x-shards"] = own.get("x-shards", False)
    schema["additionalProperties"] = False
    return schema


def study_schema():
    """The schema of everything but the benchmark blocks, which depends on no format."""
    schema = copy.deepcopy(load_schema(SCHEMAS / "config.schema.yaml"))
    schema["properties"]["benchmarks"]["additionalProperties"] = {"type": "object"}
    return schema


def with_defaults(value, schema):
    """A copy of a value with the schema's defaults filled in."""
    if not isinstance(value, dict):
        return value
    value = dict(value)
    for key, part in schema.get("properties", {}).items():
        if key not in value and "default" in part:
            value[key] = copy.deepcopy(part["default"])
        if key in value:
            value[key] = with_defaults(value[key], part)
    return value


def _plain(value):
    """Ordered dictionaries and other subclasses as plain dictionaries and lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _paths(value, schema, path=()):
    """Every text that the schema marks as a path, as (path in the configuration, file, its part of the schema).

    There, `x-path` is `file` or `folder`; with `x-files`, a file or a folder of files of that pattern.
    """
    if "x-path" in schema:
        if isinstance(value, str) and value:
            yield path, value, schema
    elif isinstance(value, dict):
        for key, part in schema.get("properties", {}).items():
            if key in value:
                yield from _paths(value[key], part, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _paths(item, schema.get("items", {}), (*path, number))


def _is_usable(path):
    """Whether a path can be an input: Snakemake takes braces for wildcards, and tables hold no text but UTF-8."""
    return not ({"{", "}"} & set(path) or any("\ud800" <= letter <= "\udfff" for letter in path))


def _missing_files(named):
    """The mistakes among named files and folders: those that are not there, and folders without a file that is wanted."""
    for path, file, schema in named:
        kind, pattern = schema["x-path"], schema.get("x-files")
        if path and isinstance(path[-1], int) and (is_exclusion(file) or paths_of(file) != [file]):
            found = [] if is_exclusion(file) else list(chosen_files([file], pattern or "*"))
            if not found and not is_exclusion(file):
                yield path, f"{file}: a pattern that no file fits", "a pattern of files, such as `out/**/results_*.json`"
            for below in (name for name in found if not _is_usable(name)):
                yield path, below, "paths in UTF-8 without `{` and `}`, which Snakemake takes for wildcards"
            inside = next(filter(configuration_checks.is_result, found), None)
            if inside is not None:
                yield (
                    path,
                    f"{file}: it fits {inside}, inside results/, which the run writes",
                    "a pattern of files outside of results/",
                )
            continue
        if pattern and is_there(file, "folder"):
            inside = [str(below) for below in files_below(file, pattern)]
            if not inside:
                yield path, f"{file}: a folder without such a file", f"a folder with a file named like `{pattern}` in it or below"
            for below in (name for name in inside if not _is_usable(name)):
                yield path, below, "paths in UTF-8 without `{` and `}`, which Snakemake takes for wildcards"
        elif kind == "file" and not _is_usable(file):
            yield path, file, "a path in UTF-8 without `{` and `}`, which Snakemake takes for wildcards"
        elif not is_there(file, kind):
            other = next((f"a {other}" for other in ("folder", "file") if is_there(file, other)), None)
            hint = "" if other else nearest_file(file)
            # entries of a list may be patterns
            if other == "a folder" and isinstance(path[-1], int):
                hint = f", or a pattern of files in it, such as `{file}/*.csv`"
            yield path, f"{file}: {other or f'no such {kind}'}", f"a {kind} that can be read{hint}"


def _file_problems(named):
    """All mistakes about named files and folders, one for each at most."""
    misplaced = list(configuration_checks.path_problems([(path, file, schema["x-path"]) for path, file, schema in named]))
    wrong = {path for path, *_ in misplaced}
    return [*misplaced, *_missing_files([entry for entry in named if entry[0] not in wrong])]


def read_by(stage, values, schema):
    """Return the keys, of a study or a block, that a stage reads, with their values.

    Parameters
    ----------
    stage : str
        `ingest`, `assess`, `draw` or `report`. What a question reads is said in its own folder; see `selected`.
    values, schema : dict
        A configuration with its defaults, and its schema, whose `x-stages` says which stages read a key.
    """
    found = {}
    for key, part in schema.get("properties", {}).items():
        if key in values and stage in part.get("x-stages", ()):
            found[key] = values[key]
        elif key in values and isinstance(values[key], dict):
            below = read_by(stage, values[key], part)
            found |= {key: below} if below else {}
    return found


def selected(values, keys):
    """Return some keys of a study or a block with their values; `null_models.draws` is a key within another."""
    found = {}
    for key in keys:
        first, _, rest = key.partition(".")
        if first in values:
            found[first] = found.get(first, {}) | selected(values[first], [rest]) if rest else values[first]
    return found


def input_files(block, keys):
    """Return the files that some keys of a block name, in order: a folder stands for its files of the pattern `x-files`.

    Folders of the kind `x-path: folder` are not among them; see input_folders.
    """
    # entries of one list belong together, since some of them may take out what others name
    lists = {}
    for path, file, schema in _named(block, keys, "file"):
        is_list = isinstance(path[-1], int)
        lists.setdefault(path[:-1] if is_list else path, ([], schema.get("x-files", "*")))[0].append(file)
    return [file for files, pattern in lists.values() for file in chosen_files(files, pattern)]


def input_folders(block, keys):
    """Return the folders of the kind `x-path: folder` that some keys of a block name, in order."""
    return [path for _, path, _ in _named(block, keys, "folder")]


def _named(block, keys, kind):
    named = _paths(block, benchmark_schema(block["format"]))
    return [entry for entry in named if entry[2]["x-path"] == kind and entry[0][0] in keys]


def reads_outputs(block):
    """Whether the block's format gives outputs, which are scored here, rather than scores."""
    return formats()[block["format"]].get("x-reads") == "outputs"


def can_be_sharded(block):
    """Whether the block's reader can read one part of the tasks at a time."""
    return benchmark_schema(block["format"])["x-shards"]


def _holder(path, contents):
    """Which of the configuration files holds a path, or most of it; later files override earlier ones."""
    for depth in range(len(path), 0, -1):
        for name, content in reversed(contents.items()):
            for part in path[:depth]:
                try:
                    content = content[part]
                except (KeyError, IndexError, TypeError):
                    break
            else:
                return name
    return next(iter(contents), "config")


def _list_problems(config):
    """What is wrong in the lists of a configuration that is wrong itself, so that all mistakes are named at once."""
    blocks = config.get("benchmarks") if isinstance(config, dict) else None
    if not isinstance(blocks, dict):
        return []
    try:
        metrics = metric_catalogue.entries(config.get("metrics", DEFAULT_METRICS))
    except (InputError, TypeError):
        return []
    try:
        lists.check([block for block in blocks.values() if isinstance(block, dict)], metrics)
    except InputError as error:
        return error.problems
    return []


def check(config, files=()):
    """The whole configuration, complete with defaults.

    config: dict, as Snakemake merged it from the files and the command line.
    files: the configuration files, to say in which one a mistake stands.

    Raises InputError with every mistake at once: file, dotted path, what was found, what is allowed.
    """
    contents = {str(file): load_yaml(file) for file in files}
    config = _plain(config)
    problems = find_problems(config, study_schema(), ())
    blocks = config.get("benchmarks") if isinstance(config, dict) else None
    known = formats()
    for name, block in blocks.items() if isinstance(blocks, dict) else ():
        path = ("benchmarks", name)
        if not isinstance(block, dict):
            continue
        if "format" not in block:
            problems.append(((*path, "format"), "this key is missing", " or ".join(f"`{reader}`" for reader in known)))
        elif not isinstance(block["format"], str) or block["format"] not in known:
            allowed = " or ".join(f"`{reader}`" for reader in known) + nearest(block["format"], known)
            problems.append(((*path, "format"), in_words(block["format"]), allowed))
        else:
            schema = benchmark_schema(block["format"])
            found = find_problems(block, schema, path)
            # keys are compared with one another only where each is well formed
            complete = with_defaults(block, schema)
            between = [] if found else readers.key_problems(complete)
            between += block_keys.problems(complete) if not found and reads_outputs(complete) else []
            problems += found + [((*path, *key), *rest) for key, *rest in between]
            problems += _file_problems(list(_paths(block, schema, path)))
    if isinstance(config, dict):
        problems += _file_problems(list(_paths(config, study_schema())))
    if problems:
        said = [message(_holder(path, contents), path, found, allowed) for path, found, allowed in problems]
        raise InputError(said + _list_problems(config))
    study = with_defaults(config, study_schema())
    for name, block in study["benchmarks"].items():
        study["benchmarks"][name] = {"title": name, **with_defaults(block, benchmark_schema(block["format"]))}
    # as it would be named here, so that results do not tell where the folder of the workflow is
    here = DEFAULT_METRICS.is_relative_to(Path.cwd())
    study.setdefault("metrics", str(DEFAULT_METRICS.relative_to(Path.cwd()) if here else DEFAULT_METRICS))
    return study
