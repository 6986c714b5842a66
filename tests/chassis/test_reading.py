"""Bad input is refused with the field that is wrong, and never raises (requirement bad-input)."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.codes import Code
from hypothesis import given
from hypothesis import strategies as st

from services.booking.app import SERVICE
from services.chassis.messages import Message, Raw, Refused
from services.chassis.reading import Reader
from tests.booking.builders import place

NOW = datetime(2030, 1, 1, tzinfo=UTC)
READER = Reader(SERVICE)
ID = uuid4()


def record(
    body: Any = None, *, key: str | None = None, drop: str = "", raw: bytes | None = None, **headers: str
) -> Raw:
    command = json.loads(place().model_dump_json()) if body is None else body
    pairs = {"ce_id": str(ID), "ce_type": "booking.PlaceBooking.v1", **headers}
    pairs.pop(drop, None)
    key = command.get("booking_id", "") if key is None and isinstance(command, dict) else key
    return Raw(
        "booking.commands",
        0,
        7,
        key.encode() if key is not None else None,
        list(pairs.items()),
        json.dumps(command).encode() if raw is None else raw,
    )


def changed(**changes: Any) -> dict[str, Any]:
    return {**json.loads(place().model_dump_json()), **changes}


def test_a_good_command_is_read() -> None:
    assert isinstance(READER.read(record(), NOW), Message)


@pytest.mark.requirement("bad-input", "price-integrity")
@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (record(raw=b"{"), "body"),
        (record(raw=b"\xff\xfe"), "body"),
        (record(raw=b""), "body"),
        (record(raw=b"[]"), "body"),
        (record(changed(price={"amount": 1, "currency": "EUR"})), "price"),
        (record(changed(seats="1")), "seats"),
        (record(changed(seats=0)), "seats"),
        (record(changed(customer={"id": "bob", "name": "B\x00b", "email": "bob@example.com"})), "customer.name"),
        (record(changed(customer={"id": "bob", "name": "Bob", "email": "nobody"})), "customer.email"),
        (record(changed(starts_at="2030-01-10T12:00:00+02:00")), "starts_at"),
        (record(changed(starts_at=1894276800)), "starts_at"),
        (record(changed(payment={"method": "cash"})), "payment.method"),
        (record(key=str(uuid4())), "key"),
        (record(raw=b'{"a": "' + b"x" * 300_000 + b'"}'), "body"),
        (record(ce_replyto="x" * 65), "ce_replyto"),
    ],
)
def test_a_wrong_field_is_named_and_the_sender_can_be_answered(raw: Raw, field: str) -> None:
    refused = READER.read(raw, NOW)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field, refused.id) == (Code.INVALID_COMMAND, field, ID)


@pytest.mark.requirement("bad-input")
def test_all_that_is_wrong_is_told_at_once() -> None:
    """What a library reads stands among the rest, in the order of the fields."""
    customer = {"id": "bob", "name": " ", "email": "nobody", "locale": "de_", "phone": "030", "timezone": "localtime"}
    refused = READER.read(record(changed(seats=0, customer=customer, payment={"method": "cash"})), NOW)
    assert isinstance(refused, Refused)
    assert [problem.field for problem in refused.problems] == [
        "seats",
        *(f"customer.{field}" for field in ("name", "email", "phone", "locale", "timezone")),
        "payment.method",
    ]


@pytest.mark.requirement("bad-input")
def test_an_unknown_type_and_missing_headers() -> None:
    unknown = READER.read(record(ce_type="booking.Fly.v1"), NOW)
    assert isinstance(unknown, Refused)
    assert unknown.code is Code.UNKNOWN_TYPE
    for drop in ("ce_id", "ce_type"):
        assert isinstance(READER.read(record(drop=drop), NOW), Refused)
    no_key = READER.read(Raw("booking.commands", 0, 0, None, record().headers, record().body), NOW)
    assert isinstance(no_key, Refused)
    assert no_key.id == ID


def test_an_unknown_event_type_is_skipped() -> None:
    raw = record(ce_type="payments.SomethingNew.v1")
    assert READER.read(Raw("payments.events", 0, 0, raw.key, raw.headers, raw.body), NOW) is None


@pytest.mark.requirement("bad-input")
@given(
    st.binary(max_size=200),
    st.lists(st.tuples(st.text(max_size=12), st.text(st.characters(max_codepoint=255), max_size=12)), max_size=5),
    st.none() | st.binary(max_size=20),
)
def test_nothing_that_can_be_sent_raises(body: bytes, headers: list[tuple[str, str]], key: bytes | None) -> None:
    pairs = [("ce_id", str(ID)), ("ce_type", "booking.PlaceBooking.v1"), *headers]
    READER.read(Raw("booking.commands", 0, 0, key, pairs, body), NOW)
