"""A deploy while customers book: the new schema first, then both builds side by side, then the new one alone.

Everything is real: the previous release comes out of git's history and runs on the schema of this build's migrations,
one replica of each service beside one of this build's. What holds afterwards is what holds without a deploy: every
command answered once, every stream in order, every cent accounted for (checks.py).

The schema of this build has columns that the previous one does not know (saga.disputes, payout.reversed_minor). Those
that the *next* release may add are planted once this build runs alone, in every table.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import aiohttp
import asyncpg
import pytest
from booking_contracts.booking import BookingConfirmed
from booking_contracts.codes import Code
from booking_contracts.payments import WalletCommandAccepted
from booking_contracts.rights import SERVICES
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import WALLET, customer_actor
from booking_contracts.testkit.system import connected
from booking_contracts.testkit.waiting import eventually
from booking_contracts.types import Price

from deploy.local import postgres
from deploy.local.concurrently import concurrently
from deploy.local.layout import Layout
from tests.faults.load import Load
from tests.faults.network import Network
from tests.faults.ordeal import Ordeal
from tests.faults.previous import BothBuilds, check_out, previous_release
from tests.faults.settings import rng

LOAD_SECONDS = 10
HANDLED = r"^(?:booking_)?messages_handled_total{.*} (\S+)$"
"""The previous release has no prefix (decisions/0035)."""
PLANT = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN planted text NOT NULL DEFAULT ''of a newer build''', name);
        COMMIT;
    END LOOP;
END $$
"""

pytestmark = [pytest.mark.timeout(400), pytest.mark.requirement("health", "one-reply")]


@pytest.fixture(scope="module")
def ordeal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    """One replica of each service of the previous release and one of this build, on this build's schema."""
    release, sources = previous_release(), tmp_path_factory.mktemp("previous")
    check_out(release, sources)
    root = tmp_path_factory.mktemp("deploys")
    old = {f"{service}-2" for service in SERVICES}  # reads and webhooks go to the first ones, which stay
    stack = BothBuilds(root, sources, old, replicas=2, fast=True)
    try:
        stack.up(progress=lambda _: None)
        load = Load(stack.env["KAFKA_BOOTSTRAP_SERVERS"], rng("deploys"))
        ordeal = Ordeal(stack, {}, load, Network(Layout.load(root)))  # links that nobody spoils
        yield ordeal
        print(f"\nbeside {release}", *ordeal.rows, sep="\n")
    finally:
        stack.down(progress=lambda _: None)
        postgres.remove(root)


def stack_of(ordeal: Ordeal) -> BothBuilds:
    assert isinstance(ordeal.stack, BothBuilds)
    return ordeal.stack


async def test_the_previous_release_works_beside_this_one_on_the_new_schema(ordeal: Ordeal) -> None:
    before = pids(ordeal)
    await asyncio.gather(ordeal.suffer("both builds", LOAD_SECONDS), wallet(ordeal, "wanda"))
    facts = await ordeal.rest()
    assert {booking.state for booking in facts.bookings} >= {"CONFIRMED", "CANCELLED_BY_CUSTOMER", "PAYMENT_FAILED"}
    assert facts.line
    assert facts.deliveries
    assert pids(ordeal) == before, "a replica ended"
    for name, handled in (await handled_by(ordeal)).items():
        assert handled > 0, f"{name} had nothing to do: the other build did it all"


async def test_this_build_works_on_while_the_old_one_leaves_and_a_newer_schema_comes(ordeal: Ordeal) -> None:
    def replace_the_old() -> None:
        names = sorted(stack_of(ordeal).of_previous)
        stack_of(ordeal).of_previous.clear()
        concurrently(ordeal.stack.restart, names)

    planted: dict[str, int | None] = {}

    def plant() -> None:
        planted.update(pids(ordeal))
        concurrently(lambda service: asyncio.run(add_columns(ordeal, service)), SERVICES)

    await asyncio.gather(ordeal.suffer("replaced", LOAD_SECONDS, replace_the_old, plant), wallet(ordeal, "will"))
    await ordeal.suffer("on planted columns", LOAD_SECONDS // 2)
    await wallet(ordeal, "wilma")
    await ordeal.rest()
    assert pids(ordeal) == planted, "a replica ended over a column"


AT_REST = "SELECT status = 'done' FROM saga WHERE booking_id = $1"
"""No batch has read the row to write it again over what the test puts there."""


async def test_a_row_with_a_value_of_a_newer_build_waits_and_holds_up_nobody(ordeal: Ordeal) -> None:
    admin = await asyncpg.connect(ordeal.stack.env["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    change = "UPDATE saga SET step = $2 WHERE booking_id = $1"
    async with connected(ordeal.stack.env) as system:
        studio = await system.studio(slots=2)
        ann, bob = system.place(studio, "ann"), system.place(studio, "bob", slot=1)
        await system.accepted(ann)
        await system.client.outcome(ann.booking_id, BookingConfirmed)
        await eventually("the saga at rest", lambda: admin.fetchval(AT_REST, ann.booking_id), bool)
        await admin.execute("ALTER TABLE saga DROP CONSTRAINT saga_step_check")
        await admin.execute(change, ann.booking_id, "refund")
        cancel = sample.cancel_booking(booking_id=ann.booking_id, actor=customer_actor("ann"))
        refused, _ = await asyncio.gather(system.rejected(cancel), system.accepted(bob))
        assert refused.code == Code.TOO_BUSY
        await system.client.outcome(bob.booking_id, BookingConfirmed)
        await admin.execute(change, ann.booking_id, "capture")
        await system.accepted(sample.cancel_booking(booking_id=ann.booking_id, actor=customer_actor("ann")))
    await admin.close()
    await ordeal.rest()


def pids(ordeal: Ordeal) -> dict[str, int | None]:
    """The processes of the services."""
    names = [f"{service}-{number}" for service in SERVICES for number in (1, 2)]
    found = {name: ordeal.stack.pid(name) for name in names}
    assert None not in found.values(), f"a replica does not run: {found}"
    return found


async def add_columns(ordeal: Ordeal, service: str) -> None:
    """A column more in every table, each waiting for its lock as a revision does."""
    admin = ordeal.stack.env["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0]
    connection = await asyncpg.connect(f"{admin}/{service}", server_settings={"lock_timeout": "10s"})
    await connection.execute(PLANT)
    await connection.close()


async def handled_by(ordeal: Ordeal) -> dict[str, float]:
    """How many messages each replica has decided."""
    found: dict[str, float] = {}
    async with aiohttp.ClientSession() as http:
        for name in pids(ordeal):
            service, _, number = name.rpartition("-")
            url = ordeal.stack.env[f"{service.upper()}_URL" + ("" if number == "1" else f"_{number}")]
            async with http.get(f"{url}/metrics") as answer:
                lines = re.findall(HANDLED, await answer.text(), re.MULTILINE)
            found[name] = sum(map(float, lines))
    return found


async def wallet(ordeal: Ordeal, who: str) -> None:
    """Top up, pay a booking by wallet, cancel it, withdraw; each answered, each amount where it belongs."""
    async with connected(ordeal.stack.env) as system:
        eur, actor = {"currency": "EUR"}, customer_actor(who)
        amount = Price(amount=10_000, **eur)
        top_up = sample.top_up_wallet(customer_id=who, amount=amount, payment_method="pm_card_visa", actor=actor)
        assert isinstance(await system.client.ask(top_up), WalletCommandAccepted)
        studio = await system.studio()
        place = system.place(studio, who, payment=WALLET)
        await system.accepted(place)
        await system.client.outcome(place.booking_id, BookingConfirmed)
        await system.payment_in(place.booking_id, "captured")
        await system.accepted(sample.cancel_booking(booking_id=place.booking_id, actor=actor))
        await system.payment_in(place.booking_id, "settled")
        withdraw = sample.withdraw_from_wallet(customer_id=who, amount=Price(amount=4_000, **eur), actor=actor)
        assert isinstance(await system.client.ask(withdraw), WalletCommandAccepted)
        (balance,) = (await system.get("payments", f"/v1/wallets/{who}"))["balances"]
        assert balance["available"]["amount"] == 6_000
