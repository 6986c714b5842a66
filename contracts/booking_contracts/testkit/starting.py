"""Where a test's booking system comes from."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from booking_contracts.testkit import checkouts
from booking_contracts.testkit.running import NotStarted, Running

CHECKOUT = "BOOKING_CHECKOUT"


def running_system(checkout: Path | str | None = None) -> AbstractContextManager[Running]:
    """A system of one's own, for a `with` statement that blocks while it starts and stops. Raises NotStarted."""
    found = checkout or os.environ.get(CHECKOUT)
    if not found:
        raise NotStarted(f"Say where it is: {CHECKOUT}=<a clone of the booking system, after `make setup`>.")
    return checkouts.running(Path(found))
