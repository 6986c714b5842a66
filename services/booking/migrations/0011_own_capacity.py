"""A slot says whether its capacity was named for it alone: one that follows the offering's does so once it is empty.

Of slots that were opened before nobody knows; they keep what they have, as do those that the release before opens.
"""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0011"
down_revision = "booking_0010"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
