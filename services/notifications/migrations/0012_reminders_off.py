"""Who wants no reminders."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "notifications_0012"
down_revision = "notifications_0011"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
