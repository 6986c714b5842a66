"""Events that are set aside are found by their age."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0021"
down_revision = "payments_0020"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
