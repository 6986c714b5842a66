"""SQL of offering: who subscribes to the events of a batch, and the rows of what they are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from booking_contracts.booking import BookingEvent
from booking_contracts.envelope import Event

from services.chassis.database import Connection
from services.chassis.messages import Message
from services.chassis.statements import Row, Statements
from services.chassis.unit_of_work import Record
from services.notifications.model.subscriptions import Concerned, Found, Subscriber, concerned_by, delivery_id
from services.notifications.subscriptions.messages import EventWaits
from services.notifications.subscriptions.offering import LOOKS_AGAIN, Offered
from services.notifications.work import NotificationsWork

ANY_SUBSCRIBER = "SELECT true AS there FROM webhook_subscription WHERE state <> 'deleted' LIMIT 1"
KNOWN = """
SELECT booking_id, (body ->> 'provider_id')::uuid AS provider_id, body -> 'customer' ->> 'id' AS customer_id
FROM known_booking WHERE booking_id = ANY($1)
"""
WAITING = "SELECT key, body FROM local_message WHERE type = 'local.EventWaits' AND key = ANY($1)"
_THEIRS = "s.state <> 'deleted' AND (s.event_types = '{}' OR e.type = ANY(s.event_types))"
SUBSCRIBERS = f"""
WITH e AS MATERIALIZED (
    SELECT type, provider_id, customer_id, nth
    FROM unnest($1::text[], $2::uuid[], $3::text[]) WITH ORDINALITY AS e (type, provider_id, customer_id, nth))
SELECT nth, subscription_id, state FROM e JOIN webhook_subscription s ON s.provider_id = e.provider_id
    AND (s.customer_id IS NULL OR s.customer_id = e.customer_id) AND {_THEIRS}
UNION ALL
SELECT nth, subscription_id, state FROM e JOIN webhook_subscription s ON s.customer_id = e.customer_id
    AND s.provider_id IS NULL AND {_THEIRS}
UNION ALL
SELECT nth, subscription_id, state FROM e JOIN webhook_subscription s ON s.provider_id IS NULL
    AND s.customer_id IS NULL AND {_THEIRS}
ORDER BY nth, subscription_id
"""
"""By provider, by customer, and who hears everything: each by an index of its own."""
INSERT_EVENTS = """
INSERT INTO webhook_event (event_id, type, key, content, created_at)
SELECT event_id, type, key, content, $5::timestamptz FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
    AS t (event_id, type, key, content)
ON CONFLICT DO NOTHING
"""
INSERT_DELIVERIES = """
INSERT INTO webhook_delivery
    (delivery_id, subscription_id, event_id, key, state, created_at, opened_at, try_at, settled_at, reason)
SELECT delivery_id, subscription_id, event_id, key, CASE WHEN active THEN 'pending' ELSE 'failed' END,
       $6::timestamptz, $6::timestamptz,
       $6::timestamptz,
       CASE WHEN NOT active THEN $6::timestamptz END, CASE WHEN NOT active THEN 'the subscription is switched off' END
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bool[]) WITH ORDINALITY
    AS t (delivery_id, subscription_id, event_id, key, active, nth)
ORDER BY nth
ON CONFLICT DO NOTHING
"""
"""In the order they were decided: that is the order of each line."""


class _Asked(NamedTuple):
    message_id: UUID
    type: str
    concerned: Concerned


def ask(reads: Statements, messages: Sequence[Message[Any]]) -> list[Row]:
    """Whether anybody subscribes to anything, asked in a statement that runs anyway: empty where nobody does, or
    nothing is to be told. A subscription that was made before an event was published is seen: the batch that reads the
    event begins later."""
    events = any(isinstance(one.body, Event | EventWaits) for one in messages)
    return reads.read("there", ANY_SUBSCRIBER) if events else []


async def load(connection: Connection, messages: Sequence[Message[Any]], work: NotificationsWork) -> None:
    """Who subscribes to each of the messages that are events, into `work.offers`; it locks nothing."""
    events = [one for one in messages if isinstance(one.body, Event | EventWaits)]
    asked = [_asked(one) for one in events]
    known = await _known(connection, messages, asked)
    waiting = await _waiting(connection, known)
    behind = {one.id for one in events if waiting and _is_behind(one, waiting)}
    whose = [
        one.concerned if one.message_id in behind else known.get(one.concerned.booking_id, one.concerned)
        for one in asked
    ]
    rows = await connection.fetch(
        SUBSCRIBERS,
        [one.type for one in asked],
        [concerned.provider_id for concerned in whose],
        [concerned.customer_id for concerned in whose],
    )
    subscribers: dict[int, list[Subscriber]] = {}
    for row in rows:
        subscribers.setdefault(row["nth"] - 1, []).append(Subscriber(row["subscription_id"], row["state"] == "active"))
    for nth, one in enumerate(asked):
        waits = whose[nth].booking_id is not None
        if nth in subscribers or waits:
            work.offers[one.message_id] = Found(subscribers.get(nth, ()), waits)


def save(writes: Statements, work: NotificationsWork) -> None:
    """Write what is to be told."""
    told = [one.row for one in work.journal if isinstance(one, Record) and isinstance(one.row, Offered)]
    if not told:
        return
    writes.add(
        INSERT_EVENTS,
        [one.event_id for one in told],
        [one.type for one in told],
        [one.key for one in told],
        [one.content for one in told],
        work.now,
    )
    lines = [(one, subscriber) for one in told for subscriber in one.subscribers]
    writes.add(
        INSERT_DELIVERIES,
        [delivery_id(one.event_id, subscriber.subscription_id) for one, subscriber in lines],
        [subscriber.subscription_id for _, subscriber in lines],
        [one.event_id for one, _ in lines],
        [one.key for one, _ in lines],
        [subscriber.active for _, subscriber in lines],
        work.now,
    )


def _asked(message: Message[Any]) -> _Asked:
    if isinstance(message.body, EventWaits):
        return _Asked(message.id, message.body.type, Concerned(booking_id=message.body.booking_id))
    return _Asked(message.id, message.type, concerned_by(message.body))


async def _known(
    connection: Connection, messages: Sequence[Message[Any]], asked: Sequence[_Asked]
) -> dict[UUID | None, Concerned]:
    """Whose the bookings are that events name without their people: by this batch, or by what was heard before."""
    named = {one.concerned.booking_id for one in asked if one.concerned.booking_id is not None}
    if not named:
        return {}
    bodies = (one.body for one in messages)
    known: dict[UUID | None, Concerned] = {
        body.booking_id: concerned_by(body) for body in bodies if isinstance(body, BookingEvent)
    }
    for row in await connection.fetch(KNOWN, list(named - known.keys())):
        known[row["booking_id"]] = Concerned(row["provider_id"], row["customer_id"])
    return known


async def _waiting(connection: Connection, known: Collection[UUID | None]) -> dict[str, int]:
    """Bookings of which events still wait: key → the number of the first."""
    if not known:
        return {}
    first: dict[str, int] = {}
    for row in await connection.fetch(WAITING, [str(one) for one in known]):
        sequence = EventWaits.model_validate_json(row["body"]).sequence
        first[row["key"]] = min(sequence, first.get(row["key"], sequence))
    return first


def _is_behind(message: Message[Any], waiting: Mapping[str, int]) -> bool:
    """Whether an earlier event of the same booking waits, so that this one waits too: they are told in their order.

    The last look is waited for by nothing: what came before it had its own before.
    """
    body = message.body
    if isinstance(body, EventWaits):
        sequence, last = body.sequence, body.tries + 1 >= len(LOOKS_AGAIN)
    else:
        sequence, last = message.sequence, concerned_by(body).booking_id is None
    return not last and waiting.get(message.key, sequence) < sequence
