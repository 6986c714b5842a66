"""Stripe, payments' rows and the ledger against each other, to the cent: pure (requirements ledger, auditor).

Each side says what it knows of a thing as a Standing, and a difference is where two sides do not say the same. No two
stores are read at one instant, so a difference counts only when it was there without a break for GRACE.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

GRACE = timedelta(minutes=30)
"""Longer than differences that end by themselves: a lost webhook takes seconds, a lost result ten minutes."""
PAUSE = timedelta(minutes=5)
"""After so long without a look nobody knows what moved meanwhile: the grace begins again."""


class Kind(StrEnum):
    """What is compared. The first four: Stripe's object against our row."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    TRANSFER = "transfer"
    ESCROW = "escrow"
    """A booking's escrow, by its row and in the ledger."""
    OWED = "owed"
    """Failed refunds of a booking, by their rows and in the ledger."""
    COMMISSION = "commission"
    """Our part of a booking, by its row and in the ledger."""
    CLEARING = "clearing"
    """What a booking or a wallet brought into Stripe, by its rows and in the ledger."""
    LOSS = "loss"
    """A refund made at Stripe that was posted as our loss, although the wallet had the money."""
    FEE = "fee"
    """What a movement of Stripe's left of its amount, against its fee."""
    BALANCE = "balance"
    """All that Stripe holds, against all movements, and against the clearing account."""


OF_STRIPE = frozenset({Kind.CHARGE, Kind.REFUND, Kind.DISPUTE, Kind.TRANSFER})
"""Kinds whose subject Stripe can be asked about."""
CATEGORIES = {
    "charge": Kind.CHARGE,
    "charge_failure": Kind.CHARGE,
    "partial_capture_reversal": Kind.CHARGE,
    "refund": Kind.REFUND,
    "refund_failure": Kind.REFUND,
    "dispute": Kind.DISPUTE,
    "dispute_reversal": Kind.DISPUTE,
    "transfer": Kind.TRANSFER,
    "transfer_reversal": Kind.TRANSFER,
}
"""Stripe's reporting categories that are about our objects (docs.stripe.com: Reporting categories)."""
STRIPES, LEDGERS = "Stripe's balance", "stripe:clearing"
"""Subjects of Kind.BALANCE."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one side says: how much, in minor units, a thing has brought us (negative: taken)."""

    kind: Kind
    subject: str
    currency: str
    amount_minor: int
    booking_id: UUID | None = None
    customer_id: str | None = None
    payment_intent: str | None = None

    @property
    def key(self) -> tuple[Kind, str, str]:
        return (self.kind, self.subject, self.currency)


@dataclass(frozen=True, slots=True)
class Difference:
    """`of` carries the ids; its amount is ours. `theirs` is Stripe's, or for kinds within our database the ledger's."""

    of: Standing
    theirs_minor: int

    @property
    def key(self) -> tuple[Kind, str, str]:
        return self.of.key


def differences(ours: Iterable[Standing], theirs: Iterable[Standing]) -> list[Difference]:
    """Where the two do not agree, each once; what only one side knows is 0 on the other."""
    mine, other = _sums(ours), _sums(theirs)
    found = []
    for key in mine | other:
        here, there = mine.get(key), other.get(key)
        about = here or replace(other[key], amount_minor=0)
        if here is not None and there is not None and here.payment_intent is None:
            about = replace(here, payment_intent=there.payment_intent)
        amount = 0 if there is None else there.amount_minor
        if about.amount_minor != amount:
            found.append(Difference(about, amount))
    return found


def _sums(standings: Iterable[Standing]) -> dict[tuple[Kind, str, str], Standing]:
    found: dict[tuple[Kind, str, str], Standing] = {}
    for one in standings:
        before = found.get(one.key)
        found[one.key] = one if before is None else replace(before, amount_minor=before.amount_minor + one.amount_minor)
    return found


@dataclass(frozen=True, slots=True)
class Watched:
    """A difference over time: since when it has been seen as it is, without a break."""

    found: Difference
    first_seen: datetime
    since: datetime
    last_seen: datetime
    counted_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether it counts as soon as nothing speaks against it."""
        return self.counted_at is None and now - self.since >= GRACE


def watched(found: Difference, before: Watched | None, now: datetime) -> Watched:
    """A difference seen now. Whatever moves, or was not looked at for a while, begins its grace again."""
    if before is None:
        return Watched(found, now, now, now)
    moved = (found.of.amount_minor, found.theirs_minor) != (before.found.of.amount_minor, before.found.theirs_minor)
    since = now if moved or now - before.last_seen > PAUSE else before.since
    return replace(before, found=found, since=since, last_seen=now)
