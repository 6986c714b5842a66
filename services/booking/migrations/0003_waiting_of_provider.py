"""Finds the people who wait for a provider."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0003"
down_revision = "booking_0002"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
