"""Changes of a schema, to be planted: what breaks senders, what breaks readers, and what is fine."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from booking_contracts.schema.accepts import Schema, members
from booking_contracts.schema.json_schema import all_schemas
from pydantic import JsonValue

OLD = all_schemas()
PLACE = "booking.PlaceBooking.v1"
DEFINE = "booking.DefineOffering.v1"
REGISTER = "booking.RegisterProvider.v1"
SCHEDULE = "booking.SetSchedule.v1"
TOP_UP = "wallet.TopUpWallet.v1"
CANCELLED = "booking.BookingCancelled.v1"
REJECTED = "booking.CommandRejected.v1"
SCHEDULED = "catalogue.ScheduleSet.v1"
Change = Callable[[Schema], object]


def at(schema: Schema, *path: str) -> Schema:
    """A part of a schema, to be changed."""
    found: JsonValue = schema
    for part in path:
        assert isinstance(found, dict)
        found = found[part]
    assert isinstance(found, dict)
    return found


def prop(schema: Schema, name: str) -> Schema:
    return at(schema, "properties", name)


def needed(schema: Schema) -> list[JsonValue]:
    found = schema["required"]
    assert isinstance(found, list)
    return found


def add(name: str, field: Schema, always: bool = False) -> Change:
    """A new field of the body."""

    def change(schema: Schema) -> None:
        members(schema)[name] = deepcopy(field)
        if always:
            needed(schema).append(name)

    return change


def put(*path: str, **keywords: JsonValue) -> Change:
    """Other keywords on a part of the schema."""
    return lambda schema: at(schema, *path).update(keywords)


def drop(*path: str) -> Change:
    """A part of the schema is gone, and so is its being required."""

    def change(schema: Schema) -> None:
        owner = at(schema, *path[:-1])
        del owner[path[-1]]
        parent = at(schema, *path[:-2]) if path[-2:-1] == ("properties",) else owner
        if "required" in parent and path[-1] in needed(parent):
            needed(parent).remove(path[-1])

    return change


def widen(*path: str, word: str) -> Change:
    """One more word in an enum."""

    def change(schema: Schema) -> None:
        words = at(schema, *path)["enum"]
        assert isinstance(words, list)
        words.append(word)

    return change


def keyed_by(field: str) -> Change:
    return lambda schema: schema.update({"x-key": field})


def travels_on(*topics: str) -> Change:
    return lambda schema: schema.update({"x-topics": list(topics)})


def nullable(name: str) -> Change:
    def change(schema: Schema) -> None:
        members(schema)[name] = {"anyOf": [members(schema)[name], {"type": "null"}]}

    return change


STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer", "default": 0}

BREAKS_SENDERS: dict[str, tuple[str, Change, str, str]] = {
    "new required field": (PLACE, add("reason", STRING, always=True), "$.reason", "is required"),
    "field removed": (PLACE, drop("properties", "expected_price"), "$.expected_price", "not a known field"),
    "nested field removed": (
        PLACE,
        drop("$defs", "Customer", "properties", "phone"),
        "$.customer.phone",
        "not a known",
    ),
    "optional becomes required": (PLACE, lambda s: needed(s).append("seats"), "$.seats", "is required"),
    "null refused": (PLACE, put("properties", "attendee", anyOf=[{"$ref": "#/$defs/Attendee"}]), "$.attendee", "null"),
    "type changed": (PLACE, put("properties", "seats", type="string"), "$.seats", "string is expected"),
    "format changed": (PLACE, put("properties", "offering_id", format="date"), "$.offering_id", "format"),
    "format added": (PLACE, put("$defs", "Customer", "properties", "name", format="uuid"), "$.customer.name", "format"),
    "pattern changed": (PLACE, put("$defs", "Actor", "properties", "id", pattern="^x$"), "$.actor.id", "pattern"),
    "pattern added": (PLACE, put("properties", "booking_id", pattern="^0"), "$.booking_id", "pattern"),
    "larger minimum": (PLACE, put("properties", "seats", minimum=2), "$.seats", "minimum"),
    "smaller maximum": (PLACE, put("properties", "seats", maximum=10), "$.seats", "maximum"),
    "shorter text": (
        PLACE,
        put("$defs", "Customer", "properties", "name", maxLength=50),
        "$.customer.name",
        "maxLength",
    ),
    "shorter list": (SCHEDULE, put("properties", "weekly", maxItems=7), "$.weekly", "maxItems"),
    "stricter items": (
        SCHEDULE,
        put("$defs", "WeeklyHours", "properties", "weekday", maximum=5),
        "$.weekly[*].weekday",
        "maximum",
    ),
    "enum value removed": (
        PLACE,
        put("$defs", "PaymentChoice", "properties", "method", enum=["card"]),
        "$.payment.method",
        "wallet",
    ),
    "text becomes an enum": (
        REGISTER,
        put("properties", "timezone", enum=["UTC"]),
        "$.timezone",
        "any string may be sent",
    ),
    "branch of a union removed": (
        REGISTER,
        put("properties", "refund_policy", oneOf=[{"$ref": "#/$defs/Tiers"}]),
        "$.refund_policy",
        "object is expected",
    ),
    "default changed": (DEFINE, put("properties", "hold_minutes", default=30), "$.hold_minutes", "default was 15"),
    "default lost": (DEFINE, drop("properties", "waitlist", "default"), "$.waitlist", "default was True"),
    "key changed": (PLACE, keyed_by("offering_id"), "$", "key was booking_id"),
    "topic left": (
        PLACE,
        travels_on("booking.commands"),
        "$",
        "no longer travels",
    ),
    "an unknown rule": (TOP_UP, put("properties", "customer_id", multipleOf=2), "$.customer_id", "multipleOf"),
}
BREAKS_READERS: dict[str, tuple[str, Change, str, str]] = {
    "field removed": (CANCELLED, drop("properties", "kept"), "$.kept", "is not sent"),
    "nested field removed": (
        CANCELLED,
        drop("$defs", "Customer", "properties", "email"),
        "$.customer.email",
        "is not sent",
    ),
    "field no longer always sent": (CANCELLED, lambda s: needed(s).remove("refund"), "$.refund", "may be left out"),
    "now null": (CANCELLED, nullable("refund"), "$.refund", "null may be sent"),
    "type changed": (CANCELLED, put("properties", "seats", type="string"), "$.seats", "integer is expected"),
    "whole numbers become fractions": (CANCELLED, put("properties", "seats", type="number"), "$.seats", "integer"),
    "enum widened": (
        CANCELLED,
        widen("$defs", "Actor", "properties", "kind", word="partner"),
        "$.by.kind",
        "partner",
    ),
    "new rejection code": (REJECTED, widen("$defs", "Code", word="NEW"), "$.code", "NEW"),
    "enum opened": (CANCELLED, drop("$defs", "Actor", "properties", "kind", "enum"), "$.by.kind", "any string"),
    "larger amounts": (
        CANCELLED,
        put("$defs", "Money", "properties", "amount", maximum=10**15),
        "$.refund.amount",
        "maximum",
    ),
    "new field without default": (CANCELLED, add("fee", STRING, always=True), "$.fee", "no default"),
    "new field without default in a list": (
        SCHEDULED,
        lambda s: at(s, "$defs", "WeeklyHours", "properties").update(note=STRING),
        "$.weekly[*].note",
        "no default",
    ),
    "key changed": (CANCELLED, keyed_by("offering_id"), "$", "key was booking_id"),
    "topic changed": (CANCELLED, travels_on("other"), "$", "no longer travels on booking.events"),
}
FINE: dict[str, tuple[str, Change]] = {
    "new optional field in a command": (PLACE, add("note", {**STRING, "default": None})),
    "new optional field inside": (PLACE, lambda s: at(s, "$defs", "Customer", "properties").update(note=STRING)),
    "a command accepts more seats": (PLACE, put("properties", "seats", maximum=10**6)),
    "a command accepts another word": (
        PLACE,
        widen("$defs", "PaymentChoice", "properties", "method", word="x"),
    ),
    "a command accepts null": (PLACE, nullable("offering_id")),
    "a command asks for less": (PLACE, lambda s: needed(s).remove("offering_id")),
    "a command travels further": (PLACE, travels_on("booking.commands", "booking.admin-commands", "new")),
    "other words in a description": (PLACE, put(description="Other words", title="Other")),
    "new field with default in an event": (CANCELLED, add("fee", NUMBER, always=True)),
    "an event says fewer words": (CANCELLED, put("$defs", "Actor", "properties", "kind", enum=["customer"])),
    "an event promises a smaller range": (CANCELLED, put("$defs", "Money", "properties", "amount", maximum=10)),
    "an event is never null any more": (CANCELLED, put("properties", "reason", anyOf=[{"type": "string"}])),
}
