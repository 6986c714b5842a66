"""What payments' database knows of a booking's money."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid5

from services.chassis.database import Connection
from services.chassis.statements import Row
from services.operations.console.reads.aside import Aside, aside
from services.operations.console.reads.few import LOOKED_AT, Few, latest
from services.operations.console.reads.statement import Statement, statement

PAYMENT = """
SELECT booking_id, payment_id, correlation_id, attempt, status, action, method, amount_minor, currency, customer_id,
       provider_id, payout_account, commission_bps, payment_intent, charge, calling, settling, authorized_minor,
       captured_minor, refunded_minor, released_minor, commission_minor, lost_minor, disputes, decline_code, changed_at
FROM payment WHERE booking_id = $1
"""
SETTLEMENTS = f"""
SELECT settlement_id, refund_minor, release_minor, commission_minor, via FROM settlement
WHERE settlement_id = ANY($1) LIMIT {LOOKED_AT}
"""
REFUNDS = """
SELECT refund_id, number, attempt, amount_minor, status, stripe_refund, failure, tries, parked, paid_outside,
       payment_intent
FROM refund WHERE booking_id = $1 ORDER BY number DESC LIMIT {most}
"""
PAYOUTS = """
SELECT payout_id, number, amount_minor, currency, status, account, transfer_id, failure, tries, reversed_minor
FROM payout WHERE booking_id = $1 ORDER BY number DESC LIMIT {most}
"""
DISPUTES = """
SELECT dispute_id, payment_intent, amount_minor, currency, outcome, covered_minor, owed_minor FROM chargeback
WHERE booking_id = $1 ORDER BY dispute_id DESC LIMIT {most}
"""
BY_HAND = """
SELECT stripe_refund, payment_intent, amount_minor, currency, lost_minor, failed, seen_at FROM dashboard_refund
WHERE booking_id = $1 ORDER BY seen_at DESC LIMIT {most}
"""
CALLS = """
SELECT id, subject, operation, state, tries, opened_at, try_at, last_error, idempotency_key, parameters, headers,
       (parameters::jsonb ->> 'asked_at')::timestamptz AS asked_at,
       parameters::jsonb ->> 'payment_intent' AS payment_intent
FROM gateway_call WHERE subject = ANY($1) ORDER BY opened_at DESC, id DESC LIMIT {most}
"""
OF_OBJECT = "coalesce(body #>> '{{data,object,payment_intent}}', body #>> '{{data,object,id}}')"
"""As the index stripe_event_of_object has it."""
EVENTS = f"""
SELECT event_id, type, received_at, set_aside, body FROM stripe_event
WHERE {OF_OBJECT} = ANY($1) ORDER BY received_at DESC LIMIT {{most}}
"""


@dataclass(frozen=True, slots=True)
class InPayments:
    """No names and no addresses stand here. Calls are kept for a day after they are done, Stripe's events for 40."""

    payment: Row | None = None
    settlements: Few = field(default_factory=Few)
    refunds: Few = field(default_factory=Few)
    payouts: Few = field(default_factory=Few)
    disputes: Few = field(default_factory=Few)
    by_hand: Few = field(default_factory=Few)
    statement: Statement = field(default_factory=Statement)
    calls: Few = field(default_factory=Few)
    events: Few = field(default_factory=Few)
    aside: Aside = field(default_factory=Aside)


async def in_payments(connection: Connection, booking_id: UUID) -> InPayments:
    """All of it; `payment` is None where payments has never heard of the booking."""
    payment = await connection.fetchrow(PAYMENT, booking_id)
    if payment is None:
        return InPayments(aside=await aside(connection, str(booking_id)))
    refunds = await latest(connection, REFUNDS, booking_id)
    payouts = await latest(connection, PAYOUTS, booking_id)
    disputes = await latest(connection, DISPUTES, booking_id)
    calls = await latest(connection, CALLS, _subjects(booking_id, refunds, payouts, disputes))
    objects = _objects(payment, [*refunds.rows, *payouts.rows, *disputes.rows, *calls.rows])
    settlements = await connection.fetch(SETTLEMENTS, _settlements(payment))
    return InPayments(
        payment,
        Few(settlements),
        refunds,
        payouts,
        disputes,
        await latest(connection, BY_HAND, booking_id),
        await statement(connection, booking_id),
        calls,
        await latest(connection, EVENTS, objects),
        await aside(connection, str(booking_id)),
    )


def _subjects(booking_id: UUID, refunds: Few, payouts: Few, disputes: Few) -> list[str]:
    """Whose calls these are (stripe_calls/requests.py); one that takes a leftover away has a subject of its own."""
    return [
        str(booking_id),
        *(f"refund:{row['refund_id']}" for row in refunds.rows),
        *(f"payout:{row['payout_id']}" for row in payouts.rows),
        *(f"dispute:{row['dispute_id']}" for row in disputes.rows),
    ]


def _objects(payment: Row, rows: list[Row]) -> list[str]:
    """Stripe's PaymentIntents of every attempt that is known, and the transfers."""
    named = [payment["payment_intent"]]
    named += [row.get(name) for row in rows for name in ("payment_intent", "transfer_id")]
    return sorted({one for one in named if one is not None})


def _settlements(payment: Row) -> list[UUID]:
    """One for an attempt at most (booking/saga.py, settle)."""
    attempts = range(1, min(payment["attempt"], LOOKED_AT) + 1)
    ids = {uuid5(payment["booking_id"], f"settlement {attempt}") for attempt in attempts}
    return sorted(ids | ({payment["settling"]} - {None}))
