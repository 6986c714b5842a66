"""Lists of bookings: whose, in which states, between which instants; and how many there are of each state.

| asked for     | index                                                                       |
|---------------|-----------------------------------------------------------------------------|
| a slot        | booking_by_slot                                                             |
| a customer    | booking_by_customer_and_start                                               |
| a provider    | booking_by_provider_and_start                                               |
| a saga        | saga_open: SAGAS of those with this status, then sorted                     |
| none of these | booking_by_start, booking_by_creation                                       |

An offering is looked for among its provider's bookings. Whatever else is asked for is looked at row by row, too: LOOKED
rows for a page (paging.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from services.booking.model.states import State
from services.booking.saga import Status
from services.chassis.database import Connection
from services.operations.console.reads.in_booking import DUE_AT
from services.operations.console.reads.paging import BY_ID, BY_TIME, LOOKED, Bounded, Cursor, Page, Walk

Time = Literal["starts_at", "created_at"]
COUNTED = 1_000
SAGAS = 1_000
OPEN_SAGAS = (Status.STUCK, Status.WAITING, Status.WAITING_FOR_CUSTOMER)
"""What a list can be asked for; all other sagas are done."""

SHOWN = f"""
SELECT b.booking_id, b.state, b.starts_at, b.created_at, {DUE_AT}, b.seats, b.customer_id, b.provider_id,
       b.offering_id, b.slot_id, b.terms ->> 'offering_title' AS title, b.price_minor, b.currency, b.payment_status,
       s.step, s.status
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bookings: each field that is set narrows them. `time` is what `since` ≤ … < `until` and the order mean."""

    states: tuple[State, ...] = ()
    slot: UUID | None = None
    customer: str | None = None
    provider: UUID | None = None
    offering: UUID | None = None
    saga: Status | None = None
    time: Time = "starts_at"
    since: datetime | None = None
    until: datetime | None = None
    newest: bool = False

    @property
    def by(self) -> Time:
        """The time that counts: what is somebody's is listed by when it starts."""
        owned = self.customer is not None or self.provider is not None or self.offering is not None
        return "starts_at" if owned and self.saga is None else self.time

    @property
    def order(self) -> tuple[str, ...]:
        """Of the list; bookings of one slot start at one time, and no time narrows them."""
        return ("booking_id",) if self.slot is not None and self.saga is None else (self.by, "booking_id")

    @property
    def kinds(self) -> Sequence[Callable[[Any], Any]]:
        """What stands in a cursor of the list."""
        return BY_ID if len(self.order) == 1 else BY_TIME


@dataclass(frozen=True, slots=True)
class Listed:
    """A booking as a list shows it: nothing of who it is for but an id."""

    booking_id: UUID
    state: str
    starts_at: datetime
    created_at: datetime
    due_at: datetime | None
    seats: int
    customer_id: str
    provider_id: UUID
    offering_id: UUID
    slot_id: UUID
    title: str
    price_minor: int
    currency: str
    payment_status: str
    step: str | None
    status: str | None


async def bookings(connection: Connection, wanted: Wanted, at: Cursor | None = None) -> Page[Listed]:
    """A page. Of each state a few rows are read, in order, and of these the first: as booking's own lists are read."""
    walk = await _walk(connection, wanted, at)
    states, (sagas, source) = walk.value(list(wanted.states or State)), _source(wanted)
    found = await connection.fetch(
        f"""
        {sagas} {SHOWN}, {walk.fits} AS fits FROM booking b LEFT JOIN saga s USING (booking_id)
        WHERE b.booking_id = ANY(ARRAY(
            SELECT booking_id FROM unnest({states}::text[]) AS wanted (state), LATERAL (
                SELECT booking_id, {wanted.by} FROM {source} AS b
                WHERE b.state = wanted.state AND {walk.within} AND {walk.beyond()}
                ORDER BY {walk.ordered} LIMIT {walk.limit}) of_state
            ORDER BY {walk.ordered} LIMIT {walk.limit}))
        ORDER BY {walk.ordered}
        """,
        *walk.values,
    )
    return walk.page(found, _listed)


async def counts(connection: Connection, wanted: Wanted) -> Mapping[State, Bounded]:
    """How many there are of each state, whichever states are asked for; of each, COUNTED are counted, and LOOKED looked
    at where no index knows a filter."""
    walk = await _walk(connection, wanted, None)
    most = LOOKED if walk.looks else COUNTED
    states, (sagas, source) = walk.value(list(State)), _source(wanted)
    found = await connection.fetch(
        f"""
        {sagas} SELECT wanted.state, c.fit, c.looked FROM unnest({states}::text[]) AS wanted (state), LATERAL (
            SELECT count(*) FILTER (WHERE fits) AS fit, count(*) AS looked FROM (
                SELECT {walk.fits} AS fits FROM {source} AS b
                WHERE b.state = wanted.state AND {walk.within} LIMIT {most + 1}) few) c
        WHERE c.fit > 0
        """,
        *walk.values,
    )
    return {State(row["state"]): Bounded(min(row["fit"], most), row["looked"] > most) for row in found}


async def more_sagas(connection: Connection, status: Status) -> bool:
    """Whether a list of these sagas leaves any out: there are more than are sorted."""
    query = f"SELECT count(*) FROM (SELECT FROM saga WHERE status = '{status}' LIMIT {SAGAS + 1}) few"
    return bool(await connection.fetchval(query) > SAGAS)


def _source(wanted: Wanted) -> tuple[str, str]:
    """All bookings, or those of open sagas, found once; their status is written out, as the index has it."""
    if wanted.saga is None:
        return "", "booking"
    found = f"SELECT booking_id FROM saga WHERE status = '{Status(wanted.saga)}' LIMIT {SAGAS}"
    return (
        f"""
        WITH of_saga AS MATERIALIZED (
            SELECT booking_id, state, starts_at, created_at, slot_id, customer_id, provider_id, offering_id
            FROM booking WHERE booking_id = ANY(ARRAY({found})))
        """,
        "of_saga",
    )


async def _walk(connection: Connection, wanted: Wanted, at: Cursor | None) -> Walk:
    """The first of slot, customer and provider has an index. Of open sagas there are so few that all is looked for."""
    sorted_all = wanted.saga is not None
    if wanted.offering is not None and not (sorted_all or wanted.slot or wanted.customer or wanted.provider):
        query = "SELECT provider_id FROM offering WHERE offering_id = $1"
        wanted = replace(wanted, provider=await connection.fetchval(query, wanted.offering) or wanted.offering)
    walk = Walk(wanted.order, at, wanted.newest)
    owners = ("slot_id", wanted.slot), ("customer_id", wanted.customer), ("provider_id", wanted.provider)
    for number, (column, value) in enumerate((column, value) for column, value in owners if value is not None):
        walk.narrow(f"b.{column} = {{}}", value, indexed=sorted_all or number == 0)
    walk.narrow("b.offering_id = {}", wanted.offering, indexed=sorted_all)
    if len(wanted.order) > 1:
        walk.narrow(f"b.{wanted.by} >= {{}}", wanted.since, indexed=True)
        walk.narrow(f"b.{wanted.by} < {{}}", wanted.until, indexed=True)
    return walk


def _listed(row: asyncpg.Record) -> Listed:
    return Listed(**{name: value for name, value in row.items() if name != "fits"})
