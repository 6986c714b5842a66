"""What nobody claims is noted once, and counted."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0017"
down_revision = "payments_0016"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
