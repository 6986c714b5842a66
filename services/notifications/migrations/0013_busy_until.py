"""What a Retry-After asks for outlives the success of another try."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "notifications_0013"
down_revision = "notifications_0012"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
