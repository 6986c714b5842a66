"""ARCHITECTURE.md shows the tables that the code has."""

import pytest

from services.operations.diagram import PAGE, redrawn


def test_the_tables_are_drawn_from_the_code() -> None:
    text = PAGE.read_text()
    assert redrawn(text) == text, "run `python -m services.operations.diagram`"


@pytest.mark.parametrize("word", ["PENDING_APPROVAL --> REJECTED_BY_PROVIDER", "rejected, WINDOW_CLOSED"])
def test_an_edit_by_hand_is_seen(word: str) -> None:
    text = PAGE.read_text()
    assert word in text
    assert redrawn(text.replace(word, "edited")) == text
