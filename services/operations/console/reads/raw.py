"""Messages as they are stored: what a reply said, what Stripe told, what was asked of it, what was set aside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.chassis.statements import Row
from services.operations.console.reads.aside import Aside
from services.operations.console.reads.booking import Shown

MOST = 40
"""Documents on a page: each may be some kilobytes."""
TRACE = re.compile(r"\b00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b")
"""W3C Trace Context, traceparent."""


@dataclass(frozen=True, slots=True)
class Raw:
    """`text` is mostly JSON. `personal`: names, addresses or what people wrote may stand in it."""

    id: UUID | str
    title: str
    at: datetime
    text: str
    personal: bool


def raws(shown: Shown) -> Sequence[Raw]:
    """The latest of them, the oldest first."""
    return sorted(_raws(shown), key=lambda raw: raw.at)[-MOST:]


def _raws(shown: Shown) -> Iterator[Raw]:
    for receipt in shown.booking.receipts.values():
        title = f"reply to {receipt['command_id']}: {receipt['reply_type']}"
        yield Raw(receipt["command_id"], title, receipt["received_at"], receipt["reply"], personal=False)
    for call in shown.payments.calls.rows:
        yield Raw(call["id"], f"call to Stripe: {call['operation']}", call["opened_at"], call["parameters"], False)
    for event in shown.payments.events.rows:
        yield Raw(event["event_id"], f"Stripe: {event['type']}", event["received_at"], event["body"], personal=False)
    for event in shown.notifications.events.rows:
        yield Raw(event["event_id"], f"webhook: {event['type']}", event["created_at"], event["content"], personal=True)
    for call in shown.notifications.calls.rows:
        yield Raw(call["id"], "letter, before it is rendered", call["opened_at"], call["parameters"], personal=True)
    for service, aside in asides(shown):
        for letter in aside.letters.rows:
            yield _set_aside(service, letter)


def asides(shown: Shown) -> Sequence[tuple[str, Aside]]:
    """What each service has set aside, by its name."""
    return [
        ("booking", shown.booking.aside),
        ("payments", shown.payments.aside),
        ("notifications", shown.notifications.aside),
    ]


def _set_aside(service: str, letter: Row) -> Raw:
    body = letter["body"].decode("utf-8", "replace")
    text = f'{{"headers": {letter["headers"]}, "body": {body or "null"}}}'
    title = f"set aside by {service}: {letter['type'] or 'of no type'}"
    return Raw(letter["id"], title, letter["created_at"], text, personal=True)


def traces(shown: Shown) -> Sequence[str]:
    """The trace ids of its messages, as far as a database keeps them."""
    stored: Iterable[str] = (
        *(row["headers"] for row in (*shown.payments.calls.rows, *shown.notifications.calls.rows)),
        *(row["content"] for row in shown.notifications.events.rows),
        *(row["headers"] for _, aside in asides(shown) for row in aside.letters.rows),
    )
    return sorted({found for text in stored for found in TRACE.findall(text)})


def correlations(shown: Shown) -> Sequence[str]:
    """The correlation ids of its messages: that of the command that began it, and of what else was asked since."""
    found = {one for row in shown.payments.calls.rows for one in _correlation(row["headers"])}
    if shown.payments.payment is not None:
        found.add(shown.payments.payment["correlation_id"])
    return sorted(found)


def _correlation(headers: str) -> list[str]:
    return [value for name, value in json.loads(headers) if name == "ce_correlationid"]
