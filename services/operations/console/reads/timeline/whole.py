"""One booking across the services, in the order of time: the picture of docs and demo, for any booking.

It shows what the databases know. What left nothing there (an event that nobody is told of, a command that was refused)
is on Kafka for a week and not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.operations.console.reads.aside import Aside
from services.operations.console.reads.clocks import Clocks
from services.operations.console.reads.in_booking import InBooking
from services.operations.console.reads.in_notifications import InNotifications
from services.operations.console.reads.in_operations import InOperations
from services.operations.console.reads.in_payments import InPayments
from services.operations.console.reads.log import LOOK
from services.operations.console.reads.timeline import booking as of_booking
from services.operations.console.reads.timeline import notifications as of_notifications
from services.operations.console.reads.timeline import payments as of_payments
from services.operations.console.reads.timeline.marks import Kind, Lane, Mark, Tone, short

MOST = 300
"""Marks that are drawn; a booking has a tenth of it."""
SAME_INSTANT = {kind: place for place, kind in enumerate((Kind.MESSAGE, Kind.TIMER, Kind.WEBHOOK, Kind.STEP))}
"""What came stands before what came of it."""


AMISS = ("not done: ", "failed: ")
"""What the outcome of an act begins with that was not done, or ended in a fault (acts/framework.py)."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Marks in the order of their beginning; so many before them are left out."""

    marks: Sequence[Mark]
    left_out: int = 0

    @property
    def past(self) -> Sequence[Mark]:
        """What has happened."""
        return [mark for mark in self.marks if mark.tone is not Tone.PLANNED]

    def after(self, mark: Mark) -> float:
        """Seconds since the first."""
        return (mark.at - self.marks[0].at).total_seconds()


def timeline(
    booking: InBooking, payments: InPayments, notifications: InNotifications, operations: InOperations
) -> Timeline:
    """From what each database says; one that is away says nothing."""
    clocks = Clocks([*of_booking.clocks_of(booking), *of_payments.clocks_of(payments)])
    marks = list(of_booking.marks_of(booking, clocks))
    said = [mark for mark in marks if mark.sender is Lane.PAYMENTS]
    marks += of_payments.marks_of(payments, clocks, said)
    marks += of_notifications.marks_of(notifications, clocks)
    for lane, found in (
        (Lane.BOOKING, booking.aside),
        (Lane.PAYMENTS, payments.aside),
        (Lane.NOTIFICATIONS, notifications.aside),
    ):
        marks += _aside(lane, found, clocks)
    marks += _acts(operations, clocks)
    marks.sort(key=_order)
    return Timeline(marks[-MOST:], max(0, len(marks) - MOST))


def _order(mark: Mark) -> tuple[object, ...]:
    heard = mark.until if mark.kind is Kind.MESSAGE and mark.until is not None else mark.at
    return mark.tone is Tone.PLANNED, mark.at, heard, SAME_INSTANT.get(mark.kind, len(SAME_INSTANT))


def _aside(lane: Lane, found: Aside, clocks: Clocks) -> Iterator[Mark]:
    """Without the error, whose text may repeat what was sent."""
    for letter in found.letters.rows:
        tone = Tone.FAILED if letter["status"] == "open" else Tone.DONE
        label, detail = f"set aside: {short(letter['type'])}", f"{letter['kind']}, {letter['status']}"
        at = clocks.of(letter["created_at"])
        yield Mark(at, lane, lane, Kind.ASIDE, label, detail, tone=tone, message_id=letter["id"])


def _acts(operations: InOperations, clocks: Clocks) -> Iterator[Mark]:
    """Who looked changed nothing."""
    for act in operations.acts.rows:
        if act["act"] == LOOK:
            continue
        lane = Lane(act["service"]) if act["service"] in set(Lane) else Lane.BOOKING
        until = act["ended_at"] and clocks.of(act["ended_at"])
        amiss = (act["outcome"] or "").startswith(AMISS)
        tone = Tone.OPEN if until is None else Tone.FAILED if amiss else Tone.DONE
        label, detail = f"{act['act']} by {act['operator']}", f"{act['reason']}: {act['outcome'] or 'not ended'}"
        yield Mark(clocks.of(act["at"]), Lane.PEOPLE, lane, Kind.ACT, label, detail, until, tone, act["entry_id"])
