"""Availability is computed beside the loop, and whatever becomes of that process, the service goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp.test_utils import TestClient
from booking_contracts.booking import DefineOffering, SetSchedule, WeeklyHours
from booking_contracts.types import Price

from services.booking import availability_worker
from services.booking.http import CALENDAR
from services.booking.store import reads_availability
from services.chassis import side_process
from services.chassis.encoding import encoded
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.queries.test_lists import booking as booking

Http = TestClient[Any, Any]
ALWAYS = tuple(WeeklyHours(weekday=day, from_="00:00", to="24:00") for day in range(1, 8))


@pytest.fixture
async def scene(engine: Engine) -> Scene:
    """A slot every ten minutes, day and night: 144 a day."""
    scene = await Scene(engine).open(slots=0, duration_minutes=10)
    await engine.tell(SetSchedule(provider_id=scene.provider_id, weekly=ALWAYS, actor=scene.teacher))
    return scene


def path(scene: Scene, days: int, *, of: str = "offering_id") -> str:
    start = scene.engine.clock.now()
    whose = f"{of}={getattr(scene, of)}"
    return f"/v1/availability?{whose}&from={start:%Y-%m-%dT%H:%M:%SZ}&to={start + timedelta(days):%Y-%m-%dT%H:%M:%SZ}"


async def define(scene: Scene, offering_id: UUID) -> None:
    """Another offering of the provider's, with the same slots."""
    await scene.engine.tell(
        DefineOffering(
            offering_id=offering_id,
            provider_id=scene.provider_id,
            title="More",
            duration_minutes=10,
            price=Price(amount=1, currency="EUR"),
            capacity=1,
            approval=False,
            actor=scene.teacher,
        )
    )


def worker(http: Http) -> Any:
    """The running process."""
    assert http.app is not None
    return http.app[CALENDAR]._process._process


@pytest.mark.requirement("availability-query")
async def test_it_answers_what_the_service_itself_would(engine: Engine, scene: Scene, booking: Http) -> None:
    await engine.tell(scene.place("ann", starts_at=engine.clock.now().replace(minute=0, second=0) + timedelta(hours=5)))
    answer = await booking.get(path(scene, 3))
    now, connection = engine.clock.now(), await engine.session.connection()
    want = await reads_availability.availability(connection, scene.offering_id, None, now, now + timedelta(3), now)
    assert len(want) > 400
    assert await answer.read() == encoded({"slots": want})


@pytest.mark.requirement("availability-query")
async def test_more_than_so_many_slots_are_refused(engine: Engine, scene: Scene, booking: Http) -> None:
    assert (await booking.get(path(scene, 62))).status == 200
    await define(scene, scene.provider_id)
    answer = await booking.get(path(scene, 62, of="provider_id"))
    assert (answer.status, "10000" in (await answer.json())["detail"]) == (400, True)


@pytest.mark.requirement("health")
async def test_the_loop_goes_on_while_slots_are_computed(scene: Scene, booking: Http) -> None:
    await booking.get(path(scene, 1))
    late = [0.0]

    async def heart() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - began)

    beating = asyncio.create_task(heart())
    answers = await asyncio.gather(*(booking.get(path(scene, 20)) for _ in range(4)))
    beating.cancel()
    assert [answer.status for answer in answers] == [200] * 4
    assert sum(1 for beat in late if beat > 0.1) < 3, f"the loop stood still: {sorted(late)[-5:]}"


@pytest.mark.requirement("health")
async def test_a_process_that_was_killed_is_replaced(scene: Scene, booking: Http) -> None:
    await booking.get(path(scene, 1))
    first = worker(booking)
    first.kill()
    async with asyncio.timeout(60):
        while (await booking.get(path(scene, 1))).status == 503:  # come again, it says
            pass
    assert worker(booking).pid != first.pid


@pytest.mark.requirement("health")
async def test_a_process_that_hangs_is_replaced_and_the_queue_is_bounded(
    scene: Scene, booking: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    await booking.get(path(scene, 1))
    monkeypatch.setattr(side_process, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(side_process, "DEAF_SECONDS", 1.0)
    first = worker(booking)
    first.send_signal(signal.SIGSTOP)
    asked = 2 * side_process.MOST_WAITING
    answers = await asyncio.gather(*(booking.get(path(scene, 1)) for _ in range(asked)))
    assert {(answer.status, answer.headers["Retry-After"]) for answer in answers} == {(503, "1")}
    monkeypatch.undo()
    async with asyncio.timeout(60):
        while (await booking.get(path(scene, 1))).status == 503:  # come again, it says
            pass
    assert worker(booking).pid != first.pid


@pytest.mark.requirement("health")
async def test_its_connection_may_end_while_nobody_asks(scene: Scene, booking: Http, databases: dict[str, str]) -> None:
    await booking.get(path(scene, 1))
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"])
    end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'calendar'"
    assert await admin.fetchval(end) >= 1
    await admin.close()
    assert (await booking.get(path(scene, 1))).status == 200


@pytest.mark.requirement("health")
def test_it_ends_with_its_parent_and_by_no_signal_of_the_group() -> None:
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", availability_worker.__name__],
        stdin=ours,
        stdout=subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": "postgresql://localhost:1/x"},
        cwd=Path(__file__).parents[2],
    )
    os.close(ours)
    question = encoded([None, None, "2030-01-01T00:00:00+00:00", "2030-01-02T00:00:00+00:00", "2030-01-01T00:00:00Z"])
    os.write(theirs, side_process.LENGTH.pack(len(question)) + question)
    assert process.stdout is not None
    assert b"503" in process.stdout.read(len(side_process.READY) + 40)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    os.close(theirs)
    assert process.wait(10) == 0
