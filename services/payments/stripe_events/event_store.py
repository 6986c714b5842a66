"""Keeps Stripe's events, each once: what a webhook brings and what the sweeper finds take the same way (webhooks)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import asyncpg
import structlog

from services.chassis.database import UNAVAILABLE, Pool
from services.chassis.local_messages import partition_of
from services.chassis.messages import LocalBody
from services.payments import metrics
from services.payments.stripe_events.events import (
    DISPUTE_EVENTS,
    INTENT_EVENTS,
    REFUND_EVENTS,
    TRANSFER_EVENTS,
    StripeEvent,
    told_by,
)
from services.payments.stripe_events.owners import attempts_of, owners

log = structlog.get_logger()
EVENTS = UUID("6f0a3c9e-2f6b-5d0b-8a52-0d9a6a3d7c11")
"""Namespace of the ids of local messages that stand for Stripe events."""
ANSWERED_WITHIN = timedelta(seconds=2)
"""What a request of ours has caused is looked at so much later: by then its answer has mostly said the same."""


async def take(pool: Pool, events: Sequence[StripeEvent], now: datetime) -> int:
    """Keep events; one that cannot be kept is set aside, and the others are kept all the same.

    It stays visible (`bookingctl payments reconcile`) and counted, and the sweeper tries it again. Raises what says
    that the database is not to be had, and LockNotAvailableError where others hold the row of one: then none is kept,
    or, where another one cannot be kept, all but those. Returns how many are new.
    """
    try:
        return await keep(pool, events, now)
    except Exception as error:
        if _for_now(error):
            raise
        if len(events) > 1:
            return await _take_each(pool, events, now)
        (event,) = events
        log.error("an event of Stripe's cannot be kept", event_id=event.id, type=event.type, exc_info=True)
        metrics.events_set_aside.inc()
        await pool.execute(
            """
            INSERT INTO stripe_event (event_id, type, body, set_aside) VALUES ($1, $2, '{}', $3)
            ON CONFLICT (event_id) DO UPDATE SET set_aside = excluded.set_aside
            WHERE stripe_event.set_aside IS NOT NULL
            """,
            event.id,
            event.type,
            ascii(error)[:1000],
        )
        return 0


async def take_page(pool: Pool, events: Sequence[StripeEvent], now: datetime) -> int:
    """As take; where others hold the row of one, it raises when all the others are kept."""
    try:
        return await take(pool, events, now)
    except asyncpg.LockNotAvailableError:
        return await _take_each(pool, events, now)


async def _take_each(pool: Pool, events: Sequence[StripeEvent], now: datetime) -> int:
    new, held = 0, list[Exception]()
    for event in events:
        try:
            new += await take(pool, [event], now)
        except asyncpg.LockNotAvailableError as error:
            held.append(error)
    if held:
        raise held[0]
    return new


def _for_now(error: Exception) -> bool:
    """The database is away, or another transaction was in the way: the same events may be kept in a moment."""
    if isinstance(error, ValueError):
        return False  # asyncpg's own: a value that it cannot send
    return isinstance(error, (*UNAVAILABLE, asyncpg.TransactionRollbackError, asyncpg.QueryCanceledError))


KEEP = """
WITH new AS (
    INSERT INTO stripe_event (event_id, type, body)
    SELECT event_id, type, body FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS t (event_id, type, body)
    ORDER BY event_id
    ON CONFLICT (event_id) DO UPDATE SET type = excluded.type, body = excluded.body, set_aside = NULL
    WHERE stripe_event.set_aside IS NOT NULL RETURNING event_id
), told AS (
    INSERT INTO local_message (id, kind, type, key, due_at, headers, body, partition)
    SELECT id, 'timer', type, key, due_at, headers, body, partition
    FROM unnest($4::text[], $5::uuid[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::bytea[], $11::int[])
         AS t (event_id, id, type, key, due_at, headers, body, partition)
    JOIN new USING (event_id)
)
SELECT count(*) FROM new
"""


async def keep(pool: Pool, events: Sequence[StripeEvent], now: datetime) -> int:
    """Store events and, for those that payments has to look at, a local message: both or neither, in one statement.

    What the rows show is read just before it. Returns how many events are new.
    """
    once = {event.id: event for event in events}
    of = await owners(pool, _named(once.values()))
    attempts = await attempts_of(pool, _intents(once.values()))
    told = [(event, body) for event in once.values() if (body := told_by(event, of, attempts)) is not None]
    new: int = await pool.fetchval(
        KEEP,
        list(once),
        [event.type for event in once.values()],
        [json.dumps(event.body) for event in once.values()],
        *_columns_of([_message(event, body, now) for event, body in told]),
    )
    return new


def _named(events: Iterable[StripeEvent]) -> set[str]:
    """The PaymentIntents that disputes and refunds are about, and the transfers."""
    by = dict.fromkeys((*DISPUTE_EVENTS, *REFUND_EVENTS), "payment_intent") | dict.fromkeys(TRANSFER_EVENTS, "id")
    found = (event.object.get(by[event.type]) for event in events if event.type in by)
    return {name for name in found if isinstance(name, str)}


def _intents(events: Iterable[StripeEvent]) -> list[str]:
    """The PaymentIntents that events about them name."""
    found = (event.object.get("id") for event in events if event.type in INTENT_EVENTS)
    return [intent for intent in found if isinstance(intent, str)]


def _message(event: StripeEvent, body: LocalBody, now: datetime) -> tuple[object, ...]:
    """Its local message: the event's id, and the columns of the row."""
    names = ("booking_id", "customer_id")
    key = str(next((value for name in names if (value := getattr(body, name, None)) is not None), event.id))
    due_at = now
    if event.caused_by_us:
        due_at = (now + ANSWERED_WITHIN).replace(microsecond=0)  # those of a second together, in one batch
    message_id = uuid5(EVENTS, event.id)
    headers = [("ce_id", str(message_id)), ("ce_type", body.ce_type), ("ce_correlationid", str(message_id))]
    json_body = body.model_dump_json().encode()
    return (event.id, message_id, body.ce_type, key, due_at, json.dumps(headers), json_body, partition_of(key))


def _columns_of(messages: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*messages, strict=True)] or [[] for _ in range(8)]


async def known(pool: Pool, event_ids: Sequence[str]) -> set[str]:
    """Which of these events were received before."""
    rows = await pool.fetch("SELECT event_id FROM stripe_event WHERE event_id = ANY($1)", list(event_ids))
    return {row["event_id"] for row in rows}
