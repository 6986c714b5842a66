"""A JSON Schema as lines for people: every field by its path, and in words what may stand there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from booking_contracts.schema.accepts import Schema, alternatives, members, reference, required, resolve

_BOUNDS = (
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
    ("minLength", "at least {} long"),
    ("maxLength", "at most {} long"),
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
    ("pattern", "like `{}`"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One field: `path` is dotted, `[]` stands for each of a list. `always`: it is never left out."""

    path: str
    shape: str
    always: bool
    description: str


def lines(root: Schema, schema: JsonValue, above: str = "", inside: frozenset[str] = frozenset()) -> Iterator[Line]:
    """The fields of an object, each followed by those in it; of a union, those of every branch."""
    for branch in alternatives(root, resolve(root, schema)):
        needed = required(branch)
        for name, field in members(branch).items():
            plain, path = resolve(root, field), f"{above}{name}"
            yield Line(path, shape(root, field), name in needed, str(plain.get("description", "")))
            for named, value in _branches(root, field):
                inner: JsonValue = value
                below = f"{path}."
                if "items" in value:
                    inner, named, below = value["items"], reference(value["items"]), f"{path}[]."
                if named not in inside:
                    yield from lines(root, inner, below, inside | {named} if named else inside)


def _branches(root: Schema, schema: JsonValue) -> list[tuple[str, Schema]]:
    """As `alternatives`, each with what it is called."""
    plain = resolve(root, schema)
    options = plain.get("anyOf") or plain.get("oneOf")
    if not isinstance(options, list):
        return [(reference(schema), plain)]
    return [branch for option in options for branch in _branches(root, option)]


def shape(root: Schema, schema: JsonValue) -> str:
    """In words: "text (uuid)", "whole number, at least 1; otherwise `5`", "list of object", "null or text"."""
    plain = resolve(root, schema)
    said = " or ".join(dict.fromkeys(_shape(root, one) for one in alternatives(root, plain)))
    return f"{said}; otherwise `{json.dumps(plain['default'])}`" if plain.get("default") not in (None, [], {}) else said


def _shape(root: Schema, schema: Schema) -> str:
    words = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(words, list):
        return ", ".join(f"`{word}`" for word in words)
    kind = str(schema.get("type", "anything"))
    found = {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)
    if kind == "array":
        found = f"list of {shape(root, schema.get('items', {}))}"
    if "format" in schema:
        found += f" ({schema['format']})"
    bounds = [words.format(schema[keyword]) for keyword, words in _BOUNDS if keyword in schema]
    return ", ".join([found, *bounds])
