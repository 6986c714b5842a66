"""Whatever the border lets in is decided: accepted, or refused with a code; no handler fails on a legal value."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts import topics
from booking_contracts.booking import COMMANDS, DefineOffering, OpenSlot, RescheduleBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import Command
from booking_contracts.payments import PaymentAuthorized
from booking_contracts.types import Money, Price
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from services.booking.app import SERVICE
from services.booking.local_messages import DeadlineReached
from services.booking.model.booking import Booking
from services.chassis.messages import Accepted, Message, Raw, Refused
from services.chassis.reading import Reader
from tests.booking.builders import (
    ADMIN,
    EUR,
    NOW,
    OFFERING,
    PROVIDER,
    START,
    TEACHER,
    World,
    authorized,
    place,
)
from tests.booking.extremes import bodies

READER = Reader(SERVICE)
BY_NAME = {command.__name__: command for command in COMMANDS}
OFTEN = [*["OpenSlot", "PlaceBooking"] * 6, *["JoinWaitlist", "AcceptOffer", "DefineOffering", "SetSchedule"] * 2]
STEPS = st.lists(st.sampled_from([*sorted(BY_NAME), *OFTEN, *["paid"] * 4, "later", "timers"]), min_size=5, max_size=16)


def read(command: type[Command], body: dict[str, JsonValue]) -> Message[Any] | Refused:
    """As the border reads it: on the actor's topic, under the key that the body names."""
    actor = body["actor"]
    assert isinstance(actor, dict)
    topic = topics.BOOKING_ADMIN_COMMANDS if actor["kind"] == "admin" else topics.BOOKING_COMMANDS
    headers = [("ce_id", str(uuid4())), ("ce_type", command.ce_type)]
    key = str(body.get(command.key_field, PROVIDER)).encode()
    found = READER.read(Raw(topic.name, 0, 0, key, headers, json.dumps(body).encode()), NOW)
    assert isinstance(found, Message | Refused)
    return found


def decide(world: World, message: Message[Any]) -> Accepted | Rejected:
    """The message's turn, and its reply as bytes."""
    world.work.begin(message)
    try:
        SERVICE.admit(message.raw.topic, message.body)
        answer: Accepted | Rejected = SERVICE.by_type[message.type].decide(message, world.work) or Accepted()
    except Rejected as rejected:
        world.work.undo()
        answer = rejected
    reply = SERVICE.command_topics[message.raw.topic]
    assert reply is not None
    assert len(reply(message, answer).model_dump_json()) < topics.MAX_BODY_BYTES
    return answer


@pytest.mark.requirement("bad-input", "poison")
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, data=st.data())
def test_every_command_that_is_read_is_decided(steps: list[str], data: st.DataObject) -> None:
    world = World(capacity=100_000)
    outcomes: Counter[str] = Counter()
    for step in steps:
        bookings = list(world.work.all(Booking))
        if step == "paid":
            for booking in bookings:
                world.tell(authorized(booking))
        elif step == "later":
            world.at(world.work.now + data.draw(st.sampled_from([timedelta(minutes=1), timedelta(days=3)])))
        elif step == "timers":
            for booking in bookings:
                world.tell(DeadlineReached(booking_id=booking.booking_id))
        else:
            message = read(BY_NAME[step], data.draw(bodies(BY_NAME[step])))
            answer = message if isinstance(message, Refused) else decide(world, message)
            outcomes[f"{step}: {answer.code if isinstance(answer, Rejected) else type(answer).__name__}"] += 1
    for outcome in outcomes:
        event(outcome)


FAR = [0, 1, 2**31 - 1, -(2**31 - 1)]


@pytest.mark.requirement("bad-input", "payment-booking-coupling")
@pytest.mark.parametrize("attempt", FAR)
def test_every_number_of_a_try_that_is_read_is_decided(attempt: int) -> None:
    world = World()
    booking = world.place()

    told = PaymentAuthorized.model_validate_json(authorized(booking, attempt=attempt).model_dump_json())
    world.tell(told)

    assert world.booking(booking.booking_id).attempt == 1


DEAR = Price(amount=10**12, currency=EUR)


@pytest.mark.requirement("price-integrity", "bad-input")
def test_a_party_that_costs_more_than_an_amount_can_be_is_refused() -> None:
    """Its slot was opened when seats were cheap; the price was raised since."""
    world = World(capacity=100)
    world.tell(offering(price=DEAR, capacity=1))

    refused = world.refused(place(seats=2))

    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "seats")
    assert world.place("eve", seats=1).price == Money(amount=10**12, currency=EUR)


@pytest.mark.requirement("price-integrity", "rescheduling-logic")
def test_a_party_that_became_too_dear_can_still_be_moved() -> None:
    """The price of a booking stays."""
    world = World(capacity=2)
    other = START + timedelta(days=1)
    booking = world.confirmed(seats=2)
    world.tell(as_slot_message(other, 2))
    world.tell(offering(price=DEAR, capacity=1))

    world.tell(RescheduleBooking(booking_id=booking.booking_id, starts_at=other, actor=ADMIN))

    assert world.booking(booking.booking_id).starts_at == other


@pytest.mark.requirement("price-integrity", "bad-input")
def test_a_slot_is_not_opened_for_more_seats_than_can_be_paid() -> None:
    world = World(capacity=1)
    world.tell(offering(price=Price(amount=10**10, currency=EUR), capacity=100))

    refused = world.refused(as_slot_message(START, 101))

    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "capacity")
    world.tell(as_slot_message(START, 100))


def offering(**changes: Any) -> DefineOffering:
    fields: dict[str, Any] = {
        "offering_id": OFFERING,
        "provider_id": PROVIDER,
        "title": "Piano lesson",
        "duration_minutes": 60,
        "approval": False,
        "actor": TEACHER,
    }
    return DefineOffering(**{**fields, **changes})


def as_slot_message(starts_at: Any, capacity: int) -> OpenSlot:
    return OpenSlot(offering_id=OFFERING, starts_at=starts_at, capacity=capacity, actor=TEACHER)
