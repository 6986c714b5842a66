"""Letters to one person about one booking go one after the other."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "notifications_0005"
down_revision = "notifications_0004"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
