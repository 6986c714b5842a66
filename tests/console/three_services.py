"""The three services' real engines on their databases, without Kafka: what one sends, the others are handed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from booking_contracts.booking import CancelBooking
from booking_contracts.envelope import MessageBody, uuid7
from booking_contracts.rights import SERVICES
from booking_contracts.types import Actor

from services.chassis.gateway_calls import OpenCall
from services.chassis.messages import LocalBody, Raw
from services.notifications.gateway import MailGateway
from services.notifications.sender import Mail, Outcome, Refused, Sent
from services.payments.app import SERVICE as PAYMENTS
from services.payments.stripe_calls.circuit_breaker import CircuitBreaker
from services.payments.stripe_calls.gateway import StripeGateway
from stripe_simulator.simulator import Settings, Simulator
from tests.bench.years import database_of
from tests.chassis.harness import Engine, SetClock
from tests.chassis.scenes import Scene
from tests.notifications.post import SERVICE as NOTIFICATIONS
from tests.payments.till import StripeBench, Till
from tests.queries.conftest import KEPT

HEARERS = {
    "payments.commands": ("payments",),
    "payments.events": ("booking", "notifications"),
    "booking.events": ("notifications",),
    "catalogue.events": ("payments", "notifications"),
}
"""Who reads each topic; replies and notifications' own events are read by others."""
GONE = "gone@example.com"
"""A mailbox that takes nothing."""


@dataclass
class Mailbox:
    """A mail server that takes everything for everybody but GONE."""

    taken: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> Outcome:
        if mail.recipient == GONE:
            return Refused(f"550 5.1.1 {GONE} is no mailbox of ours")
        self.taken.append(mail)
        return Sent()


@dataclass
class Running(SetClock):
    """Goes on with the machine's, as far ahead of it as a test has set it."""

    born: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.instant + (datetime.now(UTC) - self.born)


@dataclass
class ThreeServices:
    """`scene` has an offering with slots; bookings of it are driven to their rest by `rest`."""

    booking: Engine
    notifications: Engine
    till: Till
    scene: Scene
    mailbox: Mailbox = field(default_factory=Mailbox)

    @property
    def payments(self) -> Engine:
        return self.till.engine

    async def placed(self, who: str = "bob", slot: int = 0, **fields: Any) -> UUID:
        """A booking that all three have done with for now."""
        command = self.scene.place(who, slot).model_copy(update=fields)
        await self.tell(command)
        return command.booking_id

    async def asked(self, who: str, slot: int) -> UUID:
        """A booking whose payment Stripe has not been asked for yet."""
        command = self.scene.place(who, slot)
        await self.booking.tell(command)
        await self._hand_on(self.booking)
        return command.booking_id

    async def cancelled(self, booking_id: UUID, customer: str = "bob", reason: str | None = None) -> None:
        actor = Actor(kind="customer", id=customer)
        await self.tell(CancelBooking(booking_id=booking_id, actor=actor, reason=reason))

    async def tell(self, *bodies: MessageBody) -> None:
        """Commands to booking, and all that comes of them."""
        await self.booking.tell(*bodies)
        await self.rest()

    async def rest(self) -> None:
        """Hand on what was sent, make calls, let timers that are due come, until nothing is left to do."""
        while True:
            await self.till.settle()
            moved = 0
            for engine in (self.booking, self.payments, self.notifications):
                moved += await self._hand_on(engine)
            moved += await self._send_mails()
            moved += await self.booking.run_local() + await self.notifications.run_local()
            if not moved:
                return

    async def _hand_on(self, sender: Engine) -> int:
        rows = await sender.fetch("DELETE FROM outbox RETURNING id, topic, key, headers, body")
        for row in sorted(rows, key=lambda row: row["id"]):
            for hearer in HEARERS.get(row["topic"], ()):
                engine: Engine = getattr(self, hearer)
                await engine.run(_record(engine, row))
        return len(rows)

    async def _send_mails(self) -> int:
        rows = await self.notifications.fetch("SELECT * FROM gateway_call WHERE state = 'open' ORDER BY opened_at, id")
        gateway = MailGateway(self.mailbox, "Bookings <bookings@example.org>", self.notifications.clock)
        for row in rows:
            call = OpenCall(row["id"], row["key"], row["operation"], row["parameters"], "", [], row["tries"], 0.0)
            outcome = await gateway.call(call)
            assert isinstance(outcome, LocalBody), outcome
            headers = [("ce_id", str(uuid7())), ("ce_correlationid", "c"), ("call_id", str(call.id))]
            body = outcome.model_dump_json().encode()
            await self.notifications.run(
                Raw(outcome.ce_type, 0, call.id.int & (1 << 62) - 1, call.key.encode(), headers, body)
            )
        return len(rows)


def _record(engine: Engine, row: asyncpg.Record) -> Raw:
    offset = engine._offsets.get(row["topic"], 0)
    engine._offsets[row["topic"]] = offset + 1
    headers = [(name, value) for name, value in json.loads(row["headers"])]
    return Raw(row["topic"], 0, offset, (row["key"] or "").encode(), headers, row["body"])


async def empty(admin_url: str, names: Sequence[str] = SERVICES) -> None:
    """Nothing is left of tests before, by the superuser."""
    for service in names:
        connection = await asyncpg.connect(database_of(admin_url, service))
        tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables WHERE relname <> ALL($1)", KEPT)
        listed = ", ".join(row["relname"] for row in tables)
        await connection.execute(f"SET session_replication_role = replica; TRUNCATE {listed} RESTART IDENTITY CASCADE")
        if service == "payments":
            await connection.execute("UPDATE stripe_sweep SET swept_until = NULL, try_at = now() - interval '1 hour'")
        await connection.close()


@asynccontextmanager
async def three_services(
    databases: dict[str, str], root: Path, *, ahead_hours: float = 0
) -> AsyncIterator[ThreeServices]:
    """On empty tables, with slots to book. `ahead_hours`: by how much the services' clock is before the machine's."""
    await empty(databases["POSTGRES_ADMIN_URL"], (*SERVICES, "operations"))
    offset_file = root / "offset"
    offset_file.write_bytes(bytes(8))
    simulator = Simulator(Settings(clock_offset_file=offset_file, outcome_delay_seconds=0))
    await simulator.start()
    bench = StripeBench(simulator, offset_file)
    bench.clock = Running(datetime.now(UTC))
    bench.gateway = StripeGateway(bench.api, bench.clock, CircuitBreaker())
    bench.later(hours=ahead_hours)
    booking = Engine(databases["BOOKING_DATABASE_URL"], bench.clock)
    notifications = Engine(databases["NOTIFICATIONS_DATABASE_URL"], bench.clock, NOTIFICATIONS)
    payments = Engine(databases["PAYMENTS_DATABASE_URL"], bench.clock, PAYMENTS)
    pool = await asyncpg.create_pool(payments.session.url, min_size=1, max_size=2)
    try:
        scene = await Scene(booking).open(slots=6)
        services = ThreeServices(booking, notifications, Till(payments, bench, pool), scene)
        await services.rest()
        yield services
    finally:
        await pool.close()
        for engine in (booking, notifications, payments):
            await engine.close()
        await bench.close()
        await simulator.stop()
        await empty(databases["POSTGRES_ADMIN_URL"], (*SERVICES, "operations"))
