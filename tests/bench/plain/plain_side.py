"""The plain system in databases and topics of its own, with a Stripe simulator that delivers no webhooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from booking_contracts.envelope import uuid7
from booking_contracts.topics import PARTITIONS

from deploy.local.environment import python_env, python_module
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.ports import answers_tcp, free_ports
from deploy.local.processes import Process
from tests.bench.checks import PRICE_MINOR, check_stripe
from tests.bench.plain import messages
from tests.bench.plain.messages import Method, PlaceBooking
from tests.bench.plain.side import PROVIDERS, SLOTS, Commands, Keys, Side
from tests.bench.plain.tables import DATABASES
from tests.bench.runs import Load
from tests.bench.wire import Prepared, Wire

STRIPE = "plain-stripe"
MAILS = 2
"""For each booking."""
UNDONE = """
SELECT count(*) AS bookings, count(*) FILTER (WHERE payment_status <> 'captured') AS unpaid,
       (SELECT count(*) FROM outbox) AS unpublished
FROM booking
"""
OVERSOLD = """
SELECT slot_id FROM slot LEFT JOIN booking USING (slot_id) GROUP BY slot_id
HAVING taken <> count(booking_id) OR taken > capacity
"""
PAID = "SELECT booking_id::text FROM payment WHERE method = $1 AND status = 'captured' AND amount_minor = $2"


class Plain(Side):
    """One process of each application."""

    name = "plain"
    heard = (messages.BOOKING_EVENTS, messages.PAYMENTS_EVENTS)
    costs = (*(f"plain-{name}" for name in DATABASES), "postgres", "kafka", STRIPE)

    def __init__(self, layout: Layout, env: Mapping[str, str]) -> None:
        super().__init__(layout, env)
        self._stripe_port, self._control_port = free_ports(2, taken=set(layout.ports.values()))
        self._slots: list[UUID] = []

    async def prepare(self) -> None:
        """Databases, topics and the simulator, which keeps running."""
        admin = await asyncpg.connect(self.env["POSTGRES_ADMIN_URL"])
        for name, tables in DATABASES.items():
            await admin.execute(f"CREATE DATABASE plain_{name}")
            own = await asyncpg.connect(self._database(name))
            await own.execute(tables)
            await own.close()
        await admin.close()
        kafka = AIOKafkaAdminClient(bootstrap_servers=self.env["KAFKA_BOOTSTRAP_SERVERS"])
        await kafka.start()
        await kafka.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in messages.TOPICS])
        await kafka.close()
        self.start_process(self._simulator())

    def processes(self) -> Sequence[Process]:
        """`python -m tests.bench.plain.booking` and its siblings."""
        return [self._application(name) for name in DATABASES]

    async def open_slots(self, wire: Wire, capacity: int) -> None:
        """By SQL."""
        self._slots = [uuid4() for _ in range(PROVIDERS * SLOTS)]
        await self._ask(
            "booking",
            "INSERT INTO slot (slot_id, starts_at, provider_email, price_minor, currency, capacity)"
            " SELECT id, $2, 'studio@example.com', $3, 'eur', $4 FROM unnest($1::uuid[]) id",
            self._slots,
            datetime.now(UTC) + timedelta(days=7),
            PRICE_MINOR,
            capacity,
        )

    async def load(self, wire: Wire, count: int, who: str, method: Method) -> Load:
        """Wallets are filled by SQL."""
        people = [f"{who}-{number}" for number in range(count)]
        if method == "wallet":
            wallets = "INSERT INTO wallet (customer_id, balance_minor) SELECT person, $2 FROM unnest($1::text[]) person"
            await self._ask("payments", wallets, people, PRICE_MINOR)
        return Commands([self._place(number, person, method) for number, person in enumerate(people)])

    async def busy(self) -> bool:
        """Whether a saga is open, a message unpublished, or a mail not queued yet."""
        (booking,) = await self._ask("booking", UNDONE)
        (payments,) = await self._ask("payments", "SELECT count(*) AS unpublished FROM outbox")
        (notifications,) = await self._ask("notifications", "SELECT count(*) AS mails FROM mail")
        undone = booking["unpaid"] + booking["unpublished"] + payments["unpublished"]
        return bool(undone) or notifications["mails"] != MAILS * booking["bookings"]

    async def check(self, keys: Keys) -> None:
        """The same questions as checks.py asks ours."""
        made = {key.decode() for some in keys.values() for key in some}
        rows = await self._ask("booking", "SELECT booking_id::text AS id, state, payment_status FROM booking")
        states = {row["id"]: (row["state"], row["payment_status"]) for row in rows}
        wrong = Counter(states.get(one, ("missing", "")) for one in made)
        assert set(wrong) <= {("CONFIRMED", "captured")}, f"not every booking is confirmed and captured: {wrong}"
        oversold = await self._ask("booking", OVERSOLD)
        assert not oversold, f"seats do not add up on {len(oversold)} slots"
        for method, some in keys.items():
            found = {row["booking_id"] for row in await self._ask("payments", PAID, method, PRICE_MINOR)}
            assert found == {key.decode() for key in some}, f"{len(found)} of {len(some)} bookings are paid by {method}"
        assert not await self._ask("payments", "SELECT 1 FROM wallet WHERE balance_minor <> 0"), "a wallet was not used"
        env = {"STRIPE_CONTROL_URL": f"http://127.0.0.1:{self._control_port}"}
        await check_stripe(env, {key.decode() for key in keys["card"]})

    def _place(self, number: int, person: str, method: Method) -> Prepared:
        command = PlaceBooking(
            booking_id=uuid7(),
            slot_id=self._slots[number % len(self._slots)],
            customer_id=person,
            customer_email=f"{person}@example.com",
            method=method,
            payment_method="pm_card_visa" if method == "card" else None,
        )
        headers = [
            ("ce_id", str(uuid7()).encode()),
            ("ce_type", command.kind().encode()),
            ("content-type", b"application/json"),
        ]
        return Prepared(command.topic, str(command.booking_id).encode(), command.model_dump_json().encode(), headers)

    async def _ask(self, name: str, query: str, *values: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self._database(name))
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    def _database(self, name: str) -> str:
        return self.env["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + f"/plain_{name}"

    def _application(self, name: str) -> Process:
        ready = self.layout.root / f"plain-{name}.ready"
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": self.env["KAFKA_BOOTSTRAP_SERVERS"],
            "DATABASE_URL": self._database(name),
            "STRIPE_API_BASE": f"http://127.0.0.1:{self._stripe_port}",
            "READY_FILE": str(ready),
        }
        return Process(
            name=f"plain-{name}",
            command=python_module(f"tests.bench.plain.{name}"),
            answers=ready.exists,
            environment=python_env() | environment,
            directory=REPOSITORY,
            before_start=lambda: ready.unlink(missing_ok=True),
        )

    def _simulator(self) -> Process:
        ports = ("--port", str(self._stripe_port), "--control-port", str(self._control_port))
        return Process(
            name=STRIPE,
            command=python_module("stripe_simulator", *ports),
            answers=lambda: answers_tcp(self._stripe_port) and answers_tcp(self._control_port),
            environment=python_env(),
            directory=REPOSITORY,
        )
