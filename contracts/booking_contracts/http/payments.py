"""What payments can be asked over HTTP (contract.md, HTTP)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from booking_contracts.http.every_service import WalletReply, command_reply
from booking_contracts.http.operation import Amount, Answer, Operation, Page, Paged, Parameters
from booking_contracts.problems import ProblemKind
from booking_contracts.types import EventInstant, Id, OpaqueId

PaymentStatus = Literal["pending", "requires_action", "authorized", "captured", "settled", "voided", "declined"]
RefundStatus = Literal["pending", "succeeded", "failed"]
ACCOUNT = r"^[a-z_]{1,40}(:[A-Za-z0-9._:@-]{1,160})?$"


class Refund(Answer):
    """Money on its way back; `id` is Stripe's as soon as it is known. `failed` may follow `succeeded` days later."""

    id: str
    amount: Amount
    status: RefundStatus


class Payment(Answer):
    """A booking's payment; amounts are those of its newest attempt, all in one currency."""

    payment_id: Id
    status: PaymentStatus
    attempt: int
    amount: Amount
    authorized: Amount
    captured: Amount
    refunded: Amount
    escrow: Amount
    released: Amount
    commission: Amount
    payment_intent: Annotated[str | None, Field(description="Stripe's; null for a wallet.")]
    refunds: tuple[Refund, ...]


class ClientSecret(Answer):
    """For the payer's browser alone; it is read from Stripe and kept nowhere."""

    client_secret: str


class Balance(Answer):
    """What a customer can spend, and what is reserved for bookings."""

    available: Amount
    locked: Amount


class Wallet(Answer):
    """One balance for each currency; none for who has never had any."""

    balances: tuple[Balance, ...]


class LedgerEntry(Answer):
    """One line of a transaction; the lines of a transaction add up to nothing."""

    transaction_id: Id
    account: str
    amount: Amount
    cause: Annotated[str, Field(description="Why it was posted, some with the id of what caused it after a colon.")]
    at: EventInstant


class LedgerPage(Page):
    """Entries, oldest first."""

    items: tuple[LedgerEntry, ...]


class Received(Answer):
    """The event is stored; what it means is worked out afterwards."""

    received: Literal[True]


class OfBooking(Parameters):
    """The payment of a booking."""

    booking_id: Id


class OfCustomer(Parameters):
    """Somebody's wallet."""

    customer_id: OpaqueId


class LedgerOf(Paged):
    """The entries of one account, or of all."""

    account: Annotated[
        Annotated[str, StringConstraints(pattern=ACCOUNT)] | None,
        Field(description="E.g. `wallet:bob:available`, `escrow:<booking_id>`, `stripe:clearing`."),
    ] = None


UNKNOWN = (ProblemKind.NOT_FOUND,)
OPERATIONS = (
    Operation("payment", "/v1/payments/{booking_id}", "A payment", Payment, "read:money", OfBooking, UNKNOWN),
    Operation(
        "clientSecret",
        "/v1/payments/{booking_id}/client-secret",
        "What the payer's browser needs",
        ClientSecret,
        "client-secret",
        OfBooking,
        (*UNKNOWN, ProblemKind.CONFLICT),
        "To name a card, or to pass 3-D Secure. A payment that does not wait for the payer is a conflict.",
    ),
    Operation("wallet", "/v1/wallets/{customer_id}", "Balances", Wallet, "read:money", OfCustomer, UNKNOWN),
    Operation("ledger", "/v1/ledger", "Entries of the ledger", LedgerPage, "read:money", LedgerOf),
    Operation(
        "stripeWebhook",
        "/webhooks/stripe",
        "An event of Stripe's",
        Received,
        problems=(ProblemKind.BAD_REQUEST, ProblemKind.BODY_TOO_LARGE, ProblemKind.UNAVAILABLE),
        description="For Stripe alone, which signs the body: five minutes off or badly signed is refused.",
        method="post",
        headers=("Stripe-Signature",),
    ),
    command_reply(WalletReply),
)
