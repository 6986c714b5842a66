"""What a person on call types and asks is so on a running system: commands of the runbooks, metrics of every query."""

from __future__ import annotations

import re
import shlex
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestServer
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from services.operations.auditor import metrics as auditor
from services.operations.console.app import application
from tests.architecture.test_runbooks import sections
from tests.cluster.console import Console
from tests.cluster.pods import Pods
from tests.console.conftest import named, settings
from tests.flows.operators import IN_A_CLUSTER, bookingctl
from tests.watching.queries import OF_HISTOGRAM, PAGES, blocks, everywhere, metrics_of

pytestmark = pytest.mark.requirement("observability", "operations-cli")
MENDS = "mitigation"
"""The section whose commands may be refused with a sentence, where there is nothing to mend."""


def commands() -> list[tuple[str, str, str]]:
    """Page, section and command, each once; one of `<service>` for every service."""
    found: dict[tuple[str, str], str] = {}
    for page in sorted(PAGES.glob("Booking*.md")):
        for section, text in sections(page.read_text()).items():
            for command in blocks(text, "sh"):
                for service in SERVICES if "<service>" in command else ("",):
                    found.setdefault((section, command.replace("<service>", service)), page.stem)
    return [(page, section, command) for (section, command), page in found.items()]


async def test_every_command_of_the_runbooks_works(system: System) -> None:
    studio = await system.studio()
    placed = system.place(studio, "vera")
    await system.accepted(placed)
    await system.payment_in(placed.booking_id, "captured")
    of = {"booking id": str(placed.booking_id)}
    told = {name: value for name, value in system.env.items() if name in IN_A_CLUSTER}
    assert len(commands()) > 30
    for page, section, command in commands():
        typed = re.sub(r"<([a-z ]+)>", lambda hole: of.get(hole[1], str(uuid4())), command)
        program, *arguments = shlex.split(typed)
        assert program == "bookingctl", f"{page}: {command}"
        printed = bookingctl(told, *arguments, code=None if section == MENDS else 0)
        assert not re.search("Usage|Traceback", printed), f"{page}: {command}: {printed}"


async def test_every_query_asks_for_metrics_that_a_service_exports(system: System) -> None:
    wanted = {name for _, query in everywhere() for name in metrics_of(query)}

    async def exported() -> set[str]:
        found = set()
        for service in SERVICES:
            async with system.http.get(f"{system.env[f'{service.upper()}_URL']}/metrics") as response:
                lines = (await response.text()).splitlines()
            found |= {OF_HISTOGRAM.sub("", line.split()[2]) for line in lines if line.startswith("# TYPE")}
        return found

    of_the_auditor = {metric.name for metric in auditor.REGISTRY.collect()}
    assert wanted - await exported() - of_the_auditor == set()
    assert not [name for name in await exported() if name.endswith("_created")]


@pytest.mark.requirement("console")
async def test_the_console_shows_everything_of_a_running_system(system: System) -> None:
    """What tests/cluster asks of it after each blow."""
    of = settings(kafka_bootstrap_servers=system.env["KAFKA_BOOTSTRAP_SERVERS"])
    async with TestServer(application(of, named(system.env))) as server:
        await Console(str(server.make_url("")).rstrip("/"), "vera", Pods()).again()


async def test_a_replica_says_when_it_last_read_its_gauges(system: System) -> None:
    samples = {
        "booking": {"postgresql", "kafka", "sagas", "totals"},
        "payments": {"postgresql", "kafka", "payments", "totals"},
        "notifications": {"postgresql", "kafka", "webhooks"},
    }
    for service, expected in samples.items():
        async with system.http.get(f"{system.env[f'{service.upper()}_URL']}/metrics") as response:
            text = await response.text()
        assert set(re.findall(r'booking_sampled_timestamp_seconds{sample="(\w+)"}', text)) == expected


async def test_what_bookings_go_through_is_counted(system: System) -> None:
    studio = await system.studio()
    placed = system.place(studio, "wanda")
    await system.accepted(placed)
    await system.payment_in(placed.booking_id, "captured")

    async def counted() -> dict[str, float]:
        found: dict[str, float] = {}
        for name in system.env:
            if re.fullmatch(r"(BOOKING|PAYMENTS|NOTIFICATIONS)_URL(_\d+)?", name):
                async with system.http.get(f"{system.env[name]}/metrics") as response:
                    for line in (await response.text()).splitlines():
                        if not line.startswith("#"):
                            series, _, value = line.rpartition(" ")
                            found[series] = found.get(series, 0.0) + float(value)
        return found

    wanted = (
        'booking_bookings_entered_total{state="CONFIRMED"}',
        'booking_saga_steps_total{end="in_time",step="authorize"}',
        'booking_saga_steps_total{end="in_time",step="capture"}',
        'booking_letters_total{state="succeeded"}',
        'booking_letter_seconds_bucket{le="300.0"}',
        'booking_ledger_minor_total{account="escrow",cause="capture",currency="EUR",side="in"}',
        'booking_command_answer_seconds_bucket{le="10.0"}',
    )
    await eventually("all of it is counted", counted, lambda found: all(found.get(one, 0) > 0 for one in wanted))
