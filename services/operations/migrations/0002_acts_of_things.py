"""What operators did is found by what it was done to."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "operations_0002"
down_revision = "operations_0001"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
