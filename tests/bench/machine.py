"""The machine's own speed, beside which figures are read: it drifts by a factor of two within hours."""

from __future__ import annotations

import statistics
import time

import asyncpg

from deploy.local.stack import Stack

LOOPS, STEPS = 15, 500_000
TRANSACTIONS = 200


async def speed(stack: Stack) -> dict[str, float]:
    """Medians in ms: a fixed Python loop, and a transaction of one row on the stack's PostgreSQL, with its fsync."""
    return {"machine_loop_ms": _loop_ms(), "machine_transaction_ms": await _transaction_ms(stack)}


def mean(before: dict[str, float], after: dict[str, float]) -> dict[str, object]:
    """Of what was measured before the rows and after them."""
    return {name: round((before[name] + after[name]) / 2, 3) for name in before}


def _loop_ms() -> float:
    took = []
    for _ in range(LOOPS):
        began, total = time.perf_counter(), 0
        for number in range(STEPS):
            total += number % 7
        took.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(took), 2)


async def _transaction_ms(stack: Stack) -> float:
    connection = await asyncpg.connect(stack.env["POSTGRES_ADMIN_URL"])
    took = []
    try:
        await connection.execute("CREATE TABLE bench_machine (number int)")
        for number in range(TRANSACTIONS):
            began = time.perf_counter()
            await connection.execute("INSERT INTO bench_machine VALUES ($1)", number)
            took.append((time.perf_counter() - began) * 1000)
        await connection.execute("DROP TABLE bench_machine")
    finally:
        await connection.close()
    return round(statistics.median(took), 3)
