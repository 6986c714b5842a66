"""A circuit breaker: when Stripe does not answer, calls wait as rows instead of hammering at it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from services.payments import metrics

FAILURES = 10
"""In a row, over all calls, before it opens."""
OPEN_SECONDS = 5.0
PROBE_SECONDS = 2.0
"""How long one probe may take before another is let through."""


class CircuitBreaker:
    """Closed: calls pass. Open: they wait. Then one call at a time probes, and the first success closes it again.

    Times are monotonic: the service's clock may be moved, this one is not.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= FAILURES

    def wait_seconds(self) -> float | None:
        """How long a call has to wait; None when it may pass. Who may pass while open is the probe."""
        now = self._monotonic()
        if not self.is_open:
            return None
        if now < self._open_until:
            return self._open_until - now + random.uniform(0.1, 1.0)
        self._open_until = now + PROBE_SECONDS
        return None

    def answered(self) -> None:
        """Stripe answered, whatever it said."""
        self._failures = 0
        metrics.circuit_open.set(0)

    def failed(self) -> None:
        """No answer, or a failure of Stripe's own."""
        self._failures += 1
        if self.is_open:
            self._open_until = self._monotonic() + OPEN_SECONDS
            metrics.circuit_open.set(1)
