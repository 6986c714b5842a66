"""What is kept of refused input: enough to see what is wrong, and never more than a little an hour."""

from __future__ import annotations

import json

import asyncpg
import pytest
from booking_contracts.codes import Code
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.chassis import dead_letters, refused_input, retention
from services.chassis.database import open_pool
from services.chassis.messages import Raw, Refused
from services.chassis.refused_input import (
    CLIENTS,
    CUT,
    MOST_BODY_BYTES,
    MOST_PER_KEY,
    MOST_PER_PARTITION,
    cut,
    within_limits,
)
from tests.chassis.harness import Engine

TOPIC = "booking.commands"


def raw(
    number: int = 0, *, topic: str = TOPIC, partition: int = 0, key: bytes | None = b"k", body: bytes = b"{"
) -> Raw:
    return Raw(topic, partition, number, key, [("ce_id", "1")], body)


def refused(record: Raw) -> Refused:
    return Refused(record, Code.INVALID_COMMAND, "body", "is no JSON")


def not_kept() -> float:
    return REGISTRY.get_sample_value("booking_refused_input_not_kept_total") or 0.0


def test_clients_write_to_command_topics_alone() -> None:
    assert set(CLIENTS) == {"booking.commands", "booking.admin-commands", "wallet.commands"}


@pytest.mark.requirement("bad-input")
@given(
    st.binary(max_size=600) | st.none(),
    st.lists(st.tuples(st.text(max_size=600), st.text(max_size=600)), max_size=40),
    st.binary(max_size=2 * MOST_BODY_BYTES),
)
def test_what_is_kept_is_small_and_says_where_it_was_cut(
    key: bytes | None, headers: list[tuple[str, str]], body: bytes
) -> None:
    whole = Raw(TOPIC, 3, 17, key, headers, body)
    kept = cut(whole)
    assert len(kept.body) <= MOST_BODY_BYTES
    assert len(kept.key or b"") <= 256
    assert sum(len(name) + len(value) for name, value in kept.headers) <= 21 * 2 * 256
    assert (kept.topic, kept.partition, kept.offset) == (TOPIC, 3, 17)
    if CUT in dict(kept.headers):
        assert str(len(body)) in dict(kept.headers)[CUT]
        assert body.startswith(kept.body)
    else:
        assert kept == whole


@pytest.mark.requirement("bad-input")
def test_neither_one_key_nor_many_take_more_than_their_part_of_an_hour() -> None:
    one_key = [refused(raw(number)) for number in range(MOST_PER_KEY + 9)]
    kept, left_out = within_limits({}, one_key)
    assert (len(kept), len(left_out)) == (MOST_PER_KEY, 9)
    many_keys = [refused(raw(number, key=b"%d" % number)) for number in range(MOST_PER_PARTITION + 9)]
    kept, left_out = within_limits({}, many_keys)
    assert (len(kept), len(left_out)) == (MOST_PER_PARTITION, 9)
    others: refused_input.Kept = {(TOPIC, 1, b"k"): 3, ("wallet.commands", 0, b"k"): 3}
    before: refused_input.Kept = {(TOPIC, 0, b"k"): MOST_PER_KEY - 1, **others}
    assert len(within_limits(before, one_key)[0]) == 1
    assert within_limits({(TOPIC, 0, b"o"): MOST_PER_PARTITION}, one_key)[0] == []


@pytest.mark.requirement("bad-input")
async def test_a_flood_is_counted_in_one_row(engine: Engine) -> None:
    connection, before = await engine.session.connection(), not_kept()
    for batch in range(3):
        records = [raw(500 * batch + number, key=b"%d" % number, body=b"x" * 5000) for number in range(500)]
        kept = await dead_letters.set_aside_refused(connection, [refused(record) for record in records])
        assert len(kept) == (MOST_PER_PARTITION if batch == 0 else 0)
    rows = await engine.fetch('SELECT * FROM dead_letter ORDER BY "offset"')
    assert [row["records"] for row in rows] == [1500 - MOST_PER_PARTITION] + [1] * MOST_PER_PARTITION
    assert all(row["kind"] == "refused" and len(row["body"]) <= MOST_BODY_BYTES for row in rows)
    assert CUT in dict(json.loads(rows[1]["headers"]))
    assert not_kept() - before == 1500 - MOST_PER_PARTITION
    kept = await dead_letters.set_aside_refused(connection, [refused(raw(1, partition=1))])
    assert len(kept) == 1, "another partition has its own part"


@pytest.mark.requirement("bad-input", "poison")
async def test_a_message_of_ours_is_kept_whole_and_without_limit(engine: Engine) -> None:
    records = [raw(number, topic="payments.events", body=b"x" * 100_000) for number in range(30)]
    connection = await engine.session.connection()
    kept = await dead_letters.set_aside_refused(connection, [refused(record) for record in records])
    assert len(kept) == 30
    rows = await engine.fetch("SELECT kind, length(body) AS n FROM dead_letter")
    assert {(row["kind"], row["n"]) for row in rows} == {("unread", 100_000)}


async def test_a_record_that_is_read_again_is_the_newer_one(engine: Engine) -> None:
    """A topic that was made anew has other records under the same offsets."""
    connection = await engine.session.connection()
    await dead_letters.set_aside_refused(connection, [refused(raw(7, body=b"old"))])
    await engine.fetch("UPDATE dead_letter SET status = 'discarded'")
    await dead_letters.set_aside_refused(connection, [refused(raw(7, key=b"n\x00", body=b"new"))])
    (row,) = await engine.fetch("SELECT * FROM dead_letter")
    assert (row["body"], row["key"], row["status"]) == (b"new", b"n\x00", "open")


@pytest.mark.requirement("bad-input")
async def test_refused_input_ends_by_itself_after_a_week_and_nothing_else_does(engine: Engine) -> None:
    connection = await engine.session.connection()
    which = [(1, TOPIC), (2, TOPIC), (3, "payments.events")]
    await dead_letters.set_aside_refused(connection, [refused(raw(n, topic=t)) for n, t in which])
    await engine.fetch("UPDATE dead_letter SET created_at = now() - interval '8 days' WHERE \"offset\" <> 1")
    pool = await open_pool(engine.session.url, "test", size=1)
    for rule in retention.RULES:
        await retention.purge(pool, rule)
    await pool.close()
    rows = await engine.fetch('SELECT kind FROM dead_letter ORDER BY "offset"')
    assert [row["kind"] for row in rows] == ["refused", "unread"]


async def test_what_is_looked_at_often_has_an_index(engine: Engine, databases: dict[str, str]) -> None:
    """How many wait, every few seconds; how many of an hour are there, for every batch with refused input."""
    await engine.fetch(
        """
        INSERT INTO dead_letter (id, topic, partition, "offset", kind, error, headers, body, created_at)
        SELECT gen_random_uuid(), 't', 0, n, CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'refused' END, '', '[]', '',
               now() - interval '1 day' FROM generate_series(1, 20000) n
        """
    )
    owner = await asyncpg.connect(databases["BOOKING_MIGRATION_URL"])
    await owner.execute("ANALYZE dead_letter")
    await owner.close()
    for query, index in (
        ("SELECT count(*) FROM dead_letter WHERE status = 'open' AND kind <> 'refused'", "dead_letter_waiting"),
        (refused_input.KEPT, "dead_letter_refused"),
    ):
        plan = "\n".join(row[0] for row in await engine.fetch(f"EXPLAIN {query}"))
        assert index in plan, plan
