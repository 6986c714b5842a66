"""Chargebacks (requirement chargebacks): posted each time the money moves, what it was for frozen meanwhile, and told.

No outcome is the last one: banks overturn what was lost and take again what was won. The ledger goes through the same
steps back and forth, so that after any of them it stands as if the outcome of now had been the only one:

    told ── opened ──► open ── won ──► won ── opened ──► open
                       open ── lost ──► lost ── taken up ──► open
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from booking_contracts.payments import ChargebackClosed, ChargebackOpened
from booking_contracts.types import Money

from services.chassis.messages import Message
from services.payments.handlers import booking_chargebacks, unclaimed_events, wallet_chargebacks
from services.payments.handlers.next_step import advance
from services.payments.handlers.reconciliation import record_missing
from services.payments.local_messages import MISSING, DisputeChanged, DisputeSeen
from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback, Outcome, outcome_of
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment
from services.payments.model.wallet import TopUp, TopUpStatus
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork

Step = Callable[[PaymentsWork, Chargeback], Chargeback]
AT_BANK = (Outcome.OPEN, Outcome.LOST)


class Side(NamedTuple):
    """What a step means to what was paid for."""

    opened: Step
    won: Step
    lost: Step
    taken_up: Step


OF_BOOKING = Side(
    booking_chargebacks.opened, booking_chargebacks.won, booking_chargebacks.lost, booking_chargebacks.taken_up
)
OF_WALLET = Side(
    wallet_chargebacks.opened, wallet_chargebacks.won, wallet_chargebacks.lost, wallet_chargebacks.taken_up
)


def dispute_changed(message: Message[DisputeChanged], work: PaymentsWork) -> None:
    """Stripe told of a dispute: look at it."""
    told = message.body
    chargeback = work.find(Chargeback, told.dispute_id) or Chargeback(
        told.dispute_id,
        told.booking_id,
        told.payment_intent,
        told.amount_minor,
        told.currency.upper(),
    )
    if chargeback.booking_id is None and chargeback.customer_id is None:
        chargeback = replace(chargeback, customer_id=told.customer_id, top_up_id=told.command_id)
    if chargeback.calling:
        unclaimed_events.until_it_ends(work, told, message.key)
    else:
        work.put(replace(chargeback, calling=True))
        requests.about_dispute(work, chargeback, told.looked)


def dispute_seen(message: Message[DisputeSeen], work: PaymentsWork) -> None:
    """How a dispute stands. One that was missed while it was open is opened and closed at once."""
    seen = message.body
    chargeback = work.find(Chargeback, seen.dispute_id)
    assert chargeback is not None, "a chargeback is written with its call"
    chargeback = work.put(replace(chargeback, calling=False))
    if seen.status == MISSING:
        what, owner = f"dispute {seen.dispute_id}", chargeback.customer_id
        record_missing(work, what, chargeback.booking_id, chargeback.payment_intent, owner)
        return
    to = outcome_of(seen.status, withdrawn=seen.withdrawn)
    if to is None:
        if chargeback.outcome is Outcome.TOLD:
            return
        to = Outcome.WON  # an inquiry again: the money is with us
    moving = unclaimed_events.in_motion(work, chargeback.booking_id, chargeback.top_up_id)
    if not _charged(work, chargeback):
        if moving:
            _look_again(work, chargeback, message)
        else:
            what = f"dispute {seen.dispute_id} is of a charge that was not posted"
            intent, booking_id = chargeback.payment_intent, chargeback.booking_id
            unclaimed_events.note(work, intent, what, booking_id, chargeback.customer_id)
        return
    if moving and to is not Outcome.OPEN:
        _look_again(work, chargeback, message)  # what a refund under way turns out to be belongs to the outcome
        to = Outcome.OPEN if chargeback.outcome is Outcome.TOLD else chargeback.outcome
    _follow(work, chargeback, seen, to)


def _charged(work: PaymentsWork, chargeback: Chargeback) -> bool:
    """Whether the charge that is disputed is posted; of nobody's an older build has posted the dispute alone."""
    if chargeback.booking_id is not None:
        payment = work.find(Payment, chargeback.booking_id)
        return payment is not None and payment.captured_minor > 0
    if chargeback.customer_id is not None:
        top_up = work.find(TopUp, chargeback.top_up_id)
        return top_up is not None and top_up.status is TopUpStatus.DONE
    return True


def _look_again(work: PaymentsWork, chargeback: Chargeback, message: Message[DisputeSeen]) -> None:
    told = DisputeChanged(
        event_id="",
        dispute_id=chargeback.dispute_id,
        payment_intent=chargeback.payment_intent,
        amount_minor=chargeback.amount_minor,
        currency=chargeback.currency,
        booking_id=chargeback.booking_id,
        customer_id=chargeback.customer_id,
        command_id=chargeback.top_up_id,
        looked=message.body.looked,
    )
    unclaimed_events.until_it_ends(work, told, message.key)


def _follow(work: PaymentsWork, chargeback: Chargeback, seen: DisputeSeen, to: Outcome) -> None:
    """Step by step from the outcome that is posted to the one of now; another amount is taken anew."""
    before, side = chargeback.outcome, OF_WALLET if chargeback.customer_id is not None else OF_BOOKING
    payment = None if chargeback.booking_id is None else work.find(Payment, chargeback.booking_id)
    if payment is not None:
        work.continue_correlation(payment.correlation_id)
    amount, currency = seen.amount_minor, seen.currency or chargeback.currency
    other = to in AT_BANK and (amount, currency) != (chargeback.amount_minor, chargeback.currency)
    if chargeback.outcome is Outcome.LOST and (to is not Outcome.LOST or other):
        chargeback = side.taken_up(work, replace(chargeback, outcome=Outcome.OPEN))
    if chargeback.outcome is Outcome.OPEN and (to is Outcome.WON or other):
        chargeback = _won(work, chargeback, side)
    if chargeback.outcome is Outcome.TOLD or (chargeback.outcome is Outcome.WON and to in AT_BANK):
        opened = replace(chargeback, outcome=Outcome.OPEN, amount_minor=amount, currency=currency)
        chargeback = _opened(work, opened, side)
    if before is not Outcome.OPEN and (to is Outcome.OPEN or before is not Outcome.LOST) and to is not before:
        _tell(work, chargeback, ChargebackOpened)
    if chargeback.outcome is Outcome.OPEN and to is Outcome.WON:
        chargeback = _won(work, chargeback, side)
    if chargeback.outcome is Outcome.OPEN and to is Outcome.LOST:
        chargeback = side.lost(work, replace(chargeback, outcome=Outcome.LOST))
    if to is not before and to is not Outcome.OPEN:
        _tell(work, chargeback, ChargebackClosed, outcome=to)
    payment = None if chargeback.booking_id is None else work.find(Payment, chargeback.booking_id)
    if payment is not None and to is not Outcome.OPEN:
        if to is Outcome.WON:
            booking_chargebacks.refund_what_was_held_up(work, payment)
        advance(work, payment)


def _opened(work: PaymentsWork, chargeback: Chargeback, side: Side) -> Chargeback:
    opened = ledger.chargeback_opened(chargeback.dispute_id, chargeback.currency, chargeback.amount_minor)
    work.post(Cause.CHARGEBACK, opened)
    return side.opened(work, chargeback)


def _won(work: PaymentsWork, chargeback: Chargeback, side: Side) -> Chargeback:
    won = ledger.chargeback_won(chargeback.dispute_id, chargeback.currency, chargeback.amount_minor)
    work.post(Cause.CHARGEBACK_WON, won)
    return side.won(work, replace(chargeback, outcome=Outcome.WON))


def _tell(
    work: PaymentsWork, chargeback: Chargeback, event: type[ChargebackOpened | ChargebackClosed], **more: Outcome
) -> None:
    """Events name a booking: of a wallet's top-up none tells."""
    payment = None if chargeback.booking_id is None else work.find(Payment, chargeback.booking_id)
    if payment is not None:
        amount = Money(amount=chargeback.amount_minor, currency=chargeback.currency)
        work.say(payment, event, dispute_id=chargeback.dispute_id, amount=amount, **more)
