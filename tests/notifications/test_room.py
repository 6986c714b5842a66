"""Who is slow, or failed last, takes nothing from the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services.notifications.subscriptions import room
from services.notifications.subscriptions.queue import Due
from services.notifications.subscriptions.room import MOST_DOUBTFUL, MOST_IN_ALL, MOST_QUICK, PER_SUBSCRIPTION, Room

pytestmark = pytest.mark.requirement("notify-systems")


def due(subscription: UUID | None = None, failures: int = 0) -> Due:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return Due(
        uuid4(), subscription or uuid4(), uuid4(), "k", now, 0, "https://a.example/", failures, "t", "{}", [b"x"]
    )


async def test_room_is_given_back() -> None:
    made, one = Room(), due()
    made.enter(one)
    assert (made.quick, made.held(), one.delivery_id in made) == (MOST_QUICK - 1, {one.subscription_id: 1}, True)
    made.leave(one)
    assert (made.quick, made.doubtful, made.held()) == (MOST_QUICK, MOST_DOUBTFUL, {})


async def test_who_failed_last_takes_from_a_room_of_their_own() -> None:
    made = Room()
    for _ in range(MOST_DOUBTFUL):
        made.enter(due(failures=3))
    assert (made.quick, made.doubtful) == (MOST_QUICK, 0)


async def test_a_try_that_becomes_slow_gives_its_room_back_and_takes_all_of_its_subscriber(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "SLOW_SECONDS", 0.0)
    made, one = Room(), due()
    made.enter(one)
    await asyncio.sleep(0.01)
    assert (made.quick, made.doubtful) == (MOST_QUICK, MOST_DOUBTFUL - 1)
    assert made.held() == {one.subscription_id: PER_SUBSCRIPTION}
    made.leave(one)
    assert (made.doubtful, made.held()) == (MOST_DOUBTFUL, {})


async def test_there_is_an_end_to_all_of_it() -> None:
    made = Room()
    for _ in range(MOST_IN_ALL):
        made.enter(due(failures=1))
    assert (made.quick, made.doubtful) == (0, 0)
