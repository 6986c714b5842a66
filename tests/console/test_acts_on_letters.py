"""Dead letters in the console: shown without what is personal, redriven, discarded; refused where they are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.envelope import uuid7
from booking_contracts.rights import SERVICES

from services.chassis import blocked_keys, dead_letters
from services.chassis.database import Connection, connect
from services.chassis.dead_letters import Failed
from services.chassis.messages import Message, Origin, Raw
from services.chassis.service import PlanChanged
from services.operations.console.acts.dead_letters import DISCARDED, REDRIVEN, Discard, Redrive
from tests.console.acting import WHY, Operations, dialog, do, kept, operations, otto, refused, told_by
from tests.console.conftest import Visit, Visitor, named

__all__ = ["operations", "otto"]
pytestmark = pytest.mark.requirement("console", "operations-cli")


@pytest.fixture
async def booking(databases: dict[str, str]) -> AsyncIterator[Connection]:
    """Booking's database without a letter."""
    connection = await emptied(databases, "booking")
    yield connection
    await connection.close()


async def emptied(databases: dict[str, str], service: str) -> Connection:
    connection = await connect(databases[f"{service.upper()}_DATABASE_URL"], "test")
    for table in ("local_message", "blocked_key", "dead_letter", "outbox"):
        await connection.execute(f"DELETE FROM {table}")
    return connection


async def plant(connection: Connection, service: str, count: int = 1, error: str = "planted") -> list[UUID]:
    """Failed timers, each of a key of its own; their letters."""
    kind = import_module(f"services.{service}.app").SERVICE.local_types[0]
    failed = []
    for _ in range(count):
        row = uuid7()
        headers = [("ce_id", str(row)), ("ce_correlationid", "c")]
        raw = Raw(kind, 0, row.int & (1 << 62) - 1, str(row).encode(), headers, b'{"secret": "of a customer"}')
        message: Message[Any] = Message(row, kind, str(row), None, Origin.LOCAL, raw, "c")
        failed.append(Failed(message, f"Traceback\n\nValueError: {error}"))
    await dead_letters.set_aside_failed(connection, failed)
    rows = await connection.fetch("SELECT id FROM dead_letter WHERE error LIKE $1 ORDER BY created_at, id", f"%{error}")
    return [row["id"] for row in rows]


async def status(connection: Connection, letter: UUID) -> str:
    found: str = await connection.fetchval("SELECT status FROM dead_letter WHERE id = $1", letter)
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_letters_of_every_service_are_redriven_and_discarded(
    otto: Visitor, databases: dict[str, str], operations: Operations[asyncpg.Record], service: str
) -> None:
    connection = await emptied(databases, service)
    first, second = await plant(connection, service, 2)
    of: dict[str, Any] = {"service": service, "letter_id": first}
    assert "handled again" in await otto.shown(dialog("letter-redrive", **of))
    assert "redriven" in await do(otto, "letter-redrive", **of)
    assert await status(connection, first) == "redriven"
    assert "put off" in await do(otto, "letter-discard", service=service, letter_id=second)
    assert await status(connection, second) == "discarded"
    assert await kept(operations, first) == [("otto", "letter-redrive", service, WHY, "redriven")]
    assert "was redriven already" in await otto.shown(dialog("letter-redrive", **of), status=409)
    for path in (f"/letters/{service}/{first}", f"/letters?service={service}&every=1"):
        assert told_by(await otto.shown(path), "otto", "letter-redrive", WHY, "redriven"), path
    await connection.close()


async def test_a_letters_page_says_who_did_what_and_why_and_is_there_without_the_log(
    otto: Visitor, visit: Visit, databases: dict[str, str], booking: Connection
) -> None:
    (letter,) = await plant(booking, "booking")
    path = f"/letters/booking/{letter}"
    assert "What operators did about it: none." in await otto.shown(path)
    batch = await asyncpg.connect(databases["BOOKING_DATABASE_URL"])
    async with batch.transaction():
        await batch.execute("SELECT FROM blocked_key FOR UPDATE")
        await do(otto, "letter-redrive", status=409, service="booking", letter_id=letter)
    await batch.close()
    await do(otto, "letter-discard", service="booking", letter_id=letter)
    page = await (await visit("vera", databases=named(databases))).shown(path)
    assert told_by(page, "otto", "letter-redrive", WHY, "not done: a batch holds these rows")
    assert told_by(page, "otto", "letter-discard", WHY, "put off")
    page = await otto.shown("/letters?service=booking&every=1")
    assert page.index("letter-discard:") < page.index("and before that") < page.index("letter-redrive:")
    away = named({**databases, "OPERATIONS_DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/operations"})
    page = await (await visit("otto", databases=away)).shown(path)
    assert "The database of operations does not answer." in page
    assert "ValueError: planted" in page


def test_that_more_wait_behind_a_letter_makes_it_no_other_plan() -> None:
    for act, effect in ((Redrive, REDRIVEN), (Discard, DISCARDED)):
        asked = act(service="booking", letter_id=uuid4())
        asked.agreed(effect["failed"].format(behind=1), effect["failed"].format(behind=20))
        with pytest.raises(PlanChanged):
            asked.agreed(effect["failed"].format(behind=1), effect["unread"])


async def test_for_good_drops_a_timer(otto: Visitor, booking: Connection) -> None:
    (letter,) = await plant(booking, "booking")
    page = await otto.shown(dialog("letter-discard", service="booking", letter_id=letter))
    assert "you see to what waits for them yourself" in page
    await do(otto, "letter-discard", service="booking", letter_id=letter, asked={"for_good": "true"})
    assert await booking.fetch("SELECT FROM local_message") == []


async def test_a_letter_that_a_batch_holds_is_a_sentence(
    otto: Visitor, booking: Connection, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    (letter,) = await plant(booking, "booking")
    batch = await asyncpg.connect(databases["BOOKING_DATABASE_URL"])
    async with batch.transaction():
        await batch.execute("SELECT FROM blocked_key FOR UPDATE")
        said = await do(otto, "letter-redrive", status=409, service="booking", letter_id=letter)
        assert "a batch holds these rows" in said
    await batch.close()
    assert await status(booking, letter) == "open"
    ((*_, outcome),) = await kept(operations, letter)
    assert outcome.startswith("not done: a batch holds")


async def test_a_viewer_may_look_and_not_touch(visit: Visit, databases: dict[str, str], booking: Connection) -> None:
    (letter,) = await plant(booking, "booking")
    vera = await visit("vera", databases=named(databases))
    assert "planted" in await vera.shown("/letters?service=booking")
    for act in ("letter-redrive", "letter-discard"):
        await refused(vera, act, service="booking", letter_id=letter)
    for act in ("letters-redrive", "letters-discard"):
        await refused(vera, act, service="booking", kind="failed")
    assert await status(booking, letter) == "open"


async def test_the_list_counts_by_what_letters_have_in_common_and_its_filters_stand_in_the_address(
    otto: Visitor, booking: Connection
) -> None:
    many, (other,) = await plant(booking, "booking", 60), await plant(booking, "booking", error="of another kind")
    page = (await otto.shown("/letters?service=booking")).split("Blocked keys")[0]
    assert "<strong>61</strong>" in page
    assert "/acts/letters-redrive" not in page, "never everything there is"
    assert 'rel="next"' in page
    assert "of a customer" not in page
    narrow = (await otto.shown("/letters?service=booking&error=another")).split("Blocked keys")[0]
    assert (str(other) in narrow, str(many[0]) in narrow) == (True, False)
    assert "/acts/letters-redrive" in narrow
    assert "is no time" in await otto.shown("/letters?service=booking&before=noon", status=400)
    assert "There is no kind" in await otto.shown("/letters?service=booking&kind=lost", status=400)
    assert "There is no service" in await otto.shown("/letters?service=shipping", status=404)
    next_page = page.split('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert str(other) in (await otto.shown(next_page)).split("Blocked keys")[0]


async def test_one_letter_shows_no_body_but_to_who_may_see_people(
    otto: Visitor, visit: Visit, databases: dict[str, str], booking: Connection, operations: Operations[asyncpg.Record]
) -> None:
    (letter,) = await plant(booking, "booking")
    path = f"/letters/booking/{letter}"
    page = await otto.shown(path)
    assert "ValueError: planted" in page
    for address in (path, f"{path}?unmasked=1"):
        assert "of a customer" not in await otto.shown(address)
    pia = await visit("pia", databases=named(databases))
    assert "of a customer" not in await pia.shown(path)
    assert "of a customer" in await pia.shown(f"{path}?unmasked=1")
    looks = "SELECT operator FROM operator_log WHERE act = 'look' AND subject = $1"
    assert [row["operator"] for row in await operations.fetch(looks, f"letter {letter} of booking")] == ["pia"]
    for missing in (f"/letters/booking/{uuid4()}", "/letters/booking/none"):
        assert "no such dead letter" in await otto.shown(missing, status=404)


async def test_no_address_stands_in_what_went_wrong(
    otto: Visitor, visit: Visit, databases: dict[str, str], booking: Connection
) -> None:
    (letter,) = await plant(booking, "booking", error="nobody is reached by mallory@example.com there")
    for path in ("/letters?service=booking", f"/letters/booking/{letter}"):
        page = await otto.shown(path)
        assert "mallory" not in page
        assert "nobody is reached by ••• there" in page
    found = await otto.shown("/letters?service=booking&error=nobody+is+reached+by")
    assert str(letter) in found.split("Blocked keys")[0]
    pia = await visit("pia", databases=named(databases))
    assert "mallory@example.com" in await pia.shown(f"/letters/booking/{letter}?unmasked=1")


async def test_a_list_of_letters_reads_a_long_row_from_where_it_begins(otto: Visitor, booking: Connection) -> None:
    row = "x, " * 300
    error = f"NotNullViolationError: null in x\nDETAIL:  Failing row contains ({row}Anna Muster, +49 170 1).\n"
    await plant(booking, "booking", error=error)
    shown = await otto.shown("/letters?service=booking")
    assert "NotNullViolationError: null in x DETAIL:  Failing row contains •••" in shown
    assert "Muster" not in shown


async def test_keys_whose_messages_wait_are_shown_with_what_they_wait_for(otto: Visitor, booking: Connection) -> None:
    (letter,) = await plant(booking, "booking")
    async with booking.transaction():
        await blocked_keys.block(booking, ["stranded"])
    page = await otto.shown("/letters?service=booking")
    assert "stranded" in page
    assert f"/letters/booking/{letter}" in page.split("Blocked keys")[1]
    assert "stranded" in await otto.shown("/letters?service=booking&key=stranded")
    assert ">stranded<" not in await otto.shown("/letters?service=booking&key=other")
