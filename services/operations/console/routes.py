"""What a page or an act answers to, and for whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from services.chassis.clock import Clock
from services.operations.console.databases import Databases
from services.operations.console.roles import Operator, Role
from services.operations.console.settings import ConsoleSettings
from services.operations.console.signing import Signer

if TYPE_CHECKING:
    from services.operations.console.sessions import EndedSessions

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
SETTINGS: web.AppKey[ConsoleSettings] = web.AppKey("settings")
DATABASES: web.AppKey[Databases] = web.AppKey("databases")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
"""What bookings go by. Sessions and tokens, leases, and what databases note by themselves go by real time."""
ENDED_SESSIONS: web.AppKey[EndedSessions] = web.AppKey("ended sessions")
SIGNER: web.AppKey[Signer] = web.AppKey("signer")
ROUTES: web.AppKey[dict[web.AbstractRoute, Route]] = web.AppKey("routes")
"""Ours by aiohttp's."""
OPERATOR: web.RequestKey[Operator] = web.RequestKey("operator")


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is without the prefix. `role` is what an operator needs; None: everybody, who is not logged in, too.

    `pii`: the right to see people's data is needed, too. `act`: the name of what is done here; such routes are shut
    where the console is read-only.
    """

    method: str
    path: str
    handler: Handle
    role: Role | None
    act: str | None = None
    pii: bool = False


def url(request: web.Request, path: str) -> str:
    """A path of the console as a browser has to ask for it."""
    return request.app[SETTINGS].console_prefix + path


def settings_of(request: web.Request) -> ConsoleSettings:
    """As they are now: tokens and secrets follow their files."""
    return request.app[SETTINGS].now()
