"""Events that wait for their booking are found by it: what comes later waits behind them."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "notifications_0014"
down_revision = "notifications_0013"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
