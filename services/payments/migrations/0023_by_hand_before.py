"""What was refunded by hand before it was noted."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0023"
down_revision = "payments_0022"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
