"""ARCHITECTURE.md shows the state table that the code has."""

from services.operations.diagram import BETWEEN, PAGE, drawing


def test_the_state_diagram_is_drawn_from_the_code() -> None:
    found = BETWEEN.search(PAGE.read_text())
    assert found is not None
    assert found.group() == found[1] + drawing() + found[2], "run `python -m services.operations.diagram`"
