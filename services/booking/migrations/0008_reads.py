"""Lists of bookings by state and start; ages and open rows in the engine's tables."""

from pathlib import Path

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "booking_0008"
down_revision = "booking_0003"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0002_indexes.sql")
    run_sql(Path(__file__).with_suffix(".sql"))
