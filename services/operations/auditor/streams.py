"""Streams of events: what waits to be sent has no gap, and notifications has heard of a booking what booking has said.

Of payments' streams, and of booking's before they reach notifications, only what is not sent yet can be looked at: the
outbox forgets what Kafka has taken.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from booking_contracts.rights import SERVICES

from services.operations.auditor.check_types import Lingering, Walk
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.scope import Scope, Those

SUM = "SELECT sum(hashtextextended(booking_id || ' ' || sequence, 0)) FROM {table} WHERE {{bookings}}"
"""Of a stretch in which nothing is on its way both sides have the same sum, and their rows need not be read."""
SAID = "SELECT booking_id, payment_id, sequence FROM booking WHERE {bookings}"
KNOWN = "SELECT booking_id, sequence FROM known_booking WHERE {bookings}"
CHANGED = "SELECT booking_id, max(at) AS at FROM booking_history WHERE {lines} GROUP BY booking_id"
HEARD = "SELECT max(received_at) AS at FROM inbox"
ON_THE_WAY = timedelta(minutes=10)
"""Longer than an event takes to be heard, while others are."""
NEVER = datetime.min.replace(tzinfo=UTC)
OUTBOX = """
SELECT id, topic, key, headers FROM outbox WHERE topic LIKE '%.events' AND key IS NOT NULL ORDER BY id LIMIT 2000
"""
"""More wait only where Kafka is away: the next look sees on."""


def differs(said: int | None, known: int, changed_at: datetime, heard_at: datetime) -> tuple[Kind, str] | None:
    """What does not agree about one booking: the numbers of its last event as it was said and heard (0: none), when the
    booking last changed, and when notifications last heard anything."""
    if said is None or known > said:
        return Kind.STREAM_AHEAD, f"notifications has heard of event {known}, and booking has said {said or 'none'}"
    if known < said and heard_at - changed_at > ON_THE_WAY:
        return Kind.STREAM_BEHIND, f"booking has said event {said}, and notifications has heard {known or 'none'}"
    return None


async def look(databases: Databases, scope: Scope) -> list[Finding]:
    """Bookings of which notifications knows too little or too much."""
    sums = [
        await databases.within(service, scope, SUM.format(table=table), bookings="booking_id")
        for service, table in (("notifications", "known_booking"), ("booking", "booking"))
    ]
    if sums[0] == sums[1]:
        return []
    known = {
        row["booking_id"]: row["sequence"]
        for row in await databases.within("notifications", scope, KNOWN, bookings="booking_id")
    }
    said = {
        row["booking_id"]: (row["payment_id"], row["sequence"])
        for row in await databases.within("booking", scope, SAID, bookings="booking_id")
    }
    unlike = [one for one in known.keys() | said.keys() if known.get(one, 0) != said.get(one, (None, None))[1]]
    if not unlike:
        return []
    lines = await databases.within("booking", Those(unlike), CHANGED, lines="booking_id")
    changed = {row["booking_id"]: row["at"] for row in lines}
    ((heard_at,),) = await databases.fetch("notifications", HEARD)
    found = []
    for booking_id in unlike:
        payment_id, number = said.get(booking_id, (None, None))
        wrong = differs(number, known.get(booking_id, 0), changed.get(booking_id, NEVER), heard_at or NEVER)
        if wrong is not None:
            subject = str(booking_id)
            found.append(Finding(wrong[0], subject, wrong[1], {"booking_id": subject}, booking_id, payment_id))
    return found


async def gaps(databases: Databases, _: datetime) -> list[Finding]:
    """Streams whose events that wait to be sent are not numbered one after the other."""
    found = []
    for service in SERVICES:
        numbers: dict[tuple[str, str], list[int]] = {}
        for row in await databases.fetch(service, OUTBOX):
            sequence = dict(json.loads(row["headers"])).get("ce_sequence")
            if sequence is not None:
                numbers.setdefault((row["topic"], row["key"]), []).append(int(sequence))
        for (topic, key), of in numbers.items():
            gap = next(((one, other) for one, other in pairwise(of) if other != one + 1), None)
            if gap is not None:
                detail = f"in its outbox event {gap[1]} comes after event {gap[0]}"
                found.append(Finding(Kind.STREAM_GAP, f"{topic} {key}", detail, {"service": service, "key": key}))
    return found


CHECK = Walk("streams", frozenset({Kind.STREAM_AHEAD, Kind.STREAM_BEHIND}), "booking", "booking", "booking_id", look)
GAPS = Lingering("gaps", frozenset({Kind.STREAM_GAP}), gaps)
