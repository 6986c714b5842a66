"""The testkit's system in containers, as another team has it: built wheels, a folder of theirs, and a Docker engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.images import docker
from deploy.packages.build import build
from tests.contracts.test_testkit_page import FAILING, SNAPSHOT, file_of_the_page
from tests.packages.elsewhere import Elsewhere, elsewhere

MOST_SECONDS = 180.0
"""From `pip install` to the end of the page's tests."""
READY_SECONDS = 30.0
"""Twice what the page says, and more: machines drift by a factor of two."""
GONE_SECONDS = 30.0
KINDS = ("ps --all --quiet --no-trunc", "network ls --quiet", "volume ls --quiet")
"""What a system is made of, by the command that lists it."""
PASSED = ["test_a_booking_is_paid_and_days_later_it_is_over", "test_a_declined_card_gives_the_seat_back"]
HELD = """
import sys, time
from booking_contracts.testkit.starting import running_system
from testcontainers.core.labels import SESSION_ID

began = time.monotonic()
with running_system():
    print(SESSION_ID, time.monotonic() - began, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Team:
    """Their Python, their folder, and how they name images."""

    python: Elsewhere
    folder: Path
    env: Mapping[str, str] = field(repr=False)

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python.home / "bin" / "python"), *arguments]

    def pytest(self, *arguments: str) -> tuple[int, str]:
        """Its exit code, and what it said."""
        command = self.command("-m", "pytest", "-v", "-p", "no:cacheprovider", *arguments)
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def team(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Team:
    """They have nothing of ours but the wheels, which are not installed yet."""
    home = tmp_path_factory.mktemp("theirs")
    build(home / "dist")
    python, folder = elsewhere(home / "python", home / "dist"), home / "team"
    folder.mkdir()
    engine = {name: os.environ[name] for name in ("DOCKER_HOST", "DOCKER_CONTEXT") if name in os.environ}
    return Team(python, folder, {**python.env, **engine, **images})


@pytest.fixture(scope="module")
def installed(team: Team) -> float:
    """The seconds that `pip install` took."""
    began = time.monotonic()
    team.python.install("booking-contracts[testkit]")
    return time.monotonic() - began


def there_is(session: str) -> list[str]:
    """Ids of what a session of testcontainers has on the engine."""
    label = ("--filter", f"label=org.testcontainers.session-id={session}")
    return [line for kind in KINDS for line in docker.run(*kind.split(), *label).splitlines()]


@pytest.mark.requirement("testkit")
def test_the_file_of_the_page_passes_within_three_minutes(team: Team, installed: float) -> None:
    """With a declined card, and with days that pass."""
    (team.folder / "test_bookings.py").write_text(file_of_the_page())
    began = time.monotonic()
    code, said = team.pytest("test_bookings.py", "--durations=0")
    took = time.monotonic() - began
    assert (code, re.findall(r"::(\w+) PASSED", said)) == (0, PASSED), said
    print(f"pip install {installed:.0f} s, pytest {took:.0f} s", *re.findall(r".* setup .*", said), sep="\n")
    assert installed + took < MOST_SECONDS


@pytest.mark.requirement("testkit")
def test_a_system_goes_back_to_its_snapshot(team: Team, installed: float) -> None:
    """What services were told stays in Kafka, and is not done again; their ports are others afterwards."""
    (team.folder / "test_snapshot.py").write_text(SNAPSHOT)
    code, said = team.pytest("test_snapshot.py")
    assert (code, "1 passed" in said) == (0, True), said


@pytest.mark.requirement("testkit")
def test_workers_have_systems_of_their_own_and_a_failed_test_shows_what_its_system_did(
    team: Team, installed: float
) -> None:
    (team.folder / "test_failing.py").write_text(FAILING)
    (team.folder / "test_bookings.py").write_text(file_of_the_page())
    _, said = team.pytest("-n", "2", "--dist", "loadfile", "test_bookings.py", "test_failing.py")
    assert "1 failed, 2 passed" in said, said
    shown = dict(re.findall(r"-+ booking system, (\S+) -+\n(.*?)(?=^[-=]{3})", said, re.DOTALL | re.MULTILINE))
    assert "booking.BookingConfirmed.v1" in shown["messages"]
    assert "call is tried again" in shown["payments"]


@pytest.mark.requirement("testkit")
@pytest.mark.parametrize("ending", ["in order", "killed"])
def test_nothing_is_left_of_it(team: Team, installed: float, ending: str) -> None:
    """Ready in time, and gone however the tests end, also with a Ryuk that nobody can start."""
    nowhere = {"RYUK_CONTAINER_IMAGE": f"localhost:1/no-ryuk:{uuid4().hex}", "TESTCONTAINERS_RYUK_DISABLED": "false"}
    with subprocess.Popen(
        team.command("-c", HELD),
        cwd=team.folder,
        env={**team.env, **nowhere},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdin is not None, "it is held by its end"
        assert tests.stdout is not None, "it says there when it is ready"
        session, seconds = tests.stdout.readline().split()
        print(f"ready in {seconds} s")
        assert len(there_is(session)) >= len(KINDS)
        if ending == "killed":
            tests.send_signal(signal.SIGKILL)
        tests.stdin.close()
    deadline = time.monotonic() + GONE_SECONDS
    while left := there_is(session):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
    assert float(seconds) < READY_SECONDS


@pytest.mark.requirement("testkit")
def test_a_prefix_of_image_names_starts_no_chain_of_ryuks(team: Team, installed: float) -> None:
    """testcontainers would start one Ryuk for another; and an image that is not there is said to be missing."""
    mirrored = {"TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX": "localhost:1/", "TESTCONTAINERS_RYUK_DISABLED": "false"}
    done = subprocess.run(
        team.command("-c", HELD), cwd=team.folder, env={**team.env, **mirrored}, capture_output=True, text=True
    )
    assert "recursion" not in done.stderr
    assert "Name another by SERVICES_IMAGE" in done.stderr, done.stderr
