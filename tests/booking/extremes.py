"""Commands at the ends of what their schemas allow: the least and the most of every number, instant and text."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from uuid import UUID

from booking_contracts.envelope import Command, rfc3339
from booking_contracts.schema.accepts import Schema, members, required, resolve
from booking_contracts.schema.json_schema import schema_of
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.booking.builders import NOW, OFFERING, PROVIDER, START

Drawn = st.SearchStrategy[JsonValue]

INSTANTS = [
    "2000-01-01T00:00:00Z",
    "2199-12-31T23:59:59.999999Z",
    *(rfc3339(at) for at in (NOW, START, START, START, START + timedelta(minutes=1), NOW + timedelta(days=3650))),
]
IDS = [str(UUID(int=number)) for number in (1, 2, 3, 4)]
ADDRESS = "a@example.com"
_TIERS: JsonValue = {"tiers": [{"hours_before": hours, "percent": percent} for hours, percent in ((1, 0), (8760, 100))]}
_EVER: dict[str, JsonValue] = {"weekday": 7, "from": "00:00", "to": "24:00"}
_BY_NAME: dict[str, list[JsonValue]] = {
    "offering_id": [*[str(OFFERING)] * 5, IDS[2]],
    "provider_id": [*[str(PROVIDER)] * 5, IDS[1]],
    "booking_id": [*IDS[:2]],
    "entry_id": [IDS[3]],
    "expected_price": [None, None, {"amount": 10**12, "currency": "EUR"}],
    "email": [ADDRESS, f"{'a' * 64}@example.com"],
    "timezone": ["Pacific/Apia", "America/Nuuk", "UTC"],
    "phone": ["+4930123456"],
    "locale": ["de-DE"],
    "currency": ["EUR", "JPY", "KWD"],
    "refund_policy": ["flexible", "strict", _TIERS],
    "weekly": [[], [_EVER], [{**_EVER, "weekday": day} for day in range(1, 8)]],
    "exceptions": [
        [],
        [{"date": "2000-01-01", "closed": True}],
        [{"date": "2199-12-31", "from": "00:00", "to": "24:00"}],
    ],
    "payment": [{"method": "card"}, {"method": "wallet"}, {"method": "card", "payment_method": "p" * 128}],
}
_ADMIN: JsonValue = {"kind": "admin", "id": "root"}
_ACTORS: list[JsonValue] = [
    *[_ADMIN] * 4,
    {"kind": "provider", "id": str(PROVIDER)},
    {"kind": "customer", "id": "bob"},
]
_CUSTOMERS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["bob", "c" * 128]),
        "name": st.sampled_from(["B", "\U0001f3b9" * 200]),
        "email": st.just(ADDRESS),
    }
)


@cache
def bodies(command: type[Command]) -> st.SearchStrategy[dict[str, JsonValue]]:
    """Bodies that the schema allows, at its ends, about things that are there."""
    schema = schema_of(command)
    drawn = {name: _field(name, schema, field) for name, field in members(schema).items()}
    needed = required(schema)
    return st.fixed_dictionaries(
        {name: value for name, value in drawn.items() if name in needed},
        optional={name: value for name, value in drawn.items() if name not in needed},
    )


def _field(name: str, root: Schema, field: JsonValue) -> Drawn:
    if name == "actor":
        return st.sampled_from(_ACTORS)
    if name in ("customer", "attendee"):
        return _CUSTOMERS.map(lambda person: {**person})
    if name in _BY_NAME:
        return st.sampled_from(_BY_NAME[name])
    return _ends(root, resolve(root, field))


def _ends(root: Schema, schema: Schema) -> Drawn:
    options = schema.get("anyOf")
    if isinstance(options, list):
        return st.one_of([_ends(root, resolve(root, option)) for option in options])
    match schema.get("type"):
        case "object":
            return st.fixed_dictionaries({name: _field(name, root, field) for name, field in members(schema).items()})
        case "array":
            item, most = resolve(root, schema["items"]), schema["maxItems"]
            assert isinstance(most, int)
            return st.lists(_ends(root, item), max_size=most, unique_by=str)
        case "integer":
            least, most = schema["minimum"], schema["maximum"]
            assert isinstance(least, int)
            assert isinstance(most, int)
            return st.sampled_from([least, least + 1, most // 2, most - 1, most])
        case "string" if schema.get("format") == "uuid":
            return st.sampled_from(IDS)
        case "string" if schema.get("format") == "date-time":
            return st.sampled_from(INSTANTS)
        case "string":
            most = schema.get("maxLength", 1)
            assert isinstance(most, int)
            return st.sampled_from(["x", "x" * most])
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case other:
            raise NotImplementedError(f"the ends of {other}")
