"""What the comparison looks for: a posting's other entries, and all that a wallet has at Stripe."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0019"
down_revision = "payments_0018"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
