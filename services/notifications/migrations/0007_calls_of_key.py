"""Letters are found by what they are about."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "notifications_0007"
down_revision = "notifications_0006"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
