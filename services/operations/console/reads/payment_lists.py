"""Lists of payments and refunds by how they stand.

What is under way is little, and has indexes of its own. All others come in the order of their bookings' ids, which is
that of time where those are UUIDv7; there a page looks at LOOKED rows (paging.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.chassis.database import Connection
from services.operations.console.reads.paging import BY_ID, BY_TIME, Bounded, Cursor, Page, Walk, small
from services.payments.gauges import LINGERING
from services.payments.model.payment import LIVE, Status
from services.payments.model.refund import RefundStatus

COUNTED = 1_000
UNDER_WAY = "status IN ('pending', 'requires_action', 'authorized')"
"""As the index payment_live has it."""
DECLINED = "status = 'declined'"
"""As the index payment_declined has it."""
MOST_REASONS = 20
Kinds = Sequence[Callable[[Any], Any]]
OF_REFUNDS: Kinds = (UUID, small)
"""What stands in a cursor of their list."""

PAYMENT = """
SELECT booking_id, payment_id, status, method, amount_minor, currency, captured_minor, refunded_minor, released_minor,
       payment_intent, customer_id, provider_id, changed_at, decline_code, {fits} AS fits
FROM payment WHERE {among} AND {beyond} ORDER BY {order} LIMIT {limit}
"""
REFUND = """
SELECT r.refund_id, r.booking_id, r.number, r.amount_minor, p.currency, r.status, r.parked, r.failure, r.stripe_refund,
       r.tries, r.fits
FROM (SELECT refund_id, booking_id, number, amount_minor, status, parked, failure, stripe_refund, tries, {fits} AS fits
      FROM refund WHERE {among} AND {beyond} ORDER BY {order} LIMIT {limit}) r
     JOIN payment p USING (booking_id)
ORDER BY {order}
"""


@dataclass(frozen=True, slots=True)
class Payment:
    """The money of a booking. Amounts in minor units; no currency where it was voided before it was asked for."""

    booking_id: UUID
    payment_id: UUID
    status: str
    method: str | None
    amount_minor: int | None
    currency: str | None
    captured_minor: int
    refunded_minor: int
    released_minor: int
    payment_intent: str | None
    customer_id: str | None
    provider_id: UUID | None
    changed_at: datetime
    decline_code: str | None
    """Why it was declined, in Stripe's words or ours (payments/model/declines.py); of an earlier attempt, too."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which payments. `reason`: of the declined those with this code. `lingering`: as the gauge counts them, and then
    of no other status."""

    status: Status | None = None
    reason: str | None = None
    lingering: bool = False

    @property
    def live(self) -> bool:
        """Whether they are in the order of their last change, of which there is an index."""
        return self.lingering or self.status in LIVE

    @property
    def kinds(self) -> Kinds:
        """What stands in a cursor of their list."""
        return BY_TIME if self.live else BY_ID

    @property
    def among(self) -> str:
        """The rows that an index has, written out as it has them."""
        if self.lingering:
            return LINGERING
        return UNDER_WAY if self.live else DECLINED if self.status is Status.DECLINED else "true"


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund of a booking's money."""

    refund_id: UUID
    booking_id: UUID
    number: int
    amount_minor: int
    currency: str | None
    status: str
    parked: bool
    failure: str | None
    stripe_refund: str | None
    tries: int


async def payments(connection: Connection, wanted: Wanted, at: Cursor | None = None) -> Page[Payment]:
    """A page of them, the newest first, by their last change while they are under way; of those that linger the
    oldest."""
    order = ("changed_at", "booking_id") if wanted.live else ("booking_id",)
    walk = Walk(order, at, newest=not wanted.lingering)
    if not wanted.lingering and wanted.status is not Status.DECLINED:
        walk.narrow("status = {}", wanted.status, indexed=False)
    walk.narrow("decline_code = {}", wanted.reason, indexed=False)
    return walk.page(
        await _walked(connection, PAYMENT, walk, wanted.among),
        lambda row: Payment(**{name: value for name, value in row.items() if name != "fits"}),
    )


async def reasons(connection: Connection) -> Mapping[str, Bounded]:
    """Why payments were declined, of the last COUNTED of them the MOST_REASONS most frequent."""
    found = await connection.fetch(
        f"""
        SELECT decline_code, count(*), sum(count(*)) OVER () AS all_of_them
        FROM (SELECT decline_code FROM payment WHERE {DECLINED} ORDER BY booking_id DESC LIMIT $1) last
        WHERE decline_code IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_REASONS}
        """,
        COUNTED + 1,
    )
    return {row["decline_code"]: Bounded(row["count"], row["all_of_them"] > COUNTED) for row in found}


async def refunds(connection: Connection, status: RefundStatus | None, at: Cursor | None = None) -> Page[Refund]:
    """A page of those with this status, by booking; those that have not succeeded have indexes."""
    walk, among = Walk(("booking_id", "number"), at, newest=True), "true"
    if status in (RefundStatus.PENDING, RefundStatus.FAILED):
        among = f"status = '{status}'"
    else:
        walk.narrow("status = {}", status, indexed=False)
    return walk.page(
        await _walked(connection, REFUND, walk, among),
        lambda row: Refund(**{name: value for name, value in row.items() if name != "fits"}),
    )


async def counts(connection: Connection) -> Mapping[str, Bounded]:
    """How many are under way, declined or failed, as `payment <status>`, `refund <status>`; COUNTED are looked at."""
    found: dict[str, Bounded] = {}
    for what, query in (
        ("payment", f"SELECT status FROM payment WHERE {UNDER_WAY} LIMIT $1"),
        ("payment", f"SELECT status FROM payment WHERE {DECLINED} LIMIT $1"),
        ("refund", "SELECT status FROM refund WHERE status = 'pending' LIMIT $1"),
        ("refund", "SELECT status FROM refund WHERE status = 'failed' LIMIT $1"),
    ):
        rows = await connection.fetch(
            f"SELECT status, count(*), sum(count(*)) OVER () AS all_of_them FROM ({query}) few GROUP BY 1", COUNTED + 1
        )
        for row in rows:
            found[f"{what} {row['status']}"] = Bounded(min(row["count"], COUNTED), row["all_of_them"] > COUNTED)
    return found


async def _walked(connection: Connection, query: str, walk: Walk, among: str) -> list[asyncpg.Record]:
    """Among which rows, written out: as an index has it."""
    text = query.format(fits=walk.fits, among=among, beyond=walk.beyond(), order=walk.ordered, limit=walk.limit)
    return await connection.fetch(text, *walk.values)
