"""`python -m deploy.local.operators console`, or `auditor`: on the local stack's movable clock, as its services are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.service import MovableClock
from services.chassis.clock import Clock
from services.operations.auditor.commands import for_ever
from services.operations.console.commands import serve

RUN: Mapping[str, Callable[[Clock], None]] = {"auditor": for_ever, "console": serve}

if __name__ == "__main__":
    RUN[sys.argv[1]](MovableClock(Path(os.environ["CLOCK_OFFSET_FILE"])))
