"""What is due later on the simulator's clock: authorisations expire, refunds settle, disputes open."""

import heapq
from collections.abc import Callable

from stripe_simulator.clock import Clock

Step = Callable[[str], None]


class Agenda:
    """Steps in the order of their due time. Each is called once, with the id it was planned for.

    A step that needs the world has it as an argument of `partial`: a snapshot copies both.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Step, str]] = []
        self._planned = 0

    def after(self, seconds: float, step: Step, object_id: str) -> None:
        """Plan `step(object_id)` for `seconds` from now."""
        self._planned += 1
        heapq.heappush(self._due, (self._clock.now() + seconds, self._planned, step, object_id))

    def run_due(self) -> None:
        """Run every step whose time has come, earliest first."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            _, _, step, object_id = heapq.heappop(self._due)
            step(object_id)
