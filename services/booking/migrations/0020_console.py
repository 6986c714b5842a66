"""What operators look for: bookings of everybody by state and time, addresses, what a message has done."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "booking_0020"
down_revision = "booking_0019"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
