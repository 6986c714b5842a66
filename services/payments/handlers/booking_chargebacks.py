"""The dispute of a booking's payment: its escrow stands still while one is open (requirement chargebacks).

A lost one takes from the escrow, then from a refund that it held up, the rest is our loss; what it took from the escrow
counts as refunded. When it is taken up again all of that is undone: what is not settled waits in the escrow as before,
what a settlement had counted is settled once more as it was asked, when the dispute is over.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

from booking_contracts.payments import RefundFailed, RefundSucceeded

from services.payments.handlers import unclaimed_events
from services.payments.handlers.refunds import about, try_again
from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment, Status
from services.payments.model.refund import DISPUTED, Refund, RefundStatus
from services.payments.model.settlement import Settlement
from services.payments.work import PaymentsWork


def frozen(payment: Payment) -> bool:
    """Whether the escrow stands still: what would end it waits until the bank has decided."""
    return payment.disputes > 0


def opened(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """Nothing leaves the escrow while it is open. Taken in another currency it can only be our loss: a person looks."""
    payment = _payment(work, chargeback)
    if payment is not None:
        work.put(replace(payment, disputes=payment.disputes + 1))
        if not _same_currency(payment, chargeback):
            what = f"dispute {chargeback.dispute_id} took {chargeback.amount_minor} {chargeback.currency}"
            paid = f"of a payment in {payment.agreed.amount.currency}"
            unclaimed_events.note(work, chargeback.payment_intent, f"{what} {paid}", payment.booking_id)
    return work.put(chargeback)


def won(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """The escrow may go on."""
    payment = _payment(work, chargeback)
    if payment is not None:
        work.put(replace(payment, disputes=payment.disputes - 1))
    return work.put(chargeback)


def lost(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """From the escrow first, then from a refund that the chargeback held up; the rest is our loss."""
    payment, amount = _payment(work, chargeback), chargeback.amount_minor
    taken: dict[str, int] = {}
    covered: list[Refund] = []
    if payment is not None and _same_currency(payment, chargeback):
        from_escrow = min(amount, payment.escrow_minor)
        covered = _up_to(amount - from_escrow, _held_up(work, payment))
        owed = sum(refund.amount_minor for refund in covered)
        taken = {ledger.escrow(payment.booking_id): from_escrow, ledger.refund_owed(payment.booking_id): owed}
        chargeback = replace(chargeback, covered_minor=from_escrow, owed_minor=owed)
    work.post(Cause.CHARGEBACK_LOST, ledger.chargeback_lost(chargeback.dispute_id, chargeback.currency, amount, taken))
    if payment is not None:
        payment = work.put(
            replace(
                payment,
                disputes=payment.disputes - 1,
                refunded_minor=payment.refunded_minor + chargeback.covered_minor,
                lost_minor=payment.lost_minor + chargeback.covered_minor,
            )
        )
    for refund in covered:
        assert payment is not None, "a refund belongs to a payment"
        refund = work.put(replace(refund, status=RefundStatus.SUCCEEDED, parked=False))
        payment = work.say(payment, RefundSucceeded, **about(payment, refund))
    return work.put(chargeback)


def taken_up(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """Undo what the loss took: the money is with the banks again, and it is open whose it will be."""
    payment, back, owed = _payment(work, chargeback), chargeback.covered_minor, chargeback.owed_minor
    amount, taken = chargeback.amount_minor, {}
    if payment is not None:
        taken = {ledger.escrow(payment.booking_id): -back, ledger.refund_owed(payment.booking_id): -owed}
    undone = ledger.chargeback_lost(chargeback.dispute_id, chargeback.currency, -amount, taken)
    work.post(Cause.CHARGEBACK_TAKEN_UP, undone)
    if payment is not None:
        payment = _in_escrow_again(work, replace(payment, disputes=payment.disputes + 1), back, chargeback)
        for refund in _up_to(owed, _covered(work, payment)):
            refund = work.put(replace(refund, status=RefundStatus.FAILED, parked=True))
            payment = work.say(payment, RefundFailed, code=DISPUTED, **about(payment, refund))
    return work.put(replace(chargeback, covered_minor=0, owed_minor=0))


def _in_escrow_again(work: PaymentsWork, payment: Payment, back_minor: int, chargeback: Chargeback) -> Payment:
    """What no settlement has counted yet waits for one; what one has is settled as that was asked."""
    open_minor = min(back_minor, payment.charged_back_minor)
    settled = back_minor - open_minor
    to_payer = min(settled, payment.made_up_minor)
    payment = work.put(
        replace(
            payment,
            status=Status.CAPTURED if back_minor else payment.status,
            refunded_minor=payment.refunded_minor - back_minor,
            lost_minor=payment.lost_minor - open_minor,
            made_up_minor=payment.made_up_minor - to_payer,
        )
    )
    if not settled or payment.settling is not None:
        return payment
    settlement = Settlement(
        uuid5(payment.booking_id, f"{chargeback.dispute_id}:{payment.sequence}"),
        payment.booking_id,
        refund_minor=to_payer,
        release_minor=settled - to_payer,
    )
    work.put(settlement)
    return work.put(replace(payment, settling=settlement.settlement_id))


def refund_what_was_held_up(work: PaymentsWork, payment: Payment) -> None:
    """Try the refunds again that Stripe refused because of the chargeback."""
    for refund in _held_up(work, payment):
        try_again(work, payment, refund)


def _payment(work: PaymentsWork, chargeback: Chargeback) -> Payment | None:
    """None for a chargeback that belongs to no booking, as an older build has posted it."""
    return None if chargeback.booking_id is None else work.find(Payment, chargeback.booking_id)


def _same_currency(payment: Payment, chargeback: Chargeback) -> bool:
    return payment.agreed.amount.currency == chargeback.currency


def _held_up(work: PaymentsWork, payment: Payment) -> list[Refund]:
    """Refunds that Stripe refused because of the chargeback."""
    return _disputed(work, payment, RefundStatus.FAILED)


def _covered(work: PaymentsWork, payment: Payment) -> list[Refund]:
    """Those of them that the payer has got by the lost chargeback."""
    return _disputed(work, payment, RefundStatus.SUCCEEDED)


def _disputed(work: PaymentsWork, payment: Payment, status: RefundStatus) -> list[Refund]:
    mine = (refund for refund in work.all(Refund) if refund.booking_id == payment.booking_id)
    found = [refund for refund in mine if (refund.status, refund.failure) == (status, DISPUTED)]
    return sorted((refund for refund in found if not refund.paid_outside), key=lambda refund: refund.number)


def _up_to(amount_minor: int, refunds: list[Refund]) -> list[Refund]:
    """Those that an amount covers, each as a whole."""
    found: list[Refund] = []
    for refund in refunds:
        if refund.amount_minor <= amount_minor:
            found.append(refund)
            amount_minor -= refund.amount_minor
    return found
