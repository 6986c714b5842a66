"""Indexes that find the head of a line, holds that are over, and what is left on a closed slot."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "booking_0005"
down_revision = "booking_0004"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
