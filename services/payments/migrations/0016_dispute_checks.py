"""What a chargeback may have taken."""

from services.chassis.migration import constraint

revision = "payments_0016"
down_revision = "payments_0015"


def upgrade() -> None:
    constraint(
        "chargeback",
        "chargeback_took_check",
        "CHECK (covered_minor >= 0 AND owed_minor >= 0 AND covered_minor + owed_minor <= amount_minor)",
    )
    constraint("payment", "payment_made_up_check", "CHECK (made_up_minor >= 0)")
    constraint("reconciliation", "reconciliation_of_somebody", "CHECK (num_nonnulls(booking_id, customer_id) <= 1)")
