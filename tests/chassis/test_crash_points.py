"""A point is a no-op until a hook is set; CRASH_AT counts."""

from __future__ import annotations

import pytest

from deploy.local.crashing import crash_at
from services.chassis import crash_points
from services.chassis.crash_points import Point


def test_a_process_dies_at_the_named_point_the_third_time() -> None:
    deaths: list[int] = []
    hook = crash_at(f"{Point.AFTER_COMMIT}:3", lambda: deaths.append(1))
    hook(Point.AFTER_COMMIT)
    hook(Point.AFTER_PUBLISH)
    hook(Point.AFTER_COMMIT)
    assert not deaths
    hook(Point.AFTER_COMMIT)
    assert deaths == [1]


def test_an_unknown_point_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        crash_at("nowhere:1")


def test_without_a_hook_nothing_happens() -> None:
    for point in Point:
        crash_points.reached(point)
