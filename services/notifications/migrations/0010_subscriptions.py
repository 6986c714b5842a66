"""Webhooks: who subscribes to which events, what they are told, and how far that is."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "notifications_0010"
down_revision = "notifications_0009"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
