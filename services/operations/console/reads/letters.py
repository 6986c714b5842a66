"""A letter as it was sent: made once more of what its call was stored with, by the same templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from services.chassis.failures import NewerBuild
from services.notifications.mail import MailToSend
from services.notifications.rendering import plain
from services.operations.console.reads.in_notifications import InNotifications


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody read. Personal data, all of it. `problem`: why there is no text."""

    subject: str = ""
    body: str = ""
    problem: str = ""


def stored(found: InNotifications) -> Mapping[str, str]:
    """By delivery, as text: letters that wait, and those that were sent within a day; others are not kept."""
    sent = {row["subject"]: row["parameters"] for row in found.calls.rows}
    return sent | {str(row["delivery_id"]): row["mail"] for row in found.letters.rows if row["mail"] is not None}


def text_of(letter: str) -> Text:
    """One of those, as it reads."""
    try:
        subject, body = plain(MailToSend.model_validate_json(letter).letter())
    except (ValidationError, NewerBuild):
        return Text(problem="a newer build has written it: this one cannot read it")
    return Text(subject, body)
