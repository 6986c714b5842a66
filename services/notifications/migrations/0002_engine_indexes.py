"""Ages and open rows in the engine's tables."""

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "notifications_0002"
down_revision = "notifications_0001"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0002_ages.indexes.sql")
