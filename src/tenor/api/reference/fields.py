"""What a schema holds, as rows that a person can read."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

Schema = Mapping[str, Any]
DEPTH_MAX: Final = 4
"""How far the rows of one table go into what holds what."""
_PREFIX: Final = "#/components/schemas/"
_PLAIN: Final = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}
_DIGITS: Final = "[0-9]{1,15}"


class Field(NamedTuple):
    """One field. `name` says also what it is held by: 'lines[].amount'."""

    name: str
    kind: str
    is_required: bool
    words: str


def fields(document: Schema, schema: Schema) -> list[Field]:
    """Return the fields of a schema and, indented by their names, those of what it holds."""
    return list(_fields(document, schema, "", 0))


def resolved(document: Schema, schema: Schema) -> Schema:
    """Return the schema that a reference names; any other as it is."""
    name = str(schema.get("$ref", "")).removeprefix(_PREFIX)
    found: Schema = document["components"]["schemas"][name] if name else schema
    return found


def kind(document: Schema, schema: Schema) -> str:
    """Return in words what may stand in a place: 'list of decimal as text', 'text or null'."""
    schema = resolved(document, schema)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(kind(document, part) for part in schema[union]))
    if "const" in schema or "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "string" if schema.get("format") == "date-time":
            return "instant"
        case "string" if _DIGITS in schema.get("pattern", ""):
            return "decimal as text"
        case "array":
            return f"list of {kind(document, schema.get('items', {}))}"
        case "object" if "properties" in schema:
            return "object"
        case "object":
            parts = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
            held = next((part for part in parts if isinstance(part, Mapping)), {})
            return f"{kind(document, held)} by name"
        case None:
            return "anything"
        case plain:
            return _PLAIN[plain]


def _fields(document: Schema, schema: Schema, prefix: str, depth: int) -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        yield Field(prefix + name, kind(document, part), name in needed, _words(part))
        if depth < DEPTH_MAX:
            suffix, held = _held(document, part)
            yield from _fields(document, held, f"{prefix}{name}{suffix}.", depth + 1)


def _held(document: Schema, part: Schema) -> tuple[str, Schema]:
    """Return how what a field holds is named below it, and its schema."""
    part = resolved(document, part)
    for one in part.get("anyOf", ()):
        if "properties" in (found := _held(document, one))[1]:
            return found
    if part.get("type") == "array":
        suffix, held = _held(document, part.get("items", {}))
        return f"[]{suffix}", held
    return "", part


def _words(part: Schema) -> str:
    """Return what is said of a field, there or of one of the forms that it may have."""
    told = part.get("description") or next(
        (one["description"] for one in part.get("anyOf", ()) if "description" in one), ""
    )
    default = part.get("default")
    return f"{told} By default `{json.dumps(default)}`.".strip() if default not in (None, "", [], {}) else str(told)
