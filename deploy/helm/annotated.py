"""Reads deploy/chart/values.yaml: every value with its default, its comment and what is said of its type."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

SCHEMA = "@schema "


class Unexplained(Exception):
    """A value has no comment, or one whose @schema is no JSON; the message names it."""


@dataclass(frozen=True)
class Value:
    """A value at a dotted path. One with `children` is a group of others; `same_as` is another group's path."""

    path: str
    default: Any
    text: str
    schema: Mapping[str, Any]
    children: tuple[Value, ...] = ()
    same_as: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    def leaves(self) -> Iterator[Value]:
        """What can be set, in the file's order; a group that repeats another is one of them."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


@dataclass
class _Reader:
    lines: list[str]
    seen: dict[int, str] = field(default_factory=dict)
    """Paths by node: an alias of YAML is the same node again."""

    def values(self, mapping: yaml.MappingNode, prefix: str) -> tuple[Value, ...]:
        return tuple(self._value(prefix + key.value, key, node) for key, node in mapping.value)

    def _value(self, path: str, key: yaml.ScalarNode, node: yaml.Node) -> Value:
        text, schema = self._comment(path, key)
        default = yaml.SafeLoader("").construct_document(node)
        if "$ref" not in schema and isinstance(node, yaml.MappingNode) and node.value:
            if same := self.seen.get(id(node)):
                return Value(path, default, text or f"As `{same}`.", schema, same_as=same)
            self.seen[id(node)] = path
            return Value(path, default, text, schema, self.values(node, f"{path}."))
        if not text:
            raise Unexplained(f"{path} has no comment above it")
        return Value(path, default, text, schema)

    def _comment(self, path: str, key: yaml.ScalarNode) -> tuple[str, Mapping[str, Any]]:
        """The lines of comment right above a key."""
        above: list[str] = []
        line = key.start_mark.line - 1
        while line >= 0 and self.lines[line].strip().startswith("#"):
            above.insert(0, self.lines[line].strip().removeprefix("#").strip())
            line -= 1
        told = [one for one in above if not one.startswith(SCHEMA)]
        schemas = [one.removeprefix(SCHEMA) for one in above if one.startswith(SCHEMA)]
        try:
            schema: dict[str, Any] = json.loads(schemas[0]) if schemas else {}
        except json.JSONDecodeError as error:
            raise Unexplained(f"the @schema of {path} is no JSON: {error}") from None
        return " ".join(told), schema


def read(text: str) -> tuple[Value, ...]:
    """The values of a file. Raises Unexplained."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), "values are a mapping"
    return _Reader(text.splitlines()).values(root, "")
