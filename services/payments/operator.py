"""What an operator does about refunds and payouts that wait for one: look, and try again (operations-cli)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from booking_contracts.envelope import uuid7

from services.chassis import local_messages, outbox
from services.chassis.clock import Clock
from services.chassis.database import Connection
from services.chassis.messages import Message, Origin, Raw
from services.chassis.operator import NotPossible
from services.chassis.service import load
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Remind, Send
from services.payments.app import SERVICE
from services.payments.handlers import refunds
from services.payments.local_messages import PayoutAgain, RefundAgain
from services.payments.model.payment import Payment
from services.payments.model.payout import PayoutStatus
from services.payments.model.refund import Refund, RefundStatus
from services.payments.work import PaymentsWork


class NotWaiting(NotPossible):
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


_PAYOUT = """
SELECT 'payout', payout_id, booking_id, amount_minor, currency, coalesce(failure, status), tries, status <> 'failed'
FROM payout WHERE status"""
WAITING = f"""
(SELECT 'refund' AS kind, refund_id AS id, booking_id, r.amount_minor, p.currency, failure, tries, parked
 FROM refund r JOIN payment p USING (booking_id) WHERE r.status = 'failed' AND NOT r.calling {{refund}})
UNION ALL ({_PAYOUT} IN ('failed', 'parked') {{payout}})
UNION ALL ({_PAYOUT} = 'no_account' {{payout}})
ORDER BY booking_id
"""
"""Each part has its own index."""


async def waiting(connection: Connection, *, most: int = 1_000) -> list[Waiting]:
    """Failed refunds and payouts, and payouts that wait for an account, of all bookings; at most so many of each.

    A refund that Stripe is being asked about just now is none: the answer may show that it has not failed.
    """
    return [
        Waiting(**row) for row in await connection.fetch(WAITING.format(refund="LIMIT $1", payout="LIMIT $1"), most)
    ]


async def waiting_one(connection: Connection, waiting_id: UUID) -> Waiting:
    """One of them. Raises NotWaiting."""
    query = WAITING.format(refund="AND refund_id = $1", payout="AND payout_id = $1")
    row = await connection.fetchrow(query, waiting_id)
    if row is None:
        raise NotWaiting(f"{waiting_id} is no failed refund or payout; list them first")
    return Waiting(**row)


async def chargebacks(connection: Connection, *, every: bool) -> list[asyncpg.Record]:
    """Open disputes, or all: of a booking's payment or of a wallet, and what of the wallet is locked meanwhile."""
    return await connection.fetch(
        """
        SELECT dispute_id, outcome, booking_id, customer_id, payment_intent, amount_minor, frozen_minor, currency
        FROM chargeback WHERE outcome = 'open' OR $1 ORDER BY dispute_id LIMIT 500
        """,
        every,
    )


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


async def events_aside(connection: Connection) -> list[asyncpg.Record]:
    """Events of Stripe's that could not be kept, the oldest first; the sweeper tries them again."""
    return await connection.fetch(
        """
        SELECT received_at AS at, event_id, type, set_aside AS error FROM stripe_event
        WHERE set_aside IS NOT NULL ORDER BY received_at LIMIT 500
        """
    )


async def last_comparison(connection: Connection) -> asyncpg.Record | None:
    """When Stripe and the ledger were last compared (real time), and how many objects and bookings; None before."""
    return await connection.fetchrow(
        "SELECT ended_at, compared, since AS read_until FROM comparison_state WHERE ended_at IS NOT NULL"
    )


async def not_agreeing(connection: Connection, *, days: int) -> list[asyncpg.Record]:
    """Where Stripe, rows and ledger do not agree, the open ones first, and what was gone within the last days."""
    return await connection.fetch(
        """
        SELECT kind, subject, currency, ours_minor, theirs_minor, booking_id, customer_id, payment_intent, first_seen,
               last_seen, gone_at
        FROM stripe_difference
        WHERE counted_at IS NOT NULL AND (gone_at IS NULL OR gone_at > clock_timestamp() - make_interval(days => $1))
        ORDER BY gone_at DESC NULLS FIRST, line LIMIT 500
        """,
        days,
    )


async def totals(connection: Connection) -> list[asyncpg.Record]:
    """By currency, since the comparison began: what moved at Stripe, its fees, what was there before."""
    return await connection.fetch(
        """
        SELECT currency, amount_minor, fee_minor, net_minor, opening_balance_minor, opening_clearing_minor
        FROM stripe_total ORDER BY currency
        """
    )


async def try_again(
    connection: Connection,
    waiting_id: UUID,
    now: datetime,
    *,
    account: str | None = None,
    from_balance: bool = False,
) -> str:
    """Have a failed refund or payout tried at once. Returns what was done; raises NotWaiting.

    A payout goes to `account` where one is named, and with `from_balance` not from the charge that paid for it.
    """
    one = await waiting_one(connection, waiting_id)
    if one.kind == "refund" and (account is not None or from_balance):
        raise NotWaiting(f"{waiting_id} is a refund: it goes to the card that paid")
    if one.failure == PayoutStatus.NO_ACCOUNT and account is None:
        raise NotWaiting(f"the provider of booking {one.booking_id} had no payout account: name one")
    async with Statements(connection) as writes:
        local_messages.save_timers(writes, [_message(one, now, account, from_balance)])
    return f"{one.kind} of booking {one.booking_id} is tried again"


async def paid_outside(connection: Connection, clock: Clock, refund_id: UUID, *, by_whom: str, reference: str) -> str:
    """A failed refund was paid by other means, e.g. a bank transfer: it has ended. Said twice it changes nothing.

    Returns what was done. Raises NotWaiting, also for a refund that may still reach the card.
    """
    if not by_whom.strip() or not reference.strip():
        raise NotWaiting("say who has paid it, and a reference by which the payment can be found")
    async with connection.transaction():
        work, payment, refund = await _refund(connection, clock, refund_id)
        if refund.paid_outside:
            return await _paid_before(connection, refund, reference)
        if refund.calling:
            raise NotWaiting(f"Stripe is being asked about refund {refund_id}: say it again in a moment")
        if refund.status is not RefundStatus.FAILED:
            raise NotWaiting(f"refund {refund_id} is {refund.status}: it may have reached the card, or still can")
        refunds.paid_outside(work, payment, refund, by_whom=by_whom.strip(), reference=reference.strip())
        sends = [effect for effect in work.journal if isinstance(effect, Send)]
        async with Statements(connection) as writes:
            await SERVICE.store.save(writes, work)
            outbox.append(writes, [outbox.from_send(send, SERVICE.name, clock) for send in sends])
        await connection.execute("SELECT pg_notify('outbox', '')")
    return f"refund {refund_id} of booking {refund.booking_id} has ended: paid outside"


async def _refund(connection: Connection, clock: Clock, refund_id: UUID) -> tuple[PaymentsWork, Payment, Refund]:
    """A refund and its payment, locked."""
    booking_id = await connection.fetchval("SELECT booking_id FROM refund WHERE refund_id = $1", refund_id)
    if booking_id is None:
        raise NotWaiting(f"there is no refund {refund_id}; see `bookingctl payments waiting`")
    body = RefundAgain(booking_id=booking_id, refund_id=refund_id, tries=0, by_operator=True)
    raw = Raw("local.operator", 0, 0, b"", [], b"")
    message = Message(uuid7(), "local.operator", str(booking_id), body, Origin.LOCAL, raw, "operator")
    work = PaymentsWork(clock.now())
    await load(SERVICE.store, connection, [message], work)
    payment, refund = work.find(Payment, booking_id), work.find(Refund, refund_id)
    assert payment is not None, "a refund belongs to a payment"
    assert refund is not None, "the refund was there a moment ago, and none is ever deleted"
    work.begin(message)
    work.continue_correlation(payment.correlation_id)
    return work, payment, refund


async def _paid_before(connection: Connection, refund: Refund, reference: str) -> str:
    row = await connection.fetchrow(
        "SELECT by_whom, at, reference FROM refund_paid_outside WHERE refund_id = $1", refund.refund_id
    )
    assert row is not None, "who paid it stands beside it"
    said = f"refund {refund.refund_id} was paid outside before: {row['reference']}, by {row['by_whom']}, {row['at']}"
    if row["reference"] != reference.strip():
        raise NotWaiting(said)
    return said


def _message(one: Waiting, now: datetime, account: str | None, from_balance: bool) -> Remind:
    body: RefundAgain | PayoutAgain
    if one.kind == "refund":
        body = RefundAgain(booking_id=one.booking_id, refund_id=one.id, tries=one.tries, by_operator=True)
    else:
        body = PayoutAgain(
            booking_id=one.booking_id,
            payout_id=one.id,
            tries=one.tries,
            by_operator=True,
            account=account,
            from_balance=from_balance,
        )
    return Remind(uuid7(), body, str(one.booking_id), now, None)
