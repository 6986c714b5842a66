"""Stripe's events, each kept once: what a webhook brings and what the sweeper finds take the same way (webhooks)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid5

from services.chassis import local_messages
from services.chassis.database import Connection, Pool
from services.chassis.messages import LocalBody
from services.chassis.unit_of_work import Remind
from services.payments.outcomes import DisputeChanged, IntentChanged, RefundChanged, TransferReversed, Unclaimed
from services.payments.owners import Owner, owners

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
MATTER = (*INTENT_EVENTS, *REFUND_EVENTS, *DISPUTE_EVENTS, *TRANSFER_EVENTS)
"""The others are kept and acted on by nobody."""


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
    }
)


class BadEvent(ValueError):
    """The body is no event of Stripe's."""


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """An event as it is kept: without client secrets, cards and contact data."""

    id: str
    type: str
    body: dict[str, Any]

    @property
    def object(self) -> dict[str, Any]:
        """The copy of the object it is about, from the moment of the event."""
        found = self.body.get("data", {}).get("object")
        return found if isinstance(found, dict) else {}


def read_event(raw: bytes) -> StripeEvent:
    """An event from its JSON; raises BadEvent."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise BadEvent("The body is not JSON.") from None
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        raise BadEvent("The body is no event object.")
    event_id, kind = body.get("id"), body.get("type")
    if not isinstance(event_id, str) or not isinstance(kind, str) or not event_id or len(event_id) > 255:
        raise BadEvent("The event has no id or no type.")
    return StripeEvent(event_id, kind, redacted(body))


def redacted(value: Any) -> Any:
    """The same JSON without client secrets, cards and contact data, at any depth."""
    if isinstance(value, dict):
        return {name: redacted(item) for name, item in value.items() if name not in NOT_KEPT}
    return [redacted(item) for item in value] if isinstance(value, list) else value


def told_by(event: StripeEvent, of: Mapping[str, Owner]) -> LocalBody | None:
    """What payments has to look at; None for objects that are not ours and types that do not matter.

    `of`: PaymentIntent or transfer → owner. What belongs to no row of ours may do so later (handlers/waiting.py).
    """
    about = event.object
    if event.body.get("account") is not None:
        return None  # of a connected account: its objects are not in ours
    try:
        if event.type in INTENT_EVENTS:
            return _intent(event, about, about["metadata"])
        if event.type in REFUND_EVENTS:
            return _claimed(_refund(event, about), of)
        if event.type in DISPUTE_EVENTS:
            return _claimed(_dispute(event, about), of)
        if event.type in TRANSFER_EVENTS:
            return _claimed(_transfer(event, about), of)
    except (KeyError, ValueError, TypeError):
        return None  # not made by us, or not any more as we made it
    return None


def _intent(event: StripeEvent, about: Mapping[str, Any], metadata: Mapping[str, str]) -> LocalBody:
    return IntentChanged(
        event_id=event.id,
        event_type=event.type,
        booking_id=UUID(metadata["booking_id"]),
        attempt=int(metadata["attempt"]),
        payment_intent=about["id"],
    )


def _refund(event: StripeEvent, about: Mapping[str, Any]) -> RefundChanged:
    return RefundChanged(
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


def _claimed(told: RefundChanged | DisputeChanged | TransferReversed, of: Mapping[str, Owner]) -> LocalBody:
    unclaimed = Unclaimed(told=told)
    owner = of.get(unclaimed.object_id)
    return unclaimed if owner is None else owner.of(told)


async def keep(pool: Pool, events: Sequence[StripeEvent], now: datetime) -> int:
    """Store events and, for those that matter, a local message due now; one transaction. Returns how many are new."""
    async with pool.acquire() as pooled, pooled.transaction():
        connection = cast(Connection, pooled)
        rows = await connection.fetch(
            """
            INSERT INTO stripe_event (event_id, type, body)
            SELECT DISTINCT ON (event_id) event_id, type, body
            FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS t (event_id, type, body) ORDER BY event_id
            ON CONFLICT DO NOTHING RETURNING event_id
            """,
            [event.id for event in events],
            [event.type for event in events],
            [json.dumps(event.body).replace("\\u0000", "") for event in events],
        )
        new = {row["event_id"] for row in rows}
        fresh = {event.id: event for event in events if event.id in new}
        of = await owners(connection, _named(fresh.values()))
        told = [(event, body) for event in fresh.values() if (body := told_by(event, of)) is not None]
        await local_messages.save_timers(connection, [_message(event, body, now) for event, body in told])
    return len(new)


def _named(events: Iterable[StripeEvent]) -> set[str]:
    """The PaymentIntents that disputes and refunds are about, and the transfers."""
    by = dict.fromkeys((*DISPUTE_EVENTS, *REFUND_EVENTS), "payment_intent") | dict.fromkeys(TRANSFER_EVENTS, "id")
    found = (event.object.get(by[event.type]) for event in events if event.type in by)
    return {name for name in found if isinstance(name, str)}


def _message(event: StripeEvent, body: LocalBody, now: datetime) -> Remind:
    names = ("booking_id", "customer_id")
    key = next((value for name in names if (value := getattr(body, name, None)) is not None), event.id)
    return Remind(uuid5(EVENTS, event.id), body, str(key), now, None)


async def known(pool: Pool, event_ids: Sequence[str]) -> set[str]:
    """Which of these events were received before."""
    rows = await pool.fetch("SELECT event_id FROM stripe_event WHERE event_id = ANY($1)", list(event_ids))
    return {row["event_id"] for row in rows}
