"""Booking's engine on empty tables, and bookingctl as an operator types it, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from typer.testing import CliRunner

from services.operations import terminal
from services.operations.cli import app
from tests.chassis.conftest import TABLES
from tests.chassis.harness import Engine, SetClock


@pytest.fixture
async def engine(databases: dict[str, str]) -> AsyncIterator[Engine]:
    """One replica of booking; its clock is the real one, as that of operators."""
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    await admin.execute(f"SET session_replication_role = replica; TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
    await admin.close()
    engine = Engine(databases["BOOKING_DATABASE_URL"], SetClock())
    yield engine
    await engine.close()


class Typed:
    """Types commands. `env` is that of a running stack."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    async def __call__(self, command: str, *arguments: object, code: int = 0, answer: str | None = None) -> str:
        """What was printed, errors too; the command's words are one string."""
        words = [*command.split(), *map(str, arguments)]
        done = await asyncio.to_thread(CliRunner().invoke, app, words, env=self._env, input=answer)
        assert done.exit_code == code, f"{words}: {done.exit_code}\n{done.output}\n{done.exception!r}"
        return done.output


@pytest.fixture
def typed(databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """On the databases alone, without Kafka."""
    monkeypatch.setattr(terminal.console, "_width", 300)
    return Typed(databases)
