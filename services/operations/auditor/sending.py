"""What is on its way out and stands: outboxes, messages of services to themselves, letters, webhooks."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking_contracts.rights import SERVICES

from services.notifications.mail import SEND_MAIL
from services.operations.auditor.check_types import MOST, Lingering
from services.operations.auditor.databases import Databases, as_uuid
from services.operations.auditor.findings import Finding, Kind

STANDS = timedelta(minutes=10)
"""Longer than anything waits that nobody has to wait for."""
OUTBOX = """
SELECT id, topic FROM outbox WHERE created_at < statement_timestamp() - $1::interval ORDER BY id LIMIT 1
"""
MESSAGES = """
SELECT id, type, key FROM local_message m
WHERE due_at < $1 AND kind = 'timer' AND NOT EXISTS (SELECT FROM blocked_key k WHERE k.key = m.key)
ORDER BY due_at LIMIT 1
"""
LETTERS = f"""
SELECT d.delivery_id, d.booking_id FROM delivery d
WHERE d.state = 'pending' AND d.mail IS NULL
  AND NOT EXISTS (SELECT FROM gateway_call c WHERE c.subject = d.delivery_id::text AND c.state = 'open')
LIMIT {MOST}
"""
"""On its way, and nobody sends it: what waits in its line has its text in `mail`."""
CALLS = f"""
SELECT c.id, c.subject, c.key FROM gateway_call c
WHERE c.state = 'open' AND c.operation = '{SEND_MAIL}'
  AND NOT EXISTS (SELECT FROM delivery d WHERE d.delivery_id = {as_uuid("c.subject")} AND d.state = 'pending')
LIMIT {MOST}
"""
WEBHOOKS = f"""
SELECT d.delivery_id, d.event_id, d.subscription_id, e.event_id IS NULL AS eventless FROM webhook_delivery d
LEFT JOIN webhook_event e USING (event_id) LEFT JOIN webhook_subscription s USING (subscription_id)
WHERE d.state = 'pending' AND (e.event_id IS NULL OR s.subscription_id IS NULL)
LIMIT {MOST}
"""
STANDING = f"""
SELECT d.subscription_id FROM (
    SELECT subscription_id FROM webhook_delivery
    WHERE state = 'pending' AND try_at < statement_timestamp() - $1::interval LIMIT 10000) d
JOIN webhook_subscription s USING (subscription_id)
WHERE s.state = 'active'
  AND coalesce(greatest(s.rest_until, s.busy_until), '-infinity') < statement_timestamp() - $1::interval
GROUP BY subscription_id LIMIT {MOST}
"""


async def outgoing(databases: Databases, now: datetime) -> list[Finding]:
    """Services whose outbox or whose messages to themselves do not go on; by the oldest that waits."""
    found = []
    for service in SERVICES:
        for row in await databases.fetch(service, OUTBOX, STANDS):
            detail = f"what {service} has to say to {row['topic']} has waited for more than {STANDS}"
            found.append(Finding(Kind.OUTBOX_STANDS, service, detail, {"service": service, "id": str(row["id"])}))
        for row in await databases.fetch(service, MESSAGES, now - STANDS):
            detail = f"{row['type']} of {row['key']} was due more than {STANDS} ago"
            ids = {"service": service, "message_id": str(row["id"]), "key": row["key"]}
            found.append(Finding(Kind.MESSAGES_STAND, service, detail, ids))
    return found


async def letters(databases: Databases, _: datetime) -> list[Finding]:
    """Deliveries that nobody makes, and letters that no delivery knows."""
    found = [
        Finding(
            Kind.ROW_WITHOUT_LETTER,
            str(row["delivery_id"]),
            "it is on its way, and no letter is sent",
            {"delivery_id": str(row["delivery_id"])},
            row["booking_id"],
        )
        for row in await databases.fetch("notifications", LETTERS)
    ]
    return found + [
        Finding(
            Kind.LETTER_WITHOUT_ROW,
            str(row["id"]),
            f"a letter is sent for delivery {row['subject']}, which does not wait for one",
            {"call_id": str(row["id"]), "delivery_id": row["subject"], "key": row["key"]},
        )
        for row in await databases.fetch("notifications", CALLS)
    ]


async def webhooks(databases: Databases, _: datetime) -> list[Finding]:
    """Deliveries to subscribers that lack what they are made of, and subscribers that nobody tells."""
    found = [
        Finding(
            Kind.WEBHOOK_WITHOUT_ROW,
            str(row["delivery_id"]),
            f"its {'event' if row['eventless'] else 'subscription'} is not there",
            {name: str(row[name]) for name in ("delivery_id", "event_id", "subscription_id")},
        )
        for row in await databases.fetch("notifications", WEBHOOKS)
    ]
    return found + [
        Finding(
            Kind.WEBHOOK_STANDS,
            str(row["subscription_id"]),
            f"what it is to be told was due more than {STANDS} ago, and it is not tried",
            {"subscription_id": str(row["subscription_id"])},
        )
        for row in await databases.fetch("notifications", STANDING, STANDS)
    ]


CHECKS = (
    Lingering("outgoing", frozenset({Kind.OUTBOX_STANDS, Kind.MESSAGES_STAND}), outgoing),
    Lingering("letters", frozenset({Kind.ROW_WITHOUT_LETTER, Kind.LETTER_WITHOUT_ROW}), letters),
    Lingering("webhooks", frozenset({Kind.WEBHOOK_WITHOUT_ROW, Kind.WEBHOOK_STANDS}), webhooks),
)
