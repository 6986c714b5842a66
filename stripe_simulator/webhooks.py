"""Delivery of events to one webhook endpoint, signed and retried as Stripe does ("Receive Stripe events")."""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import aiohttp

from stripe_simulator.account_objects import Event
from stripe_simulator.clock import Clock
from stripe_simulator.encoding import encode
from stripe_simulator.faults import Fault, Faults
from stripe_simulator.rolled import Rolled

LANES = 16
TIMEOUT_SECONDS = 10.0
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go. `event_types` is the endpoint's enabled_events; None enables all."""

    url: str
    secret: str
    event_types: frozenset[str] | None = None


def signature(secret: str, timestamp: int, payload: bytes) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over `<timestamp>.<payload>` ("Verify signatures
    manually")."""
    digest = hmac.digest(secret.encode(), b"%d." % timestamp + payload, "sha256").hex()
    return f"t={timestamp},v1={digest}"


class Webhooks:
    """Delivers in the order of creation per subject (one payment, one transfer), at most LANES at a time.

    A delivery without a 2xx answer is tried again after RETRY_SECONDS of real time, behind what waits by
    then.
    """

    def __init__(self, endpoint: Endpoint | None, clock: Clock, faults: Faults, rolled: Rolled) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._faults = faults
        self._rolled = rolled
        self._session: aiohttp.ClientSession | None = None
        self._waiting: list[deque[tuple[Event, int]]] = [deque() for _ in range(LANES)]
        self._senders: list[asyncio.Task[None] | None] = [None] * LANES
        self._timers: set[asyncio.TimerHandle] = set()
        self._held: dict[str, Event] = {}

    def publish(self, event: Event) -> None:
        """Plan the delivery of a new event, or what a webhook fault makes of it."""
        endpoint = self._endpoint
        if endpoint is None or (endpoint.event_types is not None and event.type not in endpoint.event_types):
            return
        event.pending_webhooks = 1
        overtaken = self._held.pop(event.subject, None)
        if overtaken is not None:
            self._enqueue(event)
            self._enqueue(overtaken)
            return
        fault = self._faults.for_webhook()
        if fault is None:
            self._enqueue(event)
        else:
            self._misdeliver(event, fault)

    def reset(self) -> None:
        """Forget every delivery that waits."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._held.clear()
        for lane in self._waiting:
            lane.clear()

    async def stop(self) -> None:
        """Give up on what waits and close the connections."""
        self.reset()
        senders = [task for task in self._senders if task is not None]
        for task in senders:
            task.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _misdeliver(self, event: Event, fault: Fault) -> None:
        if fault.kind == "duplicate":
            self._enqueue(event)
            self._enqueue(event)
        elif fault.kind == "late":
            self._later(fault.seconds, event, 0)
        elif fault.kind == "reordered":
            self._held[event.subject] = event
            self._schedule(fault.seconds, lambda: self._let_go(event))
        # lost: stays pending for ever; only the list of events tells of it

    def _let_go(self, event: Event) -> None:
        if self._held.get(event.subject) is event:
            del self._held[event.subject]
            self._enqueue(event)

    def _later(self, seconds: float, event: Event, attempt: int) -> None:
        self._schedule(seconds, lambda: self._enqueue(event, attempt))

    def _schedule(self, seconds: float, action: Callable[[], None]) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self._timers.add(timer)

    def _enqueue(self, event: Event, attempt: int = 0) -> None:
        lane = crc32(event.subject.encode()) % LANES
        self._waiting[lane].append((event, attempt))
        if self._senders[lane] is None:
            self._senders[lane] = asyncio.create_task(self._drain(lane))

    async def _drain(self, lane: int) -> None:
        waiting = self._waiting[lane]
        try:
            while waiting:
                event, attempt = waiting.popleft()
                if await self._send(event):
                    event.pending_webhooks = 0
                    event.deliveries += 1
                elif attempt < len(RETRY_SECONDS):
                    self._later(RETRY_SECONDS[attempt], event, attempt + 1)
        finally:
            self._senders[lane] = None

    async def _send(self, event: Event) -> bool:
        assert self._endpoint is not None
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            connector = aiohttp.TCPConnector(limit=LANES, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        payload = encode(event.render())
        secret = self._rolled.webhook_secret or self._endpoint.secret
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(secret, int(self._clock.now()), payload),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with self._session.post(self._endpoint.url, data=payload, headers=headers) as answer:
                await answer.read()
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
