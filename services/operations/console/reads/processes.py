"""What only a process knows, asked over HTTP where CONSOLE_SERVICES names its replicas: whether it is ready, and
whether its circuit to Stripe is open.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

PATIENCE_SECONDS = 1.0
CIRCUIT = "booking_stripe_circuit_open"


@dataclass(frozen=True, slots=True)
class Replica:
    """`why`: why it is not ready, None where it is."""

    service: str
    address: str
    why: str | None
    circuit_open: bool = False


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
            families = text_string_to_metric_families(await answer.text())
            opened = any(one.value for family in families if family.name == CIRCUIT for one in family.samples)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Replica(service, address, "it does not answer")
    return Replica(service, address, why, opened)
