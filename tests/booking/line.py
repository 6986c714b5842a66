"""A full slot, who waits for it, and the commands of the waitlist."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from booking_contracts.booking import (
    AcceptOffer,
    CancelBooking,
    JoinWaitlist,
)
from booking_contracts.types import Actor

from services.booking.model.booking import Booking
from services.booking.model.waitlist import Entry, EntryState
from tests.booking.builders import (
    CARD,
    OFFERING,
    START,
    World,
    a_customer,
    acting,
)


def join(customer: str = "eve", **changes: Any) -> JoinWaitlist:
    fields: dict[str, Any] = {
        "entry_id": uuid4(),
        "offering_id": OFFERING,
        "starts_at": START,
        "customer": a_customer(customer),
        "actor": acting(customer),
    }
    return JoinWaitlist(**{**fields, **changes})


def accept(entry: UUID, customer: str = "eve", **changes: Any) -> AcceptOffer:
    return AcceptOffer(
        **{"entry_id": entry, "booking_id": uuid4(), "payment": CARD, "actor": acting(customer), **changes}
    )


def cancel(booking: Booking, actor: Actor | None = None) -> CancelBooking:
    return CancelBooking(booking_id=booking.booking_id, actor=actor or Actor(kind="customer", id=booking.customer.id))


class Line(World):
    """A full slot, and who waits for it."""

    def __init__(self, seats: int = 1, **offering: Any) -> None:
        super().__init__(**{"capacity": seats, **offering})
        self.sitting = self.confirmed("bob", seats=seats) if not offering.get("approval") else self.place(seats=seats)

    def joined(self, customer: str = "eve", **changes: Any) -> UUID:
        command = join(customer, **changes)
        self.tell(command)
        return command.entry_id

    def entry(self, entry_id: UUID) -> Entry:
        found = self.work.find(Entry, entry_id)
        assert found is not None
        return found

    def state(self, entry_id: UUID) -> EntryState:
        return self.entry(entry_id).state
