"""What auditor and console keep: violations, how far checks are, what operators did, their views and jobs."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "operations_0001"
down_revision = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
