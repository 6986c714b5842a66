"""Draws bodies from the contract's JSON Schemas with seeded random numbers."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import booking_contracts
from booking_contracts.schema.accepts import Schema, members, required, resolve
from pydantic import JsonValue

SCHEMAS = Path(booking_contracts.__file__).parent / "generated" / "schemas"
COMMAND_TOPICS = ("booking.commands", "booking.admin-commands", "wallet.commands")
"""Those whose commands are answered."""


def schemas_on(*topics: str) -> dict[str, Schema]:
    """The schemas of messages on these topics, by CloudEvents type."""
    found = {}
    for file in sorted(SCHEMAS.glob("*.json")):
        schema = json.loads(file.read_text())
        if set(schema["x-topics"]) & set(topics):
            found[file.name.removesuffix(".json")] = schema
    return found


def drawn(rng: random.Random, root: Schema, schema: JsonValue = None) -> JsonValue:
    """A value that the schema allows, or nearly: rules that JSON Schema cannot say are not kept."""
    found = resolve(root, root if schema is None else schema)
    options = found.get("anyOf") or found.get("oneOf")
    if isinstance(options, list):
        return drawn(rng, root, rng.choice(options))
    if isinstance(values := found.get("enum"), list):
        return rng.choice(values)
    if "const" in found:
        return found["const"]
    match found.get("type"):
        case "object":
            always = required(found)
            return {
                name: _named(rng, root, name, field)
                for name, field in members(found).items()
                if name in always or rng.random() < 0.5
            }
        case "array":
            return [drawn(rng, root, found["items"]) for _ in range(rng.randint(0, 3))]
        case "string":
            return _text(rng, found)
        case "integer":
            low, high = found.get("minimum", -10), found.get("maximum", 10**6)
            assert isinstance(low, int)
            assert isinstance(high, int)
            return rng.choice((low, high, rng.randint(low, high)))
        case "boolean":
            return rng.random() < 0.5
        case _:
            return None


def _named(rng: random.Random, root: Schema, name: str, field: JsonValue) -> JsonValue:
    return rng.choice(("EUR", "JPY", "KWD")) if name == "currency" else drawn(rng, root, field)


def _text(rng: random.Random, schema: Schema) -> str:
    match schema.get("format"):
        case "uuid":
            return str(uuid.UUID(int=rng.getrandbits(128), version=4))
        case "date-time":
            instant = _today() + timedelta(seconds=rng.randint(-(10**7), 3 * 10**7))
            return instant.isoformat().replace("+00:00", "Z")
        case "date":
            return str((_today() + timedelta(days=rng.randint(-10, 400))).date())
        case _:
            alphabet = "abcXYZ019_" if "pattern" in schema else "aé 漢z😀'\"\\"
            return "".join(rng.choices(alphabet, k=rng.randint(1, 12)))


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
