"""How tests look at what the reads of a booking find."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from services.booking.model.states import State
from services.chassis.database import Address
from services.operations.console.databases import Databases
from services.operations.console.reads.booking import Shown
from services.operations.console.reads.timeline.marks import Kind, Mark
from services.operations.databases import DATABASES
from tests.console.three_services import ThreeServices
from tests.operations.test_bookingctl import letter

PEOPLE = ("Bob", "bob@", "Ann", "ann@")
"""Parts of all names and addresses in these tests."""


def named(env: dict[str, str], **other: str) -> Databases:
    urls = {name: env[f"{name.upper()}_DATABASE_URL"] for name in DATABASES} | other
    return Databases({name: Address(url) for name, url in urls.items()})


def drawn(shown: Shown, *kinds: Kind) -> list[str]:
    return [f"{mark.sender} → {mark.hearer}: {mark.label}" for mark in of(shown, *kinds)]


def of(shown: Shown, *kinds: Kind) -> list[Mark]:
    return [mark for mark in shown.timeline.past if mark.kind in kinds]


def states(shown: Shown) -> list[State]:
    return [stay.state for stay in shown.stays]


def personal(text: str, parts: Iterable[str] = PEOPLE) -> list[str]:
    return [part for part in parts if part in text]


async def letter_about(town: ThreeServices, booking_id: UUID) -> UUID:
    return await letter(town.notifications.session.url, "notifications", key=str(booking_id))
