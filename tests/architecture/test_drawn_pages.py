"""The pages show the tables that the code has."""

from pathlib import Path

import pytest
from booking_contracts import booking

from services.notifications.model.letters import BY_OCCASION
from services.notifications.model.subscriptions import OFFERED
from services.operations import told
from services.operations.drawn_pages import PAGES, ROOT, redrawn

EDITED = (
    ("ARCHITECTURE.md", "PENDING_APPROVAL --> REJECTED_BY_PROVIDER"),
    ("ARCHITECTURE.md", "rejected, WINDOW_CLOSED"),
    ("services/payments/README.md", "captured --> settled"),
    ("docs/notifications.md", "| booking.BookingConfirmed | `confirmed` |"),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_drawn_from_the_code(page: Path) -> None:
    text = page.read_text()
    assert redrawn(page, text) == text, "run `python -m services.operations.drawn_pages`"


@pytest.mark.parametrize(("name", "word"), EDITED)
def test_an_edit_by_hand_is_seen(name: str, word: str) -> None:
    page = ROOT / name
    text = page.read_text()
    assert word in text
    assert redrawn(page, text.replace(word, "edited")) == text


@pytest.mark.requirement("notify-people", "status-updates")
def test_no_event_of_a_booking_or_of_a_line_is_missing_among_those_that_people_are_told_of() -> None:
    kinds = {*booking.BookingEvent.__subclasses__(), *booking.WaitlistEvent.__subclasses__()}
    rows = [row.split("|")[1].strip() for row in told.table().splitlines()[2:]]

    assert len(kinds) > 20
    assert {f"booking.{kind.__name__}" for kind in kinds} <= {*rows}
    assert [row for row in rows if row.startswith("none")] == rows[-len(BY_OCCASION) :]
    assert told.ON_OCCASION.keys() == BY_OCCASION.keys()


@pytest.mark.requirement("notify-systems")
def test_the_events_that_webhooks_are_sent_of_are_those_that_are_offered() -> None:
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in told.table().splitlines()[2:]]

    assert {name.partition(",")[0] for name, *_, webhook in cells if webhook == "subscribers"} == {
        event.ce_type.rpartition(".")[0] for event in OFFERED
    }
    assert {webhook for *_, webhook in cells} == {"subscribers", ""}
