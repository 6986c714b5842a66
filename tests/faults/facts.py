"""What a run left behind, as plain values: read by collecting.py, judged by checks.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Record:
    """A record of Kafka, in the order of its partition."""

    topic: str
    key: str
    id: str
    type: str
    sequence: int | None = None
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Booking:
    booking_id: str
    state: str
    slot_id: str
    seats: int
    occupies: bool
    price: int
    payment_id: str
    sequence: int = 0


@dataclass(frozen=True)
class Slot:
    slot_id: str
    taken: int
    capacity: int


@dataclass(frozen=True)
class Waiter:
    """An entry of a slot's waitlist."""

    entry_id: str
    state: str
    slot_id: str
    seats: int
    booking_id: str | None = None
    sequence: int = 0


@dataclass(frozen=True)
class Step:
    """A line of a booking's history."""

    booking_id: str
    number: int
    before: str | None
    after: str


@dataclass(frozen=True)
class Saga:
    booking_id: str
    step: str
    status: str
    problem: str | None = None


@dataclass(frozen=True)
class Payment:
    booking_id: str
    payment_id: str
    status: str
    intent: str | None
    captured: int
    refunded: int


@dataclass(frozen=True)
class Intent:
    """A PaymentIntent of Stripe with what was refunded of it, and by how many refunds."""

    id: str
    booking_id: str
    attempt: str
    status: str
    received: int
    refunded: int = 0
    refunds: int = 0


@dataclass(frozen=True)
class Entry:
    """One side of a ledger transaction."""

    transaction: str
    account: str
    currency: str
    amount: int


@dataclass(frozen=True)
class Letter:
    """An open dead letter."""

    service: str
    kind: str
    message_id: str | None
    error: str


@dataclass(frozen=True)
class Delivery:
    """A letter to a person, and how often the mailbox got it under different Message-IDs."""

    id: str
    state: str


@dataclass
class Facts:
    """Everything of one run."""

    published: set[str] = field(default_factory=set)
    """Ids of commands that Kafka acknowledged to the load generator."""
    planted: set[str] = field(default_factory=set)
    """Ids of commands that are bad on purpose."""
    records: list[Record] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    line: list[Waiter] = field(default_factory=list)
    history: list[Step] = field(default_factory=list)
    sagas: list[Saga] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    """Rows still in the outboxes, open gateway calls, blocked keys, overdue local messages: by name."""
    calls: dict[str, int] = field(default_factory=dict)
    """How often Stripe was asked under each idempotency key."""
    deadlocks: dict[str, int] = field(default_factory=dict)
