"""What holds for every page, now and for those to come: they are found by walking (requirement console)."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from services.operations.console import rendering, static_files
from services.operations.console.app import routes
from services.operations.console.routes import Route
from services.operations.console.security import HEADERS
from tests.console.conftest import Visit

TEMPLATES = sorted((Path(rendering.__file__).parent / "templates").rglob("*.html"))
OPEN = {("GET", "/static/{hash}/{name}"), ("GET", "/login"), ("POST", "/login"), ("POST", "/logout")}
"""What needs no role: nothing that is known of a booking."""
INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|<script(?![^>]*\ssrc=)|javascript:|hx-on|hx-vals=.js:|\[[^\]]*\]\s*\"\s*hx"
)
"""What the Content-Security-Policy would stop, and a browser would not show."""
OF_CELLS = re.compile(r'<t[dh][^>]* class="([a-z ]+)"|\("[^"]*", "([a-z]+)"\)(?=[,\]])')
"""Classes of cells, and of columns (heading, class)."""
pytestmark = pytest.mark.requirement("console")


def inline(template: str) -> list[str]:
    return INLINE.findall(template)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_no_template_has_script_or_style_in_it(template: Path) -> None:
    assert inline(template.read_text()) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_each_class_of_a_cell_has_its_rule(template: Path) -> None:
    style = (static_files.FOLDER / "style.css").read_text()
    found = {word for one in OF_CELLS.findall(template.read_text()) for word in " ".join(one).split()}
    assert {word for word in found if not re.search(rf"\.{word}\b", style)} == set()


@pytest.mark.parametrize(
    "planted",
    ["<style>", '<p style="color: red">', '<a onclick="go()">', "<script>go()</script>", '<a href="javascript:go()">'],
)
def test_what_is_inline_is_found(planted: str) -> None:
    assert inline(planted) != []


def test_every_route_names_its_role() -> None:
    assert {(route.method, route.path) for route in routes() if route.role is None} == OPEN


def test_no_address_is_taken_twice() -> None:
    taken = [(route.method, route.path) for route in routes()]
    assert sorted(taken) == sorted(set(taken))


def test_what_is_not_read_only_is_an_act_or_says_nothing_about_bookings() -> None:
    """Saved views are an operator's own."""
    writes = {route.path for route in routes() if route.method != "GET" and route.act is None}
    assert {path for path in writes if not path.startswith("/views")} == {"/login", "/logout"}


def address(route: Route) -> str:
    """Of its path, with an id wherever one is wanted."""
    return re.sub(r"\{[^}]+\}", "0199d0c0-0000-7000-8000-000000000000", route.path)


async def test_every_answer_has_the_headers_and_is_a_page_that_says_what_is_missing(visit: Visit) -> None:
    """No database is there at all."""
    mona = await visit("mona")
    for route in routes():
        answer = await mona.client.request(route.method, address(route), allow_redirects=False)
        assert answer.status != 500, f"{route.method} {route.path}: {await answer.text()}"
        assert HEADERS.items() <= dict(answer.headers).items(), route
        if not route.path.startswith("/static"):
            assert answer.headers["Cache-Control"] == "no-store"
        await mona.log_in("mona")
    for path in ("/none", "/health/live", "/static/0/none.js"):
        answer = await mona.get(path)
        assert HEADERS.items() <= dict(answer.headers).items(), path


async def test_what_is_not_there_is_a_page_with_a_sentence(visit: Visit) -> None:
    vera = await visit("vera")
    page = await vera.shown("/none", status=404)
    assert "There is nothing at this address." in page
    assert "<nav" in page
    assert "does not take this method" in await (await vera.post("/", {})).text()


async def test_htmx_gets_what_stands_in_main_alone(visit: Visit) -> None:
    vera = await visit("vera")
    whole, part = await vera.shown("/"), await vera.shown("/", headers={"HX-Request": "true"})
    for only_in_whole in ("<html", "<nav", "<main", "<script"):
        assert only_in_whole in whole
        assert only_in_whole not in part
    assert part.strip() in whole or "<h1>Now</h1>" in part


def test_htmx_is_the_one_that_npm_has() -> None:
    named = (static_files.FOLDER / "htmx.sha256").read_text().split()
    assert named == [hashlib.sha256((static_files.FOLDER / "htmx.min.js").read_bytes()).hexdigest(), "htmx.min.js"]
    assert "0BSD" in (static_files.FOLDER / "htmx.txt").read_text()


async def test_files_are_kept_by_browsers_until_they_change(visit: Visit) -> None:
    nobody = await visit()
    page = await nobody.shown("/login")
    for name, kind in static_files.TYPES.items():
        path = static_files.address(name)
        assert path in page
        answer = await nobody.get(path)
        assert (answer.content_type, answer.headers["Cache-Control"]) == (kind, static_files.KEPT)
        assert (await nobody.get(f"/static/older/{name}")).headers["Cache-Control"] == "no-store"
