"""Every command and every payment event in every state, through the real handlers, against the table of outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from booking_contracts import booking as messages
from booking_contracts import payments
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import MessageBody

from services.booking.app import SERVICE
from services.booking.model import expected_outcomes as outcomes
from services.booking.model.booking import Booking
from services.booking.model.deadlines import due_at
from services.booking.model.expected_outcomes import Advance, Case, GiveBack, Ignore, Outcome, Reject, Row, Stay
from services.booking.model.states import FUNDED, TRANSITIONS, State
from services.booking.saga import Saga, Status
from services.chassis.unit_of_work import Record, Send
from tests.booking import lives
from tests.booking.builders import World, a_slot

BOOKED = (Case.INSTANT, Case.APPROVED)
OTHER = 7
"""An attempt that no booking of these tests has reached."""


class Pair(NamedTuple):
    """A message in a state; `late` is at the instant at which time takes the state's next step."""

    name: str
    state: State
    case: Case | None
    late: bool = False


def cases(row: Row, state: State) -> tuple[Case | None, ...]:
    cell = row[state]
    return tuple(cell) if isinstance(cell, Mapping) else (None,)


def pairs(rows: Mapping[str, Row]) -> list[Pair]:
    return [Pair(name, state, case) for name, row in rows.items() for state in State for case in cases(row, state)]


def late_pairs(rows: Mapping[str, Row]) -> list[Pair]:
    return [Pair(name, state, None, True) for name in rows for state in outcomes.BY_TIME]


def shown(pair: Pair) -> str:
    return " ".join([pair.name, pair.state, pair.case or "", "late" if pair.late else ""]).strip()


def given(pair: Pair) -> World:
    """A world with one booking as the pair says; its id is the first that the work holds."""
    approval = pair.state in lives.NEEDS_APPROVAL or pair.case is Case.APPROVED
    world = World(approval=approval)
    world.work.load(a_slot(world.offering, lives.MOVED_TO))
    if pair.state is State.PENDING_PAYMENT:
        lives.pending(world, approval=approval)
    else:
        lives.in_state(world, pair.state)
    if pair.case in lives.CLOCK:
        world.at(lives.CLOCK[pair.case])
    if pair.late:
        (due,) = [due_at(booking) for booking in world.work.all(Booking)]
        assert due is not None
        world.at(due)
    return world


def expected(rows: Mapping[str, Row], pair: Pair) -> tuple[State, Outcome]:
    """The state that the message meets, and its outcome there."""
    state = outcomes.BY_TIME[pair.state] if pair.late else pair.state
    return state, outcomes.outcome(rows[pair.name], state, pair.case)


class Told:
    """What a message did to the one booking of a world."""

    def __init__(self, world: World, body: MessageBody) -> None:
        self.world, self.before = world, len(world.work.journal)
        self.code: Code | None = None
        try:
            world.tell(body)
        except Rejected as rejected:
            self.code = rejected.code
        (self.booking,) = world.work.all(Booking)

    @property
    def sent(self) -> list[str]:
        return [e.type for e in self.world.work.journal[self.before :] if isinstance(e, Send)]

    @property
    def history(self) -> int:
        return sum(isinstance(e, Record) for e in self.world.work.journal[self.before :])

    def check(self, met: State, outcome: Outcome, attempt: int, *, late: bool) -> None:
        after = outcome.to if isinstance(outcome, Advance) else met
        assert self.booking.state is after
        assert self.code == (outcome.code if isinstance(outcome, Reject) else None)
        match outcome:
            case Advance() | Stay(what="payable again"):
                assert self.history
            case Reject() | Ignore():
                assert late or self.sent == []
            case GiveBack(how="voided"):
                voids = [void for void in self.world.sent(payments.VoidPayment) if void.attempt == attempt]
                assert len(voids) == 1, "a void that was sent before counts"
            case GiveBack():
                (settle,) = self.world.sent(payments.SettlePayment)
                assert (settle.refund, settle.release.amount) == (self.booking.price, 0)
            case outcomes.STUCK | Stay(what="its saga is done"):
                saga = self.world.work.find(Saga, self.booking.booking_id)
                assert saga is not None
                assert saga.status is (Status.STUCK if outcome == outcomes.STUCK else Status.DONE)


@pytest.mark.requirement("actors", "cancellation-state-machine", "approval-flow", "disputes")
@pytest.mark.parametrize("pair", [*pairs(outcomes.COMMANDS), *late_pairs(outcomes.COMMANDS)], ids=shown)
def test_a_command_in_a_state(pair: Pair) -> None:
    world = given(pair)
    (booking,) = world.work.all(Booking)
    body = lives.command(pair.name, booking)
    if pair.name == "PayBooking" and booking.state is State.PENDING_PAYMENT and not pair.late:
        world.tell(lives.event("PaymentVoided", booking, booking.attempt))  # no attempt is in flight
    met, outcome = expected(outcomes.COMMANDS, pair)
    if pair.name == "PlaceBooking" and pair.late:
        met = pair.state  # its id is refused before anything is looked at
    Told(world, body).check(met, outcome, booking.attempt, late=pair.late)


@pytest.mark.requirement("late-payment", "saga")
@pytest.mark.parametrize("pair", pairs(outcomes.EVENTS), ids=shown)
def test_an_event_in_a_state(pair: Pair) -> None:
    world = given(pair)
    (booking,) = world.work.all(Booking)
    attempt = max(1, booking.attempt)
    met, outcome = expected(outcomes.EVENTS, pair)
    Told(world, lives.event(pair.name, booking, attempt)).check(met, outcome, attempt, late=False)


ACTING = [
    pair
    for pair in late_pairs(
        {name: outcomes.EVENTS[name] for name in outcomes.OF_ANOTHER_ATTEMPT if name != "PaymentSettled"}
    )
    if pair.state is State.PENDING_PAYMENT or (pair.state in FUNDED and pair.name != "PaymentDeclined")
]
"""Events about money that the state waits for or rests on."""


@pytest.mark.requirement("slot-availability-recheck", "late-payment")
@pytest.mark.parametrize("pair", ACTING, ids=shown)
def test_an_event_past_the_deadline(pair: Pair) -> None:
    world = given(pair)
    (booking,) = world.work.all(Booking)
    attempt = max(1, booking.attempt)
    met, outcome = expected(outcomes.EVENTS, pair)
    Told(world, lives.event(pair.name, booking, attempt)).check(met, outcome, attempt, late=True)


@pytest.mark.requirement("payment-booking-coupling")
@pytest.mark.parametrize("pair", pairs(outcomes.OF_ANOTHER_ATTEMPT), ids=shown)
def test_an_event_of_another_attempt(pair: Pair) -> None:
    world = given(pair)
    (booking,) = world.work.all(Booking)
    met, outcome = expected(outcomes.OF_ANOTHER_ATTEMPT, pair)
    Told(world, lives.event(pair.name, booking, OTHER)).check(met, outcome, OTHER, late=False)


def names(kinds: tuple[type[Any], ...]) -> Iterator[str]:
    return (kind.__name__ for kind in kinds)


def test_the_table_has_a_row_for_every_message_and_every_state() -> None:
    about_a_booking = {k.__name__ for k in messages.COMMANDS if "booking_id" in k.model_fields} - {"AcceptOffer"}
    assert {name.partition(" ")[0] for name in outcomes.COMMANDS} == about_a_booking
    handled = {n for n in names(payments.EVENTS) if f"payments.{n}.v1" in SERVICE.by_type}
    assert set(outcomes.EVENTS) == handled
    for row in [*outcomes.COMMANDS.values(), *outcomes.EVENTS.values(), *outcomes.OF_ANOTHER_ATTEMPT.values()]:
        assert set(row) == set(State)


def test_the_tables_steps_are_those_of_the_state_diagram() -> None:
    steps = {
        (state, outcome.to)
        for row in [*outcomes.COMMANDS.values(), *outcomes.EVENTS.values()]
        for state in State
        for case in cases(row, state)
        if isinstance(outcome := outcomes.outcome(row, state, case), Advance)
    }
    drawn = {(before, after) for before, following in TRANSITIONS.items() for after in following}
    assert steps | set(outcomes.BY_TIME.items()) == drawn
