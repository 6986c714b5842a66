"""What the ways in share: who comes, one booking a person, how long unpaid tries have held seats."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0012"
down_revision = "booking_0011"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
