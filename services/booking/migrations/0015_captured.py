"""How much of a price was really captured."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0015"
down_revision = "booking_0014"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
