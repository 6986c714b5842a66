"""What is sent: the same for the same seed, every kind, and byte for byte as meant."""

from __future__ import annotations

import random
from collections import Counter
from uuid import UUID

from aiokafka.record.default_records import DefaultRecordBatch

from services.booking.local_messages import DeadlineReached
from services.notifications.timers import ReminderDue
from services.payments.local_messages import IntentChanged
from tests.hostile.kinds import KINDS, Forge
from tests.hostile.planting import TIMERS
from tests.hostile.records import Due, Hostile
from tests.hostile.town import Town
from tests.hostile.wire import _batch


def stream(seed: str, count: int, *kinds: str) -> list[Hostile]:
    return [*Forge(Town(random.Random(seed))).stream(count, kinds)]


def test_a_seed_stands_for_its_records() -> None:
    first = [record.value for record in stream("a", 300, "numbers", "times", "keys", "ids")]
    assert first == [record.value for record in stream("a", 300, "numbers", "times", "keys", "ids")]
    assert first != [record.value for record in stream("b", 300, "numbers", "times", "keys", "ids")]


def test_every_kind_comes_and_what_is_to_be_answered_has_an_id() -> None:
    records = stream("a", 3_000)
    counts = Counter(record.kind for record in records)
    assert counts.keys() == KINDS.keys()
    assert {record.due for record in records} == set(Due)
    for record in records:
        if record.due in (Due.REPLY, Due.SOMETHING):
            assert str(UUID(record.id)) == record.id


def test_spoilt_bodies_are_mostly_refusable_and_sound_ones_are_not_spoilt() -> None:
    assert len({record.value for record in stream("a", 200, "numbers")}) > 150
    assert all(record.value and record.value.startswith(b"{") for record in stream("a", 50, "sound"))


def test_header_names_and_null_values_reach_the_wire_as_they_are() -> None:
    record = Hostile("x", "t", None, ((b"\xff\xfe", None), (b"", b""), (b"a", b"b")), None, Due.REPLY)
    assert b"\x04\xff\xfe\x01" in bytes(_batch([record])._build())
    plain = Hostile("x", "t", b"k", ((b"a", None), (b"", b"b"), (b"a", b"c")), b"v" * 999, Due.REPLY, codec="zstd")
    (read,) = DefaultRecordBatch(bytes(_batch([plain])._build()))
    assert (read.key, read.value, read.headers) == (b"k", b"v" * 999, [("a", None), ("", b"b"), ("a", b"c")])


def test_what_is_planted_are_timers_that_the_services_have() -> None:
    names = (DeadlineReached.ce_type, IntentChanged.ce_type, ReminderDue.ce_type)
    assert dict(zip(("booking", "payments", "notifications"), names, strict=True)) == TIMERS
