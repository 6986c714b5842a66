"""Our system without its last step: letters are made and stored, their calls to the mail server stay open."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import asyncpg
from booking_contracts.payments import WalletToppedUp
from booking_contracts.rights import SERVICES
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import WALLET
from booking_contracts.types import Price

from deploy.local.environment import python_module
from deploy.local.processes import Process
from deploy.local.programs import service_replica
from deploy.local.service import MovableClock
from services.chassis.process import run
from services.notifications import app as notifications
from services.payments.stripe_events.event_store import ANSWERED_WITHIN
from tests.bench import cpu, wire
from tests.bench.checks import PRICE_MINOR, check_bookings, check_stripe
from tests.bench.plain.messages import Method
from tests.bench.plain.side import PROVIDERS, SLOTS, Commands, Keys, Side
from tests.bench.rooms import Room, open_rooms
from tests.bench.runs import Load
from tests.bench.wire import Wire, prepared
from tests.calm import calm

UNSENT = "notifications calls"


class Ours(Side):
    """The services as they are; notifications has no gateway (`python -m` this module), so that mails stay queued."""

    name = "ours"
    heard = wire.HEARD
    costs = cpu.NAMES
    _rooms: Sequence[Room]

    def processes(self) -> Sequence[Process]:
        """One replica of each service."""
        found = [service_replica(self.layout, service, 1) for service in SERVICES]
        found[-1] = replace(found[-1], command=python_module(__name__))
        return [replace(one, environment={**one.environment, "LOG_LEVEL": "WARNING"}) for one in found]

    async def open_slots(self, wire: Wire, capacity: int) -> None:
        """Over Kafka."""
        self._rooms = await open_rooms(wire, providers=PROVIDERS, slots=SLOTS, capacity=capacity)

    async def load(self, wire: Wire, count: int, who: str, method: Method) -> Load:
        """By wallet each customer has been topped up by card."""
        people = [f"{who}-{number}" for number in range(count)]
        commands = [self._rooms[number % len(self._rooms)].place(person) for number, person in enumerate(people)]
        if method == "wallet":
            commands = [command.model_copy(update={"payment": WALLET}) for command in commands]
            amount = Price(amount=PRICE_MINOR, currency="EUR")
            for person in people:
                await wire.publish(prepared(sample.top_up_wallet(customer_id=person, amount=amount)))
            await wire.until(WalletToppedUp.ce_type, [person.encode() for person in people])
        return Commands([prepared(command) for command in commands])

    async def busy(self) -> bool:
        """Open calls to the mail server are what stays queued; what webhooks told is looked at a little later."""
        return bool(set(await calm(self.env, 0.0)) - {UNSENT}) or await self._webhooks_wait()

    async def check(self, keys: Keys) -> None:
        """As `make bench` does; who paid by wallet was charged nothing by card."""
        await check_bookings(self.env, {key.decode() for some in keys.values() for key in some})
        await check_stripe(self.env, {key.decode() for key in keys["card"]})

    async def _webhooks_wait(self) -> bool:
        connection = await asyncpg.connect(self.env["AUDITOR_PAYMENTS_DATABASE_URL"])
        try:
            soon = "SELECT EXISTS (SELECT FROM local_message WHERE due_at <= now() + $1)"
            return bool(await connection.fetchval(soon, ANSWERED_WITHIN))
        finally:
            await connection.close()


def _main() -> int:
    clock = MovableClock(Path(os.environ["CLOCK_OFFSET_FILE"]))
    return run(replace(notifications.build(notifications.Settings(), clock), gateway=None), clock)


if __name__ == "__main__":
    raise SystemExit(_main())
