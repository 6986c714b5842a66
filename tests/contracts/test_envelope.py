"""Headers on the wire (contract.md, A message): what is required, what is refused, and how it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from booking_contracts.envelope import BadEnvelope, Envelope, Header, read_envelope, rfc3339, safe_text, uuid7
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
ID = UUID("0190f3c4-0000-7000-8000-000000000001")
HEADERS: dict[str, bytes] = {"ce_id": str(ID).encode(), "ce_type": b"booking.PlaceBooking.v1"}

KNOWN = {
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_correlationid",
    "ce_causationid",
    "ce_sequence",
    "ce_replyto",
    "traceparent",
}


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
        ({"key": b"a\nb"}, "key"),
        ({"key": "a\x85b".encode()}, "key"),
        ({"key": b"k" * 1_000_000}, "key"),
        ({"ce_type": "a\u2028b".encode()}, "ce_type"),
        ({"ce_type": b"\xed\xa0\x80"}, "ce_type"),
        ({"ce_source": b"x" * 513}, "ce_source"),
        ({"ce_causationid": b"x" * 513}, "ce_causationid"),
        ({"ce_correlationid": "a\x9bb".encode()}, "ce_correlationid"),
        ({"traceparent": b"x" * 513}, "traceparent"),
        ({"traceparent": b"00-\x7f"}, "traceparent"),
        ({"ce_replyto": b"\x1b[2J"}, "ce_replyto"),
        ({"ce_sequence": b"9" * 19}, "ce_sequence"),
        ({"ce_sequence": b"9" * 10_000}, "ce_sequence"),
        ({"ce_sequence": b""}, "ce_sequence"),
        ({"x": b"x" * 16_384}, "headers"),
        ({"n" * 16_384: b""}, "headers"),
        ({f"x-{n}": b"" for n in range(63)}, "headers"),
        ({"": b"nameless"}, "headers"),
        ({"x-größe": b"1"}, "headers"),
        ({"x y": b"1"}, "headers"),
        ({"x\n": b"1"}, "headers"),
        ({"x\ud800": b"1"}, "headers"),
    ],
    ids=lambda value: repr(value)[:60],
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


@pytest.mark.requirement("contracts", "bad-input")
def test_headers_within_their_bounds_are_read() -> None:
    """Headers of others may hold any bytes; the number and the size of all together are bounded."""
    others: dict[str, bytes | None] = {f"x-{n}": b"\xff\x00" for n in range(61)}
    envelope = read(("ä" * 256).encode(), **others, ce_sequence=b"9" * 18)

    assert (envelope.key, envelope.sequence) == ("ä" * 256, 10**18 - 1)


@pytest.mark.requirement("contracts")
def test_of_a_header_that_is_there_twice_the_last_counts() -> None:
    headers = [*HEADERS.items(), ("traceparent", b"first"), ("Traceparent", b"last"), ("CE_TYPE", b"another")]

    envelope = read_envelope(b"a-key", b"{}", headers, NOW)

    assert (envelope.traceparent, envelope.type) == ("last", "another")


@pytest.mark.requirement("contracts")
def test_a_header_without_a_value_is_not_there() -> None:
    headers = [*HEADERS.items(), ("ce_correlationid", None), ("ce_replyto", None)]

    envelope = read_envelope(b"a-key", b"{}", headers, NOW)

    assert (envelope.correlation_id, envelope.reply_to) == (str(ID), None)


@pytest.mark.requirement("bad-input")
@given(
    key=st.none() | st.binary(max_size=300),
    headers=st.lists(
        st.tuples(st.sampled_from(sorted(KNOWN)) | st.text(max_size=9), st.none() | st.binary()), max_size=9
    ),
    good=st.booleans(),
)
def test_whatever_comes_is_read_or_refused_by_name(
    key: bytes | None, headers: list[tuple[str, bytes | None]], good: bool
) -> None:
    found = envelope_or_refusal(key, [*headers, *HEADERS.items()] if good else headers)

    if isinstance(found, BadEnvelope):
        assert found.field in KNOWN | {"key", "headers"}
        assert safe_text(found.problem, 1_000) == found.problem
    else:
        texts = [found.key, found.type, found.correlation_id, found.source]
        assert [safe_text(text, 512) for text in texts] == texts
    assert found.id == ID or not good


def envelope_or_refusal(key: bytes | None, headers: list[tuple[str, bytes | None]]) -> Envelope | BadEnvelope:
    try:
        return read_envelope(key, b"", headers, NOW)
    except BadEnvelope as refused:
        return refused


@pytest.mark.requirement("bad-input")
@given(st.none() | st.text() | st.binary())
def test_anything_can_be_shown_safely(found: str | bytes | None) -> None:
    """In UTF-8, on one line, in PostgreSQL, within a bound; what may be a key stays as it is."""
    shown = safe_text(found)

    assert len(shown) <= 256
    assert len(f"{shown}{shown.encode().decode()}".splitlines()) <= 1
    assert not {"\x00", "\x1b", "\n"} & set(shown)
    assert safe_text(shown) == shown == safe_text(shown.encode())


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
