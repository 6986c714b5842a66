"""A provider is written to where they are reached today, also by letters that no event of a booking asks for."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "notifications_0006"
down_revision = "notifications_0005"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
