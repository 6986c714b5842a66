"""One box for whatever somebody has in hand: one thing leads to its page, several are listed, nothing says where."""

from __future__ import annotations

import json
import uuid
from typing import Any

import asyncpg
import pytest
from booking_contracts.types import Attendee

from services.operations.console.reads.places import Hit, Kind
from services.operations.console.reads.search import merged, sought
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.console.conftest import Visit, Visitor, named

pytestmark = pytest.mark.requirement("console")
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        (" 0199d0c0-0000-7000-8000-000000000000 ", {"id", "opaque"}),
        (TRACE, {"id", "opaque", "trace"}),
        (f"00-{TRACE}-b7ad6b7169203331-01", {"opaque", "trace"}),
        ("pi_3Nabc", {"stripe", "opaque"}),
        ("bob@example.com", {"email", "opaque"}),
        ("Bob Müller@example.com", set()),
        ("bob müller", set()),
        ("müller@example.com", {"email"}),
        ("bob", {"opaque"}),
    ],
)
def test_a_text_is_looked_for_by_its_forms(text: str, forms: set[str]) -> None:
    found = sought(text)
    assert {name for name in ("id", "stripe", "opaque", "email", "trace") if getattr(found, name)} == forms
    assert found.trace in (None, TRACE)


def test_one_thing_that_is_found_twice_is_one() -> None:
    hits = [
        Hit(Kind.BOOKING, "7", by, "", service) for by, service in (("booking id", "booking"), ("call", "payments"))
    ]
    waits = Hit(Kind.MESSAGE, "7", "call", "", "payments")
    assert [(hit.id, hit.by) for hit in merged([*hits, waits, hits[0]])] == [("7", "booking id, call")]
    assert merged([waits]) == [waits]


async def leads_to(visitor: Visitor, text: object) -> str | None:
    """Where the browser is sent, without the console's prefix; None where a page is shown."""
    answer = await visitor.get("/search", params={"q": str(text)})
    assert answer.status in (200, 303), await answer.text()
    place = answer.headers.get("Location")
    return None if place is None else place.removeprefix(visitor.prefix)


async def test_whatever_names_one_thing_leads_to_its_page(
    engine: Engine, databases: dict[str, str], visit: Visit
) -> None:
    scene = await Scene(engine).open()
    one = await scene.confirmed("bob", attendee=Attendee(id="kim", name="Kim", email="kim@example.com"))
    vera = await visit("vera", databases=named(databases), console_prefix="/console")
    (row,) = await engine.fetch("SELECT slot_id, customer_id FROM booking")
    history = await engine.fetch("SELECT causation_id FROM booking_history")
    (letter,) = await engine.fetch(
        """
        INSERT INTO dead_letter (id, topic, partition, "offset", kind, message_id, error, headers, body)
        VALUES (uuidv7(), 'x', 0, 0, 'failed', uuidv7(), 'e', $1, '') RETURNING id, message_id
        """,
        json.dumps([["traceparent", f"00-{TRACE}-b7ad6b7169203331-01"], ["ce_correlationid", "cart-77"]]),
    )
    booking = f"/bookings/{one}"
    for text, place in (
        *((one, booking), (str(one).upper(), booking), ("kim", booking), ("bob", "/bookings?customer=bob")),
        *((cause["causation_id"], booking) for cause in history),
        (scene.provider_id, f"/week?provider={scene.provider_id}"),
        (scene.offering_id, f"/bookings?offering={scene.offering_id}"),
        (row["slot_id"], f"/slots/{row['slot_id']}"),
        *(
            (text, f"/letters/booking/{letter['id']}")
            for text in (letter["id"], letter["message_id"], TRACE, "cart-77")
        ),
    ):
        assert await leads_to(vera, text) == place, text


async def test_several_are_listed_and_nothing_says_where_it_was_looked_for(
    engine: Engine, databases: dict[str, str], visit: Visit
) -> None:
    scene = await Scene(engine).open(capacity=2)
    both = [await scene.confirmed(who, attendee=Attendee(id="kim", name="Kim")) for who in ("bob", "ann")]
    vera = await visit(
        "vera",
        databases=named(databases),
        console_links={"Traces": "https://traces.example/{trace_id}", "Stripe": "https://stripe.example/{stripe_id}"},
    )
    page = await vera.shown("/search?q=kim")
    assert all(f"/bookings/{one}" in page for one in both)
    assert "attendee id" in page
    nothing = await vera.shown(f"/search?q={TRACE}")
    assert "Nothing is called" in nothing
    for place in ("cancellation quote", "settlement", "webhook subscription", "finding", "headers of the last"):
        assert place in nothing
    assert f"https://traces.example/{TRACE}" in nothing
    assert "stripe.example" not in nothing
    assert "none of those" in await vera.shown("/search?q=bob+müller")
    assert "<script>" not in await vera.shown("/search", params={"q": "<script>alert(1)</script>"})
    assert "Look for" in await vera.shown("/search")


async def test_an_address_is_looked_for_by_who_may_see_people_and_the_look_is_kept(
    engine: Engine, databases: dict[str, str], visit: Visit
) -> None:
    scene = await Scene(engine).open()
    await scene.confirmed("bob", attendee=Attendee(id="kim", name="Kim", email="Kim@example.com"))
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/operations")
    looks = "SELECT subject FROM operator_log WHERE act = 'look' AND operator = 'pia' ORDER BY entry_id"
    before = len(await admin.fetch(looks))
    otto, pia = await visit("otto", databases=named(databases)), await visit("pia", databases=named(databases))
    assert "has not the right pii" in await otto.shown("/search?q=BOB@example.com")
    assert await leads_to(pia, "BOB@example.com") == "/bookings?customer=bob"
    assert (await leads_to(pia, "kim@example.com") or "").startswith("/bookings/")
    assert await leads_to(pia, "ann@example.com") == f"/week?provider={scene.provider_id}"
    kept = [row["subject"] for row in (await admin.fetch(looks))[before:]]
    assert (len(kept), kept[0]) == (3, "search by e-mail address: bob")
    assert not [subject for subject in kept if "@" in subject], "the log forgets nothing"
    await admin.close()


async def test_a_database_that_is_away_is_said_and_hides_no_other(
    engine: Engine, databases: dict[str, str], visit: Visit
) -> None:
    scene = await Scene(engine).open()
    one = await scene.confirmed("bob")
    some: dict[str, Any] = {**databases, "PAYMENTS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/payments"}
    vera = await visit("vera", databases=named(some))
    assert await leads_to(vera, one) == f"/bookings/{one}"
    assert "database of payments does not answer" in await vera.shown(f"/search?q={uuid.uuid4()}")
