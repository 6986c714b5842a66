"""Indexes of the dead letters that are looked at often."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "notifications_0004"
down_revision = "notifications_0003"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0004_dead_letter_indexes.sql")
