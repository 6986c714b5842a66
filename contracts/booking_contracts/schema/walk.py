"""Two versions of a schema, walked field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from booking_contracts.schema.accepts import Gap, Schema, alternatives, members, reference, required, resolve


@dataclass(frozen=True, slots=True)
class Field:
    """One field before and after; None where it was not there. `optional`: it could be left out before."""

    path: str
    old: Schema | None
    new: Schema | None
    optional: bool


def paired_fields(old: Schema, new: Schema) -> Iterator[Field]:
    """Every field of either version, through nested objects, lists and the objects of a union, each with its path."""
    return _Walk(old, new).fields(old, new, "$", frozenset())


def changed_defaults(old: Schema, new: Schema) -> list[Gap]:
    """Fields that a client may leave out and that then mean something else than before."""
    return [
        Gap(field.path, f"default was {_default(field.old)}, now {_default(field.new)}")
        for field in paired_fields(old, new)
        if field.old and field.new and field.optional and _default(field.old) != _default(field.new)
    ]


def _default(field: Schema) -> JsonValue:
    return field.get("default", "none")


@dataclass(frozen=True, slots=True)
class _Walk:
    old_root: Schema
    new_root: Schema

    def fields(self, old: JsonValue, new: JsonValue, path: str, inside: frozenset[str]) -> Iterator[Field]:
        pair = f"{reference(old)} {reference(new)}"
        if pair in inside:
            return
        inside = inside | {pair} if reference(old) and reference(new) else inside
        before = alternatives(self.old_root, resolve(self.old_root, old))
        after = alternatives(self.new_root, resolve(self.new_root, new))
        for one, other in zip(_nested(before), _nested(after), strict=False):
            if "items" in one and "items" in other:
                yield from self.fields(one["items"], other["items"], f"{path}[*]", inside)
            was, now, needed = members(one), members(other), required(one)
            for name in sorted(was.keys() | now.keys()):
                field = Field(f"{path}.{name}", _schema(was.get(name)), _schema(now.get(name)), name not in needed)
                yield field
                if field.old is not None and field.new is not None:
                    yield from self.fields(field.old, field.new, field.path, inside)


def _nested(branches: list[Schema]) -> list[Schema]:
    """The branches that hold fields: objects with named fields, and lists."""
    return [branch for branch in branches if "items" in branch or "properties" in branch]


def _schema(found: JsonValue) -> Schema | None:
    return found if isinstance(found, dict) else None
