"""What Stripe told of a refund: whose it is, our rows say (requirements refund-logic, wallet).

Ours is what a row of ours knows by Stripe's id. While a call about the same money is open its answer may bring that id,
so the event waits; everything else was made at Stripe by somebody, whatever its metadata say.
"""

from __future__ import annotations

from typing import TypeVar

from services.chassis.messages import Message
from services.payments.handlers import unclaimed_events
from services.payments.local_messages import PartChanged, RefundTold
from services.payments.model.dashboard_refund import DashboardRefund
from services.payments.model.payment import Payment
from services.payments.model.refund import FAILED_STATUSES, Refund
from services.payments.model.wallet import Part, PartStatus, TopUp
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork

OurT = TypeVar("OurT", Refund, Part)


def refund_told(message: Message[RefundTold], work: PaymentsWork) -> None:
    """Look at it, unless the row shows it already."""
    told = message.body
    if work.find(DashboardRefund, told.stripe_refund) is not None:
        requests.about_dashboard_refund(work, told)
    elif (refund := _by_id(work, Refund, told.stripe_refund)) is not None:
        _of_payment(message, work, refund)
    elif (part := _by_id(work, Part, told.stripe_refund)) is not None:
        _of_part(work, part, told.status)
    elif unclaimed_events.in_motion(work, told.booking_id, told.command_id):
        unclaimed_events.until_it_ends(work, told, message.key)
    else:
        requests.about_dashboard_refund(work, told)


def part_changed(message: Message[PartChanged], work: PaymentsWork) -> None:
    """As a release before told of the refund of a withdrawal."""
    part = work.find(Part, message.body.part_id)
    if part is not None and part.stripe_refund is not None:
        _of_part(work, part, message.body.status)


def _by_id(work: PaymentsWork, kind: type[OurT], stripe_refund: str) -> OurT | None:
    return next((row for row in work.all(kind) if row.stripe_refund == stripe_refund), None)


def _of_payment(message: Message[RefundTold], work: PaymentsWork, refund: Refund) -> None:
    told, payment = message.body, work.find(Payment, refund.booking_id)
    if payment is None or told.status == refund.status or refund.paid_outside:
        return
    if refund.calling:
        unclaimed_events.until_it_ends(work, told, message.key)
        return
    work.continue_correlation(payment.correlation_id)
    requests.about_refund(work, payment, refund, look=True)


def _of_part(work: PaymentsWork, part: Part, status: str) -> None:
    if (part.status is PartStatus.FAILED) == (status in FAILED_STATUSES):
        return
    top_up = work.find(TopUp, part.top_up_id)
    assert top_up is not None, "a part is loaded with its top-up"
    assert top_up.payment_intent is not None, "a top-up that was made has a PaymentIntent"
    requests.refund_from_wallet(work, part, top_up.payment_intent, look=True)
