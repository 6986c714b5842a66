"""Triggers that look at rows one by one, and what is left to do for slots that were closed."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0004"
down_revision = "booking_0003"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
