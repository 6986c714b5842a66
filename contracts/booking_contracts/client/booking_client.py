"""BookingClient: publish a command, await its reply or what becomes of the booking. Needs the extra `client`.

async with BookingClient("kafka:9092", source="/my-team") as client:
    reply = await client.ask(PlaceBooking(...))
    if isinstance(reply, CommandAccepted):
        event = await client.outcome(booking_id, BookingConfirmed, PaymentFailed, timeout_seconds=60)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar, overload
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from booking_contracts.booking import BookingCommand, CommandAccepted, CommandRejected
from booking_contracts.client.ending import end_producer
from booking_contracts.client.errors import KeyRequired, NoOutcome, NoReply, NotListening, NotPublished
from booking_contracts.client.inbox import Received
from booking_contracts.client.listener import Listener
from booking_contracts.client.lost_connections import lose_connections_visibly
from booking_contracts.client.security import KafkaSecurity
from booking_contracts.envelope import Envelope, Event, uuid7
from booking_contracts.payments import WalletCommand, WalletCommandAccepted, WalletCommandRejected
from booking_contracts.registry import BY_TYPE
from booking_contracts.topics import BOOKING_ADMIN_COMMANDS, BOOKING_EVENTS, BOOKING_REPLIES, WALLET_REPLIES, Topic

BookingReply = CommandAccepted | CommandRejected
WalletReply = WalletCommandAccepted | WalletCommandRejected
Reply = BookingReply | WalletReply
ClientCommand = BookingCommand | WalletCommand
EventT = TypeVar("EventT", bound=Event)

FOLLOWED: tuple[Topic, ...] = (BOOKING_REPLIES, WALLET_REPLIES, BOOKING_EVENTS)


class BookingClient:
    """Publishes commands and hears replies and events from the moment it was opened.

    `source` is the caller's own name, as in `/my-team`. `topics` are followed; without BOOKING_EVENTS there are no
    outcomes. `remembered` bounds what is kept: so many replies to own commands, so many to others', so many events.
    Its end sends what is in flight, for `closing_seconds` at most (client/ending.py).
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        source: str,
        topics: Sequence[Topic] = FOLLOWED,
        remembered: int = 10_000,
        security: KafkaSecurity | None = None,
        closing_seconds: float = 10.0,
    ) -> None:
        self._servers, self._source, self._topics, self._remembered = bootstrap_servers, source, topics, remembered
        self._settings = security.settings() if security else {}
        self._closing_seconds = closing_seconds
        self._listener: Listener | None = None

    async def __aenter__(self) -> Self:
        """Raises TopicsMissing; connection errors are aiokafka's."""
        lose_connections_visibly()
        listener = Listener(self._servers, self._topics, self._remembered, self._settings)
        await listener.start()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._servers, acks="all", enable_idempotence=True, linger_ms=0, **self._settings
        )
        try:
            await self._producer.start()
        except BaseException:
            await listener.stop()
            raise
        self._listener = listener
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sends what is in flight, and ends every wait with NotListening.

        Without Kafka it ends, too, 5 s after `closing_seconds` at the latest: whoever waits for a command that was not
        acknowledged by then gets NotPublished.
        """
        try:
            await end_producer(self._producer, self._closing_seconds)
        finally:
            await self._open().stop()

    async def publish(
        self,
        command: ClientCommand,
        *,
        key: UUID | str | None = None,
        command_id: UUID | None = None,
        correlation_id: str | None = None,
        reply_to: str | None = None,
        traceparent: str | None = None,
    ) -> UUID:
        """Send a command to its topic and return its id once Kafka has it.

        `key` is the command's own; OpenSlot and CloseSlot need the provider's id. `command_id` is new unless given: to
        send again what was not answered, give the first one. Raises KeyRequired, NotPublished, NotListening.
        """
        listener = self._open()
        listener.assert_listening()
        envelope = asking(
            command,
            source=self._source,
            key=key,
            command_id=command_id,
            correlation_id=correlation_id,
            reply_to=reply_to,
            traceparent=traceparent,
        )
        identity = envelope.id
        listener.replies.expect(identity)
        try:
            await self._producer.send_and_wait(
                topic_of(command), envelope.body, key=envelope.key.encode(), headers=envelope.headers()
            )
        except KafkaError as error:
            raise NotPublished(identity, error) from error
        return identity

    async def reply(self, command_id: UUID, timeout_seconds: float = 10.0) -> Reply:
        """The reply to a command, also one that somebody else published while this client was open. Raises NoReply."""
        listener = self._open()
        try:
            async with asyncio.timeout(timeout_seconds):
                received = await listener.replies.wait(command_id)
        except TimeoutError:
            raise NoReply(command_id, timeout_seconds) from None
        body = received.body()
        if not isinstance(body, Reply):
            raise TypeError(f"{received.envelope.type} on {received.topic} is no reply that this version knows")
        return body

    @overload
    async def ask(
        self,
        command: BookingCommand,
        *,
        key: UUID | str | None = None,
        command_id: UUID | None = None,
        correlation_id: str | None = None,
        timeout_seconds: float = 10.0,
    ) -> BookingReply: ...

    @overload
    async def ask(
        self,
        command: WalletCommand,
        *,
        key: UUID | str | None = None,
        command_id: UUID | None = None,
        correlation_id: str | None = None,
        timeout_seconds: float = 10.0,
    ) -> WalletReply: ...

    async def ask(
        self,
        command: ClientCommand,
        *,
        key: UUID | str | None = None,
        command_id: UUID | None = None,
        correlation_id: str | None = None,
        timeout_seconds: float = 10.0,
    ) -> Reply:
        """Publish a command and await its reply. Raises what publish() and reply() raise."""
        identity = await self.publish(command, key=key, command_id=command_id, correlation_id=correlation_id)
        return await self.reply(identity, timeout_seconds)

    async def outcome(
        self, booking_id: UUID | str, event_type: type[EventT], *others: type[EventT], timeout_seconds: float = 10.0
    ) -> EventT:
        """The first event of these types for a booking (or waitlist entry) since the client was opened.

        It answers at once if the event was heard already. A parent stands for its children: BookingEvent is any event
        of a booking. Raises NoOutcome, which tells what was heard instead.
        """
        listener, key, awaited = self._open(), str(booking_id), (event_type, *others)
        names = frozenset(name for name, message in BY_TYPE.items() if issubclass(message, awaited))
        try:
            async with asyncio.timeout(timeout_seconds):
                received = await listener.events.wait(key, names)
        except TimeoutError:
            seen = [received.envelope.type for received in self.received(key)]
            raise NoOutcome(key, [one.__name__ for one in awaited], seen, timeout_seconds) from None
        body = received.body()
        assert isinstance(body, awaited)
        return body

    def events(self, booking_id: UUID | str) -> list[Event]:
        """The events of a booking (or waitlist entry) heard so far, in order; without types unknown to this version."""
        return [body for received in self.received(booking_id) if (body := received.body()) is not None]

    def received(self, booking_id: UUID | str) -> tuple[Received, ...]:
        """The same with their envelopes (id, sequence, correlation), and with types this version does not know."""
        return self._open().events.of(str(booking_id))

    def heard(self) -> list[Received]:
        """All that is remembered of the followed topics, replies aside, by the time that it carries."""
        return self._open().events.all()

    def forget(self) -> None:
        """What was heard so far of the followed topics, replies aside: only what comes from now on counts."""
        self._open().events.forget()

    def _open(self) -> Listener:
        if self._listener is None:
            raise NotListening("it was not started: use `async with BookingClient(…) as client`")
        return self._listener


def asking(
    command: ClientCommand,
    *,
    source: str,
    key: UUID | str | None = None,
    command_id: UUID | None = None,
    correlation_id: str | None = None,
    reply_to: str | None = None,
    traceparent: str | None = None,
) -> Envelope:
    """A command as it goes to Kafka; its id is new unless given. Raises KeyRequired.

    It says what its maker has said: a field that was left out has the default of the service that reads it, and is no
    unknown field to one that is older than this client.
    """
    identity = command_id or uuid7()
    return Envelope(
        id=identity,
        type=command.ce_type,
        source=source,
        key=_key(command, key),
        time=datetime.now(UTC),
        body=command.model_dump_json(by_alias=True, exclude_none=True, exclude_unset=True).encode(),
        correlation_id=correlation_id or str(identity),
        reply_to=reply_to,
        traceparent=traceparent,
    )


def topic_of(command: ClientCommand) -> str:
    """Where a command belongs: those of an admin have a topic of their own, with its own ACL."""
    if isinstance(command, BookingCommand) and command.actor.kind == "admin":
        return BOOKING_ADMIN_COMMANDS.name
    return command.topic


def _key(command: ClientCommand, given: UUID | str | None) -> str:
    if given is not None:
        return str(given)
    if command.key_field not in type(command).model_fields:
        raise KeyRequired(command.ce_type, command.key_field)
    return command.key
