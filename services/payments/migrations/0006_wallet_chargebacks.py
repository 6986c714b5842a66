"""Chargebacks of top-ups freeze what is left in the wallet."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0006"
down_revision = "payments_0005"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
