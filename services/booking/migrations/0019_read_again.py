"""What a database that was set back has to read again."""

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "booking_0019"
down_revision = "booking_0018"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0006_read_again.sql")
