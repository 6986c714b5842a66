"""Where the money is, as four sides tell it: Stripe, the ledger, payments' rows, and the bookings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tests.faults.facts import Entry


@dataclass(frozen=True)
class Booking:
    """A booking, and the split that its last event told of: (to the payer, to the provider), None before any."""

    id: str
    state: str
    saga: str
    price: int
    currency: str
    told: tuple[int, int] | None = None


@dataclass(frozen=True)
class Payment:
    """Payments' row of a booking, in minor units."""

    booking_id: str
    wallet: str | None
    """The customer whose wallet paid; None for a card."""
    provider_id: str
    currency: str
    status: str
    captured: int
    refunded: int
    released: int
    commission: int


@dataclass(frozen=True)
class Refund:
    """Payments' row of a refund; `stripe` is None for one to a wallet."""

    booking_id: str
    amount: int
    status: str
    stripe: str | None


@dataclass(frozen=True)
class Payout:
    """Payments' row of what a provider is to get."""

    provider_id: str
    amount: int
    currency: str
    status: str
    transfer: str | None
    reversed: int = 0
    """What somebody took back at Stripe; owed again."""


@dataclass(frozen=True)
class TopUp:
    """Payments' row of a top-up, done or not."""

    command_id: str
    customer_id: str
    currency: str
    amount: int
    status: str


@dataclass(frozen=True)
class Part:
    """Payments' row of a part of a withdrawal: a refund of a past top-up."""

    customer_id: str
    currency: str
    amount: int
    status: str
    stripe: str | None


@dataclass(frozen=True)
class ByHand:
    """Payments' row of a refund that somebody made at Stripe; `of` is the booking, or the top-up's command."""

    stripe: str
    of: str
    currency: str
    amount: int
    lost: int
    """What it took beyond what was the payer's."""
    failed: bool


@dataclass(frozen=True)
class Intent:
    """Stripe's PaymentIntent; `of` is the booking, or the top-up's command."""

    id: str
    of: str
    currency: str
    status: str
    received: int


@dataclass(frozen=True)
class Movement:
    """Money that has left Stripe's balance: a refund (`to` a PaymentIntent), a transfer (`to` an account) less what was
    taken back of it, a dispute: what of it is with the bank."""

    id: str
    to: str
    currency: str
    amount: int
    status: str = ""


@dataclass
class Money:
    """Everything, read when nothing moves any more."""

    bookings: list[Booking] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    top_ups: list[TopUp] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    by_hand: list[ByHand] = field(default_factory=list)
    disputed: dict[str, str] = field(default_factory=dict)
    """The booking of each dispute that payments knows of."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """How each of them stands by payments' row, a wallet's too."""
    unclaimed: list[str] = field(default_factory=list)
    """What payments has left to a person."""
    entries: list[Entry] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    stripe_refunds: list[Movement] = field(default_factory=list)
    transfers: list[Movement] = field(default_factory=list)
    disputes: list[Movement] = field(default_factory=list)

    def balances(self) -> dict[tuple[str, str], int]:
        """The ledger's balance of every (account, currency)."""
        found: defaultdict[tuple[str, str], int] = defaultdict(int)
        for entry in self.entries:
            found[entry.account, entry.currency] += entry.amount
        return found
