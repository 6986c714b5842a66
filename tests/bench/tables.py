"""What the runs have left in the databases: sizes, and rows that are dead and not cleared away."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from tests.bench.ground import SERVICES, Ground

LARGEST = 5
SIZES = """
SELECT relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid) / 1048576.0 AS mib
FROM pg_stat_user_tables ORDER BY mib DESC, relname
"""


async def after(ground: Ground) -> dict[str, object]:
    """As `sizes` has them, and how many sagas left them."""
    return {**await sizes(ground.stack.env), "card_and_wallet_sagas": len(ground.charged) + len(ground.by_wallet)}


async def sizes(env: Mapping[str, str]) -> dict[str, object]:
    """MiB of tables with their indexes, and dead rows for a hundred live ones, by service; prints the largest.

    Dead are also the rows of the last seconds, which autovacuum has not come to yet: what has to stay is the size.
    """
    mib: dict[str, float] = {}
    dead: dict[str, float] = {}
    for service in SERVICES:
        connection = await asyncpg.connect(env[f"AUDITOR_{service.upper()}_DATABASE_URL"])
        try:
            rows = await connection.fetch(SIZES)
        finally:
            await connection.close()
        mib[service] = round(float(sum(row["mib"] for row in rows)), 1)
        alive = sum(row["n_live_tup"] for row in rows)
        dead[service] = round(100 * sum(row["n_dead_tup"] for row in rows) / max(1, alive), 1)
        for row in rows[:LARGEST]:
            print(
                f"  {service}.{row['relname']}: {row['mib']:.1f} MiB, "
                f"{row['n_live_tup']} rows and {row['n_dead_tup']} dead ones"
            )
    return {"tables_mib": mib, "dead_rows_percent": dead}
