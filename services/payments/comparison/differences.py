"""What does not agree, as rows: watched while it may be in motion, counted after the grace, kept when it is gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import asyncpg
import structlog

from services.chassis.database import Connection, Pool, columns
from services.payments.model.comparison import Difference, Kind, Standing, Watched

log = structlog.get_logger()
Key = tuple[Kind, str, str]
MOST = 500
"""How many open ones a round looks at again."""
_COLUMNS = """
    kind, subject, d.currency, ours_minor, booking_id, customer_id, payment_intent, theirs_minor, first_seen, since,
    last_seen, counted_at
"""


async def to_look_at(pool: Pool) -> dict[Key, Watched]:
    """Of those that are not gone: half of them not counted yet, half counted, where there are so many.

    The former by how long they have been as they are, so that the same ones are looked at until they count: a pause
    would begin their grace anew. The latter by how long ago they were looked at, so that each has its turn.
    """
    rows = await pool.fetch(
        f"""
        (SELECT {_COLUMNS} FROM stripe_difference d WHERE gone_at IS NULL AND counted_at IS NULL
         ORDER BY since, line LIMIT $1)
        UNION ALL
        (SELECT {_COLUMNS} FROM stripe_difference d WHERE gone_at IS NULL AND counted_at IS NOT NULL
         ORDER BY last_seen, line LIMIT $1)
        """,
        MOST // 2,
    )
    return _by_key(rows)


async def known(pool: Pool, keys: Collection[Key]) -> dict[Key, Watched]:
    """Those of these that are not gone."""
    if not keys:
        return {}
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS}
        FROM stripe_difference d JOIN unnest($1::text[], $2::text[], $3::text[]) AS k (kind, subject, currency)
            USING (kind, subject)
        WHERE d.currency = k.currency AND gone_at IS NULL
        """,
        *columns(keys),
    )
    return _by_key(rows)


def _by_key(rows: Collection[asyncpg.Record]) -> dict[Key, Watched]:
    found = (_watched(row) for row in rows)
    return {one.found.key: one for one in found}


def _watched(row: asyncpg.Record) -> Watched:
    kind, *rest = tuple(row)
    return Watched(Difference(Standing(Kind(kind), *rest[:6]), rest[6]), *rest[7:])


async def save(connection: Connection, seen: Collection[Watched], gone: Collection[Key], now: datetime) -> None:
    """Write what was seen now; what is gone ends, and leaves no trace where it never counted."""
    for one in seen:
        if one.counted_at == now:
            of = one.found.of
            log.error(
                "Stripe and the ledger do not agree",
                kind=of.kind,
                subject=of.subject,
                currency=of.currency,
                ours_minor=of.amount_minor,
                theirs_minor=one.found.theirs_minor,
                booking_id=str(of.booking_id or ""),
                customer_id=of.customer_id,
                payment_intent=of.payment_intent,
            )
    if seen:
        await connection.execute(
            """
            INSERT INTO stripe_difference AS d (kind, subject, currency, ours_minor, theirs_minor, booking_id,
                                                customer_id, payment_intent, first_seen, since, last_seen, counted_at)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::uuid[],
                                 $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
                                 $12::timestamptz[])
            ON CONFLICT (kind, subject, currency) WHERE gone_at IS NULL DO UPDATE SET
                ours_minor = excluded.ours_minor, theirs_minor = excluded.theirs_minor,
                booking_id = excluded.booking_id, customer_id = excluded.customer_id,
                payment_intent = excluded.payment_intent, since = excluded.since, last_seen = excluded.last_seen,
                counted_at = excluded.counted_at
            """,
            *columns(_row(one) for one in seen),
        )
    if gone:
        keys = columns(gone)
        await connection.execute(
            f"DELETE FROM stripe_difference d USING {_KEYS} AND counted_at IS NULL AND gone_at IS NULL", *keys
        )
        await connection.execute(
            f"UPDATE stripe_difference d SET gone_at = $4 FROM {_KEYS} AND gone_at IS NULL", *keys, now
        )


_KEYS = """
    unnest($1::text[], $2::text[], $3::text[]) AS k (kind, subject, currency)
    WHERE (d.kind, d.subject, d.currency) = (k.kind, k.subject, k.currency)
"""


def _row(one: Watched) -> tuple[object, ...]:
    of = one.found.of
    return (
        of.kind,
        of.subject,
        of.currency,
        of.amount_minor,
        one.found.theirs_minor,
        of.booking_id,
        of.customer_id,
        of.payment_intent,
        one.first_seen,
        one.since,
        one.last_seen,
        one.counted_at,
    )
