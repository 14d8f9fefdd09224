"""YAML documents that users write, read strictly and checked against a JSON Schema with every mistake reported.

Every job on a cluster imports this module, so it needs nothing heavier than YAML and JSON Schema.
"""

import difflib
import functools
from pathlib import Path

import jsonschema
import yaml

from emergence.errors import InputError, told

ROOT = Path(__file__).resolve().parents[2]
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


class _UniqueKeyLoader(_Loader):
    """YAML in which a key given twice is an error: plain YAML keeps the last and says nothing."""


def _unique_mapping(loader, node):
    seen = {}
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
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
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file{nearest_file(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from None
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - it is a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise InputError(f"{path}:{line} not valid YAML: {getattr(error, 'problem', None) or error}") from None


@functools.cache
def load_schema(path):
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - it is a safe loader


def nearest(name, names):
    """`; did you mean ...?` for the nearest of the names, or nothing where none is near."""
    names = [str(candidate) for candidate in names]
    found = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else ""


def nearest_file(path):
    parent = Path(path).parent
    try:
        return nearest(Path(path).name, [entry.name for entry in parent.iterdir()])
    except OSError:
        return f"; the folder {parent} does not exist either"


def files_below(path, pattern):
    """The file itself, or the files of a folder and the folders below whose names match the pattern, in order."""
    path = Path(path)
    return sorted(file for file in path.rglob(pattern) if file.is_file()) if path.is_dir() else [path]


def shown(value):
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
    problems = []
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
        elif error.validator == "pattern" and error.parent is not None and error.parent.validator == "propertyNames":
            continue
        elif error.validator == "pattern" and "propertyNames" in error.absolute_schema_path:
            problems.append(((*where, error.instance), "this name", error.schema["description"]))
        elif error.validator == "pattern":
            problems.append((where, shown(error.instance), error.schema["description"]))
        elif error.validator == "uniqueItems":
            problems.append((where, "the same item twice", "each item once"))
        else:
            allowed = _allowed(error.schema)
            if error.validator == "enum":
                allowed += nearest(error.instance, error.validator_value)
            problems.append((where, shown(error.instance), allowed))
    return problems


def message(file, path, found, allowed):
    """One mistake in words: which file, which key, what was found, what is allowed."""
    return told(f"{file}: {dotted(path) or 'the whole file'}", found, allowed)


def dotted(path):
    """A path in the configuration as users write it: `benchmarks.big_bench.files[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
