"""What docs/scale.md counts with. The figures of a new measurement go in here; `python -m tests.bench.scale --page`
then draws the page's tables anew. How each was measured stands in measure.py and batch_costs.py."""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.gathering import MOST


@dataclass(frozen=True)
class Batch:
    """A batch of booking: milliseconds of one message alone and of MOST, and of each those under the slots' locks.

    Sizes in between are on the straight line through the two.
    """

    one_ms: float
    full_ms: float
    one_locked_ms: float
    full_locked_ms: float

    def whole_ms(self, size: int) -> float:
        """From its records to its commit."""
        return self.one_ms + (self.full_ms - self.one_ms) * (size - 1) / (MOST - 1)

    def locked_ms(self, size: int) -> float:
        """From the first slot's lock to the commit."""
        return self.one_locked_ms + (self.full_locked_ms - self.one_locked_ms) * (size - 1) / (MOST - 1)

    def unlocked_ms(self, size: int) -> float:
        """What comes before its locks."""
        return self.whole_ms(size) - self.locked_ms(size)


MEASURED_ON = "2026-11-26, two cores shared with others, at 128 card sagas/s saturated, mails included"

CPU_MS = {"booking": 1.54, "payments": 2.98, "notifications": 3.19, "PostgreSQL": 1.81, "Kafka": 2.25}
"""Of a saga, saturated, one replica of each."""
OUTBOX_ROWS = {"booking": 5, "payments": 2, "notifications": 2}
COMMITS = {"booking": 0.29, "payments": 0.64, "notifications": 0.28}
"""Of a saga, saturated: many sagas share one. A saga alone needs more (docs/performance.md)."""
WAL_KB = {"booking": 18.1, "payments": 15.4, "notifications": 20.5}
KAFKA_KB = 7.1
"""Of a saga, commands of its customer included, before replication."""
KEPT_KB = {"for ever": 13.5, "30 days": 0.4, "8 days": 0.4, "a day": 10.3}
"""Tables and indexes of all three databases, by how long retention leaves the rows."""

RELAY_ROWS_PER_SECOND = 8_200
RELAY_CPU_MS = 0.038
"""Of its process, a row."""
COMMITS_PER_SECOND = 380
"""One-row transactions one after another, fsync on; 16 connections share flushes and reach 16 times that."""

MESSAGES_A_SAGA = 3
"""That booking handles: PlaceBooking, PaymentAuthorized, PaymentCaptured; each locks the booking's slot."""
BATCH = Batch(3.7, 184.0, 2.3, 160.0)
"""The mean of these three."""
PLACING = Batch(4.9, 281.0, 2.8, 240.0)
"""PlaceBooking alone, all accepted."""
ONE_SLOT_SECONDS = {1: 2.83, 2: 2.74}
"""COMMANDS PlaceBookings for one slot, all accepted, by so many replicas, without Kafka."""
OWN_SLOTS_SECONDS = {1: 2.87, 2: 3.07}
"""The same where each replica has slots that nobody else wants."""
COMMANDS = 5_000

STRIPE_CALLS, LETTERS = 2, 3
"""Of a card saga: authorise and capture; the mails."""
STRIPE_CALLS_PER_SECOND = 100
"""Writes an account may make, unless Stripe raises it: docs.stripe.com/rate-limits, Rate limiter."""

FILL = 0.6
"""Chosen, not measured: how full a part may be on average. The rest is for peaks, a lost replica, a restart."""
