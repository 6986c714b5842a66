"""When what is answered was asked."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "payments_0024"
down_revision = "payments_0023"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0005_asked_at.sql")
