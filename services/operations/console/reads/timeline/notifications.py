"""Notifications' part of a timeline: what it heard, letters to people, webhooks to systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from services.chassis.clock import made_at
from services.chassis.statements import Row
from services.notifications.model.letters import BY_EVENT
from services.operations.console.reads.clocks import Clocks
from services.operations.console.reads.in_notifications import InNotifications
from services.operations.console.reads.timeline.marks import Kind, Lane, Mark, Tone, lane_of, short

OF_LETTER: Mapping[str, str] = {str(kind): event.ce_type for event, (kind, _) in BY_EVENT.items()}
"""The event that brings each kind of letter, where its own record is not kept any more."""
TONES = {"pending": Tone.OPEN, "succeeded": Tone.DONE, "failed": Tone.FAILED}


def marks_of(found: InNotifications, clocks: Clocks) -> Iterator[Mark]:
    """In no order. Events that nobody is told of leave nothing here."""
    for event_id, (kind, heard) in _events(found).items():
        if made_at(event_id) is None:  # a letter's own occasion: a timer
            yield Mark(heard, Lane.NOTIFICATIONS, Lane.NOTIFICATIONS, Kind.TIMER, f"time for: {short(kind)}")
            continue
        sent = clocks.made(event_id) or heard
        yield Mark(
            min(sent, heard),
            lane_of(kind),
            Lane.NOTIFICATIONS,
            Kind.MESSAGE,
            short(kind),
            until=heard,
            message_id=event_id,
        )
    for letter in found.letters.rows:
        yield _letter(letter)
    for webhook in found.webhooks.rows:
        yield _webhook(webhook)


def _events(found: InNotifications) -> dict[UUID, tuple[str, datetime]]:
    """Type, and when it was handled."""
    types = {row["event_id"]: row["type"] for row in (*found.events.rows, *found.webhooks.rows)}
    events: dict[UUID, tuple[str, datetime]] = {}
    for row in (*found.letters.rows, *found.webhooks.rows):
        kind = types.get(row["event_id"]) or OF_LETTER.get(row["kind"]) or f"local.{row['kind']}"
        events.setdefault(row["event_id"], (kind, row["created_at"]))
    return events


def _letter(letter: Row) -> Mark:
    """Without its recipient, and without the mail server's words, which like to repeat it."""
    detail = f"to the {letter['audience']}"
    return Mark(
        letter["created_at"],
        Lane.NOTIFICATIONS,
        Lane.PEOPLE,
        Kind.LETTER,
        letter["kind"],
        f"{detail}, waits for the one before it" if letter["waits"] else detail,
        until=letter["settled_at"],
        tone=TONES[letter["state"]],
        message_id=letter["delivery_id"],
    )


def _webhook(webhook: Row) -> Mark:
    tries = f", {webhook['tries']} tries" if webhook["tries"] > 1 else ""
    answer = f", HTTP {webhook['status']}" if webhook["status"] else ""
    return Mark(
        webhook["created_at"],
        Lane.NOTIFICATIONS,
        Lane.CALLER,
        Kind.WEBHOOK,
        short(webhook["type"]),
        f"to {webhook['url']}{answer}{tries}",
        until=webhook["settled_at"],
        tone=TONES[webhook["state"]],
        message_id=webhook["delivery_id"],
    )
