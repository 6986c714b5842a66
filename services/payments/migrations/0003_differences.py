"""What the reconciler's rounds did, and how long a report stays open."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0003"
down_revision = "payments_0002"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
