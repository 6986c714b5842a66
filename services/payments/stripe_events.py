"""Stripe's events, each kept once: what a webhook brings and what the sweeper finds take the same way (webhooks)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid5

from services.chassis import local_messages
from services.chassis.database import Connection, Pool
from services.chassis.messages import LocalBody
from services.chassis.unit_of_work import Remind
from services.payments.outcomes import (
    DashboardRefundChanged,
    DisputeChanged,
    IntentChanged,
    PartChanged,
    RefundChanged,
    TransferReversed,
)
from services.payments.owners import NOBODY, Owner, owners

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

    `of`: PaymentIntent → owner, for disputes and refunds made by hand, which carry no metadata of ours.
    """
    about = event.object
    if event.body.get("account") is not None:
        return None  # of a connected account: its objects are not in ours
    try:
        if event.type in DISPUTE_EVENTS:
            return _dispute(event, about, of.get(about["payment_intent"], NOBODY))
        if event.type in INTENT_EVENTS:
            return _intent(event, about, about["metadata"])
        if event.type in TRANSFER_EVENTS:
            return _transfer(event, about, about["metadata"])
        if event.type in REFUND_EVENTS:
            metadata = about["metadata"]
            if "refund_id" in metadata or "part_id" in metadata:
                return _refund(event, about, metadata)
            return _dashboard_refund(event, about, of.get(about["payment_intent"], NOBODY))
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


def _refund(event: StripeEvent, about: Mapping[str, Any], metadata: Mapping[str, str]) -> LocalBody | None:
    status = str(about["status"])
    if event.type == "refund.created":
        return None  # we made it, and its answer says how it stands
    if "part_id" in metadata:
        return PartChanged(
            event_id=event.id,
            command_id=UUID(metadata["command_id"]),
            customer_id=metadata["customer_id"],
            part_id=UUID(metadata["part_id"]),
            status=status,
        )
    return RefundChanged(
        event_id=event.id,
        event_type=event.type,
        booking_id=UUID(metadata["booking_id"]),
        refund_id=UUID(metadata["refund_id"]),
        stripe_refund=about["id"],
        status=status,
    )


def _transfer(event: StripeEvent, about: Mapping[str, Any], metadata: Mapping[str, str]) -> LocalBody:
    return TransferReversed(
        event_id=event.id,
        booking_id=UUID(metadata["booking_id"]),
        payout_id=UUID(metadata["payout_id"]),
        transfer_id=about["id"],
        reversed_minor=about["amount_reversed"],
    )


def _dashboard_refund(event: StripeEvent, about: Mapping[str, Any], owner: Owner) -> LocalBody | None:
    if owner is NOBODY:
        return None
    return DashboardRefundChanged(event_id=event.id, stripe_refund=about["id"], **asdict(owner))


def _dispute(event: StripeEvent, about: Mapping[str, Any], owner: Owner) -> LocalBody:
    return DisputeChanged(
        event_id=event.id,
        dispute_id=about["id"],
        payment_intent=about["payment_intent"],
        **asdict(owner),
        amount_minor=about["amount"],
        currency=about["currency"],
    )


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
    """The PaymentIntents that disputes and refunds are about."""
    found = (event.object.get("payment_intent") for event in events if event.type in (*DISPUTE_EVENTS, *REFUND_EVENTS))
    return {intent for intent in found if isinstance(intent, str)}


def _message(event: StripeEvent, body: LocalBody, now: datetime) -> Remind:
    names = ("booking_id", "customer_id")
    key = next((value for name in names if (value := getattr(body, name, None)) is not None), event.id)
    return Remind(uuid5(EVENTS, event.id), body, str(key), now, None)


async def known(pool: Pool, event_ids: Sequence[str]) -> set[str]:
    """Which of these events were received before."""
    rows = await pool.fetch("SELECT event_id FROM stripe_event WHERE event_id = ANY($1)", list(event_ids))
    return {row["event_id"] for row in rows}
