"""What nobody claims is noted once, and counted."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0014c"
down_revision = "payments_0014b"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
