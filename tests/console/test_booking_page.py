"""The page of a booking as a browser gets it (requirement console)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.operations.console.databases import Databases
from services.operations.console.reads.booking import booking_shown
from services.operations.console.reads.export import document
from services.operations.console.reads.raw import correlations, raws
from tests.console.conftest import Visit
from tests.console.reading import PEOPLE, letter_about, named, personal
from tests.console.three_services import ThreeServices, three_services
from tests.operations.conftest import Typed
from tests.operations.conftest import typed as typed

INLINE = re.compile(r"""\s(?:style|on\w+)=|<style|<script(?![^>]*\ssrc=)|javascript:""")
"""What the console's CSP does not let in."""
pytestmark = pytest.mark.requirement("console")


@pytest.fixture(scope="module")
async def town(databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ThreeServices]:
    async with three_services(databases, tmp_path_factory.mktemp("three")) as services:
        yield services


@pytest.fixture(scope="module")
async def cancelled(town: ThreeServices) -> UUID:
    booking_id = await town.placed()
    await town.cancelled(booking_id, reason="Bob is ill")
    await letter_about(town, booking_id)
    return booking_id


@pytest.fixture
def at_hand(databases: dict[str, str]) -> Databases:
    return named(databases)


@pytest.fixture
async def opened(at_hand: Databases) -> AsyncIterator[Databases]:
    """For reads without a page."""
    async with at_hand.opened("test"):
        yield at_hand


def rows(page: str, caption: str) -> int:
    """How many rows the table with this caption has."""
    (table,) = re.findall(rf"<caption>{caption}</caption>(.*?)</table>", page, re.DOTALL)
    return len(re.findall(r"<tr>", table)) - 1


async def test_a_booking_on_one_page(visit: Visit, at_hand: Databases, cancelled: UUID) -> None:
    page = await (await visit("vera", databases=at_hand)).shown(f"/bookings/{cancelled}")
    assert INLINE.findall(page) == []
    assert re.findall(r"<th[^>]*></th>", page) == [], "a column without a name says nothing to who hears it"
    levels = [int(level) for level in re.findall(r"<h(\d)", page.partition("<dialog")[0])]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), "no heading is left out"
    assert len(set(ids := re.findall(r' id="([^"]+)"', page))) == len(ids)
    assert personal(page, (*PEOPLE, "is ill")) == []
    assert "CANCELLED_BY_CUSTOMER" in page
    assert "adds up" in page
    assert "does not add up" not in page
    for text in ("authorize", "capture", "refund", "PlaceBooking", "CancelBooking", "CommandAccepted"):
        assert re.search(rf"<text [^>]*>{text}[^<]*</text>", page), f"{text} is drawn"
    drawn = page.count('<text class="at"')
    assert rows(page, "What happened") == drawn > 15, "the table has what the picture has"
    assert page.count("way taken") == 2
    assert rows(page, "Letters") == 4
    assert "Notifications has blocked its messages" in page


async def test_who_may_see_people_sees_them_and_that_they_looked_is_kept(
    visit: Visit, at_hand: Databases, cancelled: UUID, databases: dict[str, str]
) -> None:
    pia = await visit("pia", databases=at_hand)
    assert personal(await pia.shown(f"/bookings/{cancelled}")) == []
    page = await pia.shown(f"/bookings/{cancelled}?unmasked=1")
    assert personal(page, ("Bob", "bob@example.com", "Ann", "Bob is ill", "of a customer")) == [
        "Bob",
        "bob@example.com",
        "Ann",
        "Bob is ill",
        "of a customer",
    ]
    assert "Piano lesson" in page.partition('id="told"')[2], "letters as they were sent"
    again = await pia.shown(f"/bookings/{cancelled}")
    assert "<td>pia</td><td>look</td>" in again
    vera = await visit("vera", databases=at_hand)
    assert personal(await vera.shown(f"/bookings/{cancelled}?unmasked=1")) == []


async def test_the_same_as_json(visit: Visit, at_hand: Databases, cancelled: UUID) -> None:
    pia = await visit("pia", databases=at_hand)
    answer = await pia.get(f"/bookings/{cancelled}.json")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="booking-{cancelled}.json"'
    found = await answer.json()
    assert (found["booking_id"], found["unmasked"]) == (str(cancelled), False)
    assert personal(await answer.text(), (*PEOPLE, "is ill", "of a customer")) == []
    assert found["ledger"]["in_all"] == {"EUR": 0}
    shown = await (await pia.get(f"/bookings/{cancelled}.json?unmasked=1")).json()
    assert shown["booking"]["customer_email"] == "bob@example.com"
    assert shown["timeline"] == found["timeline"] or len(shown["timeline"]) == len(found["timeline"])


async def test_links_lead_to_what_is_known_of_it_elsewhere(visit: Visit, at_hand: Databases, cancelled: UUID) -> None:
    links = {
        "Stripe": "https://stripe.example/{stripe_id}",
        "Logs": "https://logs.example/?q={correlation_id}",
        "Trace": "https://traces.example/{trace_id}",
        "Board": "https://board.example/",
    }
    page = await (await visit("vera", databases=at_hand, console_links=links)).shown(f"/bookings/{cancelled}")
    assert len(re.findall(r'href="https://stripe.example/pi_\w+"', page)) == 1
    assert len(re.findall(r'href="https://logs.example/\?q=[0-9a-f-]{36}"', page)) == 2
    assert "traces.example" not in page, "no trace of it was kept"
    assert page.count('href="https://board.example/"') == 1


async def test_what_nobody_has_heard_of_is_not_found(visit: Visit, at_hand: Databases) -> None:
    vera = await visit("vera", databases=at_hand)
    assert "No service has heard of" in await vera.shown(f"/bookings/{uuid4()}", 404)
    assert "nothing at this address" in await vera.shown("/bookings/4711", 404)


async def test_a_database_that_is_away_is_a_sentence(visit: Visit, databases: dict[str, str], cancelled: UUID) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/x"
    vera = await visit("vera", databases=named(databases, notifications=nowhere))
    page = await vera.shown(f"/bookings/{cancelled}")
    assert "The database of notifications does not answer: its part is missing here." in page
    assert "adds up" in page
    vera = await visit("vera", databases=named(databases, **dict.fromkeys(("booking", "payments"), nowhere)))
    assert "do not all answer" in await vera.shown(f"/bookings/{uuid4()}", 503)


async def test_nobody_is_named_in_what_is_exported_masked(town: ThreeServices, opened: Databases) -> None:
    booking_id = await town.placed("gerd", 5)
    await town.cancelled(booking_id, "gerd", "Bob is ill")
    await letter_about(town, booking_id)
    shown = await booking_shown(opened, booking_id)
    masked = json.dumps(document(shown, unmasked=False), default=str)
    assert personal(masked, (*PEOPLE, "gerd@", "is ill", "of a customer")) == []
    found = document(shown, unmasked=True)
    for part in ("Bob", "gerd@example.com", "Ann", "Bob is ill", "of a customer"):
        assert part in json.dumps(found, default=str), f"{part} is there for who may see it"
    assert {letter["subject"] is None for letter in found["letters"]} == {False}
    assert found["correlation_ids"] == correlations(shown)
    assert len(correlations(shown)) >= 2, "of the placing and of the cancellation"
    assert {raw.personal for raw in raws(shown)} == {True, False}


@pytest.mark.requirement("operations-cli")
async def test_bookingctl_shows_on_one_screen_what_the_page_shows(
    town: ThreeServices, opened: Databases, databases: dict[str, str], typed: Typed
) -> None:
    booking_id = await town.placed("jana", 3)
    printed = await typed("booking show", booking_id, "--json")
    found = document(await booking_shown(opened, booking_id), unmasked=False)
    assert json.loads(printed) == json.loads(json.dumps(found, default=str))
    screen = await typed("booking show", booking_id)
    for text in (
        "CONFIRMED",
        "PlaceBooking",
        "BookingConfirmed",
        "authorize",
        f"escrow:{booking_id}",
        "posted: capture",
    ):
        assert text in screen
    assert personal(screen) == []
    assert "jana@example.com" in await typed("booking show", booking_id, "--unmasked")
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    await connection.execute(
        "INSERT INTO operator_log (operator, act, subject, reason) VALUES ('mia', 'mail-send-again', $1, 'lost')",
        str(found["letters"][0]["delivery_id"]),
    )
    await connection.close()
    assert {"mia", "mail-send-again", "lost"} <= set((await typed("booking show", booking_id)).split())
    lines = json.loads(await typed("payments statement", booking_id, "--json"))
    assert [line["account"] for line in lines] == [entry["account"] for entry in found["ledger"]["entries"]]
    assert sum(int(line["amount_minor"]) for line in lines) == 0
    assert "no service has heard" in await typed("booking show", uuid4(), code=1)
