"""When what is answered was asked."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "notifications_0008"
down_revision = "notifications_0007"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0005_asked_at.sql")
