"""The auditor's metrics, in a registry of their own beside what every process exports."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge

from services.chassis.metrics import of_any_process

REGISTRY = of_any_process()
violations = Gauge(
    "booking_auditor_violations",
    "What is wrong as far as the auditor has looked, by kind",
    ["kind"],
    registry=REGISTRY,
)
looked = Gauge(
    "booking_auditor_looked_timestamp_seconds",
    "When it last had seen all that lingers, was written of late, is there; or was started; Unix time",
    ["look"],
    registry=REGISTRY,
)
work = Counter(
    "booking_auditor_work_seconds_total",
    "How long each check has looked, waiting for databases included",
    ["check"],
    registry=REGISTRY,
)
unkept = Gauge(
    "booking_auditor_unkept",
    "1 where what was found cannot be written to the database of operations",
    registry=REGISTRY,
)


@contextmanager
def timed(check: str) -> Iterator[Callable[[], float]]:
    """Counts how long a check looks; says it afterwards, in seconds."""
    began, took = time.monotonic(), 0.0
    try:
        yield lambda: took
    finally:
        took = time.monotonic() - began
        work.labels(check).inc(took)
