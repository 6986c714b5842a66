"""When what is answered was asked."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "booking_0018"
down_revision = "booking_0017"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0005_asked_at.sql")
