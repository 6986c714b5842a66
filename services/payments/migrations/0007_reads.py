"""Ages of Stripe's events; ages and open rows in the engine's tables."""

from pathlib import Path

from services.chassis.migration import ENGINE_SQL, run_indexes

revision = "payments_0007"
down_revision = "payments_0006"


def upgrade() -> None:
    run_indexes(ENGINE_SQL / "0002_ages.indexes.sql")
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
