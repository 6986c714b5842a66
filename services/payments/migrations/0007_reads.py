"""Ages of Stripe's events; ages and open rows in the engine's tables."""

from pathlib import Path

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "payments_0007"
down_revision = "payments_0006"


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0002_indexes.sql")
    run_sql(Path(__file__).with_suffix(".sql"))
