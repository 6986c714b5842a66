"""Sessions of the console that were logged out of."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "operations_0003"
down_revision = "operations_0002"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
