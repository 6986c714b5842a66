"""Whether a change of what a service can be asked over HTTP breaks who asks (contract.md, Evolution).

What is asked is like a command: the new service must take what it took before, so no parameter goes, is newly required,
tightened, or means something else where it is left out. What is answered is like an event: who reads it must find what
was there before, so no field goes, may be missing or becomes null, and no list of words grows. A new field of an answer
needs no default: answers are never older than the service. No path goes, and none needs another scope.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from booking_contracts.http import SERVICES
from booking_contracts.schema.accepts import Gap, Schema, gaps
from booking_contracts.schema.openapi import SCHEMAS, openapi
from booking_contracts.schema.walk import changed_defaults


@dataclass(frozen=True, slots=True)
class Asked:
    """What of an operation others rest on: its parameters as an object, the JSON of its 200, and its scope."""

    parameters: Schema
    answer: Schema
    security: JsonValue


def all_documents() -> dict[str, Schema]:
    """Service → its document, as things are now."""
    return {service: openapi(service, "now") for service in SERVICES}


def path_gaps(
    old: Mapping[str, Schema], new: Mapping[str, Schema], retired: Sequence[str] = ()
) -> Iterator[tuple[str, Gap]]:
    """Every breaking difference between two sets of documents; an operation is called `booking get /v1/bookings`."""
    now = _operations(new)
    for name, before in _operations(old).items():
        if name in retired:
            continue
        if name not in now:
            yield name, Gap("$", "removed, but clients ask for it")
            continue
        for gap in _changes(before, now[name]):
            yield name, gap


def _changes(old: Asked, new: Asked) -> Iterator[Gap]:
    if old.security != new.security:
        yield Gap("$", f"needed {old.security}, now {new.security}")
    for gap in (*gaps(new.parameters, old.parameters), *changed_defaults(old.parameters, new.parameters)):
        yield Gap(f"parameters{gap.path.removeprefix('$')}", gap.problem)
    for gap in gaps(old.answer, new.answer):
        yield Gap(f"answer{gap.path.removeprefix('$')}", gap.problem)


def _operations(documents: Mapping[str, Schema]) -> dict[str, Asked]:
    found: dict[str, Asked] = {}
    for service, document in sorted(documents.items()):
        # As accepts.py looks them up.
        plain = json.loads(json.dumps(document).replace(f'"{SCHEMAS}', '"#/$defs/'))
        definitions = plain["components"]["schemas"]
        for path, methods in plain["paths"].items():
            for method, operation in methods.items():
                content = operation["responses"]["200"]["content"]
                (media, body), *_ = content.items()
                answer = {**body.get("schema", {}), "$defs": definitions, "x-media": media}
                asked = {**_parameters(operation), "$defs": definitions}
                found[f"{service} {method} {path}"] = Asked(asked, answer, operation["security"])
    return found


def _parameters(operation: Mapping[str, Any]) -> Schema:
    """`in` stands in its name, so that none moves from the path into the query. A body is one, by media type."""
    listed = {f"{one['in']}.{one['name']}": one for one in operation.get("parameters", [])}
    if (body := operation.get("requestBody")) is not None:
        for media, sent in body["content"].items():
            listed[f"body.{media}"] = {"schema": sent["schema"], "required": body["required"]}
    return {
        "type": "object",
        "properties": {name: one["schema"] for name, one in listed.items()},
        "required": [name for name, one in listed.items() if one["required"]],
        "additionalProperties": False,
    }
