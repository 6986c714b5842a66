"""Sessions end: by the provider's word or by themselves; the escrow is released once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from booking_contracts import payments
from booking_contracts.booking import BookingCompleted, CompleteSession, ConfirmSession, SessionCompleted
from booking_contracts.codes import Code
from booking_contracts.types import Actor

from services.booking.local_messages import DeadlineReached
from services.booking.model.booking import Booking
from services.booking.model.deadlines import due_at
from services.booking.model.states import State
from services.booking.saga import Saga, Status
from tests.booking.builders import ADMIN, START, TEACHER, World, a_child, acting, answer
from tests.booking.lives import END, euros

WINDOW = timedelta(hours=48)


def complete(booking: Booking, actor: Actor = TEACHER) -> CompleteSession:
    return CompleteSession(booking_id=booking.booking_id, actor=actor)


def confirm(booking: Booking, actor: Actor | None = None) -> ConfirmSession:
    return ConfirmSession(booking_id=booking.booking_id, actor=actor or acting())


def over(**changes: object) -> tuple[World, Booking]:
    """A paid session that its provider has completed at its end."""
    world = World()
    booking = world.confirmed(**changes)  # type: ignore[arg-type]
    world.at(END).tell(complete(booking))
    return world, world.booking(booking.booking_id)


def releases(world: World) -> list[tuple[int, int]]:
    return [(settle.refund.amount, settle.release.amount) for settle in world.sent(payments.SettlePayment)]


@pytest.mark.requirement("deadline-enforcement", "actors")
def test_the_provider_completes_from_the_end_on_and_nobody_else() -> None:
    world = World()
    booking = world.confirmed()
    assert world.refused(complete(booking, acting())).code is Code.NOT_ALLOWED
    world.at(END - timedelta(microseconds=1))
    assert world.refused(complete(booking)).code is Code.TOO_EARLY
    world.at(END).tell(complete(booking))
    (event,) = world.sent(SessionCompleted)
    assert (event.state, event.by, event.deadline) == ("PENDING_CONFIRMATION", TEACHER, END + WINDOW)
    assert releases(world) == []


@pytest.mark.requirement("escrow")
def test_an_early_confirmation_releases_the_escrow() -> None:
    world, booking = over(attendee=a_child())
    world.tell(confirm(booking, acting("child")))
    assert world.booking(booking.booking_id).state is State.COMPLETED
    assert releases(world) == [(0, 4500)]
    assert world.sent(BookingCompleted)[0].release == euros(4500)


@pytest.mark.requirement("ghost-provider")
def test_a_forgotten_session_completes_itself_by_a_timer_set_on_confirmation() -> None:
    world = World()
    booking = world.confirmed()
    timer = world.reminders(DeadlineReached)[-1]
    assert timer.due_at == END + timedelta(hours=2)
    world.at(timer.due_at - timedelta(seconds=1)).tell(timer.body)
    assert world.booking(booking.booking_id).state is State.CONFIRMED
    world.at(timer.due_at).tell(timer.body)
    (event,) = world.sent(SessionCompleted)
    assert (event.by.kind, event.deadline) == ("system", timer.due_at + WINDOW)


@pytest.mark.requirement("ghost-provider", "rescheduling-logic")
def test_the_timer_of_a_moved_session_is_stale_and_its_new_one_completes_it() -> None:
    world = World()
    booking = world.confirmed()
    old = world.reminders(DeadlineReached)[-1]
    day = timedelta(days=1)
    moved = world.work.put(replace(booking, starts_at=booking.starts_at + day, ends_at=booking.ends_at + day))
    world.work.watch_deadline(moved)
    new = world.reminders(DeadlineReached)[-1]
    world.at(old.due_at).tell(old.body)
    assert world.booking(booking.booking_id).state is State.CONFIRMED
    world.at(new.due_at).tell(new.body)
    assert world.booking(booking.booking_id).state is State.PENDING_CONFIRMATION


@pytest.mark.requirement("double-confirmation", "escrow")
def test_when_the_window_closes_the_escrow_is_released_once() -> None:
    world, booking = over()
    timer = world.reminders(DeadlineReached)[-1]
    assert timer.due_at == END + WINDOW
    world.at(timer.due_at).tell(timer.body)
    world.tell(timer.body)
    assert world.refused(confirm(booking)).code is Code.WINDOW_CLOSED
    assert releases(world) == [(0, 4500)]
    assert len(world.sent(BookingCompleted)) == 1


@pytest.mark.requirement("double-confirmation", "deadline-enforcement")
def test_a_confirmation_at_the_end_of_the_window_is_refused_and_does_what_the_timer_would() -> None:
    world, booking = over()
    assert booking.deadline is not None
    assert world.at(booking.deadline).refused(confirm(booking)).code is Code.WINDOW_CLOSED
    assert world.booking(booking.booking_id).state is State.COMPLETED
    assert releases(world) == [(0, 4500)]


@pytest.mark.requirement("double-confirmation")
def test_confirming_twice_moves_money_once() -> None:
    world, booking = over()
    world.tell(confirm(booking))
    assert world.refused(confirm(booking)).code is Code.WINDOW_CLOSED
    assert world.refused(confirm(booking, ADMIN)).code is Code.WINDOW_CLOSED
    assert releases(world) == [(0, 4500)]


@pytest.mark.requirement("ghost-provider")
def test_a_customer_may_confirm_a_forgotten_session_before_its_timer_has_run() -> None:
    world = World()
    booking = world.confirmed()
    due = due_at(booking)
    assert due is not None
    world.at(due).tell(confirm(booking))
    assert world.booking(booking.booking_id).state is State.COMPLETED
    assert len(world.sent(SessionCompleted)) == 1


@pytest.mark.requirement("escrow")
def test_a_release_that_found_nothing_captured_is_an_operators_case() -> None:
    world, booking = over()
    world.tell(confirm(booking))
    booking = world.booking(booking.booking_id)
    amounts = dict.fromkeys(("refund", "release", "commission", "provider_amount"), euros(0))
    world.tell(answer(payments.PaymentSettled, booking, settlement_id=booking.settlement_id, via="void", **amounts))
    saga = world.work.find(Saga, booking.booking_id)
    assert saga is not None
    assert (saga.status, world.booking(booking.booking_id).state) == (Status.STUCK, State.COMPLETED)


def test_a_capture_that_fails_after_completion_is_an_operators_case_too() -> None:
    world = World()
    booking = world.confirmed(captured=False)
    world.at(START + timedelta(hours=1)).tell(complete(booking))
    world.tell(answer(payments.CaptureFailed, booking, code="authorization_gone"))
    saga = world.work.find(Saga, booking.booking_id)
    assert saga is not None
    assert saga.status is Status.STUCK
