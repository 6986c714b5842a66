"""What lingers: bookings and offers past their deadline, money that stands, sagas and timers that lost each other.

Each look reads what an index of few rows has; `now` is the auditor's clock, as deadlines are the services'.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from services.booking.local_messages import AskAgain, DeadlineReached, EntryDue
from services.booking.model.states import FUNDED, INITIAL
from services.booking.saga import Status
from services.operations.auditor.check_types import MOST, Lingering
from services.operations.auditor.databases import Databases, as_uuid, literals
from services.operations.auditor.findings import Finding, Kind
from services.payments.model.payment import LIVE
from services.payments.model.payment import Status as PaymentStatus

GRACE = timedelta(seconds=10)
"""A deadline's timer is handled by then."""
MONEY_GRACE = timedelta(minutes=10)
"""Capture and void are done by then, unless Stripe is away."""
SOON = timedelta(minutes=5)
"""Timers are looked at when they come near: before they are of use."""

PENDING = f"""
SELECT booking_id, payment_id, state, deadline FROM booking
WHERE state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT') AND deadline < $1
UNION ALL
SELECT booking_id, payment_id, state, deadline FROM (
    SELECT booking_id, payment_id, state, deadline FROM booking
    WHERE state = 'PENDING_CONFIRMATION' ORDER BY starts_at LIMIT 5000
) oldest
WHERE deadline < $1
LIMIT {MOST}
"""
"""What is over waits for days to be confirmed, and holds money: those that began first are looked through."""
OFFERS = (
    f"SELECT entry_id, slot_id, deadline FROM waitlist_entry WHERE state = 'OFFERED' AND deadline < $1 LIMIT {MOST}"
)
UNCAPTURED = f"""
SELECT booking_id, status FROM payment
WHERE status IN ({literals(LIVE)}) AND changed_at < statement_timestamp() - $1::interval ORDER BY changed_at LIMIT 5000
"""
STATES = "SELECT booking_id, payment_id, state FROM booking WHERE booking_id = ANY($1)"
SAGAS = f"""
SELECT s.booking_id, s.step, s.ask_again_at FROM saga s
WHERE s.status = '{Status.WAITING}'
  AND NOT EXISTS (SELECT FROM local_message m WHERE m.due_at = s.ask_again_at AND m.key = s.booking_id::text)
  AND NOT EXISTS (SELECT FROM blocked_key k WHERE k.key = s.booking_id::text)
LIMIT {MOST}
"""
"""A timer is set for the very instant that the saga's row names. What is blocked waits behind a dead letter."""
TIMERS = f"""
SELECT id, type, key FROM local_message m
WHERE due_at < $1 AND kind = 'timer' AND type IN ($2, $3, $4)
  AND CASE type WHEN $2 THEN NOT EXISTS (SELECT FROM saga WHERE booking_id = {as_uuid("m.key")})
                WHEN $3 THEN NOT EXISTS (SELECT FROM booking WHERE booking_id = {as_uuid("m.key")})
                ELSE NOT EXISTS (SELECT FROM waitlist_entry WHERE entry_id = {as_uuid("m.key")}) END
LIMIT {MOST}
"""
OF_TIMERS = {AskAgain.ce_type: "saga", DeadlineReached.ce_type: "booking", EntryDue.ce_type: "waitlist entry"}
"""Each timer of booking's that is about one row, and which."""


async def deadlines(databases: Databases, now: datetime) -> list[Finding]:
    """Bookings and offers that hold seats or money after their time."""
    found = [
        Finding(
            Kind.PENDING_OVERDUE,
            str(row["booking_id"]),
            f"{row['state']} after its deadline, {row['deadline']}",
            {"booking_id": str(row["booking_id"])},
            row["booking_id"],
            row["payment_id"],
        )
        for row in await databases.fetch("booking", PENDING, now - GRACE)
    ]
    return found + [
        Finding(
            Kind.OFFER_OVERDUE,
            str(row["entry_id"]),
            f"offered after its deadline, {row['deadline']}",
            {"entry_id": str(row["entry_id"]), "slot_id": str(row["slot_id"])},
        )
        for row in await databases.fetch("booking", OFFERS, now - GRACE)
    ]


def lingers(state: str, status: str) -> tuple[Kind, str] | None:
    """What is wrong with a payment that has been live for so long, by the state of its booking."""
    if state in FUNDED and status == PaymentStatus.AUTHORIZED:
        return Kind.NOT_CAPTURED, f"{state}, and not captured for more than {MONEY_GRACE}"
    if state not in FUNDED and state not in INITIAL:
        return Kind.LIVE_AUTHORISATION, f"{state}, and its payment has been {status} for more than {MONEY_GRACE}"
    return None


async def money(databases: Databases, _: datetime) -> list[Finding]:
    """Reserved money that should be taken or given back by now."""
    live: dict[UUID, str] = {
        row["booking_id"]: row["status"] for row in await databases.fetch("payments", UNCAPTURED, MONEY_GRACE)
    }
    found = []
    for row in await databases.fetch("booking", STATES, list(live)) if live else ():
        wrong = lingers(row["state"], live[row["booking_id"]])
        if wrong is not None:
            subject = str(row["booking_id"])
            of = (row["booking_id"], row["payment_id"])
            found.append(Finding(wrong[0], subject, wrong[1], {"booking_id": subject}, *of))
    return found[:MOST]


async def timers(databases: Databases, now: datetime) -> list[Finding]:
    """Sagas that nobody will wake, and timers that will wake nobody."""
    found = [
        Finding(
            Kind.SAGA_WITHOUT_TIMER,
            str(row["booking_id"]),
            f"{row['step']} waits, and nothing asks again at {row['ask_again_at']}",
            {"booking_id": str(row["booking_id"])},
            row["booking_id"],
        )
        for row in await databases.fetch("booking", SAGAS)
    ]
    return found + [
        Finding(
            Kind.TIMER_WITHOUT_ROW,
            str(row["id"]),
            f"{row['type']} of {OF_TIMERS[row['type']]} {row['key']}, which is not there",
            {"message_id": str(row["id"]), "key": row["key"]},
        )
        for row in await databases.fetch("booking", TIMERS, now + SOON, *OF_TIMERS)
    ]


CHECKS = (
    Lingering("deadlines", frozenset({Kind.PENDING_OVERDUE, Kind.OFFER_OVERDUE}), deadlines),
    Lingering("live money", frozenset({Kind.NOT_CAPTURED, Kind.LIVE_AUTHORISATION}), money),
    Lingering("timers", frozenset({Kind.SAGA_WITHOUT_TIMER, Kind.TIMER_WITHOUT_ROW}), timers),
)
