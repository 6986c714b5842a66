"""Lets a service of the local stack kill itself at a marked point: CRASH_AT="after_commit_before_offsets:3".

The number says at which time that point is reached, 1 when left out.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from services.chassis.crash_points import Hook, Point


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash_at(setting: str, die: Callable[[], None] = _kill_self) -> Hook:
    """A hook for `crash_points.on_reaching`. Raises ValueError for a point that does not exist."""
    name, _, times = setting.partition(":")
    wanted, left = Point(name), int(times or "1")

    def hook(point: Point) -> None:
        nonlocal left
        if point is wanted:
            left -= 1
            if left == 0:
                die()

    return hook
