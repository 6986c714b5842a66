"""What Stripe told about a booking's money, and its disputes."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0028"
down_revision = "payments_0027"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
