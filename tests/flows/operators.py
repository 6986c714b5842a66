"""bookingctl, as an operator types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from booking_contracts.testkit.system import System
from typer.testing import CliRunner

from services.operations import terminal
from services.operations.cli import app
from services.operations.databases import DATABASES

IN_A_CLUSTER = frozenset(
    {f"{service}_DATABASE_{what}" for service in map(str.upper, DATABASES) for what in ("URL", "PASSWORD")}
    | {"KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"}
    | {"KAFKA_SASL_PASSWORD", "KAFKA_SSL_CAFILE", "KAFKA_SSL_CERTFILE", "KAFKA_SSL_KEYFILE"}
)
"""All that bookingctl's pod is told: tests/chart/test_settings.py."""


def bookingctl(env: Mapping[str, str], *arguments: str, code: int | None = 0) -> str:
    """The command with the stack's addresses, in this process; returns what it printed. `code` None: it may fail.

    In a thread, because it has an event loop of its own; the caller's waits meanwhile.
    """
    terminal.console._width = 240
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(CliRunner().invoke, app, [*arguments], env=dict(env)).result()
    assert code in (None, done.exit_code), f"{arguments}: {done.exit_code}\n{done.output}\n{done.exception!r}"
    return done.stdout


def as_a_process(env: Mapping[str, str], *arguments: str, code: int = 0) -> str:
    """The same from a shell."""
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
