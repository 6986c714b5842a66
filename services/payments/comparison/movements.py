"""Reads Stripe's balance transactions, each once, window by window, and keeps them with their sums.

Where it stands is a row, written with each page: a killed replica's successor goes on with the page after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.chassis.database import Pool, columns
from services.payments.model.comparison import CATEGORIES, Kind, Standing
from services.payments.stripe_calls.api import PAGE, StripeApi

DAYS = 30
"""How far back the very first round reads, and what is compared again and again."""
OVERLAP = timedelta(minutes=1)
PAGES = 100
"""At most so many in a round: 10,000 movements."""
OTHER = "other"
"""The kind of what is about no object of ours: fees, payouts to the bank, top-ups of the balance."""


@dataclass(frozen=True, slots=True)
class Movement:
    """A balance transaction. `subject`: the PaymentIntent of a charge, else the refund, dispute or transfer."""

    transaction_id: str
    kind: str
    subject: str
    payment_intent: str | None
    currency: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    created_at: datetime


def movement(found: Mapping[str, Any]) -> Movement:
    """A listed balance transaction whose source is expanded."""
    source = found["source"] if isinstance(found["source"], dict) else {"id": found["source"] or found["id"]}
    kind, intent = CATEGORIES.get(found["reporting_category"], OTHER), source.get("payment_intent")
    subject = source["id"]
    if kind == Kind.CHARGE:
        subject = intent or source.get("charge") or subject
    elif kind == Kind.TRANSFER:
        subject = source.get("transfer") or subject
    return Movement(
        found["id"],
        kind,
        subject,
        intent,
        found["currency"].upper(),
        found["amount"],
        found["fee"],
        found["net"],
        datetime.fromtimestamp(found["created"], UTC),
    )


async def read(pool: Pool, api: StripeApi, state: asyncpg.Record, now: datetime) -> bool:
    """Read on from where `state` stands; returns whether all until now are read. Raises what the SDK raises."""
    since = state["since"] or now - timedelta(days=DAYS)
    until, after = (state["until"], state["after"]) if state["until"] else (now, None)
    for _ in range(PAGES):
        found = await api.look(
            "balance_transactions",
            created={"gte": int(since.timestamp()), "lte": int(until.timestamp())},
            expand=["data.source"],
            limit=PAGE,
            **({"starting_after": after} if after else {}),
        )
        movements, more = [movement(one) for one in found["data"]], found["has_more"]
        after = movements[-1].transaction_id if movements else None
        if not more:
            await _keep(pool, movements, since, None, None)
            await _read_until(pool, until)
            return True
        await _keep(pool, movements, since, until, after)
    return False


async def _keep(
    pool: Pool, movements: Sequence[Movement], since: datetime, until: datetime | None, after: str | None
) -> None:
    """A page, the sums and where to go on, in one transaction."""
    async with pool.acquire() as connection, connection.transaction():
        if movements:
            await connection.execute(
                """
                WITH new AS (
                    INSERT INTO stripe_movement (transaction_id, kind, subject, payment_intent, currency, amount_minor,
                                                 fee_minor, net_minor, created_at)
                    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                                         $7::bigint[], $8::bigint[], $9::timestamptz[])
                    ON CONFLICT DO NOTHING RETURNING kind, currency, amount_minor, fee_minor, net_minor)
                INSERT INTO stripe_total AS t (currency, amount_minor, fee_minor, net_minor)
                SELECT currency, coalesce(sum(amount_minor) FILTER (WHERE kind <> 'other'), 0), sum(fee_minor),
                       sum(net_minor)
                FROM new GROUP BY currency
                ON CONFLICT (currency) DO UPDATE SET
                    amount_minor = t.amount_minor + excluded.amount_minor,
                    fee_minor = t.fee_minor + excluded.fee_minor, net_minor = t.net_minor + excluded.net_minor
                """,
                *columns(
                    (
                        one.transaction_id,
                        one.kind,
                        one.subject,
                        one.payment_intent,
                        one.currency,
                        one.amount_minor,
                        one.fee_minor,
                        one.net_minor,
                        one.created_at,
                    )
                    for one in reversed(movements)
                ),
            )
        await connection.execute("UPDATE comparison_state SET since = $1, until = $2, after = $3", since, until, after)


async def _read_until(pool: Pool, until: datetime) -> None:
    """The next window begins where this one ended, or with the newest movement: by Stripe's clock, if ours is ahead."""
    await pool.execute(
        """
        UPDATE comparison_state SET since = greatest(since, least($1, newest.created_at) - $2::interval)
        FROM (SELECT created_at FROM stripe_movement WHERE transaction_id NOT LIKE 'looked:%'
              ORDER BY created_at DESC, line DESC LIMIT 1) newest
        """,
        until,
        OVERLAP,
    )


async def begin(pool: Pool, now: datetime) -> asyncpg.Record:
    """Where the very first round begins: what was posted before is summed up, and not compared by itself."""
    since = now - timedelta(days=DAYS)
    first = UUID(int=(int(since.timestamp() * 1000) << 80) | (7 << 76))
    """Ids of postings begin with their time in milliseconds (RFC 9562, version 7)."""
    async with pool.acquire() as connection, connection.transaction():
        entry = await connection.fetchval(
            """
            SELECT entry_id FROM ledger_entry WHERE transaction_id < $1
            ORDER BY transaction_id DESC, entry_id DESC LIMIT 1
            """,
            first,
        )
        await connection.execute(
            """
            INSERT INTO stripe_total (currency, clearing_minor)
            SELECT currency, sum(amount_minor) FROM ledger_entry
            WHERE account = 'stripe:clearing' AND entry_id <= $1 GROUP BY currency
            ON CONFLICT (currency) DO UPDATE SET clearing_minor = excluded.clearing_minor
            """,
            entry or 0,
        )
        state = await connection.fetchrow(
            """
            UPDATE comparison_state SET since = $1, entry = $2, entry_seen = $2
            RETURNING since, until, after, line, entry, entry_seen, again_from, again_line
            """,
            since,
            entry or 0,
        )
    assert state is not None, "the migration wrote the one row"
    return state


async def add_missing(pool: Pool, of: Standing, amount_minor: int, now: datetime) -> None:
    """What Stripe says of an object beyond the movements that were read; it is in no sum."""
    await pool.execute(
        """
        INSERT INTO stripe_movement (transaction_id, kind, subject, payment_intent, currency, amount_minor, fee_minor,
                                     net_minor, created_at)
        VALUES ('looked:' || $2 || ':' || $6::timestamptz, $1, $2, $3, $4, $5, 0, $5, $6) ON CONFLICT DO NOTHING
        """,
        of.kind,
        of.subject,
        of.payment_intent,
        of.currency,
        amount_minor,
        now,
    )
