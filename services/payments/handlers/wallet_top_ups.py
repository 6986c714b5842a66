"""TopUpWallet: a card is charged for a wallet; the reply waits for Stripe's answer (requirement wallet)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from booking_contracts.codes import Code, Rejected
from booking_contracts.payments import (
    TopUpWallet,
    WalletCommand,
    WalletCommandAccepted,
    WalletCommandRejected,
    WalletToppedUp,
)
from booking_contracts.types import Money
from pydantic import JsonValue

from services.chassis.messages import Accepted, Deferred, Message
from services.payments.local_messages import TopUpSeen
from services.payments.model import declines, ledger
from services.payments.model.ledger import Cause
from services.payments.model.wallet import Asked, TopUp, TopUpStatus
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork


def top_up_wallet(message: Message[TopUpWallet], work: PaymentsWork) -> Accepted:
    """Charge the card; the same command id again is waited for, not charged again."""
    command = message.body
    if (declined := declines.not_chargeable(command.amount)) is not None:
        raise Rejected(
            Code.INVALID_COMMAND, declined.customer_message, field="amount", decline_code=declined.code, retryable=False
        )
    if work.find(Asked, message.id) is None:
        work.put(asked_by(message))
        work.put(work.wallet_of(command.customer_id))
        amount, made_at = command.amount, work.now + _place_in_batch(work)
        top_up = work.put(TopUp(message.id, command.customer_id, amount.amount, amount.currency, made_at))
        requests.charge_for_wallet(work, top_up, command.payment_method, look_first=message.raw.again)
    return Deferred()


def _place_in_batch(work: PaymentsWork) -> timedelta:
    """Top-ups of one batch share an instant; a microsecond tells which came first."""
    return timedelta(microseconds=sum(top_up.made_at >= work.now for top_up in work.all(TopUp)))


def asked_by(message: Message[WalletCommand]) -> Asked:
    """What the reply to a wallet command will need."""
    customer_id = message.body.customer_id
    return Asked(message.id, customer_id, message.body_hash, message.correlation_id, message.reply_to)


def top_up_seen(message: Message[TopUpSeen], work: PaymentsWork) -> None:
    """The card was charged, or declined. A card that wants 3-D Secure is declined: nobody waits at a browser here.

    An amount or a currency that Stripe refuses is the command's fault, not the card's.
    """
    seen = message.body
    asked, top_up = work.find(Asked, seen.command_id), work.find(TopUp, seen.command_id)
    assert asked is not None, "a top-up is written with its command"
    assert top_up is not None, "a top-up is written with its call"
    if top_up.status is not TopUpStatus.PENDING:
        return  # its result was handled before
    if seen.status == "processing":
        return  # it ends within minutes: the call is made again (reconciliation/lost_results.py) and says how
    top_up = replace(top_up, payment_intent=seen.payment_intent)
    if seen.status != "succeeded":
        work.put(replace(top_up, status=TopUpStatus.DECLINED))
        declined = declines.decline(seen.error_code, seen.decline_code, of_request=seen.of_request)
        of_amount = seen.of_request and not declined.retryable
        why: dict[str, JsonValue] = {"decline_code": declined.code, "retryable": declined.retryable}
        work.reply(
            asked,
            WalletCommandRejected(
                command_id=asked.command_id,
                code=Code.INVALID_COMMAND if of_amount else Code.CARD_DECLINED,
                message=declined.customer_message,
                details={**({"field": "amount"} if of_amount else {}), **why},
            ),
        )
        return
    work.put(replace(top_up, status=TopUpStatus.DONE))
    owner, currency = top_up.customer_id, top_up.currency
    into = ledger.available(owner)
    work.post(Cause.TOP_UP, ledger.move(currency, top_up.amount_minor, debit=ledger.CLEARING, credit=into))
    result = balances(work, owner, currency)
    work.reply(asked, WalletCommandAccepted(command_id=asked.command_id, result=result))
    amount = Money(amount=top_up.amount_minor, currency=currency)
    work.announce(owner, WalletToppedUp, amount=amount, payment_intent=seen.payment_intent)


def balances(work: PaymentsWork, customer_id: str, currency: str) -> dict[str, JsonValue]:
    """The result of a wallet command: what the customer has in that currency now."""
    accounts = {"available": ledger.available(customer_id), "locked": ledger.locked(customer_id)}
    return {
        name: {"amount": work.balance(account, currency), "currency": currency} for name, account in accounts.items()
    }
