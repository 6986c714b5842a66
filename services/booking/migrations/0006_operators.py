"""What operators do with dead letters."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "booking_0006"
down_revision = "booking_0005"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0003_operators.sql")
