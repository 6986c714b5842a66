"""What people find in their mailbox, on the real parts: in order, in time, in their zone, and nobody is forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts.booking import BookingConfirmed, CancelBooking, CloseSlot, JoinWaitlist, RescheduleBooking
from booking_contracts.testkit.people import customer, customer_actor
from booking_contracts.testkit.sample import register_provider
from booking_contracts.testkit.system import Studio, System
from booking_contracts.testkit.waiting import eventually

from tests.calm import calm


async def subjects(system: System, to: str) -> list[str]:
    return [mail["subject"].partition(":")[0] for mail in await system.mails(to)]


async def confirmed(system: System, studio: Studio, who: str) -> UUID:
    command = system.place(studio, who)
    await system.accepted(command)
    await system.client.outcome(command.booking_id, BookingConfirmed)
    await system.mail(f"{who}@example.com", "confirmed")
    return UUID(str(command.booking_id))


@pytest.mark.requirement("notify-people", "ordering")
async def test_letters_arrive_in_the_order_of_what_happened(system: System) -> None:
    studio = await system.studio(slots=3)
    booking_id = await confirmed(system, studio, "olga")
    faults = [{"kind": "temporary", "count": 6}]
    async with system.http.put(system.env["MAILBOX_URL"] + "/faults", json=faults) as response:
        assert response.status == 200, await response.text()
    move = RescheduleBooking(booking_id=booking_id, starts_at=studio.start(2), actor=customer_actor("olga"))
    await system.accepted(move)
    await asyncio.sleep(1.5)
    await system.accepted(CancelBooking(booking_id=booking_id, actor=customer_actor("olga")))
    await system.mail("olga@example.com", "cancelled", seconds=60)

    assert await subjects(system, "olga@example.com") == ["Confirmed", "New time", "Cancelled"]


@pytest.mark.requirement("notify-people")
async def test_who_pays_at_once_is_not_asked_to_and_who_does_not_is(system: System) -> None:
    studio = await system.studio(capacity=2)
    await confirmed(system, studio, "pia")
    await system.accepted(system.place(studio, "quin", payment=None))
    await calm(system.env, 15)  # the minute begins when notifications hears of it
    await system.clock.advance(minutes=1)
    await system.mail("quin@example.com", "seats held")

    assert await subjects(system, "pia@example.com") == ["Confirmed"]


@pytest.mark.requirement("notify-people")
async def test_after_an_outage_of_days_one_reminder_comes(system: System) -> None:
    studio = await system.studio(days_ahead=4)
    await confirmed(system, studio, "rosa-late")
    now = await system.clock.now()
    await system.clock.advance(seconds=int((studio.starts_at - timedelta(minutes=30) - now).total_seconds()))
    reminder = await system.mail("rosa-late@example.com", "reminder")
    link = reminder["headers"]["List-Unsubscribe"].strip(" <>")
    async with system.http.post(link, data={"List-Unsubscribe": "One-Click"}) as answer:
        assert answer.status == 200, await answer.text()
    await calm(system.env, 5)

    assert await subjects(system, "rosa-late@example.com") == ["Confirmed", "Reminder"]


@pytest.mark.requirement("notify-people")
async def test_a_provider_is_reminded_where_they_are_reached_today(system: System) -> None:
    studio = await system.studio(days_ahead=4)
    await confirmed(system, studio, "uma")
    moved = register_provider(provider_id=studio.provider_id, email="moved-away@example.com")
    await system.accepted(moved)
    await calm(system.env, 5)
    now = await system.clock.now()
    await system.clock.advance(seconds=int((studio.starts_at - timedelta(minutes=30) - now).total_seconds()))
    await system.mail("moved-away@example.com", "reminder")


@pytest.mark.requirement("notify-people", "status-updates", "waitlist-handling")
async def test_who_waits_is_told_in_the_zone_of_the_place_and_when_there_is_no_hope(system: System) -> None:
    studio = await system.studio()
    booking_id = await confirmed(system, studio, "sue")
    who = customer("tara-waits", email="tara-waits@example.com").model_copy(update={"timezone": None})
    there: dict[str, Any] = {"offering_id": studio.offering_id, "starts_at": studio.starts_at}
    await system.accepted(JoinWaitlist(entry_id=uuid4(), **there, customer=who, actor=customer_actor("tara-waits")))
    await system.accepted(CancelBooking(booking_id=booking_id, actor=customer_actor("sue")))
    offer = await system.mail("tara-waits@example.com", "a place is free")
    await system.accepted(CloseSlot(**there, actor=studio.actor), key=studio.provider_id)
    closed = await system.mail("tara-waits@example.com", "no longer offered")

    for mail in (offer, closed):
        assert "Europe/Berlin" in str(mail["text"])
        assert "UTC" not in str(mail["text"])

    async def told() -> list[str]:
        return await subjects(system, "tara-waits@example.com")

    await eventually("two letters", told, lambda found: found == ["A place is free", "No longer offered"])
