"""Where a test's booking system comes from."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from booking_contracts.testkit import checkouts
from booking_contracts.testkit.running import Running

CHECKOUT = "BOOKING_CHECKOUT"


def running_system(checkout: Path | str | None = None) -> AbstractContextManager[Running]:
    """A system of one's own, for a `with` statement that blocks while it starts and stops. Raises NotStarted.

    Out of a clone, where one is named, here or in the environment; in containers otherwise.
    """
    if found := checkout or os.environ.get(CHECKOUT):
        return checkouts.running(Path(found))
    # Here, because a clone needs no Docker, and neither its client.
    from booking_contracts.testkit.containers import composed

    return composed.running()
