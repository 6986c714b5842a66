"""What only a process knows, asked over HTTP where CONSOLE_SERVICES names its replicas: whether it is ready, and
whether its circuit to Stripe is open. Which replicas are at a database, that database says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import asyncpg
from prometheus_client.parser import text_string_to_metric_families

from services.chassis.database import Connection

PATIENCE_SECONDS = 1.0
CIRCUIT, BUILD, BEGAN = "booking_stripe_circuit_open", "booking_build_info", "process_start_time_seconds"
AT_DATABASE = """
SELECT left(application_name, -6) AS replica, min(backend_start) AS since
FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%-batch'
GROUP BY 1 ORDER BY 1 LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Replica:
    """`why`: why it is not ready, None where it is. `since`: when the process began."""

    service: str
    address: str
    why: str | None
    circuit_open: bool = False
    version: str | None = None
    since: datetime | None = None


async def replicas(named: Mapping[str, Sequence[str]]) -> list[Replica]:
    """Each asked beside the others, and for a second at most."""
    patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(timeout=patience) as client:
        asked = (_replica(client, service, at) for service, addresses in named.items() for at in addresses)
        return list(await asyncio.gather(*asked))


async def _replica(client: aiohttp.ClientSession, service: str, address: str) -> Replica:
    try:
        async with client.get(f"{address}/health/ready") as answer:
            why = None if answer.status == 200 else str(json.loads(await answer.read()).get("detail", answer.status))
        async with client.get(f"{address}/metrics") as answer:
            families = list(text_string_to_metric_families(await answer.text()))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Replica(service, address, "it does not answer")
    of = {one.name: one for family in families for one in family.samples if one.name in (CIRCUIT, BUILD, BEGAN)}
    return Replica(
        service,
        address,
        why,
        circuit_open=CIRCUIT in of and bool(of[CIRCUIT].value),
        version=of[BUILD].labels.get("version") if BUILD in of else None,
        since=datetime.fromtimestamp(of[BEGAN].value, UTC) if BEGAN in of else None,
    )


async def at_database(connection: Connection) -> Sequence[asyncpg.Record]:
    """Replicas that have their connection for batches at a service's database, and since when that."""
    return await connection.fetch(AT_DATABASE)
