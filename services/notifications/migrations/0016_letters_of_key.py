"""Dead letters are found by their key."""

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "notifications_0016"
down_revision = "notifications_0015"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0007_letters_of_key.indexes.sql")
