"""The service beside the real booking system, which the testkit starts."""

import os
from pathlib import Path

import pytest
from booking_contracts.booking import BookingCompleted, BookingConfirmed, SessionCompleted
from booking_contracts.testkit.people import newcomer
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from loyalty.app import application
from loyalty.rewards import EVERY, REWARD

pytest_plugins = ["booking_contracts.testkit.plugin"]
pytestmark = pytest.mark.skipif(
    "BOOKING_CHECKOUT" not in os.environ, reason="BOOKING_CHECKOUT names no clone of the booking system to test with"
)


async def test_five_completed_bookings_fill_the_wallet(
    booking_system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", booking_system.env["KAFKA_BOOTSTRAP_SERVERS"])
    monkeypatch.setenv("LOYALTY_FILE", str(tmp_path / "done.sqlite3"))
    monkeypatch.setenv("LOYALTY_CARD", "pm_card_visa")
    loyalty = application().broker
    assert loyalty is not None
    ada = newcomer()

    async with loyalty:
        await loyalty.start()
        studio = await booking_system.studio(slots=EVERY)
        booked = [await booking_system.book(studio, ada, slot=number) for number in range(EVERY)]
        for days, told in ((0, BookingConfirmed), (6, SessionCompleted), (2, BookingCompleted)):
            await booking_system.advance(days=days)
            for one in booked:
                await booking_system.client.outcome(one.booking_id, told)
        _, wallet = await eventually(
            "the reward",
            lambda: booking_system.try_get("payments", f"/v1/wallets/{ada.id}"),
            lambda seen: bool(seen[1].get("balances")),
        )

    assert [balance["available"] for balance in wallet["balances"]] == [REWARD.model_dump()]
