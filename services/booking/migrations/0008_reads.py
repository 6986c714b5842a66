"""Lists of bookings by state and start; ages and open rows in the engine's tables."""

from pathlib import Path

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "booking_0008"
down_revision = "booking_0007"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0002_ages.indexes.sql")
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
