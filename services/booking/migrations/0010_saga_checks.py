"""What a saga may be: it may wait for a chargeback."""

from services.chassis.migration import constraint

revision = "booking_0010"
down_revision = "booking_0009"


def upgrade() -> None:
    states = "'waiting', 'waiting_for_customer', 'waiting_for_chargeback', 'done', 'stuck'"
    constraint("saga", "saga_status_check", f"CHECK (status IN ({states}))")
    constraint("saga", "saga_disputes_check", "CHECK (disputes >= 0)")
