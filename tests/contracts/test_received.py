"""What a client remembers: duplicates count once, memory is bounded, nobody waits in vain."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from booking_contracts.booking import CommandAccepted, CommandRejected
from booking_contracts.client.booking_client import topic_of
from booking_contracts.client.errors import NoOutcome, NotListening
from booking_contracts.client.inbox import Events, Received, Replies
from booking_contracts.envelope import Envelope, uuid7
from booking_contracts.testkit import people, sample

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)


def event(kind: str, key: str = "booking-1", message_id: UUID | None = None) -> Received:
    envelope = Envelope(message_id or uuid7(), f"booking.{kind}.v1", "/booking", key, NOW, b"{}", "correlation")
    return Received("booking.events", envelope)


def reply(command_id: UUID, body: CommandAccepted | CommandRejected | None = None) -> Received:
    said = body or CommandAccepted(command_id=command_id)
    raw = said.model_dump_json().encode()
    envelope = Envelope(uuid7(), said.ce_type, "/booking", "key", NOW, raw, "correlation", str(command_id))
    return Received("booking.replies", envelope)


def kinds(events: tuple[Received, ...]) -> list[str]:
    return [one.envelope.type.split(".")[1] for one in events]


async def test_a_reply_is_found_whether_it_comes_before_or_after_the_question() -> None:
    replies, early, late = Replies(10), uuid7(), uuid7()
    replies.expect(early)
    replies.arrived(early, reply(early))

    waiting = asyncio.create_task(replies.wait(late))
    await asyncio.sleep(0)
    replies.arrived(late, reply(late))

    assert (await replies.wait(early)).envelope.causation_id == str(early)
    assert (await waiting).envelope.causation_id == str(late)
    assert isinstance((await replies.wait(early)).body(), CommandAccepted)


async def test_the_first_reply_counts() -> None:
    replies, command = Replies(10), uuid7()
    first, again = reply(command), reply(command)
    replies.expect(command)
    replies.arrived(command, first)
    replies.arrived(command, again)
    replies.expect(command)

    assert await replies.wait(command) is first


async def test_replies_of_others_are_bounded_and_do_not_push_out_own_ones() -> None:
    replies, own, others = Replies(3), uuid7(), [uuid7() for _ in range(10)]
    replies.expect(own)
    replies.arrived(own, reply(own))
    for other in others:
        replies.arrived(other, reply(other))

    assert (await replies.wait(own)).envelope.causation_id == str(own)
    assert (await replies.wait(others[-1])).envelope.causation_id == str(others[-1])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(replies.wait(others[0]), 0.01)


async def test_replies_to_own_commands_are_bounded_too() -> None:
    replies, commands = Replies(3), [uuid7() for _ in range(5)]
    for command in commands:
        replies.expect(command)
        replies.arrived(command, reply(command))

    assert await replies.wait(commands[-1])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(replies.wait(commands[0]), 0.01)


async def test_an_event_that_comes_again_counts_once_and_order_is_that_of_first_occurrences() -> None:
    events, placed = Events(10), event("BookingPlaced")
    for one in (placed, event("BookingConfirmed"), placed):
        events.arrived(one)

    assert kinds(events.of("booking-1")) == ["BookingPlaced", "BookingConfirmed"]


async def test_the_first_matching_event_answers_at_once_or_when_it_comes() -> None:
    events, awaited = Events(10), frozenset({"booking.BookingConfirmed.v1", "booking.PaymentFailed.v1"})
    waiting = asyncio.create_task(events.wait("booking-1", awaited))
    await asyncio.sleep(0)
    events.arrived(event("BookingConfirmed", key="booking-2"))
    events.arrived(event("BookingPlaced"))
    assert not waiting.done()
    events.arrived(event("PaymentFailed"))
    events.arrived(event("BookingConfirmed"))

    assert kinds((await waiting,)) == ["PaymentFailed"]
    assert kinds((await events.wait("booking-1", awaited),)) == ["PaymentFailed"]


async def test_the_oldest_events_are_forgotten_first() -> None:
    events = Events(3)
    for key in ("a", "b", "a", "c", "d"):
        events.arrived(event("BookingPlaced", key=key))

    assert sum(len(events.of(key)) for key in "abcd") == 3
    assert len(events.of("d")) == len(events.of("c")) == 1
    assert events.of("b") == ()


async def test_whoever_waits_when_the_client_ends_is_told_and_so_is_who_asks_later() -> None:
    replies, events = Replies(3), Events(3)
    waiting = [asyncio.create_task(replies.wait(uuid7())), asyncio.create_task(events.wait("a", frozenset({"x"})))]
    await asyncio.sleep(0)

    for kept in (replies, events):
        kept.fail(NotListening("it was closed"))

    for task in waiting:
        with pytest.raises(NotListening):
            await task
    with pytest.raises(NotListening):
        await replies.wait(uuid7())


def test_a_type_of_tomorrow_has_no_body() -> None:
    assert event("BookingTeleported").body() is None


def test_no_outcome_tells_what_was_heard_instead() -> None:
    told = str(NoOutcome("booking-1", ["BookingConfirmed"], ["booking.PaymentFailed.v1"], 10))

    assert "BookingConfirmed within 10 s; seen: booking.PaymentFailed.v1" in told


@pytest.mark.requirement("contracts")
def test_an_admin_publishes_on_the_admin_topic_and_nobody_else() -> None:
    assert topic_of(sample.resolve_dispute()) == "booking.admin-commands"
    assert topic_of(sample.cancel_booking(actor=people.ADMIN)) == "booking.admin-commands"
    assert topic_of(sample.cancel_booking()) == "booking.commands"
    assert topic_of(sample.define_offering()) == "booking.commands"
    assert topic_of(sample.top_up_wallet()) == "wallet.commands"
