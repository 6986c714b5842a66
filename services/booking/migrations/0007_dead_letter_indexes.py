"""Indexes of the dead letters that are looked at often."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "booking_0007"
down_revision = "booking_0006"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0004_dead_letter_indexes.sql")
