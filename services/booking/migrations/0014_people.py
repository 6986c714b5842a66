"""Where somebody's contact data stands is found without going through all of a table."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "booking_0014"
down_revision = "booking_0013"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
