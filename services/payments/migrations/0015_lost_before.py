"""What chargebacks took that were lost before it was noted."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0015"
down_revision = "payments_0014"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
