"""WithdrawFromWallet: back to the cards that the money came from, newest top-up first (requirement wallet)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

import structlog
from booking_contracts.codes import Code, Rejected
from booking_contracts.currencies import card_step_minor
from booking_contracts.payments import (
    WalletCommandAccepted,
    WalletCommandRejected,
    WalletWithdrawn,
    WithdrawFromWallet,
)
from booking_contracts.types import Money, Price

from services.chassis.messages import Accepted, Deferred, Message
from services.payments.handlers import wallet_chargebacks
from services.payments.handlers.commands import READ_AGAIN_WITHIN, RECHECK_AFTER
from services.payments.handlers.reconciliation import record_missing
from services.payments.handlers.wallet_top_ups import asked_by, balances
from services.payments.local_messages import MISSING, WithdrawalSeen, WithdrawLater
from services.payments.model import ledger
from services.payments.model.ledger import Cause
from services.payments.model.refund import CARD_GONE, FAILED_STATUSES
from services.payments.model.wallet import Asked, Part, PartStatus, TopUp, Withdrawal, newest_first
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork

log = structlog.get_logger()


def withdraw_from_wallet(message: Message[WithdrawFromWallet], work: PaymentsWork) -> Accepted:
    """Reserve the amount, then refund top-ups one after the other; the reply waits for the last of them."""
    command = message.body
    if work.find(Asked, message.id) is not None:
        return Deferred()
    owner, wanted = command.customer_id, command.amount
    if wanted.amount % (step := card_step_minor(wanted.currency)):
        raise Rejected(
            Code.INVALID_COMMAND,
            f"Cards take {wanted.currency} back in steps of {step} minor units; ask for a multiple of {step}.",
            field="amount",
            problem=f"must be a multiple of {step} minor units",
        )
    if (can := _withdrawable(work, owner, wanted.currency)) >= wanted.amount:
        work.put(asked_by(message))
        _begin(work, message.id, owner, wanted)
    elif message.raw.again:
        work.put(asked_by(message))
        work.put(work.wallet_of(owner))
        until = work.now + READ_AGAIN_WITHIN
        _try_later(work, WithdrawLater(command_id=message.id, customer_id=owner, amount=wanted, until=until))
    else:
        raise _too_little(can, wanted.currency)
    return Deferred()


def withdraw_later(message: Message[WithdrawLater], work: PaymentsWork) -> None:
    """The money that the wallet had may be there by now."""
    told = message.body
    asked, wanted = work.find(Asked, told.command_id), told.amount
    assert asked is not None, "a withdrawal that waits is written with its command"
    if (can := _withdrawable(work, told.customer_id, wanted.currency)) >= wanted.amount:
        _begin(work, told.command_id, told.customer_id, wanted)
    elif work.now < told.until:
        _try_later(work, told)
    else:
        no = _too_little(can, wanted.currency)
        work.reply(
            asked,
            WalletCommandRejected(command_id=asked.command_id, code=no.code, message=no.message, details=no.details),
        )


def _withdrawable(work: PaymentsWork, owner: str, currency: str) -> int:
    """What the wallet has, and its top-ups can still give back, in whole steps of cards."""
    has, step = work.balance(ledger.available(owner), currency), card_step_minor(currency)
    back = sum(top_up.left_minor for top_up in _top_ups(work, owner, currency))
    return min(has, back) // step * step


def _too_little(can: int, currency: str) -> Rejected:
    return Rejected(
        Code.INSUFFICIENT_FUNDS,
        "The wallet does not hold that much that can be withdrawn; ask for less.",
        withdrawable={"amount": can, "currency": currency},
    )


def _try_later(work: PaymentsWork, later: WithdrawLater) -> None:
    work.remind(later, key=later.customer_id, due_at=work.now + RECHECK_AFTER)


def _begin(work: PaymentsWork, command_id: UUID, owner: str, wanted: Price) -> None:
    reserve = ledger.move(wanted.currency, wanted.amount, debit=ledger.available(owner), credit=ledger.locked(owner))
    work.post(Cause.WITHDRAWAL, reserve)
    _next_part(work, work.put(Withdrawal(command_id, owner, wanted.amount, wanted.currency)))


def _top_ups(work: PaymentsWork, owner: str, currency: str) -> list[TopUp]:
    mine = [row for row in work.all(TopUp) if (row.customer_id, row.currency) == (owner, currency)]
    return newest_first([top_up for top_up in mine if top_up.left_minor > 0])


def _next_part(work: PaymentsWork, withdrawal: Withdrawal) -> None:
    """The newest top-up that has something left gives what it can, each once; with none the withdrawal ends."""
    asked = {part.top_up_id for part in _parts(work, withdrawal)}
    mine = _top_ups(work, withdrawal.customer_id, withdrawal.currency)
    top_ups = [top_up for top_up in mine if top_up.command_id not in asked]
    if withdrawal.left_minor == 0 or not top_ups:
        _end(work, withdrawal)
        return
    top_up = top_ups[0]
    amount = min(top_up.left_minor, withdrawal.left_minor)
    work.put(replace(top_up, refunded_minor=top_up.refunded_minor + amount))
    withdrawal = work.put(replace(withdrawal, parts=withdrawal.parts + 1))
    number, command_id = withdrawal.parts, withdrawal.command_id
    part_id = uuid5(command_id, f"part:{number}")
    part = work.put(Part(part_id, command_id, withdrawal.customer_id, number, top_up.command_id, amount))
    assert top_up.payment_intent is not None, "a top-up that was made has a PaymentIntent"
    requests.refund_from_wallet(work, part, top_up.payment_intent)


def withdrawal_seen(message: Message[WithdrawalSeen], work: PaymentsWork) -> None:
    """How the refund of a part stands: on its way, refused, or sent back by the bank after all."""
    seen = message.body
    part, withdrawal = work.find(Part, seen.part_id), work.find(Withdrawal, seen.command_id)
    assert part is not None, "a part is written with its call"
    assert withdrawal is not None, "a part belongs to a withdrawal"
    if seen.status == MISSING:
        record_missing(work, f"refund {part.stripe_refund}", None, _intent_of(work, part), part.customer_id)
    elif part.status is PartStatus.PENDING:
        _answered(work, withdrawal, part, seen)
    elif part.status is PartStatus.SENT and seen.status in FAILED_STATUSES:
        _came_back(work, part, seen)


def _answered(work: PaymentsWork, withdrawal: Withdrawal, part: Part, seen: WithdrawalSeen) -> None:
    """On its way; or Stripe does not make it, and older top-ups have to give it."""
    part = replace(part, stripe_refund=seen.stripe_refund)
    if seen.status in FAILED_STATUSES:
        _not_taken(work, part, seen.failure)
    else:
        work.put(replace(part, status=PartStatus.SENT))
        withdrawal = work.put(replace(withdrawal, withdrawn_minor=withdrawal.withdrawn_minor + part.amount_minor))
        out = ledger.locked(withdrawal.customer_id)
        sent = ledger.move(withdrawal.currency, part.amount_minor, debit=out, credit=ledger.CLEARING)
        work.post(Cause.WITHDRAWN, sent)
    _next_part(work, withdrawal)


def _came_back(work: PaymentsWork, part: Part, seen: WithdrawalSeen) -> None:
    """The money is in the wallet again. A failed refund never recovers."""
    top_up = _not_taken(work, part, seen.failure)
    into = ledger.available(part.customer_id)
    back = ledger.move(top_up.currency, part.amount_minor, debit=ledger.CLEARING, credit=into)
    work.post(Cause.WITHDRAWAL_CAME_BACK, back)
    wallet_chargebacks.freeze_rest(work, part.customer_id)
    log.error("a withdrawal came back", part_id=str(part.part_id), customer_id=part.customer_id)


def _not_taken(work: PaymentsWork, part: Part, failure: str | None) -> TopUp:
    """The top-up can give it another time, e.g. when Stripe's balance reaches for it; unless its card is gone."""
    top_up = work.find(TopUp, part.top_up_id)
    assert top_up is not None, "a part is of a top-up"
    work.put(replace(part, status=PartStatus.FAILED))
    log.warning("a top-up cannot be refunded", command_id=str(top_up.command_id), code=failure)
    left = top_up.refunded_minor - part.amount_minor
    return work.put(replace(top_up, refunded_minor=left, closed=top_up.closed or failure in CARD_GONE))


def _end(work: PaymentsWork, withdrawal: Withdrawal) -> None:
    """Answer; what could not be sent back is available again."""
    asked = work.find(Asked, withdrawal.command_id)
    assert asked is not None, "a withdrawal is written with its command"
    owner, currency = withdrawal.customer_id, withdrawal.currency
    if withdrawal.left_minor:
        rest = ledger.move(currency, withdrawal.left_minor, debit=ledger.locked(owner), credit=ledger.available(owner))
        work.post(Cause.WITHDRAWAL, rest)
        wallet_chargebacks.freeze_rest(work, owner)
    result = balances(work, owner, currency)
    withdrawn = Money(amount=withdrawal.withdrawn_minor, currency=currency)
    if withdrawal.left_minor == 0:
        work.reply(asked, WalletCommandAccepted(command_id=asked.command_id, result=result))
    else:
        work.reply(
            asked,
            WalletCommandRejected(
                command_id=asked.command_id,
                code=Code.INSUFFICIENT_FUNDS,
                message="Not all of it can go back to the cards of past top-ups now; what they took is withdrawn. "
                "Ask for the rest later.",
                details={"withdrawn": withdrawn.model_dump(), **result},
            ),
        )
    if withdrawal.withdrawn_minor:
        work.announce(owner, WalletWithdrawn, amount=withdrawn, payment_intent=_intent(work, withdrawal))


def _intent(work: PaymentsWork, withdrawal: Withdrawal) -> str | None:
    """The PaymentIntent that gave the last part."""
    sent = [part for part in _parts(work, withdrawal) if part.status is PartStatus.SENT]
    return _intent_of(work, max(sent, key=lambda part: part.number)) if sent else None


def _intent_of(work: PaymentsWork, part: Part) -> str | None:
    top_up = work.find(TopUp, part.top_up_id)
    return top_up.payment_intent if top_up else None


def _parts(work: PaymentsWork, withdrawal: Withdrawal) -> list[Part]:
    return [part for part in work.all(Part) if part.command_id == withdrawal.command_id]
