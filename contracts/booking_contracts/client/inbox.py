"""What a client has heard: replies by command id, events by key, in bounded memory.

Both remember the newest and forget the oldest first. A record that comes again (same `ce_id`) counts once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from booking_contracts.envelope import Envelope, Event
from booking_contracts.registry import BY_TYPE


@dataclass(frozen=True, slots=True)
class Received:
    """A reply or event as it came."""

    topic: str
    envelope: Envelope

    def body(self) -> Event | None:
        """The typed body; None for a type that this version does not know. Raises pydantic.ValidationError."""
        message = BY_TYPE.get(self.envelope.type)
        if message is None or not issubclass(message, Event):
            return None
        return message.model_validate_json(self.envelope.body)


_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


@dataclass(slots=True)
class _Waiting(Generic[_Key]):
    """Who waits, by key, and for which types (any, when empty: a reply). A time-out leaves nothing behind."""

    _futures: dict[_Key, dict[asyncio.Future[Received], frozenset[str]]] = field(default_factory=dict)
    _over: Exception | None = None

    def tell(self, key: _Key, received: Received) -> None:
        for future, types in self._futures.get(key, {}).items():
            if not future.done() and (not types or received.envelope.type in types):
                future.set_result(received)

    async def wait(self, key: _Key, types: frozenset[str] = frozenset()) -> Received:
        if self._over is not None:
            raise self._over
        future: asyncio.Future[Received] = asyncio.get_running_loop().create_future()
        of_key = self._futures.setdefault(key, {})
        of_key[future] = types
        try:
            return await future
        finally:
            del of_key[future]
            if not of_key:
                self._futures.pop(key, None)

    def fail(self, error: Exception) -> None:
        self._over = error
        for of_key in self._futures.values():
            for future in of_key:
                if not future.done():
                    future.set_exception(error)


@dataclass(slots=True)
class Replies:
    """Replies by command id; those to own commands have a room of their own, so that others cannot push them out."""

    limit: int
    _own: OrderedDict[UUID, Received | None] = field(default_factory=OrderedDict)
    _others: OrderedDict[UUID, Received] = field(default_factory=OrderedDict)
    _waiting: _Waiting[UUID] = field(default_factory=lambda: _Waiting())

    def expect(self, command_id: UUID) -> None:
        """Called before the command is sent, so that its reply finds its room."""
        self._own[command_id] = self._own.get(command_id) or self._others.pop(command_id, None)
        self._own.move_to_end(command_id)
        _trim(self._own, self.limit)

    def arrived(self, command_id: UUID, reply: Received) -> None:
        """Keep a reply and hand it to those who wait; the first one counts."""
        if command_id in self._own:
            self._own[command_id] = self._own[command_id] or reply
        else:
            self._others.setdefault(command_id, reply)
            _trim(self._others, self.limit)
        self._waiting.tell(command_id, reply)

    async def wait(self, command_id: UUID) -> Received:
        """The reply, at once if it came already."""
        found = self._own.get(command_id) or self._others.get(command_id)
        if found is not None:
            return found
        return await self._waiting.wait(command_id)

    def fail(self, error: Exception) -> None:
        """Nothing more will come: whoever waits, now or later, gets this error."""
        self._waiting.fail(error)


@dataclass(slots=True)
class Events:
    """Events by key (booking id or waitlist entry id), each in the order of their first occurrence."""

    limit: int
    _seen: OrderedDict[str, dict[UUID, Received]] = field(default_factory=OrderedDict)
    _count: int = 0
    _waiting: _Waiting[str] = field(default_factory=lambda: _Waiting())

    def arrived(self, event: Received) -> None:
        """Keep an event unless it is known, and hand it to those who wait for its type."""
        key = event.envelope.key
        of_key = self._seen.setdefault(key, {})
        if event.envelope.id in of_key:
            return
        of_key[event.envelope.id] = event
        self._seen.move_to_end(key)
        self._count += 1
        self._forget()
        self._waiting.tell(key, event)

    def of(self, key: str) -> tuple[Received, ...]:
        """The events of a key so far."""
        return tuple(self._seen.get(key, {}).values())

    def all(self) -> list[Received]:
        """Those of every key, by the time that they carry."""
        return sorted(
            (one for of_key in self._seen.values() for one in of_key.values()), key=lambda one: one.envelope.time
        )

    def forget(self) -> None:
        """All of them; who waits goes on waiting."""
        self._seen.clear()
        self._count = 0

    async def wait(self, key: str, types: frozenset[str]) -> Received:
        """The first event of one of `types`, at once if it was seen already."""
        for event in self.of(key):
            if event.envelope.type in types:
                return event
        return await self._waiting.wait(key, types)

    def fail(self, error: Exception) -> None:
        """Nothing more will come: whoever waits, now or later, gets this error."""
        self._waiting.fail(error)

    def _forget(self) -> None:
        while self._count > self.limit:
            key, of_key = next(iter(self._seen.items()))
            del of_key[next(iter(of_key))]
            self._count -= 1
            if not of_key:
                del self._seen[key]


def _trim(kept: OrderedDict[UUID, _Kept], limit: int) -> None:
    while len(kept) > limit:
        kept.popitem(last=False)
