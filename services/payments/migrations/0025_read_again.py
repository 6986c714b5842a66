"""What a database that was set back has to read again."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "payments_0025"
down_revision = "payments_0024"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0006_read_again.sql")
