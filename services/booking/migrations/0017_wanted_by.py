"""Who wants a slot that is full."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0017"
down_revision = "booking_0016"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
