"""What a payout may be, with an account and without."""

from services.chassis.migration import constraint

revision = "payments_0012"
down_revision = "payments_0011"


def upgrade() -> None:
    constraint(
        "payout",
        "payout_status_check",
        "CHECK (status IN ('pending', 'paid', 'failed', 'parked', 'no_account'))",
    )
    constraint("payout", "payout_has_account", "CHECK ((status = 'no_account') = (account IS NULL))")
    constraint("payout", "payout_reversed_check", "CHECK (reversed_minor BETWEEN 0 AND amount_minor)")
