"""The pages show the tables that the code has."""

from pathlib import Path

import pytest

from services.operations.diagram import PAGES, ROOT, redrawn

EDITED = (
    ("ARCHITECTURE.md", "PENDING_APPROVAL --> REJECTED_BY_PROVIDER"),
    ("ARCHITECTURE.md", "rejected, WINDOW_CLOSED"),
    ("services/payments/README.md", "captured --> settled"),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_drawn_from_the_code(page: Path) -> None:
    text = page.read_text()
    assert redrawn(page, text) == text, "run `python -m services.operations.diagram`"


@pytest.mark.parametrize(("name", "word"), EDITED)
def test_an_edit_by_hand_is_seen(name: str, word: str) -> None:
    page = ROOT / name
    text = page.read_text()
    assert word in text
    assert redrawn(page, text.replace(word, "edited")) == text
