"""Another team's handlers through its own KafkaBroker: in memory with its TestKafkaBroker, and on a real Kafka."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from booking_contracts import faststream
from booking_contracts.booking import (
    BookingConfirmed,
    BookingEvent,
    BookingExpired,
    CommandAccepted,
    OpenSlot,
    PlaceBooking,
)
from booking_contracts.client import BookingClient
from booking_contracts.client.errors import KeyRequired
from booking_contracts.envelope import Envelope, Event, uuid7
from booking_contracts.faststream import Bookings, publish
from booking_contracts.payments import PaymentCaptured
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import euros
from booking_contracts.testkit.sample_events import booking_event
from booking_contracts.testkit.told import told
from booking_contracts.topics import BOOKING_ADMIN_COMMANDS, BOOKING_COMMANDS, BOOKING_EVENTS
from faststream.kafka import KafkaBroker, TestKafkaBroker
from faststream.kafka.annotations import KafkaMessage

TestKafkaBroker.__test__ = False


async def tell(broker: KafkaBroker, event: Event, event_id: UUID | None = None) -> None:
    await publish(broker, event.topic, told(event, event_id=event_id))


def confirmed_event() -> BookingConfirmed:
    return booking_event(BookingConfirmed)


class Team:
    """A team with a handler of one type; what it was given."""

    def __init__(self, servers: str = "nowhere:9092") -> None:
        self.broker = KafkaBroker(servers, allow_auto_create_topics=False)
        self.bookings = Bookings(self.broker, group_id=f"team-{uuid7()}", source="/team")
        self.seen: list[tuple[BookingConfirmed, str]] = []
        self.fails_on: list[BookingConfirmed] = []
        self.came = asyncio.Event()
        team = self

        @self.bookings.on(BookingConfirmed)
        async def confirmed(event: BookingConfirmed, message: KafkaMessage) -> None:
            if event in team.fails_on:
                team.fails_on.remove(event)
                raise ConnectionError("the team's database is away")
            team.seen.append((event, message.message_id))
            team.came.set()

        self.confirmed = confirmed

    async def has_seen(self, event: BookingConfirmed) -> None:
        """Waits for it; a new group begins with what other tests wrote."""
        async with asyncio.timeout(60):
            while event not in [one for one, _ in self.seen]:
                self.came.clear()
                await self.came.wait()


@pytest.fixture
async def team() -> AsyncIterator[Team]:
    team = Team()
    async with TestKafkaBroker(team.broker):
        yield team


@pytest.mark.requirement("contracts")
async def test_a_handler_is_given_the_typed_event_and_its_id(team: Team) -> None:
    event, identity = confirmed_event(), uuid7()

    await tell(team.broker, event, event_id=identity)

    assert team.seen == [(event, str(identity))]
    team.confirmed.mock.assert_called_once_with(event)


@pytest.mark.requirement("contracts")
async def test_types_that_nobody_asked_for_or_nobody_knows_are_passed_over(team: Team) -> None:
    await tell(team.broker, booking_event(BookingExpired))
    await publish(team.broker, BOOKING_EVENTS.name, an_envelope(b"{}", type="booking.Unheard.v9"))

    assert team.seen == []


@pytest.mark.requirement("contracts", "bad-input")
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"customer": "secret"}', b"[" * 20_000])
async def test_what_cannot_be_read_is_passed_over_with_a_warning(
    team: Team, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    with caplog.at_level(logging.WARNING, faststream.__name__):
        await publish(team.broker, BOOKING_EVENTS.name, an_envelope(body))
        await tell(team.broker, confirmed_event())

    assert len(team.seen) == 1
    (line,) = [record.getMessage() for record in caplog.records if record.name == faststream.__name__]
    assert line.startswith("The record at booking.events/0/0 cannot be read")
    assert "secret" not in line


@pytest.mark.requirement("contracts")
async def test_every_topic_has_one_subscriber_and_a_parent_stands_for_its_children() -> None:
    broker = KafkaBroker()
    bookings = Bookings(broker, group_id="team", source="/team")
    seen: list[str] = []

    @bookings.on(BookingConfirmed)
    async def confirmed(event: BookingConfirmed) -> None:
        seen.append("confirmed")

    @bookings.on(BookingEvent)
    async def others(event: BookingEvent) -> None:
        seen.append(event.ce_type)

    @bookings.on(PaymentCaptured)
    async def captured(event: PaymentCaptured) -> None:
        seen.append("captured")

    @bookings.on(CommandAccepted)
    async def accepted(reply: CommandAccepted) -> None:
        seen.append("accepted")

    async with TestKafkaBroker(broker):
        await tell(broker, confirmed_event())
        await tell(broker, booking_event(BookingExpired))
        await tell(broker, PaymentCaptured(booking_id=uuid7(), payment_id=uuid7(), attempt=1, amount=euros(1)))
        await tell(broker, CommandAccepted(command_id=uuid7()))

    assert seen == ["confirmed", "booking.BookingExpired.v1", "captured", "accepted"]
    assert len(broker.subscribers) == 3


@pytest.mark.requirement("contracts")
async def test_a_handler_that_fails_gets_the_same_event_again(team: Team) -> None:
    """In memory the error is the test's; on Kafka the record comes again (below)."""
    event = confirmed_event()
    team.fails_on = [event]

    with pytest.raises(ConnectionError):
        await tell(team.broker, event)


@pytest.mark.requirement("contracts")
async def test_a_command_goes_to_its_topic_under_its_key() -> None:
    broker = KafkaBroker()
    got: list[Any] = []

    @broker.subscriber(BOOKING_COMMANDS.name, BOOKING_ADMIN_COMMANDS.name)
    async def service(body: Any, message: KafkaMessage) -> None:
        got.append(message.raw_message)

    bookings = Bookings(broker, group_id="team", source="/team")
    command = sample.place_booking()
    async with TestKafkaBroker(broker):
        identity = await bookings.send(command)
        await bookings.send(sample.register_provider())
        with pytest.raises(KeyRequired):
            await bookings.send(sample.open_slot())
        await bookings.send(sample.open_slot(), key=uuid7())

    first, admin, slot = got
    headers = dict(first.headers)
    assert (headers["ce_id"], headers["ce_type"]) == (str(identity).encode(), PlaceBooking.ce_type.encode())
    assert (headers["ce_source"], headers["content-type"]) == (b"/team", b"application/json")
    assert PlaceBooking.model_validate_json(first.value) == command
    assert (first.key, first.topic) == (command.key.encode(), BOOKING_COMMANDS.name)
    assert (admin.topic, dict(slot.headers)["ce_type"]) == (BOOKING_ADMIN_COMMANDS.name, OpenSlot.ce_type.encode())


def an_envelope(body: bytes, **changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "id": uuid7(),
        "type": BookingConfirmed.ce_type,
        "source": "/booking",
        "key": str(uuid7()),
        "time": datetime.now(UTC),
        "body": body,
        "correlation_id": "c",
    }
    return Envelope(**{**fields, **changes})


class Records:
    """Raw records on one partition, as no team of ours would write them."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, envelope: Envelope, *extra: tuple[str, bytes | None]) -> None:
        headers = [*envelope.headers(), *extra]
        await self._producer.send_and_wait(BOOKING_EVENTS.name, envelope.body, partition=3, key=b"k", headers=headers)


@pytest.mark.requirement("contracts", "bad-input", "ordering")
async def test_on_kafka_nothing_unreadable_stands_in_the_way_and_what_failed_comes_again(kafka: str) -> None:
    team, first, second = Team(kafka), confirmed_event(), confirmed_event()
    team.fails_on = [first]
    ids = uuid7(), uuid7()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        records = Records(producer)
        await records.send(an_envelope(b"{"))
        await records.send(told(first, event_id=ids[0]), ("x-binary", b"\xff\xfe"), ("x-null", None))
        await records.send(an_envelope(b"{}", type="booking.Unheard.v9"))
        await records.send(told(second, event_id=ids[1]))
    async with team.broker:
        await team.broker.start()
        await team.has_seen(second)

    ours = [(event, identity) for event, identity in team.seen if event in (first, second)]
    assert ours == [(first, str(ids[0])), (second, str(ids[1]))]
    assert team.fails_on == []


@pytest.mark.requirement("contracts")
async def test_on_kafka_what_an_aborted_transaction_wrote_is_not_heard(kafka: str) -> None:
    """Neither by a team's handler nor by a BookingClient."""
    team, kept, dropped = Team(kafka), confirmed_event(), confirmed_event()
    async with BookingClient(kafka, source="/team") as client:
        producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"t-{uuid7()}")
        async with producer:
            for event, commit in ((dropped, False), (kept, True)):
                await producer.begin_transaction()
                envelope = told(event)
                await producer.send_and_wait(
                    event.topic, envelope.body, partition=4, key=event.key.encode(), headers=envelope.headers()
                )
                await (producer.commit_transaction() if commit else producer.abort_transaction())
        async with team.broker:
            await team.broker.start()
            await team.has_seen(kept)

        assert await client.outcome(kept.booking_id, BookingConfirmed, timeout_seconds=20) == kept
        assert client.events(dropped.booking_id) == []
    assert dropped not in [event for event, _ in team.seen]
