"""Calls whose result was lost: made again, so that no payment waits for an answer that nobody will give.

A row that waits for Stripe (`calling`, or `pending`) is freed by the result of its call alone. A result is lost when an
operator discards it, or a fault of ours set it aside. The call is then opened again as it was stored: same parameters,
same key, so that Stripe does nothing twice; it looks first, because Stripe's stored answer may be old by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from services.chassis.database import Connection
from services.payments import metrics

log = structlog.get_logger()
LONG_MINUTES = 10
WAITING = """
    SELECT booking_id::text AS subject FROM payment WHERE calling IS NOT NULL
    UNION ALL SELECT 'refund:' || refund_id FROM refund WHERE calling
    UNION ALL SELECT 'dispute:' || dispute_id FROM chargeback WHERE calling
    UNION ALL SELECT 'payout:' || payout_id FROM payout WHERE status = 'pending'
    UNION ALL SELECT 'wallet:' || command_id FROM top_up WHERE status = 'pending'
    UNION ALL SELECT 'wallet:' || command_id FROM withdrawal_part WHERE status = 'pending'
"""
"""Subjects (stripe_calls/requests.py) of the rows that wait for a result, each by a partial index."""


async def make_again(connection: Connection) -> int:
    """Open the calls again whose result was lost for ten minutes; returns how many.

    A result that was set aside, or waits behind its key, is not lost: a person or its turn decides about it.
    """
    lost = await connection.fetch(
        f"""
        WITH waiting AS ({WAITING})
        SELECT DISTINCT subject FROM waiting
        WHERE NOT EXISTS (SELECT FROM gateway_call g WHERE g.subject = waiting.subject AND g.state = 'open')
        """
    )
    if not lost:
        return 0
    last = await connection.fetch(
        """
        SELECT DISTINCT ON (subject) id FROM gateway_call g
        WHERE subject = ANY($1) AND opened_at < statement_timestamp() - make_interval(mins => $2)
          AND NOT EXISTS (SELECT FROM blocked_key b WHERE b.key = g.key)
          AND NOT EXISTS (SELECT FROM local_message m WHERE m.key = g.key AND m.kind = 'record')
        ORDER BY subject, opened_at DESC, id DESC
        """,
        [row["subject"] for row in lost],
        LONG_MINUTES,
    )
    return await look_again(connection, [row["id"] for row in last])


async def look_again(connection: Connection, call_ids: Sequence[UUID]) -> int:
    """Open done calls again, at once, each unless its subject has an open one; returns how many.

    What an operator's discard of a gateway result calls, in the same transaction, with the letter's `call_id`.
    """
    again = await connection.fetch(
        """
        UPDATE gateway_call g
        SET state = 'open', try_at = statement_timestamp(), last_error = 'its result was lost',
            parameters = (parameters::jsonb || '{"look_first": true}')::text
        WHERE id = ANY($1) AND state = 'done'
          AND NOT EXISTS (SELECT FROM gateway_call o WHERE o.subject = g.subject AND o.state = 'open')
        RETURNING subject, operation
        """,
        list(call_ids),
    )
    for row in again:
        metrics.reconciled.labels("call again").inc()
        log.warning("a result was lost: the call is made again", **row)
    return len(again)
