"""Does a reader's JSON Schema accept everything that a writer's schema lets it send?

Covers what the message models produce: objects, arrays, unions, references, enums and bounds. A keyword that it does
not know must be equal on both sides, so that what it cannot judge is refused and never passed over.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue

Schema = dict[str, JsonValue]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_JUDGED = {"type", "enum", "const", "anyOf", "oneOf", "properties", "required", "additionalProperties", "items"}
_ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", "readOnly", "discriminator"}
_NAMES = {"$schema", "$id", "$defs", "$ref", "$comment", "x-kind", "x-topics", "x-key"}


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that may be sent and is not accepted; `path` is a JSON path into the body."""

    path: str
    problem: str


def gaps(reader: Schema, writer: Schema) -> list[Gap]:
    """What `writer` may send and `reader` refuses; empty when the reader accepts all of it."""
    return _Comparison(reader, writer).gaps(reader, writer, "$", frozenset())


def resolve(root: Schema, schema: JsonValue) -> Schema:
    """Follow `$ref` into `$defs`. `true` and an absent schema accept everything."""
    if not isinstance(schema, dict):
        return {}
    while isinstance(name := schema.get("$ref"), str):
        definitions = root["$defs"]
        assert isinstance(definitions, dict)
        target = definitions[name.removeprefix("#/$defs/")]
        assert isinstance(target, dict)
        schema = {**target, **{keyword: value for keyword, value in schema.items() if keyword != "$ref"}}
    return schema


def members(schema: Schema) -> Schema:
    """The properties of an object schema."""
    found = schema.get("properties", {})
    assert isinstance(found, dict)
    return found


def required(schema: Schema) -> set[JsonValue]:
    """The names of the properties that an object must have."""
    found = schema.get("required", [])
    assert isinstance(found, list)
    return {name for name in found if isinstance(name, str)}


@dataclass(frozen=True, slots=True)
class _Comparison:
    reader_root: Schema
    writer_root: Schema

    def gaps(self, reader: JsonValue, writer: JsonValue, path: str, open_pairs: frozenset[str]) -> list[Gap]:
        pair = f"{reference(reader)} {reference(writer)}"
        if pair in open_pairs:
            return []
        inner = open_pairs | {pair} if reference(reader) and reference(writer) else open_pairs
        found: list[Gap] = []
        accepted = alternatives(self.reader_root, resolve(self.reader_root, reader))
        for sent in alternatives(self.writer_root, resolve(self.writer_root, writer)):
            found += self._accepted_by_one(accepted, sent, path, inner)
        return found

    def _accepted_by_one(self, accepted: list[Schema], sent: Schema, path: str, inner: frozenset[str]) -> list[Gap]:
        attempts = [self._plain(reader, sent, path, inner) for reader in accepted]
        if any(not attempt for attempt in attempts):
            return []
        alike = [attempt for reader, attempt in zip(accepted, attempts, strict=True) if _type(reader) == _type(sent)]
        if len(accepted) > 1 and not alike:
            return [Gap(path, f"{_type(sent)} may be sent, but only {' or '.join(map(_type, accepted))} is accepted")]
        return min(alike or attempts, key=len)

    def _plain(self, reader: Schema, sent: Schema, path: str, inner: frozenset[str]) -> list[Gap]:
        if _type(reader) not in ("anything", _type(sent)) and (_type(reader), _type(sent)) != ("number", "integer"):
            return [Gap(path, f"{_type(sent)} may be sent, but {_type(reader)} is expected")]
        found = _values(reader, sent, path) + _bounds(reader, sent, path) + _unknown(reader, sent, path)
        found += self._object(reader, sent, path, inner)
        if "items" in reader:
            found += self.gaps(reader["items"], sent.get("items"), f"{path}[*]", inner)
        return found

    def _object(self, reader: Schema, sent: Schema, path: str, inner: frozenset[str]) -> list[Gap]:
        known, other = members(reader), reader.get("additionalProperties", True)
        always = required(sent)
        found: list[Gap] = []
        for name, schema in members(sent).items():
            if name in known:
                found += self.gaps(known[name], schema, f"{path}.{name}", inner)
            elif other is False:
                found.append(Gap(f"{path}.{name}", "may be sent, but is not a known field"))
            else:
                found += self.gaps(other, schema, f"{path}.{name}", inner)
        for name in sorted(str(name) for name in required(reader) - always):
            how = "may be left out" if name in members(sent) else "is not sent"
            found.append(Gap(f"{path}.{name}", f"{how}, but is required"))
        others_sent = sent.get("additionalProperties", True)
        if isinstance(other, dict) and others_sent is not False:
            found += self.gaps(other, others_sent, f"{path}.*", inner)
        elif other is False and others_sent is not False and _type(sent) == "object":
            found.append(Gap(path, "other fields may be sent, but are not accepted"))
        return found


def reference(schema: JsonValue) -> str:
    """What `$ref` of a schema names, or nothing."""
    found = schema.get("$ref") if isinstance(schema, dict) else None
    return found if isinstance(found, str) else ""


def alternatives(root: Schema, schema: Schema) -> list[Schema]:
    """The branches of a union, themselves resolved; a schema that is none is its own only branch."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(options, list):
        return [schema]
    return [one for option in options for one in alternatives(root, resolve(root, option))]


def _type(schema: Schema) -> str:
    return str(schema.get("type", "anything"))


def _listed(schema: Schema) -> list[JsonValue] | None:
    found = schema.get("enum")
    if isinstance(found, list):
        return found
    return [schema["const"]] if "const" in schema else None


def _values(reader: Schema, sent: Schema, path: str) -> list[Gap]:
    accepted, possible = _listed(reader), _listed(sent)
    if accepted is None:
        return []
    if possible is None:
        return [Gap(path, f"any {_type(sent)} may be sent, but only {accepted} is accepted")]
    refused = [value for value in possible if value not in accepted]
    return [Gap(path, f"{refused} may be sent, but only {accepted} is accepted")] if refused else []


def _bounds(reader: Schema, sent: Schema, path: str) -> list[Gap]:
    found = []
    for keyword in (*_LOWER, *_UPPER):
        limit, own = reader.get(keyword), sent.get(keyword)
        if not isinstance(limit, int | float):
            continue
        within = isinstance(own, int | float) and (own >= limit if keyword in _LOWER else own <= limit)
        if not within:
            found.append(Gap(path, f"{keyword} of what is sent is {own}, but {limit} of what is accepted"))
    return found


def _unknown(reader: Schema, sent: Schema, path: str) -> list[Gap]:
    passed = _JUDGED | _ANNOTATIONS | _NAMES | {*_LOWER, *_UPPER}
    return [
        Gap(path, f"{keyword} of what is sent is {sent.get(keyword)}, but {value} of what is accepted")
        for keyword, value in reader.items()
        if keyword not in passed and sent.get(keyword) != value
    ]
