"""Events about money that come before it can be told whose they are: looked at again, and noted where that has no end.

Stripe tells of a refund, a dispute or a reversal whenever it likes: before our row knows the PaymentIntent or the
transfer, because the answer to its call was lost, or while a call about the same money is open, whose answer says whose
it was. One rule for bookings and wallets: the event is looked at again, ever more rarely, for three days; what belongs
to nobody by then is noted for a person and not posted, as the charge that it is about never was.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog

from services.chassis.messages import Message
from services.payments.local_messages import DisputeChanged, IntentChanged, RefundTold, TransferReversed, Unclaimed
from services.payments.model.payment import Operation, Payment
from services.payments.model.reconciliation import Repair
from services.payments.model.refund import Refund
from services.payments.model.wallet import Part, PartStatus
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork, Reconciliation

log = structlog.get_logger()
LONGEST = timedelta(minutes=10)
MOST_LOOKS = 10 + 3 * 24 * 6
"""1, 2, 4 … 512 s, then every ten minutes for three days."""


def unclaimed(message: Message[Unclaimed], work: PaymentsWork) -> None:
    """An event about an object that no row knew: by now one may."""
    told = message.body
    owner = work.owners.get(told.object_id)
    if owner is not None:
        work.remind(owner.of(told.told), key=owner.key, due_at=work.now)
    elif not look_again(work, told, message.key):
        note(work, told.object_id, f"{_named(told.told)} is of {told.object_id}, which no row knows")


def look_again(
    work: PaymentsWork,
    told: IntentChanged | RefundTold | DisputeChanged | TransferReversed | Unclaimed,
    key: str,
) -> bool:
    """Have the event come back after a while; False where it has been looked at often enough."""
    if told.looked >= MOST_LOOKS:
        return False
    wait = min(timedelta(seconds=2 ** min(told.looked, 10)), LONGEST)
    work.remind(told.model_copy(update={"looked": told.looked + 1}), key=key, due_at=work.now + wait)
    return True


def until_it_ends(work: PaymentsWork, told: RefundTold | DisputeChanged, key: str) -> None:
    """Have the event wait for the call about the same money; one that never ends is noted for a person."""
    if not look_again(work, told, key):
        what = f"{_named(told)} waits for a call that does not end"
        note(work, told.payment_intent, what, told.booking_id, told.customer_id)


def in_motion(work: PaymentsWork, booking_id: UUID | None, top_up_id: UUID | None) -> bool:
    """Whether a call about this money is open, or our row lacks the capture yet: its outcome says whose money it is."""
    payment = None if booking_id is None else work.find(Payment, booking_id)
    if payment is not None:
        if payment.live and payment.calling is None and payment.payment_intent is not None:
            requests.about_intent(work, payment, Operation.RETRIEVE)
        mine = (refund for refund in work.all(Refund) if refund.booking_id == booking_id)
        return payment.live or any(refund.calling for refund in mine)
    return any(part.top_up_id == top_up_id and part.status is PartStatus.PENDING for part in work.all(Part))


def note(
    work: PaymentsWork, object_id: str, finding: str, booking_id: UUID | None = None, customer_id: str | None = None
) -> None:
    """What only a person can account for: a line of the record, counted in `payments_differences`."""
    log.error("Stripe moved money that no row accounts for", object_id=object_id, finding=finding)
    work.record(Reconciliation(work.now, booking_id, object_id, finding, Repair.UNCLAIMED, customer_id))


def _named(told: RefundTold | DisputeChanged | TransferReversed) -> str:
    match told:
        case RefundTold():
            return f"refund {told.stripe_refund}"
        case DisputeChanged():
            return f"dispute {told.dispute_id} of {told.amount_minor} {told.currency.upper()}"
        case TransferReversed():
            return f"a reversal of {told.reversed_minor}"
