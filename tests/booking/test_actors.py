"""Who may send which command about a booking: every command, every kind of sender (rules.md, Who may)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from booking_contracts import topics
from booking_contracts.booking import BookingCommand
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor

from services.booking.model import actors
from services.booking.model.booking import Booking
from tests.booking.builders import ADMIN, PROVIDER, TEACHER, World, a_child, acting

MAY = {
    "PayBooking": {"customer"},
    "AbandonPayment": {"customer"},
    "ConfirmSession": {"customer", "attendee"},
    "RaiseDispute": {"customer", "attendee"},
    "ApproveBooking": {"provider"},
    "RejectBooking": {"provider"},
    "CompleteSession": {"provider"},
    "CancelBooking": {"customer", "attendee", "provider"},
    "RescheduleBooking": {"customer", "provider"},
    "QuoteCancellation": {"customer", "provider"},
}
"""By hand, as docs/rules.md has it."""
SENDERS = {
    "customer": acting("bob"),
    "attendee": acting(a_child().id),
    "provider": TEACHER,
    "another customer": acting("mallory"),
    "another provider": Actor(kind="provider", id=str(UUID(int=99))),
    "a customer with the provider's id": acting(str(PROVIDER)),
    "a provider with the customer's id": Actor(kind="provider", id="bob"),
    "a provider with the attendee's id": Actor(kind="provider", id=a_child().id),
    "a system with the customer's id": Actor(kind="system", id="bob"),
    "admin": ADMIN,
}


def why(check: Callable[[], None]) -> Rejected | None:
    """Why something may not be done; None: it may."""
    try:
        check()
    except Rejected as refusal:
        return refusal
    return None


def refused(command: type[BookingCommand], booking: Booking, sender: Actor) -> Rejected | None:
    fields: dict[str, Any] = {"booking_id": booking.booking_id, "actor": sender}
    return why(lambda: actors.require(command.model_construct(**fields), booking))


@pytest.mark.requirement("actors")
@pytest.mark.parametrize("command", actors.MAY, ids=lambda command: command.__name__)
def test_only_those_concerned_may(command: type[BookingCommand]) -> None:
    booking = World().place(attendee=a_child())
    answers = {name: refused(command, booking, sender) for name, sender in SENDERS.items()}
    assert {name for name, refusal in answers.items() if refusal is None} == MAY[command.__name__] | {"admin"}
    told = {(refusal.code, refusal.subject) for refusal in answers.values() if refusal is not None}
    assert told == {(Code.NOT_ALLOWED, booking.booking_id)}


@pytest.mark.requirement("actors")
def test_where_nobody_else_comes_no_attendee_may() -> None:
    booking = World().place()
    assert None not in [refused(command, booking, acting(a_child().id)) for command in actors.MAY]


def test_every_command_about_a_booking_has_its_row() -> None:
    assert {command.__name__ for command in actors.MAY} == set(MAY)


@pytest.mark.requirement("actors")
def test_admins_have_a_topic_of_their_own_and_system_has_none() -> None:
    open_topic, admins_topic = topics.BOOKING_COMMANDS.name, topics.BOOKING_ADMIN_COMMANDS.name
    senders = [*(SENDERS[name] for name in ("customer", "provider", "admin")), Actor(kind="system", id="x")]
    answers = {
        (sender.kind, topic): why(partial(actors.require_topic, sender, topic))
        for sender in senders
        for topic in (open_topic, admins_topic)
    }
    may = {pair for pair, refusal in answers.items() if refusal is None}
    assert may == {("customer", open_topic), ("provider", open_topic), ("admin", admins_topic)}
    for (kind, topic), refusal in answers.items():
        told = (Code.NOT_ALLOWED, f"An actor of kind {kind} may not use {topic}.")
        assert refusal is None or (refusal.code, refusal.message) == told


@pytest.mark.requirement("actors")
def test_what_admins_alone_do_names_the_booking() -> None:
    booking_id = UUID(int=7)
    assert why(lambda: actors.require_admin(ADMIN, "does this", booking_id)) is None
    refusal = why(lambda: actors.require_admin(TEACHER, "does this", booking_id))
    assert refusal is not None
    told = (Code.NOT_ALLOWED, "Only an admin does this, on booking.admin-commands.", booking_id)
    assert (refusal.code, refusal.message, refusal.subject) == told
