"""What nobody claims is noted once, and counted."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0014b"
down_revision = "payments_0014a"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
