"""The service in memory: neither Kafka nor the booking system runs."""

from pathlib import Path
from typing import Any

import pytest
from booking_contracts.booking import BookingCompleted, BookingConfirmed
from booking_contracts.faststream import Bookings, publish
from booking_contracts.payments import TopUpWallet
from booking_contracts.testkit.people import customer
from booking_contracts.testkit.sample_events import booking_event
from booking_contracts.testkit.told import told
from booking_contracts.topics import WALLET_COMMANDS
from faststream.kafka import KafkaBroker, TestKafkaBroker
from faststream.kafka.annotations import KafkaMessage

from loyalty.app import application
from loyalty.bookings_done import BookingsDone
from loyalty.rewards import EVERY, give_rewards, reward

CARD = "pm_of_the_programme"
Sent = list[tuple[str, TopUpWallet]]


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "done.sqlite3")


def a_service(file: str) -> tuple[KafkaBroker, Sent]:
    """The service on a broker, and the commands that it has sent, each with its id."""
    broker, sent = KafkaBroker(), Sent()
    give_rewards(Bookings(broker, group_id="loyalty", source="/loyalty"), BookingsDone(file), CARD)

    @broker.subscriber(WALLET_COMMANDS.name)
    async def payments(body: Any, message: KafkaMessage) -> None:
        sent.append((message.headers["ce_id"], TopUpWallet.model_validate_json(message.body)))

    return broker, sent


async def complete(broker: KafkaBroker, *customers: str) -> BookingCompleted:
    """A booking of each customer is completed, in turn; returns the last event."""
    for name in customers:
        event = booking_event(BookingCompleted, customer=customer(name))
        await publish(broker, event.topic, told(event))
    return event


async def test_the_fifth_booking_is_rewarded_and_the_tenth(file: str) -> None:
    broker, sent = a_service(file)
    async with TestKafkaBroker(broker):
        await complete(broker, *["ada"] * (EVERY - 1))
        assert sent == []
        await complete(broker, *["ada"] * (EVERY + 1))

    assert [command for _, command in sent] == [reward("ada", CARD)] * 2
    assert len({identity for identity, _ in sent}) == 2


async def test_customers_are_counted_apart(file: str) -> None:
    broker, sent = a_service(file)
    async with TestKafkaBroker(broker):
        await complete(broker, *["ada", "lin"] * (EVERY - 1), "lin")

    assert [command.customer_id for _, command in sent] == ["lin"]


async def test_an_event_that_comes_again_is_the_same_command_again(file: str) -> None:
    """Also after a restart, and when other bookings were completed meanwhile: the booking system acts on an id once."""
    broker, sent = a_service(file)
    async with TestKafkaBroker(broker):
        fifth = await complete(broker, *["ada"] * EVERY)
        await complete(broker, "ada", "ada")
    again, sent_again = a_service(file)
    async with TestKafkaBroker(again):
        await publish(again, fifth.topic, told(fifth))

    assert sent_again == sent
    assert len(sent) == 1


async def test_other_events_count_for_nothing(file: str) -> None:
    broker, sent = a_service(file)
    async with TestKafkaBroker(broker):
        for _ in range(EVERY):
            event = booking_event(BookingConfirmed)
            await publish(broker, event.topic, told(event))

    assert sent == []


def test_the_application_is_made_from_its_settings(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "LOYALTY_FILE": file, "LOYALTY_CARD": CARD}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    broker = application().broker
    assert broker is not None
    assert len(broker.subscribers) == 1
