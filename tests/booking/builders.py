"""Bookings, slots and messages with sensible defaults, and a unit of work that needs no database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from booking_contracts import payments
from booking_contracts.booking import BookingCommand, PlaceBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import MessageBody
from booking_contracts.types import Actor, Attendee, Customer, Money, PaymentChoice
from pydantic import BaseModel

from services.booking.app import SERVICE
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.refunds import POLICIES
from services.booking.model.slots import Slot, new_slot
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, LocalBody, Message, Origin, Raw
from services.chassis.unit_of_work import Remind, Row, Send

NOW = datetime(2030, 1, 7, 12, 0, tzinfo=UTC)
START = NOW + timedelta(days=3)
PROVIDER = UUID(int=1)
OFFERING = UUID(int=2)
EUR = "EUR"
ADMIN = Actor(kind="admin", id="root")
TEACHER = Actor(kind="provider", id=str(PROVIDER))
CARD = PaymentChoice(method="card", payment_method="pm_card_visa")

BodyT = TypeVar("BodyT", bound=BaseModel)
RowT = TypeVar("RowT", bound=Row)


def a_customer(customer_id: str = "bob", **changes: Any) -> Customer:
    return Customer(**{"id": customer_id, "name": "Bob", "email": f"{customer_id}@example.com", **changes})


def acting(customer_id: str = "bob") -> Actor:
    return Actor(kind="customer", id=customer_id)


def a_provider(**changes: Any) -> Provider:
    fields: dict[str, Any] = {
        "provider_id": PROVIDER,
        "name": "Ann",
        "email": "ann@example.com",
        "timezone": "Europe/Berlin",
        "payout_account": None,
        "policy": "flexible",
        "tiers": POLICIES["flexible"],
    }
    return Provider(**{**fields, **changes})


def an_offering(**changes: Any) -> Offering:
    fields: dict[str, Any] = {
        "offering_id": OFFERING,
        "provider_id": PROVIDER,
        "title": "Piano lesson",
        "duration_minutes": 60,
        "price": Money(amount=4500, currency=EUR),
        "capacity": 1,
        "approval": False,
    }
    return Offering(**{**fields, **changes})


def a_slot(offering: Offering, starts_at: datetime = START, **changes: Any) -> Slot:
    slot = replace(new_slot(offering, starts_at, opened=True), own_capacity="capacity" in changes)
    return Slot(**{**{name: getattr(slot, name) for name in Slot.__slots__}, **changes})


class World:
    """Given rows, when messages, then outcomes: the real handlers on an in-memory unit of work."""

    def __init__(self, *, now: datetime = NOW, **offering: Any) -> None:
        self.work = BookingWork(now)
        self.offering = an_offering(**offering)
        self.slot = a_slot(self.offering)
        for row in (a_provider(), self.offering, self.slot):
            self.work.load(row)

    def at(self, now: datetime) -> World:
        """The same world at another instant."""
        self.work.now = now
        return self

    def tell(self, body: BodyT, *, topic: str = "") -> Accepted | None:
        """A message's turn, as the engine gives it: what a refused one decided is taken back."""
        message = as_message(body, topic)
        self.work.begin(message)
        try:
            return SERVICE.by_type[message.type].decide(message, self.work)
        except Rejected:
            self.work.undo()
            raise

    def refused(self, body: BookingCommand) -> Rejected:
        """The refusal of a command that must be refused."""
        try:
            self.tell(body)
        except Rejected as rejected:
            return rejected
        raise AssertionError(f"{type(body).__name__} was accepted")

    def place(self, customer_id: str = "bob", **changes: Any) -> Booking:
        """A booking placed, by card unless said otherwise."""
        command = place(customer_id, **changes)
        self.tell(command)
        return self.booking(command.booking_id)

    def confirmed(self, customer_id: str = "bob", *, captured: bool = True, **changes: Any) -> Booking:
        """A booking placed, authorised, and captured."""
        booking = self.place(customer_id, **changes)
        self.tell(authorized(booking))
        if captured:
            self.tell(answer(payments.PaymentCaptured, self.booking(booking.booking_id), amount=booking.price))
        return self.booking(booking.booking_id)

    def booking(self, booking_id: UUID) -> Booking:
        found = self.work.find(Booking, booking_id)
        assert found is not None
        return found

    def taken(self, slot: Slot | None = None) -> int:
        found = self.work.find(Slot, (slot or self.slot).slot_id)
        assert found is not None
        return found.taken

    def sent(self, kind: type[MessageBody]) -> list[Any]:
        """The messages of a type that were sent, oldest first."""
        sends = [effect for effect in self.work.journal if isinstance(effect, Send)]
        return [kind.model_validate_json(send.body) for send in sends if send.type == kind.ce_type]

    def reminders(self, kind: type[LocalBody]) -> list[Remind]:
        return [e for e in self.work.journal if isinstance(e, Remind) and isinstance(e.body, kind)]


def as_message(body: BaseModel, topic: str = "") -> Message[Any]:
    kind = body.ce_type  # type: ignore[attr-defined]
    origin = Origin.LOCAL if isinstance(body, LocalBody) else Origin.EVENT
    if isinstance(body, BookingCommand):
        origin = Origin.COMMAND
    key = str(getattr(body, "booking_id", PROVIDER))
    return Message(uuid4(), kind, key, body, origin, Raw(topic, 0, 0, key.encode(), [], b""), "correlation")


def place(customer_id: str = "bob", **changes: Any) -> PlaceBooking:
    fields: dict[str, Any] = {
        "booking_id": uuid4(),
        "offering_id": OFFERING,
        "starts_at": START,
        "customer": a_customer(customer_id),
        "payment": CARD,
        "actor": acting(customer_id),
    }
    return PlaceBooking(**{**fields, **changes})


def a_child() -> Attendee:
    return Attendee(id="child", name="Kim")


def answer(event: type[payments.PaymentEvent], booking: Booking, **changes: Any) -> Any:
    """An event of payments about a booking's current attempt."""
    fields = {"booking_id": booking.booking_id, "payment_id": booking.payment_id, "attempt": booking.attempt}
    return event(**{**fields, **changes})


def authorized(booking: Booking, **changes: Any) -> payments.PaymentAuthorized:
    event = answer(payments.PaymentAuthorized, booking, **{"amount": booking.price, **changes})
    assert isinstance(event, payments.PaymentAuthorized)
    return event


def code_of(rejected: Rejected) -> Code:
    return rejected.code
