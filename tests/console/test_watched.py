"""What Prometheus is told of the console, and that the console itself goes on looking (console, observability)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest
from booking_contracts.testkit.waiting import eventually
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from deploy.local.ports import free_ports
from services.chassis.database import Address
from services.operations.console.databases import Databases
from services.operations.console.kafka import KafkaWatch
from services.operations.console.settings import ConsoleToken
from tests.console.conftest import Visit, settings, sha256
from tests.watching.queries import of_every_process

pytestmark = pytest.mark.requirement("console", "observability")
ENDS = datetime(2031, 5, 1, tzinfo=UTC)


async def exported(visit: Visit, **given: object) -> dict[tuple[str, str], float]:
    """Value by metric and its label's value, as Prometheus comes for it: without a token, to a port of its own."""
    (port,) = free_ports(1)
    await visit(metrics_port=port, http_host="127.0.0.1", **given)
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    families = text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}  # type: ignore[misc]


async def test_the_ends_of_its_tokens_and_certificates_are_told(visit: Visit) -> None:
    token = ConsoleToken(
        name="vera of the night", token_sha256=sha256("v"), roles=frozenset({"viewer"}), expires_at=ENDS
    )
    databases = Databases({"operations": Address("postgresql://db/operations?sslrootcert=/nowhere/db-ca.pem")})
    found = await exported(visit, databases=databases, console_tokens=[token], kafka_ssl_cafile="/nowhere/kafka-ca.pem")
    assert found["booking_token_expiry_timestamp_seconds", token.name] == ENDS.timestamp()
    for file in ("/nowhere/db-ca.pem", "/nowhere/kafka-ca.pem"):
        assert found["booking_certificate_expiry_timestamp_seconds", file] == 0, "a file that is not there has ended"


@pytest.mark.parametrize("token", [None, "mona"])
@pytest.mark.parametrize("prefix", ["", "/console"])
async def test_who_comes_for_pages_is_not_told_of_tokens_and_files(
    visit: Visit, prefix: str, token: str | None
) -> None:
    """An Ingress brings the world to every path of the pages' port."""
    (port,) = free_ports(1)
    visitor = await visit(token, metrics_port=port, http_host="127.0.0.1", console_prefix=prefix)
    for path in ("/metrics", f"{prefix}/metrics", "/metrics/"):
        answer = await visitor.client.get(path)
        assert (answer.status, "booking_" in await answer.text()) == (404, False), path
    for question in ("live", "ready", "startup", "serving"):
        assert await (await visitor.client.get(f"/health/{question}")).json() == {"ok": True}, "and nothing more"
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/login") as page:
        assert page.status == 404


def test_metrics_on_the_port_of_the_pages_are_refused() -> None:
    with pytest.raises(ValidationError, match="METRICS_PORT is HTTP_PORT"):
        settings(metrics_port=8080)


async def test_it_exports_what_every_process_does_and_no_gauge_of_a_service(visit: Visit) -> None:
    names = {name for name, *_ in await exported(visit)}
    watched = {"booking_token_expiry_timestamp_seconds", "booking_certificate_expiry_timestamp_seconds"}
    assert of_every_process() - watched <= names, "these two are there where there is something that ends"
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total"} <= names
    assert "booking_console_logins_refused_total" in names
    assert "booking_outbox_rows" not in names, "it would be 0, as if the console had looked"


async def test_a_look_at_kafka_that_fails_is_not_the_last() -> None:
    """Whatever it fails of: here no port is a number."""
    watch = KafkaWatch(settings(kafka_bootstrap_servers="kafka:port"), Databases({}))
    looking = asyncio.create_task(watch.run())

    async def why() -> str | None:
        assert not looking.done(), looking
        return watch.why

    await eventually("it has failed", why, lambda found: found != "Kafka has not been asked yet")
    looking.cancel()
