"""The images and deploy/compose.yaml, on a Docker engine: `make compose-test`."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from booking_contracts.booking import BookingConfirmed, CommandAccepted, PaymentFailed
from booking_contracts.client import BookingClient
from booking_contracts.rights import SERVICES
from booking_contracts.testkit import sample
from booking_contracts.testkit.clock import MovableClock
from booking_contracts.testkit.people import customer, provider_actor

from deploy.images import docker
from deploy.images.__main__ import BILL_OF_MATERIALS, OURS
from tests.containers.composed import FILES, Composed

pytestmark = pytest.mark.timeout(900)  # the first of them builds the images

MOST_MB = 250
READY_SECONDS = 5.0
LONG_RUNNING = (*SERVICES, "auditor", "console", "stripe-simulator", "mailbox")
STATUS = (
    "import json; print(json.dumps(dict(l.rstrip().split(':\\t', 1) for l in open('/proc/1/status') if ':\\t' in l)))"
)
ASK_READY = "from services.operations import probe; probe.main('ready')"


def caught(status: str) -> int:
    """The signals that a process has handlers for, a bit each, as /proc shows them."""
    (mask,) = re.findall(r"^SigCgt:\s+(\w+)$", status, re.MULTILINE)
    return int(mask, 16)


async def test_one_booking_goes_through(system: Composed) -> None:
    async with BookingClient(f"127.0.0.1:{system.ports['KAFKA_PORT']}", source="/containers") as client:
        provider = sample.register_provider()
        offering = sample.define_offering(provider_id=provider.provider_id, actor=provider_actor(provider.provider_id))
        slot = sample.open_slot(offering_id=offering.offering_id, actor=provider_actor(provider.provider_id))
        for command, key in ((provider, None), (offering, None), (slot, provider.provider_id)):
            assert isinstance(await client.ask(command, key=key), CommandAccepted)
        who = customer("ada", name="Ada", email="ada@example.com")
        placed = sample.place_booking(offering_id=offering.offering_id, starts_at=slot.starts_at, customer=who)
        assert isinstance(await client.ask(placed), CommandAccepted)
        outcome = await client.outcome(placed.booking_id, BookingConfirmed, PaymentFailed, timeout_seconds=30)
    assert isinstance(outcome, BookingConfirmed)
    assert system.mails("ada@example.com", seconds=15)
    status, seen = system.get("BOOKING_PORT", f"/v1/bookings/{placed.booking_id}")
    assert (status, seen["state"]) == (200, "CONFIRMED")


def test_the_auditor_looks_and_finds_nothing(system: Composed) -> None:
    system.healthy("auditor", 60)
    assert system.logged("auditor", "looked at all", 60)["violations"] == 0
    assert json.loads(system.compose("exec", "-T", "auditor", "bookingctl", "audit", "list", "--json")) == []


def test_the_auditor_says_what_it_finds_and_is_not_ready_where_it_cannot_look(system: Composed) -> None:
    """Planted: a booking that names another payment. Then its database is away for a while."""
    plant = (
        "SET session_replication_role = replica;"  # a booking's payment never changes otherwise
        "UPDATE booking SET payment_id = overlay(payment_id::text placing '{}' from 1 for 1)::uuid"
    )
    kept = system.sql("booking", "SELECT left(payment_id::text, 1) FROM booking LIMIT 1")
    assert kept, "the booking that goes through comes first"
    other = "e" if kept == "f" else "f"
    system.sql("booking", plant.format(other))
    assert f"the booking names payment {other}" in system.logged("auditor", "violation", 30)["detail"]
    system.sql("booking", plant.format(kept))
    system.logged("auditor", "violation is gone", 30)
    docker.run("pause", system.container("postgres"))
    try:
        system.logged("auditor", "could not look", 60)
        assert "the last look failed" in system.inside("auditor", ASK_READY)
    finally:
        docker.run("unpause", system.container("postgres"))
    system.healthy("auditor", 60)
    kept = "SELECT count(*) FROM violation WHERE gone_at IS NOT NULL"
    deadline = time.monotonic() + 30  # where it could not be kept any more when the database went
    while system.sql("operations", kept) != "1":
        assert time.monotonic() < deadline, system.sql("operations", "SELECT * FROM violation")
        time.sleep(0.5)


def test_the_console_answers_and_asks_who_comes(system: Composed) -> None:
    system.healthy("console", 60)
    with urllib.request.urlopen(system.url("CONSOLE_PORT"), timeout=5) as answer:
        assert (answer.status, answer.url) == (200, f"{system.url('CONSOLE_PORT')}/login?next=%2F")


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_it_runs_as_nobody_with_no_rights_on_what_it_cannot_change(system: Composed, service: str) -> None:
    status = json.loads(system.inside(service, STATUS))
    assert set(status["Uid"].split()) == {"65532"}
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    tried = system.inside(service, "try: open('/app/x', 'w')\nexcept OSError as error: print(error.strerror)")
    assert tried == "Read-only file system"


@pytest.mark.parametrize("service", SERVICES)
def test_it_has_no_shell_where_its_base_has_none(system: Composed, images: dict[str, str], service: str) -> None:
    """On the ordinary base, python:3.12-slim, there is one, and nothing of ours needs it."""
    if "booking-local" not in images["RUNTIME_IMAGE"]:
        pytest.skip(f"{images['RUNTIME_IMAGE']} has a shell")
    asked = "import shutil; print(shutil.which('sh', path='/bin:/usr/bin:/app/bin'))"
    assert system.inside(service, asked) == "None"


@pytest.mark.requirement("health")
@pytest.mark.parametrize("service", SERVICES)
def test_sigterm_ends_it_with_0_and_it_is_ready_in_five_seconds(system: Composed, service: str) -> None:
    """From the container's start, where database and Kafka are there; the best of three, for the machine's sake."""
    took = []
    for _ in range(3):
        container = system.container(service)
        docker.run("stop", "--time", "25", container)
        assert system.state(service)["State"]["ExitCode"] == 0
        docker.run("start", container)
        took.append(system.ready(service, 60))
        if took[-1] < READY_SECONDS:
            break
    print(f"{service}: ready in {', '.join(f'{seconds:.1f}' for seconds in took)} s")
    assert min(took) < READY_SECONDS


@pytest.mark.requirement("health")
@pytest.mark.parametrize("service", SERVICES)
def test_sigterm_is_heard_while_the_process_still_imports(system: Composed, service: str) -> None:
    """As soon as the interpreter has begun; without a handler number 1 hears nothing and is killed (137)."""
    container = system.container(service)
    docker.run("stop", "--time", "25", container)
    docker.run("start", container)
    status, deadline = Path(f"/proc/{system.state(service)['State']['Pid']}/status"), time.monotonic() + 10
    while time.monotonic() < deadline and not caught(status.read_text()) & 1 << signal.SIGTERM - 1:
        time.sleep(0.01)
    began = time.monotonic()
    docker.run("stop", "--time", "25", container)
    took, code = time.monotonic() - began, system.state(service)["State"]["ExitCode"]
    docker.run("start", container)
    print(f"{service}: {code} in {took:.1f} s")
    assert code == 143
    assert took < 10


def test_images_are_small_and_say_what_they_are(images: dict[str, str]) -> None:
    for variable in OURS:
        (seen,) = json.loads(docker.run("image", "inspect", images[variable]))
        (base,) = json.loads(docker.run("image", "inspect", images["RUNTIME_IMAGE"]))
        added = (seen["Size"] - base["Size"]) / 1e6
        print(f"{images[variable]}: {seen['Size'] / 1e6:.0f} MB, {added:.0f} of them ours")
        assert seen["Size"] / 1e6 < MOST_MB or "booking-local" not in images["RUNTIME_IMAGE"]
        labels = seen["Config"]["Labels"]
        assert labels["org.opencontainers.image.title"] == images[variable].partition(":")[0]
        assert labels["org.opencontainers.image.revision"]
        assert labels["org.opencontainers.image.version"]


def test_the_bill_of_materials_names_what_is_locked(images: dict[str, str]) -> None:
    bill = json.loads((BILL_OF_MATERIALS / "booking-services.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert {"aiokafka", "faststream", "booking-contracts", "booking-services"} <= {
        part["name"] for part in (*bill["components"], bill["metadata"]["component"])
    }


async def test_days_pass_on_the_clock_of_tests(moved: Composed) -> None:
    clock = MovableClock(moved.url("CLOCK_PORT"))
    await clock.advance(days=10)
    now = await clock.now()
    assert now > datetime.now(UTC) + timedelta(days=9)
    async with BookingClient(f"127.0.0.1:{moved.ports['KAFKA_PORT']}", source="/containers") as client:
        provider = sample.register_provider()
        offering = sample.define_offering(provider_id=provider.provider_id, actor=provider_actor(provider.provider_id))
        for command in (provider, offering):
            assert isinstance(await client.ask(command), CommandAccepted)
        past = sample.open_slot(
            offering_id=offering.offering_id,
            starts_at=now.replace(minute=0, second=0, microsecond=0) - timedelta(days=5),
            actor=provider_actor(provider.provider_id),
        )
        refused = await client.ask(past, key=provider.provider_id)
    assert not isinstance(refused, CommandAccepted), "by the real clock that slot is still to come"
    assert moved.files == FILES
