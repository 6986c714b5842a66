"""What operators do with dead letters."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "payments_0008"
down_revision = "payments_0007"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0003_operators.sql")
