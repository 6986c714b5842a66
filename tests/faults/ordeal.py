"""A stack of processes under load, and what is done to its processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping

from deploy.local.concurrently import concurrently
from deploy.local.processes import ProcessFailed
from deploy.local.stack import Stack
from tests.faults.blows import BLOWS, Arena
from tests.faults.load import Load
from tests.faults.network import Network
from tests.faults.settings import rng
from tests.faults.trial import Trial


class Ordeal(Trial):
    """`environment` is the extra environment of the stack's processes, read whenever one starts."""

    def __init__(self, stack: Stack, environment: dict[str, dict[str, str]], load: Load, network: Network) -> None:
        super().__init__(lambda: stack.env, load)
        self.stack = stack
        self.environment = environment
        self.network = network
        self.arena = Arena(stack, network, rng("blows"))

    def deal(self, kind: str) -> None:
        """One blow of blows.py, counted."""
        self.dealt[kind] += 1
        BLOWS[kind][0](self.arena)

    def crash(self, points: Mapping[str, str], provoke: Callable[[], None] = lambda: None) -> None:
        """Let each of these processes die at its point, and start them again without it."""

        def arm(name: str) -> None:
            self.environment[name] = {"CRASH_AT": points[name]}
            with contextlib.suppress(ProcessFailed):  # it may die before it is ready
                self.stack.restart(name)

        concurrently(arm, points)
        provoke()
        self._wait_for_deaths(tuple(points))
        for name in points:
            del self.environment[name]
        concurrently(self.stack.start_process, points)

    def _wait_for_deaths(self, names: tuple[str, ...], seconds: float = 40.0) -> None:
        deadline = time.monotonic() + seconds
        while alive := [name for name in names if self.stack.pid(name) is not None]:
            if time.monotonic() > deadline:
                raise AssertionError(f"{alive} did not die; the point was not reached")
            time.sleep(0.05)
