"""Indexes of the dead letters that are looked at often."""

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "notifications_0004"
down_revision = "notifications_0003"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0004_dead_letters.indexes.sql")
