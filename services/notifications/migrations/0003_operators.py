"""What operators do with dead letters."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "notifications_0003"
down_revision = "notifications_0002"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0003_operators.sql")
