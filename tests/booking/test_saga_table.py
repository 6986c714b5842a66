"""The table at the top of booking/saga.py against the handlers: every payment event at every step, and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest
from booking_contracts import payments
from booking_contracts.booking import AbandonPayment, CancelBooking

from services.booking import saga
from services.booking.local_messages import AskAgain, DeadlineReached
from services.booking.model import expected_outcomes as outcomes
from services.booking.model.booking import Booking
from services.booking.model.states import State
from services.booking.saga import MOST_ASKS, Saga, Status, Step
from services.chassis.unit_of_work import Send
from tests.booking import lives
from tests.booking.builders import START, World, acting

Row = tuple[str, str, str]
"""Step and its command, what comes, what follows."""
WORDS = {
    Status.DONE: "done",
    Status.STUCK: "stuck",
    Status.WAITING_FOR_CUSTOMER: "waits for the customer",
    Status.WAITING_FOR_CHARGEBACK: "waits for the bank",
}


def voiding(world: World) -> Booking:
    booking = lives.pending(world)
    world.tell(AbandonPayment(booking_id=booking.booking_id, actor=acting()))
    return booking


def settling(world: World) -> Booking:
    booking = world.confirmed()
    world.tell(CancelBooking(booking_id=booking.booking_id, actor=acting()))
    return booking


GIVEN: Mapping[Step, Callable[[World], Booking]] = {
    Step.AUTHORIZE: lives.pending,
    Step.CAPTURE: lives.confirmed,
    Step.VOID: voiding,
    Step.SETTLE: settling,
}
"""A booking whose saga waits at the step."""


class At:
    """A world in which the saga of one booking waits at a step."""

    def __init__(self, step: Step) -> None:
        self.world = World()
        self.booking = self.world.booking(GIVEN[step](self.world).booking_id)
        self.before = self.saga
        self.taken = self.world.taken()
        assert (self.before.step, self.before.status) == (step, Status.WAITING)

    @property
    def saga(self) -> Saga:
        found = self.world.work.find(Saga, self.booking.booking_id)
        assert found is not None
        return found

    def follows(self) -> str:
        """What became of the step; "" where nothing did."""
        after = self.saga
        moved = after.step.name if after.step is not self.before.step else WORDS.get(after.status, "")
        free = "seats free" if self.world.taken() < self.taken else ""
        return ", ".join(part for part in (moved, free) if part)


def command(step: Step) -> str:
    """The command that the step sends."""
    sends = [effect for effect in At(step).world.work.journal if isinstance(effect, Send)]
    return [send.type.split(".")[1] for send in sends if send.topic == payments.VoidPayment.topic][-1]


def after_event(step: Step, name: str) -> str:
    """What an event about the booking's attempt does, before the start and after it."""
    found = []
    for late in (False, True):
        at = At(step)
        if late and at.booking.state is State.PENDING_PAYMENT:
            continue  # its deadline is over by then
        at.world.at(START if late else at.world.work.now).tell(lives.event(name, at.booking, at.booking.attempt))
        found.append(at.follows())
    return "; after the start ".join(dict.fromkeys(found))


def without_answer(step: Step) -> str:
    at = At(step)
    for asked in range(1, MOST_ASKS + 1):
        timer = AskAgain(booking_id=at.booking.booking_id, step=step, attempt=at.booking.attempt, asked=asked)
        at.world.tell(timer)
    return "asked again, then stuck" if at.saga.status is Status.STUCK else "asked again until the deadline"


def at_deadline(step: Step) -> str:
    at = At(step)
    if at.booking.deadline is None:
        return ""
    at.world.at(at.booking.deadline).tell(DeadlineReached(booking_id=at.booking.booking_id))
    return at.follows()


def derived() -> Iterator[Row]:
    """The table as the handlers have it; what nothing follows from has no row."""
    for step in Step:
        rows = {name: after_event(step, name) for name in outcomes.EVENTS}
        rows["no answer"], rows["the deadline"] = without_answer(step), at_deadline(step)
        sent = f"{step.name}: {command(step)}"
        yield from ((sent, comes, follows) for comes, follows in rows.items() if follows)


def shown(rows: Iterable[Row]) -> list[str]:
    """Lines of a Markdown table."""
    table = [("step: command", "what comes", "what follows"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    lines = [
        "| " + " | ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


@pytest.mark.requirement("saga")
def test_the_table_says_what_the_handlers_do() -> None:
    assert saga.__doc__ is not None
    written = [line for line in saga.__doc__.splitlines() if line.startswith("|")]
    table = shown(derived())
    assert written == table, "saga.py should say:\n" + "\n".join(table)


@pytest.mark.requirement("saga", "timeouts")
def test_some_event_ends_each_step_and_without_one_it_is_asked_again() -> None:
    rows = list(derived())
    for step in Step:
        follows = {comes: what for sent, comes, what in rows if sent.startswith(f"{step.name}:")}
        assert any(what.startswith("done") for comes, what in follows.items() if comes.startswith("Payment"))
        assert follows["no answer"].startswith("asked again")
