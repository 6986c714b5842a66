"""What payments' handlers work with: payments, wallets, events and postings, in the batch's unit of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from booking_contracts.envelope import uuid7
from booking_contracts.payments import (
    PaymentCommand,
    PaymentEvent,
    WalletCommandAccepted,
    WalletCommandRejected,
    WalletEvent,
)
from pydantic import BaseModel

from services.chassis.unit_of_work import Send, UnitOfWork
from services.payments.model import ledger
from services.payments.model.ledger import Entry, LedgerTransaction
from services.payments.model.payment import Operation, Payment
from services.payments.model.stripe_operations import StripeOperation
from services.payments.model.wallet import Asked, Balance, Wallet
from services.payments.stripe_events.owners import Owner


@dataclass(frozen=True, slots=True)
class Receipt:
    """The one reply to a command that was answered after Stripe; with it a repeated command is dropped."""

    command_id: UUID
    body_hash: bytes
    reply_type: str
    reply: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A line of the reconciler's record."""

    at: datetime
    booking_id: UUID | None
    payment_intent: str
    finding: str
    repair: str
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class PaidOutside:
    """Who has paid a failed refund by other means, and how it can be found there."""

    refund_id: UUID
    transaction_id: UUID
    at: datetime
    by_whom: str
    reference: str


class PaymentsWork(UnitOfWork):
    """The rows of a batch, and payments' words for changing them."""

    def __init__(self, now: datetime, new_id: Callable[[], UUID] = uuid7) -> None:
        super().__init__(now, new_id)
        self.owners: dict[str, Owner] = {}
        """Of the PaymentIntents and transfers that unclaimed events are about."""
        self._met: set[tuple[UUID, datetime]] = set()

    def first_of(self, provider_id: UUID) -> bool:
        """Whether this batch meets the provider for the first time at this instant."""
        first = (provider_id, self.now) not in self._met
        self._met.add((provider_id, self.now))
        return first

    def payment_of(self, command: PaymentCommand) -> Payment:
        """The payment that a command is about; a new one where the booking is not known yet."""
        found = self.find(Payment, command.booking_id)
        if found is not None:
            return found
        correlation = self.message.correlation_id if self.message else str(command.booking_id)
        return Payment(command.booking_id, command.payment_id, correlation)

    def wallet_of(self, customer_id: str) -> Wallet:
        """A customer's wallet; a new one for a customer who has none."""
        return self.find(Wallet, customer_id) or Wallet(customer_id)

    def balance(self, account: str, currency: str) -> int:
        """What an account of a wallet holds, with what this batch has posted."""
        found = self.find(Balance, (account, currency))
        return 0 if found is None else found.amount_minor

    def continue_correlation(self, correlation_id: str, causation_id: UUID | None = None) -> None:
        """What follows from a message of Stripe's belongs to the command that began it all."""
        assert self.message is not None, "a message is in hand"
        message_id = causation_id or self.message.id
        self.message = replace(self.message, correlation_id=correlation_id, id=message_id)

    def say(self, payment: Payment, event: type[PaymentEvent], **fields: Any) -> Payment:
        """Tell the world, under the next number of the booking's stream."""
        payment = self.put(replace(payment, sequence=payment.sequence + 1))
        about = {
            "booking_id": payment.booking_id,
            "payment_id": payment.payment_id,
            "attempt": payment.attempt,
            "payment_intent": payment.payment_intent,
        }
        self.send(event(**{**about, **fields}), sequence=payment.sequence)
        return payment

    def announce(self, customer_id: str, event: type[WalletEvent], **fields: Any) -> None:
        """Tell the world about a wallet, under the next number of the customer's stream."""
        wallet = self.wallet_of(customer_id)
        wallet = self.put(replace(wallet, sequence=wallet.sequence + 1))
        self.send(event(customer_id=customer_id, **fields), sequence=wallet.sequence)

    def reply(self, asked: Asked, reply: WalletCommandAccepted | WalletCommandRejected) -> None:
        """Give a wallet command its one answer, and keep it."""
        self.continue_correlation(asked.correlation_id, asked.command_id)
        self.send(reply, key=asked.customer_id, reply_to=asked.reply_to)
        sent = self.journal[-1]
        assert isinstance(sent, Send)
        self.record(Receipt(asked.command_id, asked.body_hash, sent.type, sent.body.decode()))
        self.put(replace(asked, answered=True))

    def post(self, cause: str, entries: tuple[Entry, ...]) -> UUID | None:
        """Write a ledger transaction and return its id; one without lines is none. Wallets' balances follow at once."""
        if not entries:
            return None
        causation, transaction_id = self.message.id if self.message else None, self.new_id()
        self.record(LedgerTransaction(transaction_id, cause, self.now, causation, entries))
        for entry in entries:
            if ledger.of_wallet(entry.account):
                before = self.balance(entry.account, entry.currency)
                self.put(Balance(entry.account, entry.currency, before + entry.amount_minor))
        return transaction_id

    def ask_stripe(
        self, operation: StripeOperation | Operation, *, subject: str, key: object, parameters: BaseModel, once: str
    ) -> None:
        """Intend a call; `once` is its idempotency key."""
        self.call(operation, subject=subject, key=str(key), parameters=parameters, idempotency_key=once)
