"""Payments that were declined, found by themselves."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0029"
down_revision = "payments_0028"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
