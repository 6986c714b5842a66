"""Headers on the wire (contract.md, A message): what is required, what is refused, and how it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from booking_contracts.envelope import BadEnvelope, Envelope, Header, read_envelope, rfc3339, uuid7

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
ID = UUID("0190f3c4-0000-7000-8000-000000000001")
HEADERS: dict[str, bytes] = {"ce_id": str(ID).encode(), "ce_type": b"booking.PlaceBooking.v1"}


def read(key: bytes | None = b"a-key", **changes: bytes | None) -> Envelope:
    given: dict[str, bytes | None] = {**HEADERS, **changes}
    headers: list[Header] = [(name, value) for name, value in given.items() if value is not None]
    return read_envelope(key, b"{}", headers, NOW)


@pytest.mark.requirement("contracts")
def test_id_type_and_key_are_enough() -> None:
    envelope = read()

    assert (envelope.id, envelope.type, envelope.key) == (ID, "booking.PlaceBooking.v1", "a-key")
    assert envelope.correlation_id == str(ID)
    assert envelope.source == "unknown"
    assert envelope.sequence is None


@pytest.mark.requirement("contracts", "bad-input")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ce_type": None}, "ce_type"),
        ({"ce_type": b""}, "ce_type"),
        ({"ce_type": b"\xff"}, "ce_type"),
        ({"ce_type": b"x" * 513}, "ce_type"),
        ({"ce_source": b"a\x00b"}, "ce_source"),
        ({"ce_correlationid": b"\xc3"}, "ce_correlationid"),
        ({"ce_replyto": b"x" * 65}, "ce_replyto"),
        ({"ce_sequence": b"one"}, "ce_sequence"),
        ({"ce_sequence": b"-1"}, "ce_sequence"),
        ({"ce_sequence": "²".encode()}, "ce_sequence"),
        ({"key": None}, "key"),
        ({"key": b"\xff\xfe"}, "key"),
        ({"key": b"a\x00b"}, "key"),
        ({"key": b"k" * 257}, "key"),
    ],
)
def test_a_bad_header_is_named_and_the_id_still_readable(changes: dict[str, bytes | None], field: str) -> None:
    with pytest.raises(BadEnvelope) as refused:
        read(**changes)

    assert refused.value.field == field
    assert refused.value.id == ID


@pytest.mark.requirement("contracts", "bad-input")
@pytest.mark.parametrize("raw", [None, b"", b"17", b"\xff", b"not-a-uuid"])
def test_without_a_readable_id_nobody_can_be_answered(raw: bytes | None) -> None:
    with pytest.raises(BadEnvelope) as refused:
        read(ce_id=raw)

    assert refused.value.field == "ce_id"
    assert refused.value.id is None


def test_header_names_are_read_in_any_case() -> None:
    headers: list[Header] = [(name.upper(), value) for name, value in HEADERS.items()]

    assert read_envelope(b"a-key", None, headers, NOW).id == ID


@pytest.mark.requirement("contracts")
def test_what_a_record_claims_about_its_time_does_not_count() -> None:
    assert read(ce_time=b"1999-01-01T00:00:00Z").time == NOW


@pytest.mark.requirement("contracts")
def test_headers_are_cloudevents_with_a_padded_sequence() -> None:
    written = dict(Envelope(ID, "t", "/booking", "k", NOW, b"{}", "c", "cause", 7).headers())

    assert written["ce_sequence"] == b"000000000007"
    assert written["ce_specversion"] == b"1.0"
    assert written["ce_subject"] == b"k"
    assert written["ce_time"] == b"2030-01-31T09:00:00Z"
    assert written["content-type"] == b"application/json"
    assert written["ce_causationid"] == b"cause"
    assert "ce_replyto" not in written


def test_an_instant_is_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))

    assert rfc3339(datetime(2030, 1, 31, 10, tzinfo=berlin)) == "2030-01-31T09:00:00Z"


def test_ids_are_version_7_and_rise_with_time() -> None:
    ids = [uuid7() for _ in range(100)]

    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)
    assert len(set(ids)) == 100
