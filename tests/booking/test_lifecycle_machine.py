"""Random commands, late, repeated and reordered events, timers and a moving clock against what must always hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from booking_contracts.booking import ApproveBooking, BookingCommand
from booking_contracts.types import Money
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.booking.app import SERVICE
from services.booking.model import expected_outcomes as outcomes
from services.booking.model.booking import Booking
from services.booking.model.deadlines import due_at
from tests.booking import lives
from tests.booking.builders import START, TEACHER, acting, authorized, place
from tests.booking.payments_model import Fate
from tests.booking.watched import NEXT_DAY, WatchedLifecycle

COMMANDS = sorted(name for name in outcomes.COMMANDS if f"booking.{name.partition(' ')[0]}.v1" in SERVICE.by_type)
JUMPS = [timedelta(seconds=30), timedelta(minutes=10), timedelta(hours=2), timedelta(hours=20)]
FATES: list[Fate] = ["authorized", "authorized", "declined", "requires_action"]


class Lifecycle(WatchedLifecycle):
    """What may happen."""

    @rule(who=st.sampled_from(["bob", "eve"]), seats=st.integers(1, 2), slot=st.integers(0, 1), paid=st.booleans())
    def somebody_places(self, who: str, seats: int, slot: int, paid: bool) -> None:
        without = {} if paid else {"payment": None}
        self.ask(place(who, seats=seats, starts_at=(START, NEXT_DAY)[slot], **without))

    @rule(who=st.sampled_from(["bob", "eve"]), slot=st.integers(0, 1))
    def somebody_books_and_all_goes_well(self, who: str, slot: int) -> None:
        """The short way to the states that random steps seldom reach; what is not asked is not answered."""
        command = place(who, starts_at=(START, NEXT_DAY)[slot])
        self.ask(command)
        if self.world.work.find(Booking, command.booking_id) is None:
            return
        if self.world.offering.approval:
            self.ask(ApproveBooking(booking_id=command.booking_id, actor=TEACHER))
        self.answer(command.booking_id, "authorized")
        self.hear(self.events.pop())

    @precondition(lambda self: self.bookings())
    @rule(name=st.sampled_from(COMMANDS), stranger=st.sampled_from([False, False, False, True]), data=st.data())
    def somebody_commands(self, name: str, stranger: bool, data: st.DataObject) -> None:
        body = lives.command(name, data.draw(st.sampled_from(self.bookings())))
        assert isinstance(body, BookingCommand)
        self.ask(body.model_copy(update={"actor": acting("mallory")}) if stranger else body)

    @precondition(lambda self: self.bookings())
    @rule(data=st.data())
    def somebody_does_what_the_state_allows(self, data: st.DataObject) -> None:
        booking = data.draw(st.sampled_from(self.bookings()))
        allowed = [name for name in COMMANDS if not isinstance(outcomes.COMMANDS[name][booking.state], outcomes.Reject)]
        if allowed:
            body = lives.command(data.draw(st.sampled_from(allowed)), booking)
            assert isinstance(body, BookingCommand)
            self.ask(body)

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def an_old_command_comes_again(self, data: st.DataObject) -> None:
        self.ask(data.draw(st.sampled_from(self.past)))

    @precondition(lambda self: self.commands)
    @rule(data=st.data(), fate=st.sampled_from(FATES))
    def payments_works_on_a_booking(self, data: st.DataObject, fate: Fate) -> None:
        """One booking's commands in order; of which booking is anybody's guess."""
        self.answer(data.draw(st.sampled_from(list(dict.fromkeys(c.booking_id for c in self.commands)))), fate)

    @precondition(lambda self: any(a.status == "requires_action" for a in self.accounts.values()))
    @rule(data=st.data(), success=st.booleans())
    def a_customer_acts(self, data: st.DataObject, success: bool) -> None:
        waiting = [account for account in self.accounts.values() if account.status == "requires_action"]
        self.events += data.draw(st.sampled_from(waiting)).customer_acts(success=success)

    @precondition(lambda self: self.events)
    @rule(data=st.data(), again=st.booleans())
    def an_event_arrives(self, data: st.DataObject, again: bool) -> None:
        """In any order; sometimes it will come again."""
        number = data.draw(st.integers(0, len(self.events) - 1))
        self.hear(self.events[number] if again else self.events.pop(number))

    @precondition(lambda self: self.bookings())
    @rule(data=st.data(), attempt=st.integers(-1, 4), minor=st.sampled_from([1, 4500, 9000]))
    def a_forged_authorisation_arrives(self, data: st.DataObject, attempt: int, minor: int) -> None:
        booking = data.draw(st.sampled_from(self.bookings()))
        amount = Money(amount=minor, currency="EUR")
        if (attempt, amount) != (booking.attempt, booking.price) or not attempt:
            self.hear(authorized(booking, attempt=attempt, amount=amount))

    @rule(jump=st.sampled_from(JUMPS))
    def time_passes(self, jump: timedelta) -> None:
        self.world.at(self.world.work.now + jump)

    @precondition(lambda self: self.bookings())
    @rule(data=st.data())
    def an_instant_of_a_booking_comes(self, data: st.DataObject) -> None:
        """Its start, its end, or the instant at which time takes its next step."""
        booking = data.draw(st.sampled_from(self.bookings()))
        instants = [booking.starts_at, booking.ends_at, due_at(booking) or booking.ends_at]
        self.world.at(max(self.world.work.now, data.draw(st.sampled_from(instants))))

    @precondition(lambda self: self.due())
    @rule(data=st.data(), again=st.booleans())
    def a_timer_fires(self, data: st.DataObject, again: bool) -> None:
        timer = data.draw(st.sampled_from(self.due()))
        if not again:
            self.timers.remove(timer)
        self.hear(timer.body)


Lifecycle.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.requirement("escrow", "double-confirmation", "one-reply", "late-payment", "overbooking-prevention")
class TestLifecycle(Lifecycle.TestCase):  # type: ignore[misc, valid-type]
    """Run by hypothesis."""
