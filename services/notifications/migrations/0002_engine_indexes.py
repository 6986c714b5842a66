"""Ages and open rows in the engine's tables."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "notifications_0002"
down_revision = "notifications_0001"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0002_indexes.sql")
