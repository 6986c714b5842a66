"""bookingctl, run as an operator types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from deploy.local.system import System


def bookingctl(env: Mapping[str, str], *arguments: str, code: int = 0) -> str:
    """Run the command with the stack's addresses; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "services.operations.cli", *arguments],
        env={**os.environ, **env, "COLUMNS": "240"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def reconciled(system: System) -> Any:
    """What `bookingctl payments reconcile --json` says."""
    return json.loads(bookingctl(system.env, "payments", "reconcile", "--json"))
