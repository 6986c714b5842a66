"""Catalogues and bookings for tests of the engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from booking_contracts import payments
from booking_contracts.booking import DefineOffering, JoinWaitlist, OpenSlot, PlaceBooking, RegisterProvider
from booking_contracts.types import Actor, Attendee, Customer, Money, PaymentChoice, Price

from tests.chassis.harness import Engine

ADMIN = Actor(kind="admin", id="root")


class Scene:
    """A provider with one offering and slots, registered through the engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.provider_id, self.offering_id = uuid4(), uuid4()
        self.starts_at = engine.clock.now() + timedelta(days=5)

    @property
    def teacher(self) -> Actor:
        return Actor(kind="provider", id=str(self.provider_id))

    async def open(self, slots: int = 1, **offering: Any) -> Scene:
        """Define the offering with its slots, an hour apart."""
        fields: dict[str, Any] = {
            "offering_id": self.offering_id,
            "provider_id": self.provider_id,
            "title": "Piano lesson",
            "duration_minutes": 60,
            "price": Price(amount=4500, currency="EUR"),
            "capacity": 1,
            "approval": False,
            "actor": self.teacher,
        }
        register = RegisterProvider(
            provider_id=self.provider_id,
            name="Ann",
            email="ann@example.com",
            timezone="Europe/Berlin",
            refund_policy="flexible",
            actor=ADMIN,
        )
        await self.engine.tell(register)
        await self.engine.tell(DefineOffering(**{**fields, **offering}))
        opened = [
            OpenSlot(offering_id=self.offering_id, starts_at=self.start(number), actor=self.teacher)
            for number in range(slots)
        ]
        await self.engine.run(*(self.engine.record(slot, key=str(self.provider_id)) for slot in opened))
        return self

    def start(self, number: int) -> datetime:
        return self.starts_at + timedelta(hours=number)

    def place(
        self, customer: str = "bob", slot: int = 0, booking_id: UUID | None = None, **changes: Any
    ) -> PlaceBooking:
        fields: dict[str, Any] = {
            "booking_id": booking_id or uuid4(),
            "offering_id": self.offering_id,
            "starts_at": self.start(slot),
            "customer": Customer(id=customer, name="Bob", email=f"{customer}@example.com"),
            "payment": PaymentChoice(method="card", payment_method="pm_card_visa"),
            "actor": Actor(kind="customer", id=customer),
        }
        return PlaceBooking(**{**fields, **changes})

    def join(self, customer: Customer, attendee: Attendee | None) -> JoinWaitlist:
        """Somebody waits for the first slot, in their own name."""
        return JoinWaitlist(
            entry_id=uuid4(),
            offering_id=self.offering_id,
            starts_at=self.starts_at,
            customer=customer,
            attendee=attendee,
            actor=Actor(kind="customer", id=customer.id),
        )

    async def authorized(self, booking_id: UUID) -> payments.PaymentAuthorized:
        """What payments answers to the booking's current attempt."""
        (row,) = await self.engine.fetch("SELECT * FROM booking WHERE booking_id = $1", booking_id)
        return payments.PaymentAuthorized(
            booking_id=booking_id,
            payment_id=row["payment_id"],
            attempt=row["attempt"],
            amount=Money(amount=row["price_minor"], currency=row["currency"]),
        )

    async def confirmed(self, customer: str = "bob", slot: int = 0, **changes: Any) -> UUID:
        command = self.place(customer, slot, **changes)
        await self.engine.tell(command)
        await self.engine.tell(await self.authorized(command.booking_id))
        return command.booking_id

    async def states(self) -> dict[UUID, str]:
        return {row["booking_id"]: row["state"] for row in await self.engine.fetch("SELECT * FROM booking")}
