"""docs/operate/security.md has every secret: when it is read again, and the test that rotates it."""

from __future__ import annotations

import ast
import re

import pytest

from deploy.local.layout import REPOSITORY
from services.notifications.app import Settings as NotificationsSettings
from services.operations.console.settings import ConsoleSettings
from services.payments.app import Settings as PaymentsSettings

pytestmark = pytest.mark.requirement("secrets")
PAGE = REPOSITORY / "docs" / "operate" / "security.md"


def rows() -> list[tuple[set[str], str, str]]:
    """Of the table of secrets: the names in a row, when they are read, and which test rotates them."""
    table = PAGE.read_text().partition("| secret |")[2].partition("\n\n")[0]
    cells = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return [({*re.findall(r"`(\w+)`", names)}, read.strip(), test.strip(" `")) for names, _, read, _, test in cells]


def test_of_every_secret_the_page_says_when_it_is_read_again() -> None:
    """And of none that it is read at the start alone: then it would need a restart."""
    fields = {
        name: field
        for kind in (PaymentsSettings, NotificationsSettings, ConsoleSettings)
        for name, field in kind.model_fields.items()
    }
    secrets = {name.upper() for name, field in fields.items() if "Secret" in str(field.annotation)}
    secrets |= {name.upper() for name in fields if name.endswith(("_tokens", "_cafile", "_certfile", "_keyfile"))}
    read = {name: when for names, when, _ in rows() for name in names}
    assert {name: read.get(name, "") for name in secrets if not read.get(name, "").startswith("at each ")} == {}


@pytest.mark.parametrize(("names", "test"), [pytest.param(names, test, id=test) for names, _, test in rows()])
def test_a_test_rotates_it(names: set[str], test: str) -> None:
    file, _, function = test.partition("::")
    source = (REPOSITORY / "tests" / file).read_text()
    found = {node.name for node in ast.parse(source).body if isinstance(node, ast.AsyncFunctionDef)}
    assert function in found
    assert {name for name in names if name not in source} == set()
