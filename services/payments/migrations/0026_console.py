"""A payment by its own id, and refunds under way, are found without going through all of a table."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0026"
down_revision = "payments_0025"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
