"""What is told apart from the price is less than it."""

from services.chassis.migration import constraint

revision = "booking_0016"
down_revision = "booking_0015"


def upgrade() -> None:
    constraint("booking", "booking_captured_check", "CHECK (captured_minor > 0 AND captured_minor < price_minor)")
