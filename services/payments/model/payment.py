"""A payment: what one booking's money has been through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal
from uuid import UUID

from booking_contracts.types import Money

from services.payments.model.declines import Decline

Action = Literal["authenticate", "payment_method"]


class Status(StrEnum):
    """Where a payment's newest attempt stands; README.md draws what leads where."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    SETTLED = "settled"
    VOIDED = "voided"
    DECLINED = "declined"


LIVE = frozenset({Status.PENDING, Status.REQUIRES_ACTION, Status.AUTHORIZED})
"""Money is reserved, or may come to be."""

INITIAL: Mapping[Status, str] = {
    Status.PENDING: "AuthorizePayment",
    Status.VOIDED: "another command came before it",
}
"""How a booking's payment begins, and why so."""

TRANSITIONS: Mapping[Status, Mapping[Status, str]] = {
    Status.PENDING: {
        Status.REQUIRES_ACTION: "3-D Secure, or no payment method yet",
        Status.AUTHORIZED: "reserved",
        Status.CAPTURED: "captured at Stripe by others",
        Status.VOIDED: "void, or cancelled at Stripe",
        Status.DECLINED: "declined, or too late",
    },
    Status.REQUIRES_ACTION: {
        Status.AUTHORIZED: "the customer acted",
        Status.CAPTURED: "captured at Stripe by others",
        Status.VOIDED: "void, or cancelled at Stripe",
        Status.DECLINED: "declined",
    },
    Status.AUTHORIZED: {
        Status.REQUIRES_ACTION: "Stripe wants the customer again",
        Status.CAPTURED: "capture, or a settlement that releases",
        Status.VOIDED: "void, a settlement without release, or expiry",
        Status.DECLINED: "Stripe declines it after all",
    },
    Status.CAPTURED: {Status.SETTLED: "all of the escrow is shared out"},
    Status.SETTLED: {Status.CAPTURED: "a lost chargeback is taken up again"},
    Status.VOIDED: {Status.PENDING: "next attempt", Status.CAPTURED: "captured at Stripe all the same"},
    Status.DECLINED: {Status.PENDING: "next attempt", Status.CAPTURED: "captured at Stripe all the same"},
}
"""What may follow a status, and why: all that the handlers make of it, whatever they are told (README.md draws it).

tests/payments/test_states.py walks the handlers and finds these steps and no others.
"""


class Operation(StrEnum):
    """What can be asked of Stripe about the PaymentIntent of an attempt; one at a time."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    RETRIEVE = "retrieve"


@dataclass(frozen=True, slots=True)
class Terms:
    """What AuthorizePayment says: who pays whom, how much, how."""

    method: Literal["card", "wallet"]
    amount: Money
    customer_id: str
    provider_id: UUID
    payout_account: str | None
    commission_bps: int


@dataclass(frozen=True, slots=True)
class Payment:
    """The money of one booking. Amounts in minor units of the terms' currency, summed over the booking.

    `terms` is None only for a booking whose payment was voided before it was ever asked for.
    """

    booking_id: UUID
    payment_id: UUID
    correlation_id: str
    sequence: int = 0
    attempt: int = 0
    status: Status = Status.VOIDED
    action: Action | None = None
    terms: Terms | None = None
    payment_intent: str | None = None
    charge: str | None = None
    calling: Operation | None = None
    """The call to Stripe that is open; later intents wait for its result."""
    voided_through: int = 0
    """No attempt up to this number is wanted any more, known or not."""
    owes_void: bool = False
    """A VoidPayment waits for its PaymentVoided."""
    capture_asked: bool = False
    settling: UUID | None = None
    """The settlement that waits to be posted."""
    authorized_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    released_minor: int = 0
    commission_minor: int = 0
    refunds: int = 0
    payouts: int = 0
    disputes: int = 0
    """Chargebacks that are open: what is in escrow stays there until they are closed."""
    lost_minor: int = 0
    """Taken from the escrow by a lost chargeback or a refund made at Stripe, and not yet counted in a settlement."""
    by_hand_minor: int = 0
    """What of `lost_minor` was a refund made at Stripe: no bank gives it back."""
    made_up_minor: int = 0
    """What of a settlement's refund the payer had got by a chargeback alone: theirs again, should it turn out won."""
    decline: Decline | None = None

    @property
    def row_key(self) -> UUID:
        return self.booking_id

    @property
    def agreed(self) -> Terms:
        """The terms of a payment that was asked for."""
        assert self.terms is not None, f"payment {self.booking_id} was never asked for"
        return self.terms

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def by_wallet(self) -> bool:
        return self.terms is not None and self.terms.method == "wallet"

    @property
    def escrow_minor(self) -> int:
        """Captured and not settled yet."""
        return self.captured_minor - self.refunded_minor - self.released_minor

    @property
    def charged_back_minor(self) -> int:
        """What of `lost_minor` a chargeback took. (The release before ends `lost_minor` alone.)"""
        return max(0, self.lost_minor - self.by_hand_minor)

    @property
    def source_charge(self) -> str | None:
        """The charge that a transfer can be made from: a captured card's; None where a wallet has paid."""
        return None if self.by_wallet else self.charge

    def next_attempt(self, attempt: int, terms: Terms, correlation_id: str) -> Payment:
        """The booking's payment at the start of an attempt: nothing of the attempt before it is left."""
        kept = {field.name: getattr(self, field.name) for field in fields(self) if field.name in OF_BOOKING}
        return Payment(
            **{**kept, "correlation_id": correlation_id}, attempt=attempt, status=Status.PENDING, terms=terms
        )

    def money(self, amount_minor: int) -> Money:
        """An amount in this payment's currency."""
        return Money(amount=amount_minor, currency=self.agreed.amount.currency)

    def shows(self, event: str) -> bool:
        """Whether a Stripe event about the PaymentIntent brings nothing new (engine.md, Gateway calls)."""
        return shows(event, self.status, self.action)


OF_BOOKING = frozenset(
    {
        "booking_id",
        "payment_id",
        "correlation_id",
        "sequence",
        "voided_through",
        "settling",
        "captured_minor",
        "refunded_minor",
        "released_minor",
        "commission_minor",
        "refunds",
        "payouts",
        "disputes",
        "lost_minor",
        "by_hand_minor",
        "made_up_minor",
    }
)
"""What a payment keeps over its attempts; every other field belongs to one attempt and begins anew with the next."""
_ENDED = frozenset({Status.VOIDED, Status.DECLINED, Status.SETTLED})
SHOWN = {
    "payment_intent.amount_capturable_updated": _ENDED | {Status.AUTHORIZED, Status.CAPTURED},
    "payment_intent.succeeded": frozenset({Status.CAPTURED, Status.SETTLED}),
    "payment_intent.canceled": _ENDED,
    "payment_intent.payment_failed": _ENDED | {Status.AUTHORIZED, Status.CAPTURED},
    "payment_intent.requires_action": _ENDED | {Status.AUTHORIZED, Status.CAPTURED},
}
"""The states in which an event of that type brings nothing new."""


def shows(event: str, status: str, action: str | None) -> bool:
    """The same, for a row that was read as it stands: a status that only a newer build knows shows nothing."""
    return status in SHOWN.get(event, frozenset(Status)) or (
        event == "payment_intent.requires_action" and action == "authenticate"
    )
