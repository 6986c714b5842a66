"""Every secret of the services is changed in its Kubernetes Secret, and used from there without a restart."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.waiting import eventually

from deploy.cluster.installation import api_tokens
from services.chassis.settings import LONGEST_INSTANCE
from tests.cluster.mounted import mounted
from tests.cluster.pods import Pod, Pods
from tests.cluster.reads import Reads

SECONDS = 60.0
"""So long may a change take to come to every pod."""
PATHS = {
    "booking": "/v1/bookings?customer_id=nobody",
    "payments": "/v1/wallets/nobody",
    "notifications": f"/v1/deliveries?booking_id={UUID(int=0)}",
}
SESSIONS = """
SELECT DISTINCT application_name FROM pg_stat_activity WHERE usename = $1 AND backend_start > $2::text::timestamptz
"""
"""Of a role, from a moment on."""


class Rotation:
    """Called from a thread; `seconds` is then what each secret took, from its change until every pod uses it."""

    def __init__(self, env: Mapping[str, str], pods: Pods, reads: Reads) -> None:
        self.env, self.pods, self.reads = env, pods, reads
        self.seconds: dict[str, float] = {}

    def __call__(self) -> None:
        asyncio.run(self._rotate())

    async def _rotate(self) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
            await self._timed("passwords of the databases", self._passwords())
            await self._timed("token of the HTTP paths", self._token(http))
            await self._timed("secret of the webhook", self._webhook_secret(http))
            await self._timed("key of Stripe", self._stripe_key(http))

    async def _timed(self, name: str, way: Coroutine[Any, Any, None]) -> None:
        began = time.monotonic()
        await way
        self.seconds[name] = time.monotonic() - began

    async def _passwords(self) -> None:
        """The old ones are worth nothing from the first moment on, and every session is ended that had one."""
        admin = await asyncpg.connect(self.env["POSTGRES_ADMIN_URL"])
        try:
            since = await admin.fetchval("SELECT clock_timestamp()::text")
            for service in SERVICES:
                fresh = secrets.token_hex(16)
                await admin.execute(f"ALTER ROLE {service} PASSWORD '{fresh}'")
                await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", service)
                await asyncio.to_thread(mounted(service, "database-password").put, fresh)
            for service in SERVICES:
                wanted = [pod.name[-LONGEST_INSTANCE:] for pod in self.pods.now(service)]
                await eventually(
                    f"sessions of every pod of {service}",
                    lambda service=service: admin.fetch(SESSIONS, service, since),  # type: ignore[misc]
                    lambda rows, wanted=wanted: all(any(name in row[0] for row in rows) for name in wanted),  # type: ignore[misc]
                    SECONDS,
                )
        finally:
            await admin.close()

    async def _token(self, http: aiohttp.ClientSession) -> None:
        """Both, then the new one alone: who reads has it before the old one ends."""
        old, fresh, secret = self.reads.token, secrets.token_hex(16), mounted("booking", "api-tokens")

        def tried(token: str) -> Callable[[], Awaitable[set[int]]]:
            headers = {"Authorization": f"Bearer {token}"}
            everywhere = [f"{_url(pod)}{PATHS[service]}" for service in SERVICES for pod in self.pods.now(service)]
            return lambda: _statuses(http.get(url, headers=headers) for url in everywhere)

        secret.put(api_tokens(old, fresh))
        await eventually("the new token opens", tried(fresh), lambda found: 401 not in found, SECONDS)
        self.reads.token = fresh
        secret.put(api_tokens(fresh))
        await eventually("the old one does not", tried(old), lambda found: found == {401}, SECONDS)

    async def _webhook_secret(self, http: aiohttp.ClientSession) -> None:
        """Both, then Stripe signs with the new one, then that one alone."""
        secret, fresh = mounted("payments", "stripe-webhook-secrets"), f"whsec_{secrets.token_hex(16)}"
        (old,) = json.loads(secret.text())

        def tried(signed_with: str) -> Callable[[], Awaitable[set[int]]]:
            pods = self.pods.now("payments")
            return lambda: _statuses(_event(http, pod, signed_with) for pod in pods)

        secret.put(json.dumps([old, fresh]))
        await eventually("the new secret is good", tried(fresh), lambda found: found == {200}, SECONDS)
        await self._roll(http, webhook_secret=fresh)
        secret.put(json.dumps([fresh]))
        await eventually("the old one is not", tried(old), lambda found: found == {400}, SECONDS)

    async def _stripe_key(self, http: aiohttp.ClientSession) -> None:
        """Every pod has the new one before Stripe refuses the old one."""
        secret, fresh = mounted("payments", "stripe-api-key"), f"sk_test_{secrets.token_hex(12)}"
        secret.put(fresh)
        pods = self.pods.now("payments")

        async def seen() -> set[str]:
            return {await asyncio.to_thread(secret.in_pod, pod) for pod in pods}

        await eventually("every pod has the new key", seen, lambda found: found == {fresh}, SECONDS)
        await self._roll(http, api_key=fresh)

    async def _roll(self, http: aiohttp.ClientSession, **changes: str) -> None:
        async with http.put(f"{self.env['STRIPE_CONTROL_URL']}/secrets", json=changes) as answer:
            assert answer.status == 200, await answer.text()


def _url(pod: Pod) -> str:
    return f"http://{pod.address}:8080"


def _event(http: aiohttp.ClientSession, pod: Pod, secret: str) -> Any:
    """A webhook of no interest to us, signed as Stripe does."""
    body = json.dumps({"id": f"evt_{secrets.token_hex(8)}", "type": "customer.created", "data": {"object": {}}})
    seconds = int(time.time())
    mac = hmac.digest(secret.encode(), f"{seconds}.{body}".encode(), "sha256").hex()
    return http.post(f"{_url(pod)}/webhooks/stripe", data=body, headers={"Stripe-Signature": f"t={seconds},v1={mac}"})


async def _statuses(requests: Iterable[Any]) -> set[int]:
    """Of answers, asked for one after another."""
    found = set()
    for request in requests:
        async with request as answer:
            found.add(answer.status)
    return found
