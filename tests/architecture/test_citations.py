"""Nothing is cited that is not there: in docstrings, comments, pages and generated schemas."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.architecture.citations import FILE, IDS, Repository

ROOT = Path(__file__).resolve().parents[2]
GENERATED = "contracts/booking_contracts/generated"
SPEAK = (".py", ".md", ".sql", ".sh", ".toml", ".yaml", ".json", "Makefile")
"""Ends of files with something for people in them."""


def tracked(root: Path) -> list[str]:
    """The files of the repository, those that are new and not ignored too."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return [file for file in found if (root / file).is_file()]


def made_later(root: Path) -> list[str]:
    """Folders that git ignores: they come into being on somebody's machine."""
    lines = (root / ".gitignore").read_text().splitlines()
    return [line.rstrip("/") for line in lines if line.endswith("/")]


@pytest.fixture(scope="module")
def repository() -> Repository:
    return Repository(ROOT, tracked(ROOT), made_later(ROOT))


def test_everything_that_is_cited_exists(repository: Repository) -> None:
    speaking = sorted(file for file in repository.files if file.endswith(SPEAK))
    found = [str(dangling) for file in speaking for dangling in repository.dangling(file)]
    assert found == [], "\n".join(found)


def test_what_other_teams_get_cites_only_what_they_get(repository: Repository) -> None:
    found = []
    for file in sorted(file for file in repository.files if file.startswith(f"{GENERATED}/")):
        text = (ROOT / file).read_text()
        found += [f"{file}: {match[0]}" for match in IDS.finditer(text)]
        paths = [match[0] for match in FILE.finditer(text)]
        found += [f"{file}: {path}" for path in paths if not (ROOT / GENERATED / path).is_file()]
    assert found == [], "\n".join(found)


PLANTED = {
    "a page": '"""See laws.md."""',
    "a heading": '"""Where it goes (rules.md, Cakes)."""',
    "a heading over the end of a line": '"""Where it goes (rules.md,\nCakes)."""',
    "the second heading": '"""Where it goes (rules.md, Amounts; Cakes)."""',
    "a number": '"""How (engine.md, Batch 3)."""',
    "a file": "# as in helpers.py\n",
    "a file of another room": '"""As store.py has it."""',
    "a file in a folder": '"""As handlers/cakes.py has it."""',
    "a file where it stood before": "    x = 1  # services/booking/saga.py holds it\n",
    "a folder": '"""What tests/cakes does."""',
    "a folder with a slash": '"""All of cakes/ is like that."""',
    "a decision": '"""Why: docs/decisions/0009."""',
    "a name in a file": '"""See `handlers/saga.py: bake`."""',
    "a module": '"""`python -m services.booking.cakes`."""',
    "a name in a module": '"""services.booking.handlers.saga.bake does it."""',
    "a requirement": '"""It holds (requirement bakery)."""',
    "the second requirement": '"""It holds (requirements outbox, in-box)."""',
    "a requirement after another": '"""It holds (requirements outbox and in-box)."""',
    "a requirement in a comment": "# Requirement bakery.\n",
    "a name of a field": 'x = 1\n"""As cakes.py has it."""',
}
GOOD = '''"""Amounts (rules.md, Amounts), order (engine.md, Batch 2; Stopping), why (docs/decisions/0001).

Requirements outbox and bad-input. See saga.py, `handlers/saga.py: move`, app.py, handlers/, tests/flows, docs/rules.md
and services.booking.handlers.saga.move; in application/json, and/or https://example.com/laws.md.
"""
'''
HOUSE = {
    "docs/rules.md": "# Rules\n\n## Amounts\n",
    "docs/engine.md": "# Engine\n\n## Batch\n1. One.\n2. Two.\n\n## Stopping\n3. Three.\n",
    "docs/decisions/0001-why.md": "# Why\n",
    "docs/requirements.md": "| `outbox` | It is kept. |\n| `bad-input` | It is told. |\n",
    "services/booking/app.py": "",
    "services/booking/handlers/saga.py": "def move() -> None: ...\n",
    "services/payments/app.py": "",
    "services/payments/store.py": "",
    "tests/flows/test_flow.py": "",
}


def house(root: Path, more: dict[str, str]) -> Repository:
    """A small repository, with `more` files."""
    files = {**HOUSE, **more}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Repository(root, files)


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_one_is_seen(tmp_path: Path, kind: str) -> None:
    repository = house(tmp_path, {"services/booking/planted.py": PLANTED[kind]})
    assert len(repository.dangling("services/booking/planted.py")) == 1


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    repository = house(tmp_path, {"services/booking/good.py": GOOD})
    assert repository.dangling("services/booking/good.py") == []


def test_a_file_that_a_page_shows_whole_is_there_and_another_is_not(tmp_path: Path) -> None:
    page = "Copy it:\n```python\n# mine.py\nx = 1\n```\nRun mine.py beside yours.py.\n"
    assert [one.cited for one in house(tmp_path, {"docs/page.md": page}).dangling("docs/page.md")] == ["yours.py"]


def test_a_planted_one_is_seen_in_a_page_and_in_a_schema(tmp_path: Path) -> None:
    page = "See [that](rules.md#amounts), [this](rules.md#cakes) and engine.md, Cakes.\n"
    schema = json.dumps({"properties": {"laws.md": {"description": "See laws.md."}}})
    repository = house(tmp_path, {"docs/page.md": page, "contracts/a.json": schema})
    assert [one.cited for one in repository.dangling("docs/page.md")] == ["engine.md, Cakes. ", "rules.md#cakes"]
    assert [one.cited for one in repository.dangling("contracts/a.json")] == ["laws.md"]
