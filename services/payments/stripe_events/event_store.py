"""Stripe's events, each kept once: what a webhook brings and what the sweeper finds take the same way (webhooks)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid5

import asyncpg
import structlog

from services.chassis import local_messages
from services.chassis.database import UNAVAILABLE, Connection, Pool
from services.chassis.messages import LocalBody
from services.chassis.unit_of_work import Remind
from services.chassis.writes import Writes
from services.payments import metrics
from services.payments.local_messages import DisputeChanged, IntentChanged, RefundTold, TransferReversed, Unclaimed
from services.payments.model import idempotency_keys
from services.payments.stripe_events.event_json import NotJson, clean, decoded
from services.payments.stripe_events.owners import NO_ATTEMPTS, Attempts, Owner, attempts_of, owners

log = structlog.get_logger()
EVENTS = UUID("6f0a3c9e-2f6b-5d0b-8a52-0d9a6a3d7c11")
"""Namespace of the ids of local messages that stand for Stripe events."""

INTENT_EVENTS = (
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.requires_action",
)
REFUND_EVENTS = ("refund.created", "refund.updated", "refund.failed")
DISPUTE_EVENTS = (
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
TRANSFER_EVENTS = ("transfer.reversed",)
WANTED_EVENT_TYPES = (*INTENT_EVENTS, *REFUND_EVENTS, *DISPUTE_EVENTS, *TRANSFER_EVENTS)
"""Event types that a handler acts on; others are stored, without their object, and ignored."""
ANSWERED_WITHIN = timedelta(seconds=2)
"""What a request of ours has caused is looked at so much later: by then its answer has mostly said the same."""


ID = re.compile(r"[!-~]{1,255}")
"""What Stripe's ids and types of events look like."""
NOT_KEPT = frozenset(
    {
        "client_secret",
        "billing_details",
        "card",
        "payment_method_details",
        "receipt_email",
        "receipt_url",
        "shipping",
        "evidence",
        "instructions_email",
    }
)


class BadEvent(ValueError):
    """The body is no event of Stripe's."""


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """An event as it is kept: without client secrets, cards and contact data. Of one that nobody acts on (somebody's
    customer.created, with name and address) the object is not kept at all."""

    id: str
    type: str
    body: dict[str, Any]

    @property
    def object(self) -> dict[str, Any]:
        """The copy of the object it is about, from the moment of the event."""
        found = self.body.get("data", {}).get("object")
        return found if isinstance(found, dict) else {}

    @property
    def caused_by_us(self) -> bool:
        """Whether a request under a key of ours made it happen: its answer says so too, and nobody waits for this."""
        request = self.body.get("request")
        return isinstance(request, dict) and idempotency_keys.is_ours(request.get("idempotency_key"))


def read_event(raw: bytes) -> StripeEvent:
    """An event from its JSON; raises BadEvent."""
    try:
        return event_of(decoded(raw))
    except NotJson as bad:
        raise BadEvent(str(bad)) from None


def event_of(body: Any) -> StripeEvent:
    """An event from decoded JSON, whoever brought it; raises BadEvent."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        raise BadEvent("The body is no event object.")
    event_id, kind = body.get("id"), body.get("type")
    if not all(isinstance(name, str) and ID.fullmatch(name) for name in (event_id, kind)):
        raise BadEvent("The event has no id or no type.")
    try:
        kept = redacted(body)
        return StripeEvent(str(event_id), str(kind), kept if kind in WANTED_EVENT_TYPES else {**kept, "data": {}})
    except NotJson as bad:
        raise BadEvent(str(bad)) from None


def redacted(value: Any) -> Any:
    """The same JSON without client secrets, cards and contact data, at any depth, and such that it can be kept."""
    return clean(value, NOT_KEPT)


def told_by(event: StripeEvent, of: Mapping[str, Owner], attempts: Attempts = NO_ATTEMPTS) -> LocalBody | None:
    """What payments has to look at; None for objects that are not ours and types that do not matter.

    `of`: PaymentIntent or transfer → owner. What belongs to no row of ours may do so later
    (handlers/unclaimed_events.py).
    `attempts`: of the PaymentIntents that rows of ours know; of those the metadata says nothing, anybody may edit it.
    """
    about = event.object
    if event.body.get("account") is not None:
        return None  # of a connected account: its objects are not in ours
    try:
        if event.type in INTENT_EVENTS:
            return _intent(event, about, attempts)
        if event.type in REFUND_EVENTS:
            return _claimed(_refund(event, about), of)
        if event.type in DISPUTE_EVENTS:
            return _claimed(_dispute(event, about), of)
        if event.type in TRANSFER_EVENTS:
            return _claimed(_transfer(event, about), of)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None  # not made by us, or not any more as we made it
    return None


def _intent(event: StripeEvent, about: Mapping[str, Any], attempts: Attempts) -> LocalBody:
    booking_id, attempt = attempts.get(about["id"]) or _named_attempt(about["metadata"])
    return IntentChanged(
        event_id=event.id,
        event_type=event.type,
        booking_id=booking_id,
        attempt=attempt,
        payment_intent=about["id"],
    )


def _named_attempt(metadata: Mapping[str, str]) -> tuple[UUID, int]:
    """For a PaymentIntent whose id is still on its way to its row."""
    return UUID(metadata["booking_id"]), int(metadata["attempt"])


def _refund(event: StripeEvent, about: Mapping[str, Any]) -> RefundTold:
    return RefundTold(
        event_id=event.id,
        stripe_refund=about["id"],
        payment_intent=about["payment_intent"],
        status=about["status"],
    )


def _transfer(event: StripeEvent, about: Mapping[str, Any]) -> TransferReversed:
    return TransferReversed(event_id=event.id, transfer_id=about["id"], reversed_minor=about["amount_reversed"])


def _dispute(event: StripeEvent, about: Mapping[str, Any]) -> DisputeChanged:
    return DisputeChanged(
        event_id=event.id,
        dispute_id=about["id"],
        payment_intent=about["payment_intent"],
        amount_minor=about["amount"],
        currency=about["currency"],
    )


def _claimed(told: RefundTold | DisputeChanged | TransferReversed, of: Mapping[str, Owner]) -> LocalBody:
    unclaimed = Unclaimed(told=told)
    owner = of.get(unclaimed.object_id)
    return unclaimed if owner is None else owner.of(told)


async def take(pool: Pool, events: Sequence[StripeEvent], now: datetime) -> int:
    """Keep events; one that cannot be kept is set aside, and the others are kept all the same.

    It stays visible (`bookingctl payments reconcile`) and counted, and the sweeper tries it again. Raises what says
    that the database is not to be had. Returns how many are new.
    """
    try:
        return await keep(pool, events, now)
    except Exception as error:
        if _for_now(error):
            raise
        if len(events) > 1:
            return sum([await take(pool, [event], now) for event in events])
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


def _for_now(error: Exception) -> bool:
    """The database is away, or another transaction was in the way: the same events may be kept in a moment."""
    if isinstance(error, ValueError):
        return False  # asyncpg's own: a value that it cannot send
    return isinstance(error, (*UNAVAILABLE, asyncpg.TransactionRollbackError, asyncpg.QueryCanceledError))


async def keep(pool: Pool, events: Sequence[StripeEvent], now: datetime) -> int:
    """Store events and, for those that matter, a local message; one transaction. Returns how many are new."""
    async with pool.acquire() as pooled, pooled.transaction():
        connection = cast(Connection, pooled)
        rows = await connection.fetch(
            """
            INSERT INTO stripe_event (event_id, type, body)
            SELECT DISTINCT ON (event_id) event_id, type, body
            FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS t (event_id, type, body) ORDER BY event_id
            ON CONFLICT (event_id) DO UPDATE SET type = excluded.type, body = excluded.body, set_aside = NULL
            WHERE stripe_event.set_aside IS NOT NULL RETURNING event_id
            """,
            [event.id for event in events],
            [event.type for event in events],
            [json.dumps(event.body) for event in events],
        )
        new = {row["event_id"] for row in rows}
        fresh = {event.id: event for event in events if event.id in new}
        of = await owners(connection, _named(fresh.values()))
        attempts = await attempts_of(connection, _intents(fresh.values()))
        told = [(event, body) for event in fresh.values() if (body := told_by(event, of, attempts)) is not None]
        async with Writes(connection) as writes:
            local_messages.save_timers(writes, [_message(event, body, now) for event, body in told])
    return len(new)


def _named(events: Iterable[StripeEvent]) -> set[str]:
    """The PaymentIntents that disputes and refunds are about, and the transfers."""
    by = dict.fromkeys((*DISPUTE_EVENTS, *REFUND_EVENTS), "payment_intent") | dict.fromkeys(TRANSFER_EVENTS, "id")
    found = (event.object.get(by[event.type]) for event in events if event.type in by)
    return {name for name in found if isinstance(name, str)}


def _intents(events: Iterable[StripeEvent]) -> list[str]:
    """The PaymentIntents that events about them name."""
    found = (event.object.get("id") for event in events if event.type in INTENT_EVENTS)
    return [intent for intent in found if isinstance(intent, str)]


def _message(event: StripeEvent, body: LocalBody, now: datetime) -> Remind:
    names = ("booking_id", "customer_id")
    key = next((value for name in names if (value := getattr(body, name, None)) is not None), event.id)
    due_at = now
    if event.caused_by_us:
        due_at = (now + ANSWERED_WITHIN).replace(microsecond=0)  # those of a second together, in one batch
    return Remind(uuid5(EVENTS, event.id), body, str(key), due_at, None)


async def known(pool: Pool, event_ids: Sequence[str]) -> set[str]:
    """Which of these events were received before."""
    rows = await pool.fetch("SELECT event_id FROM stripe_event WHERE event_id = ANY($1)", list(event_ids))
    return {row["event_id"] for row in rows}
