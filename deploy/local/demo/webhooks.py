"""A chapter of webhooks: a system outside hears of a booking; another one fails, and is sent again what it missed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from booking_contracts.testkit.system import Studio
from booking_contracts.testkit.waiting import eventually
from standardwebhooks.webhooks import Webhook

from deploy.local.demo.narrator import Narrator
from deploy.local.environment import python_env
from deploy.local.layout import REPOSITORY
from deploy.local.ports import HOST, free_ports

PATH = "/v1/webhook-subscriptions"
CONFIRMED, CAPTURED = "booking.BookingConfirmed.v1", "payments.PaymentCaptured.v1"


@dataclass
class Receiver:
    """Somebody's system: it verifies what comes with the secret that it was given once, and answers `status`."""

    url: str
    status: int = 204
    secret: str = ""
    taken: list[tuple[str, str]] = field(default_factory=list)
    """(type, webhook-id) of what was signed well."""

    async def take(self, request: web.Request) -> web.Response:
        """Raises where it is not signed with our secret."""
        event = Webhook(self.secret).verify(await request.text(), dict(request.headers))
        self.taken.append((event["type"], request.headers["webhook-id"]))
        return web.Response(status=self.status)


async def webhooks(tell: Narrator) -> None:
    """Two systems subscribe to a provider's bookings; one of them has moved."""
    tell.title("Systems outside hear of it by signed webhooks; one fails, and is sent again what it missed")
    system = tell.system
    studio = await system.studio()
    async with receiving() as shop, receiving(status=410) as calendar:
        made = [await subscribe(tell, one, studio) for one in (shop, calendar)]
        command, _ = await tell.place(studio, "rita")
        await system.payment_in(command.booking_id, "captured")
        await eventually("webhooks", lambda: types(shop), lambda found: {CONFIRMED, CAPTURED} <= {*found})
        for kind, number in shop.taken:
            tell.say(f"↗ shop: {kind}, webhook-id {number}, [green]signature verified[/green], 204")
        await tell.mail("owner@example.com", "switched off")
        tell.say("↗ calendar: answered [yellow]410 Gone[/yellow], is switched off; its owner was written to")
        calendar.status = 204
        missed = calendar.taken.pop()
        of = made[1]["subscription_id"]
        for words in (("enable", of), ("redeliver", "--subscription", of, "--failed")):
            tell.say(f"bookingctl webhooks {words[0]} … → {await bookingctl(tell, *words)}")
        await eventually("what it missed", lambda: types(calendar), lambda found: {CONFIRMED, CAPTURED} <= {*found})
        again = "under the same webhook-id" if missed in calendar.taken else "[red]under another webhook-id[/red]"
        tell.say(f"↗ calendar: {', '.join(await types(calendar))}, verified, {again}")
        for one in made:
            await ask(tell, "DELETE", f"{PATH}/{one['subscription_id']}")


async def types(receiver: Receiver) -> list[str]:
    """What it has taken, in order."""
    return [kind for kind, _ in receiver.taken]


async def subscribe(tell: Narrator, receiver: Receiver, studio: Studio) -> Any:
    """Two types of events of a studio; the receiver keeps the secret."""
    wanted = {"url": receiver.url, "owner_email": "owner@example.com", "provider_id": str(studio.provider_id)}
    made = await ask(tell, "POST", PATH, {**wanted, "event_types": [CONFIRMED, CAPTURED]})
    receiver.secret = made["secret"]
    tell.say(f"POST {PATH} {receiver.url} → {made['state']}, secret {made['secret'][:10]}…, shown this once")
    return made


async def ask(tell: Narrator, method: str, path: str, body: Any = None) -> Any:
    """An answer of notifications."""
    headers = {"Authorization": f"Bearer {tell.system.env['SERVICE_TOKEN']}"}
    url = tell.system.env["NOTIFICATIONS_URL"] + path
    async with tell.system.http.request(method, url, json=body, headers=headers) as answer:
        answer.raise_for_status()
        return await answer.json()


async def bookingctl(tell: Narrator, *words: str) -> str:
    """What an operator's command prints."""
    command = (sys.executable, "-m", "services.operations.cli", "webhooks", *words)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=REPOSITORY, env=python_env() | dict(tell.system.env), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    return printed.decode().strip()


@asynccontextmanager
async def receiving(status: int = 204) -> AsyncIterator[Receiver]:
    """A system outside, on a port of its own."""
    (port,) = free_ports(1)
    receiver = Receiver(f"http://{HOST}:{port}/hook", status)
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    try:
        yield receiver
    finally:
        await runner.cleanup()
