"""Findings, the operators' log and saved views: pages on the operators' own database."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.console.conftest import Visit, hidden, named

pytestmark = pytest.mark.requirement("console")
SLOT = UUID(int=5)


@pytest.fixture
async def operations(databases: dict[str, str]) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The operators' database, empty, as a superuser."""
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/operations")
    await admin.execute(
        "SET session_replication_role = replica; TRUNCATE violation, operator_log, saved_view, job RESTART IDENTITY"
    )
    yield admin
    await admin.close()


async def find(operations: asyncpg.Connection[asyncpg.Record], kind: str, booking_id: UUID, gone: bool = False) -> UUID:
    found: UUID = await operations.fetchval(
        """
        INSERT INTO violation (kind, subject, booking_id, detail, ids, gone_at)
        VALUES ($1, $2, $3, 'does not add up', $4, CASE WHEN $5 THEN now() END) RETURNING violation_id
        """,
        kind,
        f"{kind} of {str(booking_id)[:8]}",
        booking_id,
        json.dumps({"slot_id": str(SLOT), "entry_id": str(uuid4()), "seats": [1, 2], "booking_id": str(booking_id)}),
        gone,
    )
    return found


async def test_findings_are_listed_by_kind_open_or_gone_and_about_a_booking(
    operations: asyncpg.Connection[asyncpg.Record], databases: dict[str, str], visit: Visit
) -> None:
    mine, other = uuid4(), uuid4()
    seat, cent = await find(operations, "seats", mine), await find(operations, "ledger", other)
    ended = await find(operations, "seats", mine, gone=True)
    vera = await visit("vera", databases=named(databases))

    async def shown(query: str) -> set[UUID]:
        page = await vera.shown(f"/findings{query}")
        return {one for one in (seat, cent, ended) if f"/findings/{one}" in page}

    assert await shown("") == {seat, cent}
    assert await shown("?kind=seats") == {seat}
    assert await shown("?gone=1") == {ended}
    assert await shown("?gone=1&kind=ledger") == set()
    assert await shown(f"?booking={mine}") == {seat, ended}
    page = await vera.shown(f"/findings/{seat}")
    assert f"/bookings/{mine}" in page
    assert f"/slots/{SLOT}" in page
    assert re.search(r"/search\?q=[0-9a-f-]{36}", page), "what else it names can be looked for"
    await vera.shown(f"/findings/{uuid4()}", status=404)
    await vera.shown("/findings/x", status=404)
    answer = await vera.get(f"/search?q={seat}")
    assert answer.headers["Location"] == f"/findings/{seat}"


async def test_a_check_that_cannot_look_stands_first_where_now_leads(
    operations: asyncpg.Connection[asyncpg.Record], databases: dict[str, str], visit: Visit
) -> None:
    await operations.execute("DELETE FROM audit_pass")
    vera = await visit("vera", databases=named(databases))
    assert "no check has begun yet" in await vera.shown("/findings")
    await operations.execute(
        """
        INSERT INTO audit_pass (name, began_at, ended_at, rows, problem) VALUES
        ('ledger', now() - interval '1 hour', now(), 1234, NULL), ('seats', now(), NULL, 0, 'booking does not answer')
        """
    )
    page = await vera.shown("/findings")
    assert "1,234" in page
    assert page.index("booking does not answer") < page.index("<td>ledger</td>"), "what cannot look stands first"
    await operations.execute("DELETE FROM audit_pass")


async def test_the_log_is_for_operators_and_each_filter_narrows_it(
    operations: asyncpg.Connection[asyncpg.Record], databases: dict[str, str], visit: Visit
) -> None:
    booking = uuid4()
    for who, act, subject, about in (
        ("otto", "saga-retry", "A", booking),
        ("otto", "look", "B", None),
        ("mona", "look", "C", booking),
    ):
        await operations.execute(
            "INSERT INTO operator_log (operator, act, subject, booking_id, reason) VALUES ($1, $2, $3, $4, $5)",
            *(who, act, f"subject {subject}", about, "a good reason"),
        )
    await (await visit("vera", databases=named(databases))).shown("/log", status=403)
    otto = await visit("otto", databases=named(databases))

    async def shown(query: str) -> str:
        return "".join(re.findall(r"subject ([A-Z])\b", await otto.shown(f"/log{query}")))

    assert await shown("") == "CBA"
    assert await shown("?operator=otto") == "BA"
    assert await shown("?operator=otto&act=look") == "B"
    assert await shown(f"?booking={booking}&act=look") == "C"
    assert await shown("?from=2199-01-01T00:00&act=look") == ""
    assert await shown("?to=2199-01-01T00:00&from=2020-01-01T00:00&operator=mona") == "C"
    assert "not known" in await otto.shown("/log")


async def test_an_older_row_of_the_log_shows_nobody_either(
    operations: asyncpg.Connection[asyncpg.Record], databases: dict[str, str], visit: Visit
) -> None:
    await operations.execute(
        """
        INSERT INTO operator_log (operator, act, subject, reason, asked, outcome, ended_at)
        VALUES ('otto', 'letters-redrive', 'letters of booking: error of mallory@example.com', 'mallory@example.com',
                '{"error": "of mallory@example.com", "for_good": false}', 'not done: of mallory@example.com', now())
        """
    )
    page = await (await visit("otto", databases=named(databases))).shown("/log")
    assert "mallory" not in page
    assert "error of •••" in page
    assert "&#34;error&#34;: &#34;of •••&#34;" in page


@pytest.mark.parametrize("prefix", ["", "/console"])
async def test_a_view_is_saved_opened_and_deleted_by_who_it_is_of(
    operations: asyncpg.Connection[asyncpg.Record], databases: dict[str, str], visit: Visit, prefix: str
) -> None:
    vera = await visit("vera", databases=named(databases), console_prefix=prefix, console_read_only=True)
    list_ = "/bookings?customer=bob&state=EXPIRED,CONFIRMED&order=newest"
    await vera.sent(list_, "/views", status=303, name="Bob's")
    (kept,) = await operations.fetch("SELECT view_id, operator, name, path FROM saved_view")
    assert (kept["operator"], kept["name"]) == ("vera", "Bob's")
    assert kept["path"].startswith("/bookings?customer=bob&state=EXPIRED%2CCONFIRMED"), "prefixes change, views stay"
    page = await vera.shown("/views")
    assert f'href="{prefix}{kept["path"].replace("&", "&amp;")}"' in page
    assert "EXPIRED" in await vera.shown(kept["path"])
    await vera.sent("/bookings?state=EXPIRED", "/views", status=303, name="Bob's")
    assert await operations.fetchval("SELECT path FROM saved_view") == "/bookings?state=EXPIRED", "replaced"
    await vera.sent(list_, "/views", status=400, name=" ")
    for path in ("//evil.example/", "https://evil.example", f"{prefix}//evil.example"):
        form = {**hidden(page), "name": "x", "path": path}
        assert (await vera.post("/views", form)).status == 400, path
    assert (await vera.post("/views", {"name": "x", "path": f"{prefix}/bookings"})).status == 403, "without its secret"
    otto = await visit("otto", databases=named(databases), console_prefix=prefix)
    assert "Bob" not in await otto.shown("/views")
    delete = f"/views/{kept['view_id']}/delete"
    await otto.sent("/bookings", delete, status=303)
    assert await operations.fetchval("SELECT count(*) FROM saved_view") == 1, "not theirs"
    await vera.sent("/views", delete, status=303)
    assert await operations.fetchval("SELECT count(*) FROM saved_view") == 0
