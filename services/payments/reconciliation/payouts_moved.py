"""Payouts that have somewhere to go by now: their provider has an account, or another than the one that failed."""

from __future__ import annotations

from datetime import datetime

from booking_contracts.envelope import uuid7

from services.chassis import local_messages
from services.chassis.database import Connection
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Remind
from services.payments.local_messages import PayoutAgain
from services.payments.model.payout import SLICE

QUIET_SECONDS = 5
"""How long an account is left alone after its event: after a restore older events come again, in order."""


async def pay_out(connection: Connection, now: datetime) -> int:
    """Have a slice of them made, each under its own payment's lock; returns how many. Twice does no harm."""
    found = await connection.fetch(
        """
        SELECT p.payout_id, p.booking_id, p.tries, a.account
        FROM (SELECT payout_id, booking_id, provider_id, tries, account FROM payout WHERE status = 'no_account'
              UNION ALL
              SELECT payout_id, booking_id, provider_id, tries, account FROM payout
              WHERE status IN ('failed', 'parked')) p
             JOIN provider_account a USING (provider_id)
        WHERE a.account IS NOT NULL AND a.changed_at < statement_timestamp() - make_interval(secs => $1)
          AND p.account IS DISTINCT FROM a.account
        ORDER BY p.payout_id LIMIT $2
        """,
        QUIET_SECONDS,
        SLICE,
    )
    again = [PayoutAgain(**row) for row in found]
    async with Statements(connection) as writes:
        local_messages.save_timers(writes, [Remind(uuid7(), one, str(one.booking_id), now, None) for one in again])
    return len(again)
