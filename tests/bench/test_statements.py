"""Statements of a saga are counted from the log of PostgreSQL, those of loops that look for work are taken off."""

from __future__ import annotations

from tests.bench.statements import Count, counted, each, units


def entry(
    text: str,
    *,
    service: str = "booking",
    session: int = 7,
    kind: str = "execute __asyncpg_stmt_1__",
    name: str = "batch",
) -> str:
    return f"2026-11-26 05:38:38.024 UTC [{session}] {service}@{service} {service}-1-{name} LOG:  {kind}: {text}\n"


def said(text: str, **options: object) -> str:
    return entry(text, kind="statement", **options)  # type: ignore[arg-type]


BATCH = said("BEGIN;") + entry("\n\t SELECT 1\n\t FROM a") + entry("INSERT INTO b VALUES ($1)") + said("COMMIT;")
LOOK = entry("SELECT 1 FROM outbox", session=8)


def test_a_transaction_is_its_statements_with_begin_and_commit() -> None:
    assert counted(BATCH)["booking"] == Count(statements=4, transactions=1, alone=0)


def test_what_runs_outside_of_a_transaction_is_alone_also_beside_one() -> None:
    first, *rest = BATCH.splitlines(keepends=True)
    assert counted(first + LOOK + "".join(rest))["booking"] == Count(statements=5, transactions=1, alone=1)


def test_a_transaction_that_is_rolled_back_is_none() -> None:
    assert counted(said("BEGIN;") + entry("SELECT 1") + said("ROLLBACK;") + LOOK)["booking"] == Count(4, 0, 1)


def test_a_savepoint_that_is_left_ends_no_transaction() -> None:
    log = said("BEGIN;") + said("ROLLBACK TO SAVEPOINT a;") + entry("SELECT 1") + said("COMMIT;")
    assert counted(log)["booking"] == Count(statements=4, transactions=1, alone=0)


def test_values_and_messages_are_no_statements() -> None:
    beside = entry("Parameters: $1 = 'LOG:  statement: COMMIT;'").replace("LOG:  execute __asyncpg_stmt_1__", "DETAIL")
    slow = "2026-11-26 05:38:38.024 UTC [7] booking@booking booking-1-batch LOG:  duration: 512.3 ms\n"
    assert counted(beside + slow)["booking"] == Count()


def test_each_service_has_its_own_and_others_count_for_nobody() -> None:
    found = counted(BATCH + entry("SELECT 1", service="payments") + entry("SELECT 1", service="auditor"))
    assert found == {"booking": Count(4, 1, 0), "payments": Count(1, 0, 1), "notifications": Count()}


def test_what_an_idle_system_does_as_well_is_left_out() -> None:
    purge = said("BEGIN;") + entry("DELETE FROM old") + said("COMMIT;")
    found = counted(LOOK * 6 + BATCH * 4 + purge, set(units(purge + LOOK)))
    assert each(found, sagas=2)["booking"] == Count(statements=8.0, transactions=2.0, alone=0.0)


def test_what_a_service_does_by_the_clock_is_no_sagas() -> None:
    assert counted(BATCH + entry("SELECT 1 FROM payout", session=9, name="rounds"))["booking"] == Count(4, 1, 0)
