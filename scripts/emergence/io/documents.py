"""YAML documents that users write, read strictly and checked against a JSON Schema with every mistake reported.

Every job imports this module, so it needs nothing heavier than YAML until something is checked.
"""

import difflib
import fnmatch
import functools
import glob
import math
import os
import re
import stat
import sys
from collections import Counter
from pathlib import Path

import yaml

from emergence.io.errors import InputError, mistake
from emergence.io.texts import printable

# The folder of the workflow; where the library is installed without it, the copy of its schemas and templates in the package.
_PACKAGE = Path(__file__).resolve().parents[1]
ROOT = _PACKAGE.parents[1] if (_PACKAGE.parents[1] / "workflow" / "schemas").is_dir() else _PACKAGE / "checkout"
SCHEMAS = ROOT / "workflow" / "schemas"

_KINDS = {
    "object": "keys and values",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "nothing",
}


# The loader in C where there is one: the one in Python takes a quarter of a second for the schemas, in every job.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# Documents that people write are far smaller. Aliases of aliases make a few lines larger than any memory, and the loader in C
# ends the process where brackets are nested by the ten thousand.
_MOST_VALUES = 1_000_000
_DEEPEST = 50

_NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


# YAML 1.1 reads 010 as eight and 1:30:00 as 5400; nobody who writes them means that.
_MISREAD = re.compile(r"[-+]?(0[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")


class _UniqueKeyLoader(_Loader):
    """YAML in which a key given twice is an error: plain YAML keeps the last and says nothing."""

    def construct_object(self, node, deep=False):
        """The value of a node; what looks like a date or a number but is not one is YAML's own kind of error, with its line."""
        if node.tag in _NUMBER_TAGS and _MISREAD.fullmatch(node.value):
            value = super().construct_object(node, deep)
            problem = f"YAML reads `{node.value}` as the number {value}; write the number that is meant, or a text in quotes"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            kind = node.tag.rpartition(":")[2]
            problem = f"this looks like YAML's type `{kind}` but is not one; write a text in quotes"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark) from None


def _unique_mapping(loader, node):
    if not isinstance(node, yaml.MappingNode):
        raise yaml.constructor.ConstructorError(problem="no keys and values", problem_mark=node.start_mark)
    seen = {}
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, (str, int, float, bool, type(None))):
            raise yaml.constructor.ConstructorError(
                problem="a key that is neither text nor number", problem_mark=key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(
                problem=f"the key {key!r} stands here and on line {seen[key] + 1}; each key may stand once",
                problem_mark=key_node.start_mark,
            )
        seen[key] = key_node.start_mark.line
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def load_yaml(path):
    """The content of a YAML file. Raises InputError with file and line where it cannot be read."""
    try:
        # anything else than a file is told apart first: opening a pipe would wait for whoever writes to it
        if not stat.S_ISREG(os.stat(path).st_mode):
            found = "a folder" if os.path.isdir(path) else "neither a file nor a folder, but a pipe or a device"
            raise InputError(mistake(path, found, "a YAML file"))
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file{nearest_file(path)}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from None
    try:
        _check_size(text)
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - it is a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise InputError(f"{path}:{line} not valid YAML: {getattr(error, 'problem', None) or error}") from None


def _check_size(text):
    """Raise a YAMLError where a document, its aliases written out, is too deep or too large to be one that a person wrote."""
    # of each node that is open: its anchor, how many values are in it, how deep they go
    known, waiting = {}, [[None, 0, 0]]
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            waiting.append([event.anchor, 1, 0])
            anchor, n_values, depth = None, 0, 0
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, n_values, depth = waiting.pop()
        elif isinstance(event, yaml.ScalarEvent):
            anchor, n_values, depth = event.anchor, 1, 0
        elif isinstance(event, yaml.AliasEvent):
            anchor = event.anchor
            if anchor in (node[0] for node in waiting):
                raise yaml.YAMLError(f"the alias `*{anchor}` stands inside what it repeats")
            n_values, depth = known.get(anchor, (1, 0))
        else:
            continue
        known[anchor] = n_values, depth
        around = waiting[-1]
        around[1] += n_values
        around[2] = max(around[2], depth + 1)
        if len(waiting) + depth > _DEEPEST:
            raise yaml.YAMLError(f"values stand more than {_DEEPEST} deep in one another")
        if around[1] > _MOST_VALUES:
            raise yaml.YAMLError(f"with its aliases written out it holds more than {_MOST_VALUES:,} values")


def unique_keys(pairs):
    """Return the pairs of a JSON object as a dictionary. Raises ValueError for a key given twice, of which JSON keeps the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        repeated = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"the key `{repeated}` is given twice; each key may be given once")
    return found


def as_yaml(value):
    """A text as YAML writes it on one line, in quotes where it needs them, also within brackets."""
    value = str(value)
    style = None if printable(value) == value else '"'
    line = yaml.safe_dump([value], width=float("inf"), allow_unicode=not style, default_style=style, default_flow_style=True)
    return line.strip()[1:-1]


@functools.cache
def load_schema(path):
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - it is a safe loader


def nearest(name, names):
    """`; did you mean ...?` for the nearest of the names, or nothing where none is near."""
    # in small letters, but the name as it is written before one that differs in case
    written = {candidate.casefold(): candidate for candidate in map(str, names)}
    found = difflib.get_close_matches(str(name).casefold(), written, n=1, cutoff=0.6)
    return f"; did you mean `{printable(written[found[0]])}`?" if found else ""


def nearest_file(path):
    parent = Path(path).parent
    try:
        return nearest(Path(path).name, [entry.name for entry in parent.iterdir()])
    except (OSError, ValueError):
        return f"; the folder {parent} does not exist either"


def is_there(path, kind):
    """Whether there is a `file` or `folder` of that path; a path that no file can have, such as one too long, is not there."""
    try:
        return Path(path).is_file() if kind == "file" else Path(path).is_dir()
    except (OSError, ValueError):
        return False


def files_below(path, pattern):
    """The file itself, or the files of a folder and the folders below whose names match the pattern, in order."""
    path = Path(path)
    return sorted(file for file in path.rglob(pattern) if file.is_file()) if path.is_dir() else [path]


def chosen_files(entries, pattern="*"):
    """The files that a list names, in order and each once, and the entry that named each: {file: entry}.

    An entry is a file, a folder (of which every file is taken whose name matches the pattern), or a pattern of paths, where `*`
    stays within one name and `**` goes over folders. An entry that begins with `!` takes out what the others name: a file, all
    that is in a folder, or what fits a pattern.
    """
    files = {}
    for entry in entries:
        if not is_exclusion(entry):
            for path in paths_of(entry):
                # reading a pipe would wait for whoever writes to it; what a pattern meets besides files is accounted for at ingest
                if path != entry and not (os.path.isfile(path) or os.path.isdir(path)):
                    continue
                for file in files_below(path, pattern):
                    files.setdefault(str(file), entry)
    for entry in entries:
        if is_exclusion(entry):
            out = entry[1:].rstrip("/")
            parts = Path(out).parts
            files = {
                file: named
                for file, named in files.items()
                if not (file == out or file.startswith(f"{out}/") or _fits(Path(file).parts, parts))
            }
    return files


def _fits(path, pattern):
    """Whether the parts of a path, or those of a folder that it is in, fit the parts of a pattern; `**` is any number of parts."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_fits(path[start:], pattern[1:]) for start in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and _fits(path[1:], pattern[1:])


def is_exclusion(entry):
    """Whether an entry of a list of files takes files out; a file whose name begins with `!` is a file."""
    return entry.startswith("!") and not os.path.lexists(entry)


def paths_of(entry):
    """The files and folders that an entry of a list of files names: itself, or what fits it where it is a pattern."""
    if glob.has_magic(entry) and not os.path.lexists(entry):
        return sorted(glob.glob(entry, recursive=True))
    return [entry]


def in_words(value):
    """A value of a configuration as a message says it."""
    if isinstance(value, str):
        return f"the text {value!r}{_number_hint(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys and values" if value else "no key at all"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return str(value)


def _number_hint(text):
    """YAML 1.1 reads 1e9 and 1.0e9 as text; without a hint that looks like a right value refused."""
    try:
        number = float(text)
    except ValueError:
        return ""
    return f" (YAML takes this for text; write {number:.1e})" if "e" in text.lower() else " (in quotes, so it is text)"


def _allowed(schema):
    """What a schema allows, in words."""
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kinds = schema.get("type", [])
    words = " or ".join(_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    bounds = [
        f"{word} {schema[key]}"
        for key, word in {
            "minimum": "at least",
            "exclusiveMinimum": "above",
            "maximum": "at most",
            "exclusiveMaximum": "below",
        }.items()
        if key in schema
    ]
    if "minItems" in schema:
        bounds.append(f"with at least {schema['minItems']} item{'s' if schema['minItems'] > 1 else ''}")
    if "minProperties" in schema or "minLength" in schema:
        bounds.append("not empty")
    return " ".join([words, ", ".join(bounds)]).strip()


def find_problems(value, schema, path):
    """All mistakes of a value against a schema: a list of (path, found, allowed)."""
    # not in the jobs, which check nothing: it is a tenth of what they import
    import jsonschema

    problems = [((*path, *where), f"the number {found}", "a finite number") for where, found in _not_finite(value)]
    for error in jsonschema.Draft202012Validator(schema).iter_errors(value):
        where = (*path, *error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema.get("properties", {}))
            for key in error.instance:
                if key not in known:
                    problems.append(((*where, key), "an unknown key", ", ".join(known) + nearest(key, known)))
        elif error.validator == "required":
            missing = [key for key in error.validator_value if key not in error.instance]
            # one error arrives for each missing key; its message names which
            key = next(key for key in missing if error.message.startswith(repr(key)))
            wanted = error.schema["properties"].get(key, {})
            problems.append(((*where, key), "this key is missing", _allowed(wanted) or "see config/README.md"))
        elif "propertyNames" in error.absolute_schema_path:
            problems.append(((*where, error.instance), "this name", error.schema["description"]))
        elif error.validator == "pattern":
            # what may hold a password is not repeated: messages are logged, and people send each other logs
            found = "an address with more in it" if error.schema.get("x-secret") else in_words(error.instance)
            problems.append((where, found, error.schema["description"]))
        elif error.validator == "uniqueItems":
            problems.append((where, "the same item twice", "each item once"))
        else:
            allowed = _allowed(error.schema)
            if error.validator == "enum":
                allowed += nearest(error.instance, error.validator_value)
            problems.append((where, in_words(error.instance), allowed))
    return problems


def _not_finite(value, path=()):
    """Numbers that no computer number can hold, which every bound of a schema lets through: pairs of path and what was found."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, int) and abs(value) > sys.float_info.max:
        yield path, f"with {len(str(abs(value)))} digits"
    elif isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _not_finite(part, (*path, key))


def message(file, path, found, allowed):
    """One mistake in words: which file, which key, what was found, what is allowed."""
    return mistake(f"{file}: {dotted(path) or 'the whole file'}", found, allowed)


def dotted(path):
    """A path in the configuration as users write it: `benchmarks.big_bench.files[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
