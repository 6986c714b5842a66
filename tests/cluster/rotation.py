"""Every secret of services, auditor and console is changed in its Kubernetes Secret, and used from there without a
restart."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.waiting import eventually

from deploy.cluster.installation import api_tokens, console_tokens
from services.operations.databases import DATABASES
from tests.cluster.console import Console
from tests.cluster.mounted import mounted
from tests.cluster.pods import Pod, Pods
from tests.cluster.reads import Reads
from tests.cluster.roles import AUDITOR, CONSOLE, FILES, ROLES, SESSIONS, auditors, session_of
from tests.security.operators import looked

SECONDS = 60.0
"""So long may a change take to come to every pod."""
PATHS = {
    "booking": "/v1/bookings?customer_id=nobody",
    "payments": "/v1/wallets/nobody",
    "notifications": f"/v1/deliveries?booking_id={UUID(int=0)}",
}


class Rotation:
    """Called from a thread; `seconds` is then what each secret took, from its change until every pod uses it."""

    def __init__(self, env: dict[str, str], pods: Pods, reads: Reads, console: Console) -> None:
        """`env`: whoever looks into databases with it finds the auditor's new password there; `reads` and `console`
        get the new tokens."""
        self.env, self.pods, self.reads, self.console = env, pods, reads, console
        self.seconds: dict[str, float] = {}

    def __call__(self) -> None:
        asyncio.run(self._rotate())

    async def _rotate(self) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
            for name, way in WAYS.items():
                began = time.monotonic()
                await way(self, http)
                self.seconds[name] = time.monotonic() - began

    async def _passwords(self, http: aiohttp.ClientSession) -> None:
        """The old ones are worth nothing from the first moment on, and every session is ended that had one."""
        admin = await asyncpg.connect(self.env["POSTGRES_ADMIN_URL"])
        try:
            since, began = await admin.fetchval("SELECT clock_timestamp()::text"), time.time()
            for role, components in ROLES.items():
                fresh = secrets.token_hex(16)
                await admin.execute(f"ALTER ROLE {role} PASSWORD '{fresh}'")
                await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
                if role == AUDITOR:
                    self.env |= auditors(fresh)
                await asyncio.to_thread(mounted(components[0], FILES[role]).put, fresh)
            for role in DATABASES:
                wanted = [session_of(pod) for component in ROLES[role] for pod in self.pods.now(component)]
                await eventually(
                    f"sessions of every pod as {role}",
                    lambda role=role: admin.fetch(SESSIONS, role, since),  # type: ignore[misc]
                    lambda rows, wanted=wanted: all(any(name in row[0] for row in rows) for name in wanted),  # type: ignore[misc]
                    SECONDS,
                )
            for pod in self.pods.now(AUDITOR):
                look = partial(looked, http, _url(pod))
                await eventually("the auditor looks on", look, lambda at: at > began, SECONDS)
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

    async def _console_token(self, http: aiohttp.ClientSession) -> None:
        """Both, then the new one alone."""
        old, fresh, secret = self.console.token, secrets.token_hex(16), mounted(CONSOLE, "console-tokens")

        def tried(token: str) -> Callable[[], Awaitable[set[int]]]:
            pods = self.pods.now(CONSOLE)
            return lambda: _statuses(_log_in(http, pod, token) for pod in pods)

        secret.put(console_tokens(old, fresh))
        await eventually("the new token opens the console", tried(fresh), lambda found: found == {303}, SECONDS)
        secret.put(console_tokens(fresh))
        await eventually("the old one does not", tried(old), lambda found: found == {403}, SECONDS)
        self.console.token = fresh

    async def _sessions(self, http: aiohttp.ClientSession) -> None:
        """Both, the new one first, then that one alone: who has logged in before has to log in again."""
        secret, fresh = mounted(CONSOLE, "console-session-secrets"), secrets.token_hex(16)
        (old,) = json.loads(secret.text())
        pods = self.pods.now(CONSOLE)
        async with _log_in(http, pods[0], self.console.token) as answer:
            before = {name: morsel.value for name, morsel in answer.cookies.items()}

        def shown() -> Awaitable[set[int]]:
            looks = (http.get(f"{_url(pod)}/jobs", cookies=before, allow_redirects=False) for pod in pods)
            return _statuses(looks)

        async def seen() -> set[str]:
            return {await asyncio.to_thread(secret.in_pod, pod) for pod in pods}

        both, alone = json.dumps([fresh, old]), json.dumps([fresh])
        secret.put(both)
        await eventually("every pod has both", seen, lambda found: found == {both}, SECONDS)
        assert await shown() == {200}, "a session of the older secret is one"
        secret.put(alone)
        await eventually("sessions of the old one are over", shown, lambda found: found == {303}, SECONDS)

    async def _roll(self, http: aiohttp.ClientSession, **changes: str) -> None:
        async with http.put(f"{self.env['STRIPE_CONTROL_URL']}/secrets", json=changes) as answer:
            assert answer.status == 200, await answer.text()


WAYS: Mapping[str, Callable[[Rotation, aiohttp.ClientSession], Awaitable[None]]] = {
    f"passwords of {len(ROLES)} roles of the databases": Rotation._passwords,
    "token of the HTTP paths": Rotation._token,
    "secret of the webhook": Rotation._webhook_secret,
    "key of Stripe": Rotation._stripe_key,
    "token of the console": Rotation._console_token,
    "secret of the console's sessions": Rotation._sessions,
}
"""What is changed, in this order, and how."""


def _log_in(http: aiohttp.ClientSession, pod: Pod, token: str) -> Any:
    return http.post(f"{_url(pod)}/login", data={"token": token}, allow_redirects=False)


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
