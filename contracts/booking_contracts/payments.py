"""Messages of payments: commands from booking, wallet commands, events (contract.md, Booking and payments)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from booking_contracts.codes import Code
from booking_contracts.envelope import Command, Event
from booking_contracts.types import (
    Actor,
    Attempt,
    Id,
    Instant,
    Money,
    OpaqueId,
    PaymentChoice,
    PaymentMethod,
    Price,
    ToldAttempt,
)


class PaymentCommand(Command, domain="payments", topic="payments.commands", key="booking_id"):
    """A command about one booking's money; idempotent on (booking, operation, attempt or settlement)."""

    booking_id: Id
    payment_id: Id
    attempt: Attempt


class AuthorizePayment(PaymentCommand):
    """Reserve `amount` until `expires_at`; nothing is taken."""

    amount: Price
    customer_id: OpaqueId
    payment: PaymentChoice
    provider_id: Id
    payout_account: str | None = None
    commission_bps: Annotated[int, Field(ge=0, le=10_000)]
    expires_at: Instant


class CapturePayment(PaymentCommand):
    """Take the authorised amount into escrow."""


class VoidPayment(PaymentCommand):
    """Give back what is reserved; always answered PaymentVoided, also when nothing was."""


class SettlePayment(PaymentCommand):
    """End the escrow: `refund` to the payer, `release` to the provider less commission."""

    settlement_id: Id
    refund: Money
    release: Money


class WalletCommand(Command, domain="wallet", topic="wallet.commands", key="customer_id"):
    """A customer's own command about their wallet."""

    customer_id: OpaqueId
    amount: Price
    actor: Actor


class TopUpWallet(WalletCommand):
    payment_method: PaymentMethod


class WithdrawFromWallet(WalletCommand):
    """Refunds past top-ups, newest first."""


class WalletCommandAccepted(Event):
    """`wallet.CommandAccepted.v1`: result {available, locked}."""

    command_id: Id
    result: dict[str, JsonValue] = Field(default_factory=dict)


class WalletCommandRejected(Event):
    """`wallet.CommandRejected.v1`."""

    command_id: Id
    code: Code
    message: str
    details: dict[str, JsonValue] = Field(default_factory=dict)


for _reply in (WalletCommandAccepted, WalletCommandRejected):
    _reply.domain, _reply.topic, _reply.key_field = "wallet", "wallet.replies", "command_id"
    _reply.ce_type = f"wallet.{_reply.__name__.removeprefix('Wallet')}.v1"


class PaymentEvent(Event, domain="payments", topic="payments.events", key="booking_id"):
    """A fact about one booking's money; `payment_intent` where Stripe is involved."""

    booking_id: Id
    payment_id: Id
    attempt: ToldAttempt
    payment_intent: str | None = None


class PaymentAuthorized(PaymentEvent):
    amount: Money


class PaymentActionRequired(PaymentEvent):
    kind: Literal["authenticate", "payment_method"]


class PaymentDeclined(PaymentEvent):
    """`retryable`: whether another try, or another card, can help; `customer_message` may be shown."""

    code: str
    retryable: bool
    customer_message: str = "The payment was declined. Please try another card."


class PaymentCaptured(PaymentEvent):
    amount: Money


class CaptureFailed(PaymentEvent):
    """The authorisation is gone; nothing can be captured any more."""

    code: str


class PaymentVoided(PaymentEvent):
    pass


class PaymentSettled(PaymentEvent):
    """Posted; the refund may still be pending at the card network."""

    settlement_id: Id
    via: Literal["void", "refund"]
    refund: Money
    release: Money
    commission: Money
    provider_amount: Money


class RefundSucceeded(PaymentEvent):
    refund_id: str
    amount: Money


class RefundFailed(PaymentEvent):
    refund_id: str
    amount: Money
    code: str


class PayoutPaid(PaymentEvent):
    transfer_id: str
    amount: Money


class PayoutFailed(PaymentEvent):
    amount: Money
    code: str


class ChargebackOpened(PaymentEvent):
    dispute_id: str
    amount: Money


class ChargebackClosed(PaymentEvent):
    dispute_id: str
    amount: Money
    outcome: Literal["won", "lost"]


class WalletEvent(Event, domain="payments", topic="payments.events", key="customer_id"):
    """A fact about a customer's wallet."""

    customer_id: str
    amount: Money
    payment_intent: str | None = None


class WalletToppedUp(WalletEvent):
    pass


class WalletWithdrawn(WalletEvent):
    pass


COMMANDS: tuple[type[PaymentCommand], ...] = (AuthorizePayment, CapturePayment, VoidPayment, SettlePayment)
WALLET_COMMANDS: tuple[type[WalletCommand], ...] = (TopUpWallet, WithdrawFromWallet)
WALLET_REPLIES: tuple[type[Event], ...] = (WalletCommandAccepted, WalletCommandRejected)
EVENTS: tuple[type[Event], ...] = (
    PaymentAuthorized,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentCaptured,
    CaptureFailed,
    PaymentVoided,
    PaymentSettled,
    RefundSucceeded,
    RefundFailed,
    PayoutPaid,
    PayoutFailed,
    ChargebackOpened,
    ChargebackClosed,
    WalletToppedUp,
    WalletWithdrawn,
)
