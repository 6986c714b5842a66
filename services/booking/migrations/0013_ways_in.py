"""A person comes to a slot once, where the offering wants that; the tries of a payer on a slot are found."""

from pathlib import Path

from services.chassis.migration import constraint, run_indexes

revision = "booking_0013"
down_revision = "booking_0012"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
    constraint("booking", "booking_held_check", "CHECK (held_seconds >= 0)")
