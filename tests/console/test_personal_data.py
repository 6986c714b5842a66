"""Who sees whose personal data, and that it is kept (requirement console)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from jinja2 import nodes

from services.operations.console import app, rendering
from services.operations.console.formats import without_people
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import Route
from tests.console.conftest import Visit, named

pytestmark = pytest.mark.requirement("console")
TEMPLATES = Path(rendering.__file__).parent / "templates"
PAGE = """
{% extends layout %}{% import "_macros.html" as ui with context %}
{% block title %}P{% endblock %}
{% block main %}{{ "anna@example.com" | masked }} {{ none | masked }} {{ ui.json("raw", "Raw", {"name": "Anna"}) }}
{{ {"name": "Anna"} | withheld }}{{ ui.unmask() }}{% endblock %}
"""


async def of_anna(request: web.Request) -> web.Response:
    return await page(request, "anna.html", subject="customer anna-1")


@pytest.fixture
def anna(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A page with everything that a person may stand in."""
    (tmp_path / "anna.html").write_text(PAGE)
    loader = rendering.TEMPLATES.loader
    monkeypatch.setattr(loader, "searchpath", [*loader.searchpath, str(tmp_path)])  # type: ignore[union-attr]
    found = [*app.routes(), Route("GET", "/anna", of_anna, Role.VIEWER)]
    monkeypatch.setattr(app, "routes", lambda: iter(found))


@pytest.fixture
async def operations(databases: dict[str, str]) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    yield connection
    await connection.close()


async def test_nobody_is_named_without_the_right_or_without_asking(anna: None, visit: Visit) -> None:
    mona, pia = await visit("mona"), await visit("pia")
    for shown in (await mona.shown("/anna"), await mona.shown("/anna?unmasked=1"), await pia.shown("/anna")):
        assert "a•••" in shown
        assert "anna@" not in shown
        assert "Anna" not in shown
    assert "mona has not the right pii" in await mona.shown("/anna?unmasked=1")
    assert "unmasked=1" in await pia.shown("/anna")
    assert "unmasked=1" not in await mona.shown("/anna")


async def test_each_look_is_kept_and_a_page_that_shows_people_is_not_asked_for_again_by_itself(
    anna: None, visit: Visit, databases: dict[str, str], operations: asyncpg.Connection[asyncpg.Record]
) -> None:
    pia = await visit("pia", databases=named(databases))
    looks = "SELECT operator, subject, reason, asked, outcome FROM operator_log WHERE act = 'look' AND operator = 'pia'"
    before = len(await operations.fetch(looks))
    assert 'hx-trigger="every' in await pia.shown("/anna?q=anna@example.com")
    shown = await pia.shown("/anna?unmasked=1&q=anna@example.com")
    assert "anna@example.com" in shown
    assert "Anna" in shown
    assert 'hx-trigger="every' not in shown
    *_, row = kept = await operations.fetch(looks)
    assert len(kept) == before + 1
    assert tuple(row) == ("pia", "customer anna-1", "", "{}", "shown"), "and not what was searched for"


async def test_where_a_look_cannot_be_kept_nothing_is_shown(anna: None, visit: Visit) -> None:
    shown = await (await visit("pia")).shown("/anna?unmasked=1")
    assert "which keeps who looked: personal data stays masked" in shown
    assert "anna@example.com" not in shown.replace("q=anna@example.com", "")


OF_ERRORS = frozenset(
    {
        *("error", "last_error", "reason", "failure", "problem", "detail", "outcome", "why", "what", "finding"),
        *("says", "said", "wrong", "sentence", "note", "subject", "asked"),
    }
)
"""What a template prints of such a name may be what somebody outside said."""
COVERS = frozenset({"impersonal", "raised", "masked", "withheld", "length"})
OURS = frozenset(
    {
        *(("act.html", "reason"), ("booking/_money.html", "entry.note"), ("log.html", "wanted.subject")),
        *(("_macros.html", "part.why"), ("now.html", "part.why"), ("search.html", "why"), ("login.html", "wrong")),
        *(("problem.html", "sentence"), ("booking.html", "sentence"), ("now.html", "number.note")),
        *(("booking/_money.html", "row.outcome"), ("payments.html", "reason"), ("payments.html", "what")),
        *(("booking/_told.html", "text.problem"), ("booking/_told.html", "text.subject"), ("search.html", "hit.said")),
        *(("findings.html", "row.subject"), ("finding.html", "one.subject"), ("queues.html", "row.subject")),
        *(("money.html", "row.subject"), ("booking/_money.html", "statement.entries.said")),
        *(("booking/_records.html", f"shown.booking.{few}.said") for few in ("history", "log")),
        *(("booking/_told.html", "shown.notifications.letters.said"), ("log.html", "row.asked")),
        *(("sagas.html", "row.asked"), ("booking/_facts.html", "saga.asked")),
    }
)
"""What the reader has typed, or an operator in the ledger; what does not answer or cannot be read; sentences, words and
ids of ours, how often a step was asked; a letter, of which the page shows nothing but to who may see people; what is
masked as it is read (log)."""


def dotted(node: nodes.Node) -> str:
    """As a template has it."""
    return f"{dotted(node.node)}.{node.attr}" if isinstance(node, nodes.Getattr) else getattr(node, "name", "")


def bare(node: nodes.Node, printing: bool = False) -> Iterator[str]:
    """What is printed of an error and passes through no filter; what the macro `json` draws is masked as a whole, but
    where it is told that nobody stands in it."""
    printing = printing or isinstance(node, nodes.Output)
    children: list[nodes.Node]
    match node:
        case nodes.Filter(name=name) if name in COVERS:
            return
        case nodes.Call(node=nodes.Getattr(attr="json"), kwargs=kwargs):
            known = {one.key: one.value for one in kwargs}.get("personal")
            children = [*node.args] if isinstance(known, nodes.Const) and not known.value else []
        case nodes.Getattr(node=nodes.Name() | nodes.Getattr()):
            children = []
        case nodes.If(test=nodes.Name(name="unmasked"), elif_=elifs, else_=others):
            children = [*elifs, *others]
        case nodes.If() | nodes.CondExpr():
            children = list(node.iter_child_nodes(exclude=("test",)))
        case _:
            children = list(node.iter_child_nodes())
    if printing and isinstance(node, nodes.Getattr) and node.attr in OF_ERRORS:
        yield dotted(node)
    elif printing and isinstance(node, nodes.Name) and node.name in OF_ERRORS:
        yield node.name
    for child in children:
        yield from bare(child, printing)


def test_no_template_prints_what_somebody_outside_said_as_it_is() -> None:
    names = rendering.TEMPLATES.list_templates(extensions=["html"])
    sources = {name: (TEMPLATES / name).read_text() for name in names}
    found = {(name, what) for name, text in sources.items() for what in bare(rendering.TEMPLATES.parse(text))}
    assert found == OURS


@pytest.mark.parametrize(
    ("template", "seen"),
    [
        ("{{ outcome.said }}{{ outcome.done }}", ["outcome.said"]),
        ("{{ says or '' }}{{ says | impersonal }}", ["says"]),
        ('{{ ui.json("asked", "fields", row.asked, personal=false) }}', ["row.asked"]),
        ('{{ ui.json("error", "All", row.error) }}{{ ui.json("raw", "Raw", row.error, personal=raw.personal) }}', []),
        ("{% if row.reason %}{{ row.at }}{% endif %}{{ 'x' if row.error else row.what }}", ["row.what"]),
    ],
)
def test_what_is_printed_as_it_is_is_seen(template: str, seen: list[str]) -> None:
    assert list(bare(rendering.TEMPLATES.parse(template))) == seen


def test_one_module_alone_writes_the_log_that_forgets_nothing() -> None:
    """It masks what it is given."""
    services = Path(rendering.__file__).parents[3] / "services"
    write = re.compile(r"(?:INSERT INTO|UPDATE) operator_log\b")
    assert [file.name for file in services.rglob("*.py") if write.search(file.read_text())] == ["operator_log.py"]


TRACE = 'Traceback\n  File "x.py"\n'
NEXT = "\n\nDuring handling of the above exception, another exception occurred:\n\nValueError: then"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("451 4.1.8 <anna@example.com> refused", "451 4.1.8 ••• refused"),
        ('Failing row contains ({"name": "Anna Muster", "phone": "+49 170 1"}, 3).', "Failing row contains •••"),
        ("Key (email)=(anna@example.com) already exists.", "Key (email)= •••"),
        ("Key (lower(name), at)=(anna, 3) already exists.", "Key (lower(name), at)= •••"),
        ("input_value='Anna Muster'", "input_value= •••"),
        (
            f"{TRACE}NotNullViolationError: null in x\nDETAIL:  Failing row contains (1,\n\nAnna,\n+49 170 1).\n",
            f"{TRACE}NotNullViolationError: null in x DETAIL:  Failing row contains •••",
        ),
        (f"x: y\nDETAIL:  Anna has it{NEXT}", f"x: y DETAIL: •••{NEXT}"),
        (
            "1 error for Wish\nname\n  Too long [type=long, input_value='Anna', input_type=str]\n    For more visit x",
            "1 error for Wish\nname\n  Too long [type=long, input_value= •••",
        ),
        ("invalid input for query argument $1: 'Anna' (expected int)", "invalid input for query argument $1: •••"),
        ("550 no such user: key 4711 (of evt_1) is parked", "550 no such user: key 4711 (of evt_1) is parked"),
    ],
)
def test_what_a_machine_said_names_nobody(said: str, left: str) -> None:
    assert without_people(said) == left


def test_who_asked_for_people_sees_all_of_an_error() -> None:
    error = f"{TRACE}UniqueViolationError: twice\nDETAIL:  Key (name)=(Anna\nMuster) already exists.\n"
    shown = rendering.TEMPLATES.from_string("{{ error | impersonal }}|{{ error | raised }}|{{ '' | raised }}")
    masked, whole = (shown.render(error=error, unmasked=one) for one in (False, True))
    assert "Anna" not in masked
    assert "Muster" not in masked
    assert masked.endswith("|UniqueViolationError: twice DETAIL:  Key (name)= •••|–")
    assert whole.endswith("|Muster) already exists.|–")
