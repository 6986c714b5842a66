"""One try: an event is posted to a subscriber; what came of it is a type, never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
)
from booking_contracts.headers import safe_text
from yarl import URL

from services.chassis.clock import real_seconds
from services.notifications.model.targets import BadTarget, Targets
from services.notifications.subscriptions.connecting import Connector

WHOLE_SECONDS = 10.0
"""For one try from the look-up of the name to the last byte that is read."""
CONNECT_SECONDS = 5.0
BODY_SECONDS = 1.0
"""For the body, once the status has come: nothing depends on it."""
KEPT_BYTES = 1_000
"""Of an answer's body, for who looks for the cause."""
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Taken:
    """The subscriber answered 2xx: the event is its own from now on."""

    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not take the event. `status` and `answer` where there was an answer; `asked`: its Retry-After."""

    reason: str
    status: int | None = None
    answer: str | None = None
    asked: timedelta | None = None


Outcome = Taken | Failed


class Poster:
    """Posts to any number of subscribers; the caller bounds how many tries are made at once."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._session: ClientSession | None = None

    async def post(self, url: str, headers: Mapping[str, str], content: str) -> Outcome:
        """One try. Redirects are not followed and nothing is unpacked."""
        try:
            self._targets.check(url)  # what is allowed may have changed since it was stored
            async with asyncio.timeout(WHOLE_SECONDS):
                try:
                    return await self._once(url, headers, content)
                except ClientConnectorError:
                    raise
                except (ServerDisconnectedError, ClientOSError):  # perhaps an idle one, that they closed as we took it
                    return await self._once(url, headers, content)
        except BadTarget as wrong:
            return Failed(f"its URL {wrong}")
        except TimeoutError:
            return Failed(f"no answer within {WHOLE_SECONDS:g} s")
        except (ClientError, OSError, ValueError) as fault:
            return Failed(_plain(f"{type(fault).__name__}: {fault}", LONGEST_REASON))

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            connector = self._session.connector
            await self._session.close()
            if isinstance(connector, Connector):
                await connector.names.close()

    async def _once(self, url: str, headers: Mapping[str, str], content: str) -> Outcome:
        session = self._session = self._session or _session(self._targets)
        async with session.post(URL(url), data=content.encode(), headers=headers, allow_redirects=False) as response:
            answer = await _beginning(response)
            if 200 <= response.status < 300:
                return Taken(response.status, answer)
            return Failed(f"it answered {response.status}", response.status, answer, _asked(response))


def _session(targets: Targets) -> ClientSession:
    return ClientSession(
        connector=Connector(targets),
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        max_line_size=8_190,
        max_field_size=8_190,
    )


async def _beginning(response: ClientResponse) -> str:
    """Of the body; a longer or slower one, or one that breaks off, is left and its connection with it."""
    found = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while len(found) < KEPT_BYTES and (part := await response.content.read(KEPT_BYTES - len(found))):
                found += part
            if response.content.at_eof():
                return _plain(found.decode("utf-8", "replace"), KEPT_BYTES)
    except (TimeoutError, ClientError, OSError, ValueError):
        pass
    response.close()
    return _plain(found.decode("utf-8", "replace"), KEPT_BYTES)


def _asked(response: ClientResponse) -> timedelta | None:
    """Retry-After: seconds, or an instant (RFC 9110, 10.2.3); what cannot be read asks for nothing."""
    given = response.headers.get("Retry-After", "").strip()[:40]
    if given.isascii() and given.isdigit():
        return timedelta(seconds=min(int(given), 10**7))
    try:
        instant = parsedate_to_datetime(given)
        return instant.astimezone(UTC) - datetime.fromtimestamp(real_seconds(), UTC)
    except (ValueError, OverflowError, TypeError):
        return None


def _plain(text: str, most: int) -> str:
    return safe_text(" ".join(text.split()), most)
