"""The testkit as another team uses it: the test file of its page, in a folder outside, against this checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import booking_contracts.testkit
import pytest
from booking_contracts.booking import BookingConfirmed
from booking_contracts.testkit.checkouts import running
from booking_contracts.testkit.running import NotStarted

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(booking_contracts.testkit.__file__).with_name("README.md")
MOST_LINES, MOST_LINES_OF_PAGE = 25, 65
FAILING = """
import pytest

pytest_plugins = ["booking_contracts.testkit.plugin"]


@pytest.mark.asyncio
async def test_an_expectation_that_is_wrong(booking_system):
    studio = await booking_system.studio()
    async with booking_system.stripe.fail("500", count=1):
        booked = await booking_system.book(studio)
        await booking_system.webhook(booked.booking_id, "payment_intent.succeeded")
    assert (booking_system.env["BOOKING_URL"], booked) == ("elsewhere", None)
"""
SNAPSHOT = """
import asyncpg
import pytest
from booking_contracts.booking import BookingConfirmed, SessionCompleted

pytest_plugins = ["booking_contracts.testkit.plugin"]


@pytest.mark.asyncio
async def test_a_system_goes_back_to_its_snapshot_and_on_from_there(booking_system):
    studio = await booking_system.studio(capacity=2)
    ada = await booking_system.book(studio)
    await booking_system.client.outcome(ada.booking_id, BookingConfirmed)
    await booking_system.payment_in(ada.booking_id, "captured")
    await booking_system.mail(ada.customer.email, "confirmed")

    async def outside():
        intents = await booking_system.stripe.state("payment_intents")
        admin = await asyncpg.connect(booking_system.env["POSTGRES_ADMIN_URL"])
        rights = await admin.fetch("SELECT datname, aclexplode(datacl)::text FROM pg_database ORDER BY 1, 2")
        await admin.close()
        rights = [row for row in rights if not row["datname"].endswith("_snapshot")]
        return await booking_system.clock.offset(), await booking_system.mails(), intents, rights

    forgotten = await asyncpg.connect(booking_system.env["BOOKING_DATABASE_URL"])
    await booking_system.snapshot()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await forgotten.fetchval("SELECT 1")
    before = await outside()

    async def lives_on():
        lin = await booking_system.book(studio)
        await booking_system.client.outcome(lin.booking_id, BookingConfirmed)
        await booking_system.mail(lin.customer.email, "confirmed")
        await booking_system.advance(days=6)
        await booking_system.client.outcome(ada.booking_id, SessionCompleted, timeout_seconds=15)
        return lin

    undone = await lives_on()
    await booking_system.restore()
    assert await outside() == before
    assert (await booking_system.booking(ada.booking_id))["state"] == "CONFIRMED"
    assert booking_system.client.events(ada.booking_id) == []

    await lives_on()
    assert (await booking_system.try_get("booking", f"/v1/bookings/{undone.booking_id}"))[0] == 404
    assert undone.customer.email not in {to for mail in await booking_system.mails() for to in mail["recipients"]}
"""


@dataclass(frozen=True)
class Ended:
    """What a run of pytest came to."""

    code: int
    said: str


def file_of_the_page() -> str:
    """What a team copies."""
    (text,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(text)


def pytest_of_a_team(folder: Path, *files: str, checkout: Path | str) -> Ended:
    """Their run: of this repository it finds the contracts alone, and otherwise what BOOKING_CHECKOUT says.

    They have no Docker engine; tests/containers/test_testkit.py is the same with one.
    """
    ours = ("PYTHONPATH", "PYTEST_ADDOPTS", "BOOKING_CHECKOUT")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--rootdir", folder, *files],
        cwd=folder,
        env=environment
        | {
            "PYTHONPATH": str(ROOT / "contracts"),
            "BOOKING_CHECKOUT": str(checkout),
            "DOCKER_HOST": f"unix://{folder}/no-engine.sock",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Ended:
    """The page's file, one whose test fails, and one that goes back to a snapshot, run together: on one system."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "test_bookings.py").write_text(file_of_the_page())
    (folder / "test_failing.py").write_text(FAILING)
    (folder / "test_snapshot.py").write_text(SNAPSHOT)
    return pytest_of_a_team(folder, "test_bookings.py", "test_failing.py", "test_snapshot.py", checkout=checkout)


@pytest.mark.requirement("testkit")
def test_the_page_and_its_file_are_short() -> None:
    assert len(file_of_the_page().splitlines()) <= MOST_LINES
    assert len(PAGE.read_text().splitlines()) <= MOST_LINES_OF_PAGE


@pytest.mark.requirement("testkit")
def test_the_file_of_the_page_passes(team: Ended) -> None:
    assert re.findall(r"::(\w+) PASSED", team.said) == [
        "test_a_booking_is_paid_and_days_later_it_is_over",
        "test_a_declined_card_gives_the_seat_back",
        "test_a_system_goes_back_to_its_snapshot_and_on_from_there",
    ], team.said
    assert (team.code, "1 failed, 3 passed" in team.said) == (1, True), team.said


@pytest.mark.requirement("testkit")
def test_a_failed_test_shows_what_the_system_did_meanwhile(team: Ended) -> None:
    """The messages, and that payments was refused once; of the processes only those that wrote something."""
    shown = dict(re.findall(r"-+ booking system, (\S+) -+\n(.*?)(?=^[-=]{3})", team.said, re.DOTALL | re.MULTILINE))
    told = re.findall(r"^\S+ (booking\.\w+\.v1) ", shown["messages"], re.MULTILINE)
    assert {"booking.BookingPlaced.v1", "booking.BookingConfirmed.v1"} <= set(told), team.said
    assert "call is tried again" in shown["payments-1"]
    assert "mailbox" not in shown


@pytest.mark.requirement("testkit")
def test_nothing_is_left_of_the_system(team: Ended) -> None:
    (address,) = set(re.findall(r"'(http://127\.0\.0\.1:\d+)' != 'elsewhere'", team.said))
    with pytest.raises(URLError, match="refused"):
        urllib.request.urlopen(address, timeout=5)


def test_without_a_checkout_and_without_an_engine_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING)

    ended = pytest_of_a_team(tmp_path, "test_failing.py", checkout="")

    assert (ended.code, "No Docker engine answers" in ended.said) == (1, True), ended.said
    assert "BOOKING_CHECKOUT=<a clone" in ended.said


@pytest.mark.requirement("testkit")
async def test_it_is_had_without_pytest_too(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKING_CHECKOUT", str(checkout))
    async with booking_contracts.testkit.booking_system() as system:
        booked = await system.book(await system.studio())
        confirmed = await system.client.outcome(booked.booking_id, BookingConfirmed)
    assert confirmed.booking_id == booked.booking_id


def test_a_checkout_that_is_not_set_up_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="make setup"), running(tmp_path):
        pass


def checkout_whose_stack(does: str, folder: Path) -> Path:
    """A clone that is set up, with another stack in it."""
    python, stack = folder / ".venv" / "bin" / "python", folder / "deploy" / "local"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stack.mkdir(parents=True)
    (stack / "__main__.py").write_text(f"import sys\n{does}\n")
    return folder


def test_a_system_that_does_not_come_up_shows_why(tmp_path: Path) -> None:
    checkout = checkout_whose_stack("sys.exit('no disk left')", tmp_path)

    with pytest.raises(NotStarted, match="no disk left"), running(checkout):
        pass


@pytest.mark.requirement("testkit")
def test_workers_choose_their_ports_from_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    checkout = checkout_whose_stack("sys.exit(repr(sys.argv))", tmp_path)

    with pytest.raises(NotStarted, match="'--share=1/3'"), running(checkout):
        pass
