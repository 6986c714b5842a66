"""What an operator does about refunds and payouts that wait for one: look, and try again (operations-cli)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from booking_contracts.envelope import uuid7

from services.chassis import local_messages
from services.chassis.database import Connection
from services.chassis.unit_of_work import Remind
from services.payments.outcomes import PayoutAgain, RefundAgain


class NotWaiting(Exception):
    """There is no failed refund or payout of that id; the text says what can be done."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A refund or payout that has failed. `parked`: nothing is tried by itself any more."""

    kind: str
    id: UUID
    booking_id: UUID
    amount_minor: int
    currency: str
    failure: str
    tries: int
    parked: bool


async def waiting(connection: Connection) -> list[Waiting]:
    """Failed refunds and payouts, of all bookings."""
    found = await connection.fetch(
        """
        SELECT 'refund' AS kind, refund_id AS id, booking_id, r.amount_minor, p.currency, failure, tries, parked
        FROM refund r JOIN payment p USING (booking_id) WHERE r.status = 'failed'
        UNION ALL
        SELECT 'payout', payout_id, booking_id, amount_minor, currency, failure, tries, status = 'parked'
        FROM payout WHERE status IN ('failed', 'parked')
        ORDER BY booking_id
        """
    )
    return [Waiting(**row) for row in found]


async def last_round(connection: Connection) -> asyncpg.Record | None:
    """When the reconciler's last round ended (real time) and how many it compared; None before the first."""
    return await connection.fetchrow(
        "SELECT ended_at, compared, until AS compared_until FROM reconciled_until WHERE ended_at IS NOT NULL"
    )


async def repairs(connection: Connection, *, days: int) -> list[asyncpg.Record]:
    """What the reconciler's rounds have found in the last days, the newest first; `ended` says how a report ended."""
    return await connection.fetch(
        """
        SELECT r.at, r.repair, p.payment_id, r.booking_id, r.customer_id, r.payment_intent, r.finding AS detail, r.ended
        FROM reconciliation r LEFT JOIN payment p USING (booking_id)
        WHERE r.at > clock_timestamp() - make_interval(days => $1) ORDER BY r.line DESC LIMIT 500
        """,
        days,
    )


async def open_reports(connection: Connection) -> list[asyncpg.Record]:
    """Captured PaymentIntents with our metadata that no row of ours knows, the oldest first."""
    return await connection.fetch(
        """
        SELECT r.at, p.payment_id, r.booking_id, r.customer_id, r.payment_intent, r.finding
        FROM reconciliation r LEFT JOIN payment p USING (booking_id)
        WHERE r.repair = 'report' AND r.ended_at IS NULL ORDER BY r.line LIMIT 500
        """
    )


async def try_again(connection: Connection, waiting_id: UUID, now: datetime) -> str:
    """Have a failed refund or payout tried at once. Returns what was done; raises NotWaiting."""
    for one in await waiting(connection):
        if one.id == waiting_id:
            await local_messages.save_timers(connection, [_message(one, now)])
            return f"{one.kind} of booking {one.booking_id} is tried again"
    raise NotWaiting(f"{waiting_id} is no failed refund or payout; list them first")


def _message(one: Waiting, now: datetime) -> Remind:
    body: RefundAgain | PayoutAgain
    if one.kind == "refund":
        body = RefundAgain(booking_id=one.booking_id, refund_id=one.id, tries=one.tries, by_operator=True)
    else:
        body = PayoutAgain(booking_id=one.booking_id, payout_id=one.id, tries=one.tries, by_operator=True)
    return Remind(uuid7(), body, str(one.booking_id), now, None)
