"""Stripe's events: what is kept of one, and what it tells (webhooks). event_store.py keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chassis.messages import LocalBody
from services.payments.local_messages import DisputeChanged, IntentChanged, RefundTold, TransferReversed, Unclaimed
from services.payments.model import idempotency_keys
from services.payments.model.payment import shows
from services.payments.stripe_events.event_json import NotJson, clean, decoded
from services.payments.stripe_events.owners import NO_ATTEMPTS, Attempts, Owner

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
    """What payments has to look at; None for objects that are not ours, types that do not matter, and what the
    payment's row shows already (handlers/told.py would come to nothing).

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


def _intent(event: StripeEvent, about: Mapping[str, Any], attempts: Attempts) -> LocalBody | None:
    known = attempts.get(about["id"])
    if known is not None and shows(event.type, known.status, known.action):
        return None
    booking_id, attempt = known[:2] if known is not None else _named_attempt(about["metadata"])
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
