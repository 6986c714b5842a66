"""Records whose key, headers or type are wrong, around a body that is right."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

from tests.hostile.records import Due, Header, Hostile
from tests.hostile.town import Command, Town


def framed(kind: str, command: Command, command_id: UUID, value: bytes | None = None) -> Hostile:
    """The record of a well-behaved client; `value` replaces the body's bytes."""
    headers: tuple[Header, ...] = (
        (b"ce_specversion", b"1.0"),
        (b"ce_id", str(command_id).encode()),
        (b"ce_type", command.type.encode()),
        (b"ce_source", b"/hostile"),
    )
    body = json.dumps(command.body).encode() if value is None else value
    return Hostile(kind, command.topic, command.key.encode(), headers, body, Due.REPLY, str(command_id))


def with_header(record: Hostile, name: bytes, value: bytes | None) -> Hostile:
    """One header instead of those of that name."""
    kept = tuple(header for header in record.headers if header[0] != name)
    return replace(record, headers=(*kept, (name, value)))


def keys(town: Town, record: Hostile) -> Hostile:
    """A key that is no key: its id can be read, so it is answered."""
    right = record.key or b""
    odd = (
        *(None, b"", b"\x00", right + b"\x00", b"abc\x00def", b"\xff\xfe\x00", b"\xed\xa0\x80", b"k" * 10_000, b"\n"),
        *(str(town.uuid()).encode(), right.upper(), b"{" + right + b"}", b" " + right, right.replace(b"-", b"")),
        *("ключ".encode(), "\u202e".encode(), b"../../etc/passwd", b"%00", b"\x1b[2J", b"k" * 257),
    )
    return replace(record, key=town.rng.choice(odd))


def header_names(town: Town, record: Hostile) -> Hostile:
    """Headers that a client library may pass on: empty, doubled, a thousand, odd, in capitals."""
    rng, extra = town.rng, list[Header]()
    match rng.randrange(6):
        case 0:
            extra = [(b"", b"nameless")]
        case 1:
            extra = [(f"x-{number}".encode(), b"v" * rng.randint(0, 100)) for number in range(1_000)]
        case 2:
            extra = [(b"ce_source", b"/another"), (b"ce_source", b"/third")]
        case 3:
            extra = [(name, b"1") for name in (b"a\x00b", b"\n", "ключ".encode(), b" ce_id", b"h" * 20_000)]
        case 4:
            other = town.uuid()
            doubled = replace(record, headers=(*record.headers, (b"ce_id", str(other).encode())))
            return replace(doubled, due=Due.SOMETHING, also=(str(other),))
        case 5:
            loud = tuple((name.upper(), value) for name, value in record.headers)
            return replace(record, headers=loud, due=Due.SOMETHING)
    return replace(record, headers=(*record.headers, *extra))


def header_values(town: Town, record: Hostile) -> Hostile:
    """Values that are null, huge, not UTF-8, or not what their header says."""
    rng = town.rng
    odd = (None, b"", b"\xff\xfe", b"\x00", b"x" * 65, b"x" * 600, b"v" * 200_000, "\u202e😀".encode(), b"\r\nx: y")
    names = (
        *(b"ce_source", b"ce_time", b"ce_subject", b"ce_correlationid", b"ce_causationid", b"ce_sequence"),
        *(b"ce_replyto", b"traceparent", b"content-type", b"ce_specversion", b"x-own"),
    )
    return with_header(record, rng.choice(names), rng.choice((*odd, b"-1", b"1e9", b"0.3", b"00-zz-00-01", b"9" * 400)))


def ids(town: Town, record: Hostile) -> Hostile:
    """An id that nobody can be answered under: set aside. Or one in another spelling, which may be read or not."""
    rng, right = town.rng, (record.id or "").encode()
    if rng.random() < 0.3:
        spelt = (right.upper(), b"{" + right + b"}", b"urn:uuid:" + right, right.replace(b"-", b""), b" " + right)
        return replace(with_header(record, b"ce_id", rng.choice(spelt)), due=Due.SOMETHING)
    unreadable = (None, b"", b"7", b"\xff\xfe", b"\x00", right[:-1], right + b"0", b"x" * 600, b"null", b"g" * 36)
    if rng.random() < 0.2:
        return replace(record, headers=tuple(h for h in record.headers if h[0] != b"ce_id"), id=None, due=Due.LETTER)
    return replace(with_header(record, b"ce_id", rng.choice(unreadable)), id=None, due=Due.LETTER)


def message_types(town: Town, record: Hostile) -> Hostile:
    """A type that this topic does not carry."""
    odd = (
        *(None, b"", b"booking.Fly.v1", b"booking.PlaceBooking.v2", b"booking.placebooking.v1", b"PlaceBooking"),
        *(b"booking.BookingConfirmed.v1", b"payments.PaymentAuthorized.v1", b"payments.AuthorizePayment.v1"),
        *(
            b"local.DeadlineReached",
            b"local.AskAgain",
            b"\xff\xfe",
            b"\x00",
            b"t" * 600,
            b"booking.CommandAccepted.v1",
        ),
        *(b"wallet.TopUpWallet.v1",) * (record.topic != "wallet.commands"),
        *(b"booking.PlaceBooking.v1",) * (record.topic == "wallet.commands"),
    )
    return with_header(record, b"ce_type", town.rng.choice(odd))


def undecodable(town: Town, record: Hostile) -> Hostile:
    """A header name that is not UTF-8: many a client library cannot read the record at all."""
    name = town.rng.choice((b"\xff\xfe", b"\x80", b"x-\xe9", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"))
    return replace(record, headers=(*record.headers, (name, town.rng.choice((b"v", b"", None)))), due=Due.SOMETHING)


def codecs(town: Town, record: Hostile) -> Hostile:
    """As compressed by whatever library another team uses."""
    return replace(record, codec=town.rng.choice(("gzip", "snappy", "lz4", "zstd")))
