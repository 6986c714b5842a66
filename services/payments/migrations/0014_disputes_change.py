"""Disputes that change after their end, and events that nobody claims."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0014"
down_revision = "payments_0013"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
