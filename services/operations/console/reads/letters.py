"""A letter as it was sent: made once more of what its call was stored with, byte for byte the same text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from uuid import UUID

from pydantic import ValidationError

from services.chassis.failures import NewerBuild
from services.notifications.header_values import Unaddressable
from services.notifications.mail import MailToSend
from services.notifications.rendering import render
from services.operations.console.reads.in_notifications import InNotifications

SENDER = "bookings@example.org"
"""Whom it is from only the service is told (MAIL_FROM), and no text of it says so."""


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody read. Personal data, all of it. `problem`: why there is no text."""

    delivery_id: UUID
    recipient: str
    subject: str = ""
    body: str = ""
    problem: str = ""


def texts(found: InNotifications) -> dict[UUID, Text]:
    """By delivery: of letters that wait, and of those that were sent within a day; the text of others is not kept."""
    return {text.delivery_id: text for text in _texts(found)}


def _texts(found: InNotifications) -> Iterator[Text]:
    waiting = (row["mail"] for row in found.letters.rows if row["mail"] is not None)
    for stored in (*waiting, *(row["parameters"] for row in found.calls.rows)):
        try:
            mail = MailToSend.model_validate_json(stored)
        except ValidationError:  # of a newer build, or no letter but a notice to a subscriber
            continue
        yield _text(mail)


def _text(mail: MailToSend) -> Text:
    try:
        made = render(
            mail.letter(), sender=SENDER, message_id=mail.message_id, now=mail.written_at, sequence=mail.sequence
        )
    except (Unaddressable, NewerBuild) as problem:
        return Text(mail.delivery_id, mail.recipient, problem=str(problem))
    read = message_from_bytes(made.content, policy=policy.default)
    body = read.get_body(("plain",))
    return Text(mail.delivery_id, mail.recipient, read["Subject"], "" if body is None else body.get_content())
