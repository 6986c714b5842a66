"""Stripe's PaymentIntents against our payments: who is right, and what repairs it (payment-booking-coupling)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.payments.model.payment import Payment, Status
from services.payments.model.wallet import TopUp, TopUpStatus

CANCELABLE = frozenset({"requires_payment_method", "requires_capture", "requires_confirmation", "requires_action"})


class Repair(StrEnum):
    """What is done about a finding; `report` is left to a person."""

    NOTHING = "nothing"
    LOOK = "look"
    CANCEL = "cancel"
    REPORT = "report"
    MISSING = "missing"
    """Stripe does not know an object of ours; a person has to find out why."""
    REVERSAL = "reversal"
    """Somebody took a transfer back at Stripe (handlers/payout_reversals.py)."""
    UNCLAIMED = "unclaimed"
    """Stripe moved money by an object that no row of ours accounts for (handlers/unclaimed_events.py)."""
    IMPORT = "import"
    """A refund that was made at Stripe by hand was taken into the ledger (handlers/dashboard_refunds.py)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A PaymentIntent with our metadata, as Stripe lists it."""

    payment_intent: str
    attempt: int
    status: str


def repair(payment: Payment | None, finding: Finding) -> Repair:
    """An orphan that reserves money is cancelled; a payment that lags behind its PaymentIntent is looked at.

    An orphan that was captured is reported: to give it back could undo a payment that a restored database forgot.
    """
    if payment is not None and payment.attempt == finding.attempt and payment.calling is not None:
        return Repair.NOTHING  # its result is on the way
    if payment is None or payment.payment_intent != finding.payment_intent:
        if finding.status in CANCELABLE:
            return Repair.CANCEL
        return Repair.REPORT if finding.status == "succeeded" else Repair.NOTHING
    if finding.status == "succeeded":
        return Repair.NOTHING if payment.captured_minor else Repair.LOOK
    if not payment.live:
        return Repair.CANCEL if finding.status in CANCELABLE else Repair.NOTHING
    lags = finding.status == "canceled" or (
        finding.status == "requires_capture" and payment.status is not Status.AUTHORIZED
    )
    return Repair.LOOK if lags else Repair.NOTHING


def top_up_is_missing(top_up: TopUp | None, payment_intent: str, status: str) -> bool:
    """Whether a card was charged for a wallet and no top-up of ours knows of it. One that waits for Stripe will."""
    if status != "succeeded" or (top_up is not None and top_up.status is TopUpStatus.PENDING):
        return False
    return top_up is None or top_up.status is not TopUpStatus.DONE or top_up.payment_intent != payment_intent
