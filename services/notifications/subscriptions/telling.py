"""What the worker tells handlers, as local messages: its transaction writes them, a batch decides on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from booking_contracts import payments
from booking_contracts.envelope import uuid7
from booking_contracts.payments import WalletEvent

from services.chassis import local_messages
from services.chassis.database import Connection
from services.chassis.messages import LocalBody
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Remind
from services.notifications.model.subscriptions import DisabledFor
from services.notifications.subscriptions import health
from services.notifications.subscriptions.messages import SubscriberDisabled, WebhookEnded
from services.notifications.subscriptions.outcomes import Tried

Told = tuple[str, LocalBody]
"""A local message with its key."""
OF_WALLETS = frozenset(event.ce_type for event in payments.EVENTS if issubclass(event, WalletEvent))


def tellable(event_type: str, key: str) -> bool:
    """Whether its outcome has a stream: that of a booking, an entry of a waitlist or a provider. A wallet's key is its
    customer, also where that looks like a booking's."""
    if event_type in OF_WALLETS:
        return False
    try:
        return str(UUID(key)) == key
    except ValueError:
        return False


def told_of(one: Tried) -> Told:
    """A delivery came to its end by a try."""
    reason = one.reason if one.state == "failed" else None
    return ended_told(one.due.key, one.due.event_id, one.due.subscription_id, reason)


def ended_told(key: str, event_id: UUID, subscription_id: UUID, reason: str | None) -> Told:
    """A delivery came to its end; its `key` is tellable."""
    of = WebhookEnded(booking_id=UUID(key), event_id=event_id, subscription_id=subscription_id, reason=reason)
    return key, of


def owner_told(row: asyncpg.Record) -> Told:
    """A subscriber was switched off, as health.py returns it."""
    body = SubscriberDisabled(
        subscription_id=row["subscription_id"],
        url=row["url"],
        owner_email=row["owner_email"],
        why=health.WHY[DisabledFor(row["disabled_for"])],
        disabled_at=row["disabled_at"],
    )
    return str(row["subscription_id"]), body


async def tell(connection: Connection, now: datetime, told: Sequence[Told]) -> None:
    """Local messages, due at once."""
    async with Statements(connection) as writes:
        local_messages.save_timers(writes, [Remind(uuid7(), body, key, now, None) for key, body in told])
