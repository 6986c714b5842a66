"""Attendees with an address of their own are written to."""

from services.chassis.migration import constraint

revision = "notifications_0011"
down_revision = "notifications_0010"


def upgrade() -> None:
    audiences = "'customer', 'provider', 'admin', 'attendee'"
    constraint("delivery", "delivery_audience_check", f"CHECK (audience IN ({audiences}))")
