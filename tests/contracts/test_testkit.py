"""The testkit: a sample of every command and of what happens to a booking, and the clock that moves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from inspect import getmembers, isfunction

import pytest
from booking_contracts.booking import COMMANDS, EVENTS, BookingCompleted, BookingEvent
from booking_contracts.envelope import Command, uuid7
from booking_contracts.payments import WALLET_COMMANDS
from booking_contracts.testkit import people, sample
from booking_contracts.testkit.clock import ClockRefused, MovableClock
from booking_contracts.testkit.sample_events import booking_event
from pydantic import ValidationError

from services.booking.model.states import State

PUBLIC = (*COMMANDS, *WALLET_COMMANDS)


def samples() -> dict[type[Command], Command]:
    """What every builder of `sample` makes when nothing is said."""
    made = [
        build()
        for name, build in getmembers(sample, isfunction)
        if build.__module__ == sample.__name__ and not name.startswith("_")
    ]
    return {type(command): command for command in made}


@pytest.mark.parametrize("kind", PUBLIC)
def test_there_is_a_sample_of_every_command_and_it_survives_the_wire(kind: type[Command]) -> None:
    command = samples()[kind]

    sent = command.model_dump_json(by_alias=True, exclude_none=True)

    assert kind.model_validate_json(sent) == command


def test_changes_reach_the_command_and_the_actor_follows_the_customer() -> None:
    command = sample.place_booking(seats=3, customer=people.customer("parent-7", name="Jo"))

    assert (command.seats, command.customer.name, command.actor.id) == (3, "Jo", "parent-7")


def test_a_provider_acts_for_itself() -> None:
    provider_id = uuid7()

    assert sample.define_offering(provider_id=provider_id).actor == people.provider_actor(provider_id)
    assert sample.set_schedule(provider_id=provider_id).actor.id == str(provider_id)


def test_a_change_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="seat"):
        sample.place_booking(seat=3)


def test_a_sample_starts_on_a_full_hour_in_the_future() -> None:
    assert people.starts_at(2, 15, datetime(2030, 1, 30, 23, tzinfo=UTC)) == datetime(2030, 2, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize("kind", [kind for kind in EVENTS if issubclass(kind, BookingEvent)])
def test_there_is_a_sample_of_every_event_of_bookings_and_it_survives_the_wire(kind: type[BookingEvent]) -> None:
    event = booking_event(kind)

    assert event.state in {*State}
    assert kind.model_validate_json(event.model_dump_json(by_alias=True)) == event


def test_a_sample_event_takes_changes_and_no_field_that_it_does_not_have() -> None:
    assert booking_event(BookingCompleted, seats=3).seats == 3
    with pytest.raises(ValidationError, match="seat"):
        booking_event(BookingCompleted, seat=3)


@pytest.fixture
def clock() -> Iterator[MovableClock]:
    """A clock server that only moves forward, as the local stack's does."""
    offset = 0

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200)

        def do_PUT(self) -> None:
            nonlocal offset
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["offset_seconds"]
            allowed = asked >= offset
            offset = max(offset, asked)
            self.answer(200 if allowed else 409)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps({"offset_seconds": offset}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield MovableClock(f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    thread.join()
    server.server_close()


async def test_time_passes_and_adds_up(clock: MovableClock) -> None:
    await clock.advance(hours=1)
    then = await clock.advance(days=2, minutes=0.5)

    assert await clock.offset() == timedelta(days=2, hours=1, seconds=30)
    assert abs(then - await clock.now()) < timedelta(seconds=5)


async def test_time_passes_until_an_instant(clock: MovableClock) -> None:
    target = datetime.now(UTC) + timedelta(days=3, milliseconds=1)

    reached = await clock.advance_to(target)

    assert timedelta(0) <= reached - target < timedelta(seconds=5)


async def test_time_does_not_go_back(clock: MovableClock) -> None:
    await clock.advance(hours=2)

    with pytest.raises(ClockRefused, match="409"):
        await clock.advance_to(datetime.now(UTC))
