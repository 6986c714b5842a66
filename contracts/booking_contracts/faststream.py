"""Typed events for a team that works with FastStream: through its own KafkaBroker. Needs the extra `faststream`.

broker = KafkaBroker("kafka:9092", allow_auto_create_topics=False)
bookings = Bookings(broker, group_id="my-team", source="/my-team")

@bookings.on(BookingConfirmed)
async def confirmed(event: BookingConfirmed, message: KafkaMessage) -> None: ...

await bookings.send(PlaceBooking(...))
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.call_wrapper import KafkaHandlerCallWrapper

from booking_contracts.client.booking_client import ClientCommand, asking, topic_of
from booking_contracts.envelope import Envelope, Event, read_envelope
from booking_contracts.registry import BY_TYPE
from booking_contracts.types import problem_of

LOG = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0
"""How long a record rests that comes again because its handler failed."""

EventT = TypeVar("EventT", bound=Event)
P = ParamSpec("P")
Handler = Callable[Concatenate[EventT, P], Awaitable[None]]
Registered = KafkaHandlerCallWrapper[Concatenate[EventT, P], Any]
_Parse = Callable[[Any], Awaitable[KafkaMessage]]


class Bookings:
    """Events as typed arguments of handlers, commands by `send`, on a broker that is the team's own.

    `group_id` is the team's consumer group, which begins with the oldest event that Kafka still has; `source` is its
    name in what it sends. One subscriber a topic, however many handlers. What a handler can expect:

    - It returns: the record is committed. It raises: the same record comes again, a second later, until it returns;
      what comes after it on the partition waits. To pass over a record on purpose raise FastStream's `AckMessage`.
    - Every event at least once: the same `ce_id`, here `message.message_id`, may come again.
    - Only what was committed by its Kafka transaction.
    - Types and fields that this version does not know are passed over in silence. So is, with a warning in the log of
      this module, a record that cannot be read: no record can stand in the way of the next.
    """

    def __init__(self, broker: KafkaBroker, *, group_id: str, source: str) -> None:
        self._broker, self._group_id, self._source = broker, group_id, source
        self._wanted: dict[str, list[type[Event]]] = {}
        self._subscribers: dict[str, Any] = {}
        self._latest: dict[tuple[str, int], tuple[int, str]] = {}

    def on(self, event: type[EventT]) -> Callable[[Handler[EventT, P]], Registered[EventT, P]]:
        """Registers a handler for a type, or for a parent of types: the first handler that fits takes an event.

        The result is what `@broker.subscriber` gives: a test finds `.mock` on it.
        """

        def register(handler: Handler[EventT, P]) -> Registered[EventT, P]:
            async def fits(message: Any) -> bool:
                return isinstance(message.raw_message.booking_event, event)

            found: Registered[EventT, P] = self._subscriber(event.topic)(handler, filter=fits)
            self._wanted[event.topic].append(event)
            return found

        return register

    async def send(
        self, command: ClientCommand, *, key: UUID | str | None = None, command_id: UUID | None = None
    ) -> UUID:
        """Publishes a command and returns its id; the reply comes on `booking.replies` or `wallet.replies`.

        OpenSlot and CloseSlot need `key`, the provider's id. To send again what may not have arrived, give the same
        `command_id`: it is handled once. Raises KeyRequired, and what `broker.publish` raises.
        """
        envelope = asking(command, source=self._source, key=key, command_id=command_id)
        await publish(self._broker, topic_of(command), envelope)
        return envelope.id

    def _subscriber(self, topic: str) -> Any:
        if topic not in self._subscribers:
            wanted = self._wanted.setdefault(topic, [])

            async def unwanted(message: Any) -> bool:
                return not isinstance(message.raw_message.booking_event, tuple(wanted))

            self._subscribers[topic] = self._broker.subscriber(
                topic,
                group_id=self._group_id,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                ack_policy=AckPolicy.NACK_ON_ERROR,
                no_reply=True,
                parser=self._parse,
                decoder=_decode,
            )
            self._subscribers[topic](_pass_over, filter=unwanted)
        return self._subscribers[topic]

    async def _parse(self, record: Any, parse: _Parse) -> KafkaMessage:
        """FastStream parses a record anew for each handler: what came of it is kept on the record."""
        if not hasattr(record, "booking_event"):
            record.booking_message, record.booking_event = await _parsed(record, parse), _read(record)
            place, this = (record.topic, record.partition), (record.offset, record.booking_message.message_id)
            if self._latest.get(place) == this:
                await asyncio.sleep(AGAIN_SECONDS)
            self._latest[place] = this
        found: KafkaMessage = record.booking_message
        return found


async def publish(broker: KafkaBroker, topic: str, envelope: Envelope) -> None:
    """Sends a message as the services do; on a TestKafkaBroker, hands it to the handlers."""
    headers = {name: value.decode() for name, value in envelope.headers()}
    await broker.publish(
        envelope.body, topic, key=envelope.key.encode(), headers=headers, correlation_id=envelope.correlation_id
    )


async def _parsed(record: Any, parse: _Parse) -> KafkaMessage:
    """FastStream's own parser fails on a header without a value, or that is not UTF-8: it sees none of these."""
    readable = [(name, (raw or b"").decode("utf-8", "replace").encode()) for name, raw in record.headers]
    message = await parse(replace(record, headers=readable))
    message.raw_message = record
    headers = {name.lower(): value for name, value in message.headers.items()}
    message.message_id = headers.get("ce_id", message.message_id)
    message.correlation_id = headers.get("ce_correlationid", message.correlation_id)
    return message


def _read(record: Any) -> Event | None:
    """The typed event; None for what is not known, or cannot be read."""
    try:
        envelope = read_envelope(record.key, record.value, record.headers, datetime.now(UTC))
        kind = BY_TYPE.get(envelope.type)
        return kind.model_validate_json(envelope.body) if kind and issubclass(kind, Event) else None
    except ValueError as error:
        where = f"{record.topic}/{record.partition}/{record.offset}"
        LOG.warning("The record at %s cannot be read and is passed over: %s", where, problem_of(error))
        return None


async def _decode(message: Any) -> Event | None:
    found: Event | None = message.raw_message.booking_event
    return found


async def _pass_over(_: Any) -> None:
    """Nobody asked for it."""
