"""Dead letters are found by their key."""

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "booking_0021"
down_revision = "booking_0020"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0007_letters_of_key.indexes.sql")
