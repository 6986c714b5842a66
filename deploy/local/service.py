"""`python -m deploy.local.service booking`: a service on the local stack's movable clock, which production lacks."""

from __future__ import annotations

import importlib
import mmap
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local.crashing import crash_at
from services.chassis import crash_points
from services.chassis.process import run


class MovableClock:
    """Real time plus an offset in seconds, an 8-byte little-endian integer in a file that all processes map."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._offset = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=int.from_bytes(self._offset[:8], "little", signed=True))


def main(service: str) -> int:
    """Run one service."""
    if setting := os.environ.get("CRASH_AT"):
        crash_points.on_reaching(crash_at(setting))
    app = importlib.import_module(f"services.{service}.app")
    clock = MovableClock(Path(os.environ["CLOCK_OFFSET_FILE"]))
    return run(app.build(app.Settings(), clock), clock)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
