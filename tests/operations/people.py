"""The three services on their databases, and people who book there, come along, and send what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from booking_contracts.booking import CancelBooking, LeaveWaitlist, PlaceBooking
from booking_contracts.types import Actor, Attendee, Customer

from services.payments.app import SERVICE as PAYMENTS
from tests.chassis.harness import Engine, SetClock
from tests.chassis.scenes import Scene
from tests.notifications.conftest import empty
from tests.notifications.post import SERVICE as NOTIFICATIONS
from tests.operations.test_customer import ME, everything, hear

MYSELF = Attendee(id=ME.id, name=ME.name, email=ME.email)
BOB = Customer(id="bob", name="Bob Builder", email="bob@example.com", phone="+4930987654")


@dataclass
class Stack:
    """The three services on their databases, without Kafka."""

    booking: Engine
    payments: Engine
    post: Engine

    @property
    def all(self) -> tuple[Engine, ...]:
        return self.booking, self.payments, self.post

    async def contents(self) -> str:
        """Every column of every table of all databases."""
        return "\n".join([await everything(engine.session.url) for engine in self.all])

    async def lives(self, customer: Customer, attendee: Attendee | None) -> UUID:
        """A booking that was confirmed and cancelled, and a place in a line that was left."""
        scene, actor = await Scene(self.booking).open(), Actor(kind="customer", id=customer.id)
        command = scene.place(customer.id).model_copy(update={"customer": customer, "attendee": attendee})
        await self.booking.tell(command)
        await self.booking.tell(await scene.authorized(command.booking_id))
        line = await Scene(self.booking).open()
        await self.booking.tell(line.place("eve"))
        entry = line.join(customer, attendee)
        await self.booking.tell(entry, LeaveWaitlist(entry_id=entry.entry_id, actor=actor))
        await self.booking.tell(CancelBooking(booking_id=command.booking_id, actor=actor))
        await self.refused(command)
        return command.booking_id

    async def refused(self, command: PlaceBooking) -> None:
        """Sent again without seats; to payments by mistake; with nothing to know them by but an address, a phone, or
        the key."""
        await self.booking.tell(command.model_copy(update={"seats": 0}))
        await self.payments.run(self.payments.record(command, topic="wallet.commands"))
        nobody = command.model_dump_json().replace(ME.id, "").replace(f'"{BOB.id}"', '""')
        reached = {person: _ways_to(person) for person in (command.customer, command.attendee) if person}
        for text in [text for person, ways in reached.items() if person is not BOB for text in ways]:
            unknown = nobody
            for other in {way for ways in reached.values() for way in ways} - {text}:
                unknown = unknown.replace(other, "")
            await self.booking.run(self.booking.record(unknown.encode(), topic=command.topic, kind=command.ce_type))
        cut = command.model_dump_json().partition("@")[0].replace(command.customer.id, "").encode()
        await self.booking.run(
            self.booking.record(cut, topic=command.topic, key=str(command.booking_id), kind=command.ce_type)
        )

    async def settled(self) -> None:
        """The sagas are done, what is told is heard, and every letter is sent or refused."""
        await self.booking.fetch("UPDATE saga SET status = 'done'")
        await hear(self.booking, self.post)
        await self.post.fetch("UPDATE gateway_call SET state = 'done', last_error = '450 ' || parameters")
        await self.post.fetch(
            "UPDATE delivery SET state = 'failed', settled_at = now(), reason = '550 ' || recipient, mail = NULL"
        )
        for engine in (self.payments, self.post):
            await engine.fetch("DELETE FROM outbox")


def _ways_to(person: Customer | Attendee) -> list[str]:
    found = (getattr(person, name, None) for name in ("email", "phone"))
    return [text for text in found if text is not None]


@pytest.fixture
async def stack(databases: dict[str, str], engine: Engine) -> AsyncIterator[Stack]:
    payments = Engine(databases["PAYMENTS_DATABASE_URL"], SetClock(), PAYMENTS)
    post = Engine(databases["NOTIFICATIONS_DATABASE_URL"], SetClock(), NOTIFICATIONS)
    await empty(databases)
    for table in ("outbox", "dead_letter", "command_receipt", "consumed_position"):
        await payments.fetch(f"DELETE FROM {table}")
    yield Stack(engine, payments, post)
    await payments.close()
    await post.close()
