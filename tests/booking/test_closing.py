"""CloseSlot ends bookings and line in slices; what comes before its slice meets what comes after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    AbandonPayment,
    AcceptOffer,
    ApproveBooking,
    CancelBooking,
    CloseSlot,
    CompleteSession,
    LeaveWaitlist,
    PayBooking,
    QuoteCancellation,
    RejectBooking,
    RescheduleBooking,
)
from booking_contracts.codes import Code, Rejected
from pydantic import BaseModel

from services.booking.app import SERVICE
from services.booking.local_messages import DeadlineReached, EntryDue, SlotClosing
from services.booking.model.booking import Booking
from services.booking.model.closing import Closing
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.model.waitlist import Entry, EntryState
from services.booking.work import HistoryItem
from services.chassis.unit_of_work import Record, Send
from tests.booking.builders import (
    ADMIN,
    CARD,
    NOW,
    OFFERING,
    START,
    TEACHER,
    World,
    a_slot,
    acting,
    answer,
    as_message,
    authorized,
    place,
)
from tests.booking.line import join
from tests.chassis.conftest import engine as engine

LATER = START + timedelta(days=1)
END = START + timedelta(hours=1)


class Closed(World):
    """A slot with a booking of every kind and a line, just closed by an admin: with or without its slices."""

    def __init__(self, *, sliced: bool) -> None:
        super().__init__(capacity=9)
        numbers = count(1)
        self.work.new_id = lambda: UUID(int=next(numbers) << 64)
        self.work.load(a_slot(self.offering, LATER, capacity=9))
        self.paid = self.confirmed("ann", booking_id=UUID(int=1))
        self.uncaptured = self.confirmed("ben", booking_id=UUID(int=2), captured=False)
        self.paying = self.place("cyd", booking_id=UUID(int=3))
        self.unpaid = self.place("dan", booking_id=UUID(int=4), payment=None)
        self.over = self.work.put(replace(self.place("eve", booking_id=UUID(int=5)), deadline=NOW))
        self.asked = self._ask_approval()
        self.offered = self._wait("gil", UUID(int=7), seats=3)
        self.tell(place("hal", booking_id=UUID(int=9)))
        self.tell(CancelBooking(booking_id=UUID(int=9), actor=acting("hal")))
        self.waiting = self._wait("ida", UUID(int=8), seats=9)
        self.command = as_message(CloseSlot(offering_id=OFFERING, starts_at=START, actor=ADMIN))
        self.work.journal.clear()
        if sliced:
            self._close()
        else:
            self.work.put(replace(self._slot(), closed=True))
            closing = Closing(self.slot.slot_id, NOW, ADMIN, self.command.id, self.command.correlation_id)
            self.work.put(closing)

    def _ask_approval(self) -> Booking:
        self.work.put(replace(self.offering, approval=True))
        booking = self.place("fay", booking_id=UUID(int=6))
        self.work.put(self.offering)
        return booking

    def _wait(self, name: str, entry_id: UUID, seats: int) -> Entry:
        """Somebody joins while the slot is too full for their party."""
        capacity = self._slot().capacity
        self.work.put(replace(self._slot(), capacity=max(self._slot().taken + seats - 1, seats)))
        self.tell(join(name, entry_id=entry_id, seats=seats))
        self.work.put(replace(self._slot(), capacity=capacity))
        found = self.work.find(Entry, entry_id)
        assert found is not None
        return found

    def _slot(self) -> Slot:
        found = self.work.find(Slot, self.slot.slot_id)
        assert found is not None
        return found

    def _close(self) -> None:
        self.work.begin(self.command)
        SERVICE.by_type[self.command.type].decide(self.command, self.work)

    def meet(self, body: BaseModel) -> Code | None:
        """A message's turn; the code of its refusal."""
        try:
            self.tell(body)
        except Rejected as rejected:
            return rejected.code
        return None

    def story(self) -> list[Any]:
        """What became of all, and everything that was said about it, without what has new ids or another order."""
        self.tell(SlotClosing(slot_id=self.slot.slot_id))
        bookings: list[tuple[str, str]] = [(str(row.booking_id), row.state) for row in self.work.all(Booking)]
        states = sorted([*bookings, *((str(row.entry_id), row.state) for row in self.work.all(Entry))])
        said: list[tuple[object, ...]] = []
        for effect in self.work.journal:
            if isinstance(effect, Send) and effect.topic in ("booking.events", "payments.commands"):
                caused = effect.cause is not None and effect.cause.id == self.command.id
                said.append((effect.key, effect.type, _without_ids(effect.body), caused))
            elif (
                isinstance(effect, Record)
                and isinstance(effect.row, HistoryItem)
                and effect.row.to_state is not State.EXPIRED
            ):
                item = effect.row
                said.append((str(item.booking_id), item.type, item.actor.id, str(item.to_state), item.reason))
        over = str(self.over.booking_id)  # it ends by whatever meets it, which its event names as the cause
        return [states, sorted(repr(line) for line in said if line[0] != over)]


def _without_ids(body: bytes) -> str:
    fields = json.loads(body)
    return json.dumps({name: value for name, value in fields.items() if name not in ("settlement_id",)})


@dataclass(frozen=True)
class Meets:
    name: str
    make: Callable[[Closed], BaseModel]
    at: Any = NOW
    nothing_to_void: bool = False
    """Of the payment that it ends: the closing alone would have asked."""


def told(body: BaseModel) -> Callable[[Closed], BaseModel]:
    return lambda _: body


MESSAGES = [
    Meets("nothing", lambda w: EntryDue(entry_id=uuid4())),
    Meets("the payment arrives", lambda w: authorized(w.paying)),
    Meets(
        "the payment is declined",
        lambda w: answer(payments.PaymentDeclined, w.paying, code="x", retryable=False),
        nothing_to_void=True,
    ),
    Meets("the bank asks", lambda w: answer(payments.PaymentActionRequired, w.paying, kind="authenticate")),
    Meets("the capture arrives", lambda w: answer(payments.PaymentCaptured, w.uncaptured, amount=w.paid.price)),
    Meets("the capture fails", lambda w: answer(payments.CaptureFailed, w.uncaptured, code="gone", retryable=False)),
    Meets("the authorisation is gone", lambda w: answer(payments.PaymentVoided, w.uncaptured)),
    Meets("the attempt is voided", lambda w: answer(payments.PaymentVoided, w.paying), nothing_to_void=True),
    *(
        Meets(f"{who} cancels", told(CancelBooking(booking_id=UUID(int=n), actor=acting(who))))
        for n, who in ((1, "ann"), (3, "cyd"), (4, "dan"), (5, "eve"), (6, "fay"))
    ),
    Meets("the provider cancels", lambda w: CancelBooking(booking_id=w.paid.booking_id, actor=TEACHER)),
    Meets("a quote", lambda w: QuoteCancellation(booking_id=w.paid.booking_id, actor=acting("ann"))),
    Meets(
        "a move away",
        lambda w: RescheduleBooking(booking_id=w.paid.booking_id, starts_at=LATER, actor=acting("ann")),
    ),
    Meets("the session is completed", lambda w: CompleteSession(booking_id=w.paid.booking_id, actor=TEACHER), END),
    Meets("days later, its timer", lambda w: DeadlineReached(booking_id=w.paid.booking_id), END + timedelta(days=1)),
    Meets(
        "days later, a hold's timer", lambda w: DeadlineReached(booking_id=w.unpaid.booking_id), END + timedelta(days=1)
    ),
    Meets(
        "a payment is tried", lambda w: PayBooking(booking_id=w.unpaid.booking_id, payment=CARD, actor=acting("dan"))
    ),
    Meets("the form is closed", lambda w: AbandonPayment(booking_id=w.paying.booking_id, actor=acting("cyd"))),
    Meets("it is approved", lambda w: ApproveBooking(booking_id=w.asked.booking_id, actor=TEACHER)),
    Meets("it is rejected", lambda w: RejectBooking(booking_id=w.asked.booking_id, actor=TEACHER)),
    Meets("somebody books", lambda w: place("zoe", booking_id=UUID(int=20))),
    Meets("the same customer books", lambda w: place("cyd", booking_id=UUID(int=20))),
    Meets("somebody joins", lambda w: join("zoe", entry_id=UUID(int=20))),
    Meets("the same customer joins", lambda w: join("ida", entry_id=UUID(int=20))),
    Meets(
        "an offer is accepted",
        lambda w: AcceptOffer(entry_id=UUID(int=7), booking_id=UUID(int=20), actor=acting("gil")),
    ),
    Meets("one leaves", lambda w: LeaveWaitlist(entry_id=UUID(int=8), actor=acting("ida"))),
    Meets("an offer's timer", lambda w: EntryDue(entry_id=UUID(int=7)), NOW + timedelta(hours=2)),
    Meets("it is closed again", lambda w: CloseSlot(offering_id=OFFERING, starts_at=START, actor=TEACHER)),
]


@pytest.mark.requirement("cancellation-state-machine", "schedule", "refund-policy", "waitlist-handling")
@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case.name)
def test_what_comes_before_the_slice_ends_as_what_comes_after_it(case: Meets) -> None:
    outcomes = []
    for sliced in (True, False):
        world = Closed(sliced=sliced)
        world.at(case.at)
        code = world.meet(case.make(world))
        states, said = world.story()
        if case.nothing_to_void:
            said = [line for line in said if payments.VoidPayment.ce_type not in line]
        outcomes.append((code, (states, said)))
    assert outcomes[0][0] == outcomes[1][0]
    for after, before in zip(outcomes[0][1], outcomes[1][1], strict=True):
        assert [line for line in before if line not in after] == [line for line in after if line not in before] == []
        assert before == after
    states = dict(outcomes[1][1][0])
    assert {states[str(UUID(int=n))] for n in (1, 2, 3, 4, 6)} == {State.CANCELLED_BY_PROVIDER}
    assert states[str(UUID(int=5))] is State.EXPIRED
    assert {states[str(UUID(int=n))] for n in (7, 8)} == {EntryState.CLOSED}
