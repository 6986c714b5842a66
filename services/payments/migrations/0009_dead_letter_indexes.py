"""Indexes of the dead letters that are looked at often."""

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "payments_0009"
down_revision = "payments_0008"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0004_dead_letters.indexes.sql")
