"""An operator has a letter sent again: the same delivery and Message-ID, to where its reader is reached now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.booking import BookingConfirmed, ProviderRegistered

from services.chassis.operator import NotPossible
from services.notifications import operator
from services.notifications.sender import Mail, Outcome, Refused, Sent
from tests.chassis.harness import Engine
from tests.notifications.builders import BOOKING_ID, CUSTOMER_EMAIL, PROVIDER_EMAIL, an, received
from tests.notifications.test_database import post, record

pytestmark = pytest.mark.requirement("operations-cli", "notify-once")
NEW = "new@example.org"


@dataclass
class Server:
    """A mail server that takes letters, but for those to `unknown`."""

    unknown: set[str] = field(default_factory=set)
    mails: list[EmailMessage] = field(default_factory=list)

    async def send(self, mail: Mail) -> Outcome:
        if mail.recipient in self.unknown:
            return Refused("550 no such user")
        self.mails.append(received(mail))
        return Sent()

    def sent_to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address in str(mail["To"])]


async def go(engine: Engine, server: Server) -> None:
    await engine.run(*await post(engine, server))


async def letter_to(engine: Engine, recipient: str) -> UUID:
    (row,) = await engine.fetch("SELECT delivery_id FROM delivery WHERE recipient = $1", recipient)
    found: UUID = row["delivery_id"]
    return found


async def again(engine: Engine, delivery: UUID) -> str:
    return await operator.send_again(await engine.session.connection(), engine.clock, delivery)


async def state(engine: Engine, delivery: UUID) -> tuple[str, str, str | None]:
    (row,) = await engine.fetch("SELECT recipient, state, reason FROM delivery WHERE delivery_id = $1", delivery)
    return row["recipient"], row["state"], row["reason"]


async def outcomes(engine: Engine, recipient: str) -> list[str]:
    told = [row for row in await engine.sent() if row.body.get("recipient") == recipient]
    return [row.type.split(".")[1] for row in told]


async def test_a_letter_that_failed_goes_again_and_has_another_outcome(engine: Engine) -> None:
    server = Server(unknown={CUSTOMER_EMAIL})
    await engine.run(record(engine, an(BookingConfirmed)))
    await go(engine, server)
    letter = await letter_to(engine, CUSTOMER_EMAIL)
    connection = await engine.session.connection()
    assert [row["delivery_id"] for row in await operator.failed(connection, most=9)] == [letter]
    assert (await state(engine, letter))[1:] == ("failed", "550 no such user")

    server.unknown.clear()
    assert "is sent again" in await again(engine, letter)
    assert await state(engine, letter) == (CUSTOMER_EMAIL, "pending", None)
    await go(engine, server)

    assert await state(engine, letter) == (CUSTOMER_EMAIL, "succeeded", None)
    assert str(letter) in str(server.sent_to(CUSTOMER_EMAIL)[0]["Message-ID"])
    assert await outcomes(engine, CUSTOMER_EMAIL) == ["DeliveryFailed", "DeliverySucceeded"]
    assert await operator.failed(connection, most=9) == []


async def test_one_that_was_taken_goes_again_and_stays_taken(engine: Engine) -> None:
    server = Server()
    await engine.run(record(engine, an(BookingConfirmed)))
    await go(engine, server)
    letter = await letter_to(engine, CUSTOMER_EMAIL)
    await again(engine, letter)
    with pytest.raises(NotPossible, match="on its way"):
        await again(engine, letter)
    await go(engine, server)

    first, second = server.sent_to(CUSTOMER_EMAIL)
    assert first["Message-ID"] == second["Message-ID"]
    assert await state(engine, letter) == (CUSTOMER_EMAIL, "succeeded", None)
    assert await outcomes(engine, CUSTOMER_EMAIL) == ["DeliverySucceeded"]


async def test_it_goes_to_where_its_reader_is_reached_now(engine: Engine) -> None:
    server = Server(unknown={PROVIDER_EMAIL})
    await engine.run(record(engine, an(BookingConfirmed)))
    await go(engine, server)
    letter = await letter_to(engine, PROVIDER_EMAIL)
    await engine.run(record(engine, an(ProviderRegistered, email=NEW)))

    await again(engine, letter)
    await go(engine, server)

    assert await state(engine, letter) == (NEW, "succeeded", None)
    assert len(server.sent_to(NEW)) == 1


async def _waits(engine: Engine) -> None:
    await engine.fetch("UPDATE delivery SET state = 'pending', settled_at = NULL, reason = NULL")


async def _not_kept(engine: Engine) -> None:
    await engine.fetch("DELETE FROM gateway_call")


async def _late(engine: Engine) -> None:
    until = (engine.clock.now() - timedelta(minutes=1)).isoformat()
    changed = "jsonb_set(parameters::jsonb, '{until}', to_jsonb($1::text))::text"
    await engine.fetch(f"UPDATE gateway_call SET parameters = {changed}", until)


async def _erased(engine: Engine) -> None:
    await engine.fetch("UPDATE known_booking SET body = NULL")


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [(_waits, "on its way"), (_not_kept, "not kept any more"), (_late, "was of use until"), (_erased, "is erased")],
)
async def test_what_cannot_go_again_says_why_and_stays(
    engine: Engine, meanwhile: Callable[[Engine], Awaitable[None]], said: str
) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    await go(engine, Server(unknown={CUSTOMER_EMAIL, PROVIDER_EMAIL}))
    letter = await letter_to(engine, CUSTOMER_EMAIL)
    await meanwhile(engine)
    before = await state(engine, letter)
    with pytest.raises(NotPossible, match=said):
        await again(engine, letter)
    assert await state(engine, letter) == before
    assert await engine.fetch("SELECT FROM gateway_call WHERE state = 'open'") == []
    with pytest.raises(NotPossible, match="there is no letter"):
        await again(engine, uuid4())


async def test_the_database_lets_nothing_else_become_of_it(engine: Engine) -> None:
    await engine.run(record(engine, an(BookingConfirmed, booking_id=BOOKING_ID)))
    await go(engine, Server(unknown={CUSTOMER_EMAIL}))
    for state, change in (("failed", "'succeeded', reason = NULL"), ("succeeded", "'pending', settled_at = NULL")):
        with pytest.raises(asyncpg.CheckViolationError, match="for ever"):
            await engine.fetch(f"UPDATE delivery SET state = {change} WHERE state = '{state}'")
