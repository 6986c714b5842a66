"""Dead letters are found by their key."""

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "payments_0027"
down_revision = "payments_0026"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0007_letters_of_key.indexes.sql")
