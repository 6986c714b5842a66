"""Events of Stripe's that could not be kept are set aside; a provider is paid where they are paid today."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0020"
down_revision = "payments_0019"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
