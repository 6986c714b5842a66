"""Who is told of what by which channel, as a table for docs/notifications.md (requirement notify-people)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from booking_contracts import booking
from booking_contracts.envelope import Event
from booking_contracts.registry import BY_TOPIC, Kind, kind_of

from services.notifications.invite import METHODS
from services.notifications.model import letters
from services.notifications.model.letters import AFTER_CONFIRMATION, ATTENDEE, BY_EVENT, BY_OCCASION, SILENT, Audience
from services.notifications.model.subscriptions import OFFERED

ON_OCCASION = {
    letters.Kind.SEATS_HELD: "a minute after BookingPlaced, unpaid",
    letters.Kind.REMINDER: "at the offering's `reminder_minutes`",
    letters.Kind.DISPUTE_STILL_OPEN: "daily, from the seventh day of a dispute on",
}
_HEAD = ["| event | letter | customer | provider | attendee | admin | calendar | webhook |", f"|{'---|' * 8}"]


def events() -> list[type[Event]]:
    """Every event of the contract: those of bookings and lines first, as contracts list them."""
    found = [
        one for kinds in BY_TOPIC.values() for one in kinds if kind_of(one) is Kind.EVENT and issubclass(one, Event)
    ]
    return sorted(found, key=lambda one: not issubclass(one, booking.BookingEvent | booking.WaitlistEvent))


def table() -> str:
    """Markdown: a row for each event, then one for each letter that no event asks for."""
    return "\n".join([*_HEAD, *_of_events(), *_on_occasions(), ""])


def _of_events() -> Iterator[str]:
    for event in events():
        name, webhook = event.ce_type.rpartition(".")[0], "event" if event in OFFERED else ""
        if event in SILENT:
            yield f"| {name} | none: {SILENT[event]} | | | | | | {webhook} |"
            continue
        kind, audiences = BY_EVENT[event]
        yield _row(name, kind, audiences, webhook)
        if event is booking.PaymentFailed:
            yield _row(f"{name}, `capture_failed`", *AFTER_CONFIRMATION, webhook)


def _on_occasions() -> Iterator[str]:
    for kind, (state, audiences) in BY_OCCASION.items():
        yield _row(f"none: {ON_OCCASION[kind]}, in {state}", kind, audiences, "")


def _row(event: str, kind: letters.Kind, audiences: Iterable[Audience], webhook: str) -> str:
    told = [_mark(audience, audiences, kind) for audience in ("customer", "provider", "attendee", "admin")]
    return " | ".join((f"| {event}", f"`{kind}`", *told, METHODS.get(kind, ""), f"{webhook} |"))


def _mark(audience: str, audiences: Iterable[Audience], kind: letters.Kind) -> str:
    if Audience(audience) not in audiences:
        return ""
    return "if it was confirmed" if (kind, audience) == (letters.Kind.CANCELLED, ATTENDEE) else "letter"
