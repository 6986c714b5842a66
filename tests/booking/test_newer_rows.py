"""What a newer build may have written into booking's rows: read where it can be, named where not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from booking_contracts.booking import QuoteCancellation

from services.booking.model.booking import Booking
from services.booking.model.quotes import Quote
from services.booking.model.waitlist import Entry
from services.booking.saga import Saga
from services.booking.store import rows, tables
from services.chassis.failures import NewerBuild
from services.chassis.tables import Table
from tests.booking.builders import a_child, a_provider, acting, an_offering
from tests.booking.line import Line

WORLD = Line(2)
WORLD.joined("eve", attendee=a_child())
WORLD.tell(QuoteCancellation(booking_id=WORLD.sitting.booking_id, actor=acting("bob")))
SAGA, QUOTE, ENTRY = (next(WORLD.work.all(kind)) for kind in (Saga, Quote, Entry))
BOOKING = replace(WORLD.sitting, attendee=a_child())


def row_of(table: Table[Any], row: Any) -> Any:
    """The row that the table's statements write."""
    return dict(zip(table.columns().split(", "), (read(row) for read in table.insert().reads), strict=False))


def with_field(text: str) -> str:
    """JSON with a field more, in what stands inside it too."""

    def more(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: more(inner) for name, inner in value.items()} | {"of_a_newer_build": 1}
        return [more(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(more(json.loads(text)))


def booking(row: Any) -> Booking:
    return rows.booking(row, row)


def entry(row: Any) -> Entry:
    return rows.entry(row, row)


BOOKING_ROW = row_of(tables.BOOKING, BOOKING) | row_of(tables.CONTACT, BOOKING)
ENTRY_ROW = row_of(tables.ENTRY, ENTRY) | row_of(tables.WAITING_CONTACT, ENTRY)
READ: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (booking, BOOKING_ROW, BOOKING),
    (entry, ENTRY_ROW, ENTRY),
    (rows.saga, row_of(tables.SAGA, SAGA), SAGA),
    (rows.quote, row_of(tables.QUOTE, QUOTE), QUOTE),
    (rows.provider, row_of(tables.PROVIDER, a_provider()), a_provider()),
    (rows.offering, row_of(tables.OFFERING, an_offering()), an_offering()),
]
JSON = ("terms", "payment", "customer", "attendee", "tiers", "definition")


@pytest.mark.parametrize(("read", "row", "expected"), READ)
def test_columns_and_fields_that_this_build_does_not_know_are_passed_over(
    read: Callable[[Any], Any], row: Any, expected: Any
) -> None:
    newer = {name: with_field(value) if name in JSON and value else value for name, value in row.items()}
    assert read({**newer, "planted": "of a newer build"}) == expected


def test_an_offering_of_an_older_build_has_the_defaults_of_what_came_later() -> None:
    row = row_of(tables.OFFERING, an_offering())
    older = {name: value for name, value in json.loads(row["definition"]).items() if name != "attendee_required"}
    assert rows.offering({**row, "definition": json.dumps(older)}) == an_offering()


@pytest.mark.parametrize(
    ("read", "row", "column", "value"),
    [
        (booking, BOOKING_ROW, "state", "NO_SHOW"),
        (booking, BOOKING_ROW, "payment_status", "partly"),
        (booking, BOOKING_ROW, "payment", '{"method": "bank"}'),
        (booking, BOOKING_ROW, "terms", "{}"),
        (booking, BOOKING_ROW, "currency", "XTS1"),
        (entry, ENTRY_ROW, "state", "PAUSED"),
        (rows.saga, row_of(tables.SAGA, SAGA), "step", "refund"),
        (rows.saga, row_of(tables.SAGA, SAGA), "status", "paused"),
        (rows.quote, row_of(tables.QUOTE, QUOTE), "actor_kind", "robot"),
        (rows.provider, row_of(tables.PROVIDER, a_provider()), "tiers", '[{"weeks_before": 1, "percent": 5}]'),
    ],
)
def test_a_value_that_is_not_understood_is_a_newer_builds(
    read: Callable[[Any], Any], row: Any, column: str, value: str
) -> None:
    with pytest.raises(NewerBuild, match=r"booking|waitlist_entry|saga|cancellation_quote|provider") as caught:
        read({**row, column: value})
    assert column.split("_")[0] in str(caught.value)
