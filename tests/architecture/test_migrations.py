"""Revisions lock tables with traffic for a moment at most: indexes and checks on them go their own way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SERVICES = Path(__file__).resolve().parents[2] / "services"
REVISIONS = sorted(file for file in SERVICES.glob("*/migrations/*") if file.suffix in {".sql", ".py"})
HISTORY = {
    *("0001_bookings", "0002_schedule_waitlist_quotes", "0003_waiting_of_provider", "0001_engine", "0001_deliveries"),
    *("0001_payments", "0002_wallets", "0003_differences", "0004_paid_outside", "0005_dashboard_refunds"),
    "0006_wallet_chargebacks",
}
"""From before there was such a way; they are never edited."""

CREATED = re.compile(r"CREATE TABLE\s+(?:IF NOT EXISTS\s+)?(\w+)", re.IGNORECASE)
INDEXED = re.compile(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+[^;]*?\bON\s+(\w+)", re.IGNORECASE)
ALTERED = re.compile(r"ALTER TABLE\s+(?:ONLY\s+)?(\w+)([^;]*)", re.IGNORECASE)
SCANS = re.compile(
    r"\bADD\s+(?:CONSTRAINT\s+\w+\s+)?(?:CHECK|FOREIGN KEY|UNIQUE|PRIMARY KEY|EXCLUDE)\b|\bSET NOT NULL\b"
    r"|\bALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET DATA\s+)?TYPE\b",
    re.IGNORECASE,
)


def stops_traffic(sql: str) -> list[str]:
    """What in a revision holds a strong lock on a table that is older than it, the longer the larger the table."""
    sql = re.sub(r"--[^\n]*", "", sql)
    new = set(CREATED.findall(sql))
    wrong = [f"an index on {table}: use index_concurrently" for table in INDEXED.findall(sql) if table not in new]
    for table, actions in ALTERED.findall(sql):
        if table not in new and SCANS.search(actions) and "NOT VALID" not in actions.upper():
            wrong.append(f"a scan of {table}: use constraint")
    return wrong


def test_no_revision_stops_traffic() -> None:
    new = [file for file in REVISIONS if file.stem not in HISTORY and not file.name.endswith(".indexes.sql")]
    found = {f"{file.parts[-3]} {file.name}": wrong for file in new if (wrong := stops_traffic(file.read_text()))}
    assert found == {}, "see services/chassis/migration.py and docs/engine.md, Deploys"


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("CREATE INDEX late ON booking (deadline);", 1),
        ("CREATE UNIQUE INDEX one ON booking USING btree (payment_id) WHERE attempt > 0;", 1),
        ("CREATE TABLE note (id uuid); CREATE INDEX of_note ON note (id); ALTER TABLE note ADD CHECK (id <> '0');", 0),
        ("ALTER TABLE saga ADD COLUMN tries int NOT NULL DEFAULT 0;", 0),
        ("ALTER TABLE saga ADD CONSTRAINT few CHECK (tries < 9);", 1),
        ("ALTER TABLE saga ADD CONSTRAINT few CHECK (tries < 9) NOT VALID;", 0),
        ("ALTER TABLE saga ALTER COLUMN problem SET NOT NULL;", 1),
        ("ALTER TABLE saga ALTER asked TYPE bigint;", 1),
        ("ALTER TABLE saga ADD COLUMN type text;", 0),
        ("ALTER TABLE saga DROP COLUMN problem; -- CREATE INDEX gone ON saga (problem);", 0),
    ],
)
def test_what_stops_traffic_is_seen(sql: str, wrong: int) -> None:
    assert len(stops_traffic(sql)) == wrong


MADE_OR_DROPPED = re.compile(r"\b(?:(CREATE)\s+(?:UNIQUE\s+)?INDEX|(DROP)\s+INDEX)\s+(\w+)", re.IGNORECASE)
CONCURRENT = re.compile(r"index_concurrently\(\s*\"(\w+)\"")


@pytest.mark.parametrize("service", sorted({file.parts[-3] for file in REVISIONS}))
def test_no_revision_makes_an_index_whose_name_is_taken(service: str) -> None:
    """A finished index of that name stays as it is (run_indexes may be repeated): the new one would never be made."""
    there: set[str] = set()
    for file in (one for one in REVISIONS if one.parts[-3] == service):
        text = re.sub(r"--[^\n]*", "", file.read_text())
        for created, _, name in MADE_OR_DROPPED.findall(text):
            if created:
                assert name not in there, f"{service} {file.name}: {name} is there already"
                there.add(name)
            else:
                there.discard(name)
        for name in CONCURRENT.findall(text):
            assert name not in there, f"{service} {file.name}: {name} is there already"
            there.add(name)
