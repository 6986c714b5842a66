"""What our rows, the ledger and Stripe's movements say of a few subjects, and where that is not the same.

It is read in one snapshot, so that rows, ledger and movements are of one instant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import cast
from uuid import UUID

import asyncpg

from services.chassis.database import Connection, Pool
from services.payments.comparison.standing_queries import (
    BOOKINGS,
    FEES,
    LOSSES,
    MOVEMENTS,
    POSTED,
    ROWS,
    TOTALS,
    WALLETS,
)
from services.payments.model.comparison import Difference, Kind, Standing, differences
from services.payments.stripe_events.owners import Owner, owners


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Connection]:
    """All that is read in it is of one instant."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield cast(Connection, connection)


async def compare(
    pool: Pool, subjects: Collection[str], bookings: Collection[UUID], customers: Collection[str]
) -> list[Difference]:
    """Where Stripe, our rows and the ledger do not agree about these: Stripe's objects, bookings, wallets.

    An object brings its booking or wallet with it, and they all their objects.
    """
    async with snapshot(pool) as connection:
        named = await _of_objects(connection, subjects, bookings, customers)
        their_bookings = {one.booking_id for one in named.whose if one.booking_id is not None}.difference(bookings)
        their_wallets = {one.customer_id for one in named.whose if one.customer_id is not None}.difference(customers)
        theirs = await _of_objects(connection, (), their_bookings, their_wallets, beside=named)
        rows, stripes = named.rows | theirs.rows, [*named.stripes, *theirs.stripes]
        known = named.known | theirs.known
        bookings, customers = {*bookings, *their_bookings}, {*customers, *their_wallets}
        ours, ledgers = await _of_postings(connection, bookings, customers)
        left, said = await _of_fees(connection, known)
    return differences([*rows, *ours, *left], [*stripes, *ledgers, *said])


@dataclass(frozen=True, slots=True)
class _Objects:
    """Stripe's objects by their ids: what our rows and what Stripe's movements say of them."""

    known: frozenset[str]
    rows: frozenset[Standing]
    stripes: list[Standing]

    @property
    def whose(self) -> Iterator[Standing]:
        return chain(self.rows, self.stripes)


_NONE = _Objects(frozenset(), frozenset(), [])


async def _of_objects(
    connection: Connection,
    subjects: Collection[str],
    bookings: Collection[UUID],
    customers: Collection[str],
    *,
    beside: _Objects = _NONE,
) -> _Objects:
    """Those named and those of these bookings and wallets; `beside` those that are known, what Stripe says of them."""
    found = await connection.fetch(ROWS, list(subjects), list(bookings), list(customers))
    rows = frozenset(_standings(found))
    known = frozenset(subjects).union(row.subject for row in rows)
    return _Objects(known, rows, await _of_stripe(connection, known - beside.known))


async def _of_stripe(connection: Connection, subjects: Collection[str]) -> list[Standing]:
    """What Stripe's movements sum up to, for each object, and whose it is as far as its PaymentIntent tells."""
    found = _standings(await connection.fetch(MOVEMENTS, list(subjects)))
    of = await owners(connection, {one.payment_intent for one in found if one.payment_intent is not None})
    whose = [of.get(one.payment_intent or "", Owner()) for one in found]
    return [
        replace(one, booking_id=owner.booking_id, customer_id=owner.customer_id)
        for one, owner in zip(found, whose, strict=True)
    ]


async def _of_postings(
    connection: Connection, bookings: Collection[UUID], customers: Collection[str]
) -> tuple[list[Standing], list[Standing]]:
    """What the rows of bookings and wallets say, and what the ledger says of the same."""
    ours, ledgers = [], []
    for row in await connection.fetch(BOOKINGS, list(bookings)):
        for kind in (Kind.ESCROW, Kind.COMMISSION, Kind.OWED, Kind.CLEARING):
            if kind is Kind.CLEARING and row["hidden"]:
                continue
            about = (kind, str(row["booking_id"]), row["currency"])
            whose = {"booking_id": row["booking_id"], "payment_intent": row["payment_intent"]}
            ours.append(Standing(*about, row[f"{kind}_row"], **whose))
            ledgers.append(Standing(*about, row[f"{kind}_ledger"]))
    for row in await connection.fetch(WALLETS, list(customers)):
        wallet = (Kind.CLEARING, row["customer_id"], row["currency"])
        ours.append(Standing(*wallet, row["clearing_row"], customer_id=row["customer_id"]))
        ledgers.append(Standing(*wallet, row["clearing_ledger"]))
    for row in await connection.fetch(LOSSES, list(customers)):
        loss = (Kind.LOSS, row["stripe_refund"], row["currency"])
        whose = {"customer_id": row["customer_id"], "payment_intent": row["payment_intent"]}
        ours.append(Standing(*loss, row["lost_minor"], **whose))
        ledgers.append(Standing(*loss, row["lost_minor"] - row["covered"]))
    return ours, ledgers


async def _of_fees(connection: Connection, subjects: Collection[str]) -> tuple[list[Standing], list[Standing]]:
    """Of the movements of these objects: their amount less their fee, and what Stripe says is left."""
    found = await connection.fetch(FEES, list(subjects))
    ours = [
        Standing(Kind.FEE, row["transaction_id"], row["currency"], row["left_minor"], None, None, row["payment_intent"])
        for row in found
    ]
    return ours, [Standing(Kind.FEE, row["transaction_id"], row["currency"], row["net_minor"]) for row in found]


@dataclass(frozen=True, slots=True)
class Posted:
    """How many of the ledger's newest entries, the last of them, and whom they touch."""

    count: int
    last: int
    bookings: list[UUID]
    customers: list[str]
    disputes: list[str]


async def posted_since(pool: Pool, entry: int, most: int) -> Posted:
    """The ledger's entries after that one, `most` at most."""
    row = await pool.fetchrow(POSTED, entry, most)
    assert row is not None, "an aggregate is a row"
    named = ([one for one in row[name] or () if one is not None] for name in ("bookings", "customers", "disputes"))
    return Posted(row["count"], row["last"] or 0, *named)


async def of_totals(connection: Connection, entry: int) -> list[asyncpg.Record]:
    """By currency: all movements, net and gross, and what the clearing account says that Stripe holds."""
    return await connection.fetch(TOTALS, entry)


async def waits_for_stripe(connection: Connection) -> bool:
    """Whether a call is open that should have ended by now."""
    waits: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM gateway_call
                       WHERE state = 'open' AND opened_at < statement_timestamp() - interval '1 minute')
        """
    )
    return waits


def _standings(rows: Sequence[asyncpg.Record]) -> list[Standing]:
    return [Standing(Kind(row["kind"]), *tuple(row)[1:]) for row in rows]
