"""Hypothesis strategies that draw JSON from a message's schema, so that tests cover every message there is.

Rules that JSON Schema cannot say (currency codes, hours in order, years, a wallet without a card, what all seats cost)
are drawn by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from booking_contracts.schema.accepts import Schema, members, required, resolve
from hypothesis import strategies as st
from pydantic import JsonValue

_YEARS = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2199-12-31")
Drawn = st.SearchStrategy[JsonValue]

_JSON: Drawn = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "text", "ü"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner),
    max_leaves=4,
)
_WEEKLY: list[JsonValue] = [
    {"weekday": 1, "from": "09:00", "to": "12:30"},
    {"weekday": 7, "from": "00:00", "to": "24:00"},
]
_DATED: list[JsonValue] = [
    {"date": "2030-01-01", "closed": True},
    {"date": "2030-03-31", "from": "01:00", "to": "04:00"},
]
_CHOICES: list[JsonValue] = [
    {"method": "card", "payment_method": "pm_1"},
    {"method": "card", "payment_method": None},
    {"method": "wallet"},
]
_TIERS: list[JsonValue] = [{"tiers": [{"hours_before": 48, "percent": 100}, {"hours_before": 1, "percent": 0}]}]
_PRICES: list[JsonValue] = [{"amount": amount, "currency": "EUR"} for amount in (1, 4500, 10**7)]
_BY_NAME: Mapping[str, Drawn] = {
    "Price": st.sampled_from(_PRICES),
    "WeeklyHours": st.sampled_from(_WEEKLY),
    "DatedException": st.sampled_from(_DATED),
    "PaymentChoice": st.sampled_from(_CHOICES),
    "Tiers": st.sampled_from(_TIERS),
    "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
    "customer_id": st.sampled_from(["customer-1", "a@b.example:1"]),
}


def bodies(schema: Schema) -> Drawn:
    """Bodies that the schema allows, optional fields left out as often as not."""
    return _drawn(schema, schema)


def full_bodies(schema: Schema, **chosen: JsonValue) -> st.SearchStrategy[dict[str, JsonValue]]:
    """Bodies as objects, with some fields chosen."""
    return bodies(schema).map(lambda body: {**(body if isinstance(body, dict) else {}), **chosen})


def _drawn(root: Schema, schema: JsonValue) -> Drawn:
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    if isinstance(reference, str) and (by_name := _BY_NAME.get(reference.rpartition("/")[2])) is not None:
        return by_name
    found = resolve(root, schema)
    options = found.get("anyOf") or found.get("oneOf")
    if isinstance(options, list):
        return st.one_of([_drawn(root, option) for option in options])
    if isinstance(values := found.get("enum"), list):
        return st.sampled_from(values)
    if "const" in found:
        return st.just(found["const"])
    match found.get("type"):
        case "object":
            return _object(root, found)
        case "array":
            return st.lists(_drawn(root, found["items"]), min_size=_whole(found, "minItems", 0), max_size=2)
        case "string":
            return _text(found)
        case "integer":
            return st.integers(_whole(found, "minimum", -(10**6)), _whole(found, "maximum", 10**6))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case None:
            return _JSON
        case other:
            raise NotImplementedError(f"draw {other}")


def _object(root: Schema, schema: Schema) -> Drawn:
    always = required(schema)
    properties = {
        name: _BY_NAME[name] if name in _BY_NAME else _drawn(root, field) for name, field in members(schema).items()
    }
    if not properties:
        return st.dictionaries(st.sampled_from(["price", "deadline"]), _JSON)
    return st.fixed_dictionaries(
        {name: drawn for name, drawn in properties.items() if name in always},
        optional={name: drawn for name, drawn in properties.items() if name not in always},
    )


def _text(schema: Schema) -> Drawn:
    match schema.get("format"):
        case "uuid":
            return st.uuids().map(str)
        case "date-time":
            return st.datetimes(*_YEARS).map(lambda instant: f"{instant.isoformat()}Z")
        case "date":
            return st.dates(date(2000, 1, 1), date(2199, 12, 31)).map(str)
        case None:
            low, high = _whole(schema, "minLength", 0), _whole(schema, "maxLength", 300)
            if isinstance(pattern := schema.get("pattern"), str):
                return st.from_regex(pattern, fullmatch=True).filter(lambda text: low <= len(text) <= high)
            return st.text(st.characters(codec="utf-8"), min_size=low, max_size=min(high, 20))
        case other:
            raise NotImplementedError(f"draw {other}")


def _whole(schema: Schema, keyword: str, otherwise: int) -> int:
    found = schema.get(keyword, otherwise)
    assert isinstance(found, int)
    return found
