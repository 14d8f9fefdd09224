"""The generated parts of the documentation: tables of keys and columns, written from the schemas so that they cannot drift."""

import re

from emergence.io import descriptions
from emergence.io.documents import ROOT, SCHEMAS, load_schema
from emergence.study import configuration

DOCUMENTS = ("config/README.md",)


def _type(schema):
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kinds = schema.get("type", "")
    return " or ".join(
        {"object": "keys", "array": "list", "null": "nothing"}.get(kind, kind)
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
    )


def _row(path, schema, required):
    default = f"`{schema['default']}`" if "default" in schema and schema["default"] != {} else ("required" if required else "")
    return f"| `{path}` | {_type(schema)} | {default} | {_cell(schema.get('description', ''))} |"


def _cell(text):
    return text.replace("|", "\\|").replace("\n", " ").strip()


def _keys(schema, prefix):
    """Rows for the properties of a schema, depth first."""
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield _row(path, part, name in schema.get("required", []))
        if part.get("type") == "object":
            yield from _keys(part, f"{path}.")


HEADER = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]


def study_keys():
    """All keys but those of the benchmark blocks."""
    return "\n".join([*HEADER, *_keys(configuration.study_schema(), "")])


def benchmark_keys():
    """The keys that every benchmark block has."""
    schema = load_schema(SCHEMAS / "config.schema.yaml")["$defs"]["benchmark"]
    return "\n".join([*HEADER, *_keys(schema, "")])


def format_keys():
    """The keys that each format adds, a table a format."""
    parts = []
    for name, schema in configuration.formats().items():
        parts.append("\n".join([f"#### `format: {name}`", "", _cell(schema["description"]), "", *HEADER, *_keys(schema, "")]))
    return "\n\n".join(parts)


def metric_keys():
    """The keys of an entry of the metric catalogue."""
    schema = load_schema(SCHEMAS / "metrics.schema.yaml")["properties"]["metrics"]["additionalProperties"]
    return "\n".join([*HEADER, *_keys(schema, "")])


def tables():
    """Every table of a run with its columns, as a document: a run leaves it beside its results."""
    parts = ["# Every table of a run, and every column", "`{benchmark}` is the name of the block in the configuration."]
    for name, table in descriptions.every_table().items():
        key = ", ".join(f"`{column}`" for column in table["key"])
        lines = [f"## `{table['path']}`", "", f"The table `{name}`. {_cell(table['description'])} Key: {key}.", ""]
        lines += ["| column | type | may be empty | meaning |", "| --- | --- | --- | --- |"]
        for column, spec in table["columns"].items():
            lines.append(
                f"| `{column}` | {spec['type']} | {'yes' if spec.get('nullable') else ''} | {_cell(spec['description'])} |"
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


GENERATED = {
    "study keys": study_keys,
    "benchmark keys": benchmark_keys,
    "format keys": format_keys,
    "metric keys": metric_keys,
}


def regenerated(text):
    """A document with every generated part written anew. A part stands between `<!-- generated: name -->` and `<!-- end -->`."""
    return re.sub(
        r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{GENERATED[match[2]]()}\n{match[3]}",
        text,
        flags=re.DOTALL,
    )


def stale():
    """The documents whose generated parts do not match the schemas: {path: what they should be}."""
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in DOCUMENTS}
    return {path: regenerated(text) for path, text in texts.items() if regenerated(text) != text}
