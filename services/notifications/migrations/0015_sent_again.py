"""A letter that failed may be sent again."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "notifications_0015"
down_revision = "notifications_0014"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
