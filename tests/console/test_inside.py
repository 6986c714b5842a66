"""What is behind the row of a service on Now: its processes, its group in Kafka, its database; and Stripe (console)."""

from __future__ import annotations

import re

import asyncpg
import pytest
from booking_contracts.rights import SERVICES

from services.chassis.positions import Lag
from services.operations.console.kafka import WATCH, KafkaWatch, Seen
from services.operations.databases import DATABASES
from services.operations.kafka_logs import Log, Reader
from services.operations.positions import Standing
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.console.conftest import Visit, Visitor, named
from tests.console.test_processes import ready, replica, stops
from tests.console.test_queues import linked
from tests.operations.conftest import engine

__all__ = ["engine"]
pytestmark = pytest.mark.requirement("console")


@pytest.fixture
async def vera(visit: Visit, databases: dict[str, str]) -> Visitor:
    return await visit("vera", databases=named(databases))


def watching(visitor: Visitor, seen: Seen) -> None:
    """As if the console had just looked at a Kafka that is like this."""
    app = visitor.client.app
    assert app is not None
    watch: KafkaWatch = app[WATCH]
    watch.saw(seen)


async def test_each_replica_of_a_service_is_shown_with_its_build_and_why_it_is_not_ready(
    visit: Visit, databases: dict[str, str]
) -> None:
    batch = await asyncpg.connect(
        databases["PAYMENTS_DATABASE_URL"], server_settings={"application_name": "payments-7-batch"}
    )
    async with replica(ready, 1) as well, replica(stops, 0) as stopping:
        first, second = (str(one.make_url("")).rstrip("/") for one in (well, stopping))
        vera = await visit("vera", databases=named(databases), console_services={"payments": (first, second)})
        page = await vera.shown("/replicas?service=payments")
        other = await vera.shown("/replicas?service=booking")
        stripe = await vera.shown("/stripe")
    await batch.close()
    for one in (first, second, "the service stops", "<td>1.2.3</td>", "<td>payments-7</td>", "2031-05-04 10:00:00"):
        assert one in page, one
    assert "open: no call passes" in page
    assert first not in other
    assert "open: no call passes" in stripe
    assert linked(stripe, "/queues?service=payments&of=failing")


async def test_where_a_service_stands_in_kafka_is_shown_by_topic_and_partition(vera: Visitor) -> None:
    nobody = await vera.shown("/groups?service=payments")
    assert "Kafka" in nobody
    assert "Nobody." not in nobody, "what is not known is not said"
    topic = "payments.commands"
    standings = [
        Standing(topic, 0, 5, Log(begin=0, end=5, here=5)),
        Standing(topic, 1, 5, Log(begin=7, end=30, here=5)),
    ]
    watching(
        vera,
        Seen(
            {"payments": (Reader("payments-1", "/10.0.0.7"),)},
            {"payments": {topic: Lag(23, 12.0)}},
            {"payments": standings},
        ),
    )
    page = await vera.shown("/groups?service=payments")
    for said in (
        "payments-1",
        "/10.0.0.7",
        "12 s",
        "behind retention: 2 records were lost",
        '<td class="number warn">23</td>',
    ):
        assert said in page, said
    assert page.index("behind retention") < page.index(">ok<"), "what is late stands first"
    now = await vera.shown("/")
    assert linked(now, "/groups?service=payments")
    assert "payments is 12 s behind" in now


async def test_the_row_of_each_service_leads_to_its_processes_and_sessions(vera: Visitor, engine: Engine) -> None:
    page = await vera.shown("/")
    for service in SERVICES:
        assert linked(page, f"/replicas?service={service}")
        assert linked(page, f"/database?service={service}")
    for path in ("/replicas", "/groups", "/database"):
        assert "There is no service" in await vera.shown(f"{path}?service=mail", status=404)
    for service in DATABASES:
        assert f"Database of {service}</h1>" in await vera.shown(f"/database?service={service}")


async def test_a_database_that_is_away_is_said_where_now_leads(visit: Visit) -> None:
    vera = await visit("vera")
    assert linked(await vera.shown("/"), "/database?service=payments")
    assert "was not named to the console" in await vera.shown("/database?service=payments", status=503)
    assert "was not named to the console" in await vera.shown("/replicas?service=payments")


async def test_who_waits_on_whom_is_shown_and_no_value_of_a_statement(
    vera: Visitor, databases: dict[str, str], engine: Engine
) -> None:
    await (await Scene(engine).open()).confirmed()
    holder = await asyncpg.connect(databases["BOOKING_DATABASE_URL"], server_settings={"application_name": "by hand"})
    async with holder.transaction():
        await holder.execute("SELECT 'ann@example.com', 'Ann Smith' /* 0171 */ FROM slot FOR UPDATE")
        page = await vera.shown("/database?service=booking")
    row = re.search(rf'<td id="session-{holder.get_server_pid()}">.*?</tr>', page, re.DOTALL)
    await holder.close()
    assert row is not None
    assert "SELECT ?, ? FROM slot FOR UPDATE" in row[0]
    for said in ("by hand", "idle in transaction", "slot</td>"):
        assert said in row[0], said
    for hidden in ("Ann", "ann@", "0171"):
        assert hidden not in page
