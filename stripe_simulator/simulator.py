"""The simulator as one object: both ports, the world between them, and its upkeep."""

import asyncio
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from stripe_simulator.clock import Clock
from stripe_simulator.control import Control
from stripe_simulator.faults import Faults
from stripe_simulator.idempotency import IdempotencyKeys
from stripe_simulator.rolled import Rolled
from stripe_simulator.server import ApiServer
from stripe_simulator.webhooks import Endpoint, Webhooks
from stripe_simulator.world import World

UPKEEP_SECONDS = 0.25
SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Ports of 0 are chosen by the system. Without an endpoint no webhooks are sent."""

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    endpoint: Endpoint | None = None
    clock_offset_file: Path | None = None
    outcome_delay_seconds: float = 1.0


class Simulator:
    """Start it, use `api_url` and `control_url`, stop it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = Clock(settings.clock_offset_file)
        self._faults = Faults()
        self._rolled = Rolled()
        self._webhooks = Webhooks(settings.endpoint, self._clock, self._faults, self._rolled)
        world = self._new_world()
        self._api = ApiServer(world, self._faults, self._rolled)
        self._kept: tuple[World, IdempotencyKeys] | None = None
        self._control = Control(world, self._faults, self._rolled, self.reset, self.snapshot, self.restore)
        self._runners: list[web.BaseRunner] = []
        self._upkeep: asyncio.Task[None] | None = None
        self.api_url = ""
        self.control_url = ""

    async def start(self) -> None:
        """Listen on both ports. Raises OSError when one is taken."""
        server = web.Server(self._api.handle, access_log=None)
        self.api_url = await self._listen(
            web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS), self._settings.port
        )
        control = web.AppRunner(self._control.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self.control_url = await self._listen(control, self._settings.control_port)
        self._upkeep = asyncio.create_task(self._run_due())

    async def stop(self) -> None:
        if self._upkeep is not None:
            self._upkeep.cancel()
        await self._webhooks.stop()
        for runner in self._runners:
            await runner.cleanup()

    def reset(self) -> None:
        """Back to an empty account, without faults and without waiting webhooks; no secret was rolled."""
        self._faults.replace([])
        self._rolled.reset()
        self._webhooks.reset()
        world = self._new_world()
        self._api.world = self._control.world = world
        self._api.keys = IdempotencyKeys(self._clock)

    def snapshot(self) -> None:
        """Keep how the account stands, for `restore`; it replaces what was kept before."""
        self._kept = self._copied((self._api.world, self._api.keys))

    def restore(self) -> bool:
        """Back to that, without faults and without waiting webhooks; False where nothing was kept."""
        if self._kept is None:
            return False
        self._faults.replace([])
        self._webhooks.reset()
        self._clock.may_go_back()
        world, self._api.keys = self._copied(self._kept)
        world.goes_on_after(self._api.world)
        self._api.world = self._control.world = world
        return True

    def _copied(self, account: tuple[World, IdempotencyKeys]) -> tuple[World, IdempotencyKeys]:
        """A copy on the same clock, with the same endpoint."""
        return deepcopy(account, {id(shared): shared for shared in (self._clock, self._webhooks)})

    def _new_world(self) -> World:
        return World(self._clock, self._webhooks.publish, self._settings.outcome_delay_seconds)

    async def _listen(self, runner: web.BaseRunner, port: int) -> str:
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, self._settings.host, port).start()
        host, bound = runner.addresses[0][:2]
        return f"http://{host}:{bound}"

    async def _run_due(self) -> None:
        """What falls due while nobody asks: expiring authorisations, late refunds."""
        while True:
            await asyncio.sleep(UPKEEP_SECONDS)
            self._api.world.agenda.run_due()
