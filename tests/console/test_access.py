"""Who comes in, and what they may (requirement console)."""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from booking_contracts.testkit.waiting import eventually
from pydantic import ValidationError
from structlog.testing import capture_logs

from services.chassis.database import Address
from services.operations.console.acts import dialogs
from services.operations.console.databases import Databases
from services.operations.console.metrics import REGISTRY, Reason
from services.operations.console.settings import ConsoleToken
from services.operations.console.signing import Signer
from tests.console.conftest import SECRET, Visit, Visitor, hidden, named, settings, sha256

PROXY = {
    "console_tokens": (),
    "console_proxy_user_header": "X-Forwarded-Email",
    "console_proxy_roles_header": "X-Forwarded-Groups",
    "console_proxy_secret": "shown by the proxy alone",
}
BY_PROXY = {"X-Forwarded-Email": "otto@example.com", "X-Console-Secret": "shown by the proxy alone"}
RETRY = f"/acts/saga-retry?booking_id={uuid4()}"
pytestmark = pytest.mark.requirement("console")


async def test_who_has_no_session_is_asked_for_a_token_and_then_gets_where_they_wanted(visit: Visit) -> None:
    nobody = await visit()
    answer = await nobody.get("/?since=5")
    assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2F%3Fsince%3D5")
    assert hidden(await nobody.shown("/login?next=/?since=5"))["next"] == "/?since=5"
    answer = await nobody.post("/login", {"token": "vera", "next": "/?since=5"})
    assert (answer.status, answer.headers["Location"]) == (303, "/?since=5")
    assert "vera" in await nobody.shown("/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


async def test_a_page_that_refreshes_itself_leads_back_to_itself_after_its_session(visit: Visit) -> None:
    nobody = await visit()
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://console.example/sagas?status=stuck"}
    answer = await nobody.get("/", headers=htmx)
    assert (answer.status, answer.headers["HX-Redirect"]) == (200, "/login?next=%2Fsagas%3Fstatus%3Dstuck")
    assert (await nobody.get("/", headers={**htmx, "HX-Current-URL": "http://[nonsense"})).status < 500


ELSEWHERE = ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example"]
"""A browser drops tabs and ends of lines from an address."""


@pytest.mark.parametrize("elsewhere", [*ELSEWHERE, "evil", "/login"])
async def test_nobody_is_led_elsewhere_by_logging_in(visit: Visit, elsewhere: str) -> None:
    answer = await (await visit()).post("/login", {"token": "vera", "next": elsewhere})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_the_way_back_from_an_act_leads_nowhere_else(elsewhere: str) -> None:
    assert dialogs._back({"back": elsewhere}) == ""
    assert dialogs._back({"back": "/sagas?status=stuck"}) == "/sagas?status=stuck"


async def test_a_wrong_token_is_told(visit: Visit) -> None:
    answer = await (await visit()).post("/login", {"token": "guessed"})
    assert answer.status == 403
    assert "No token of the console" in await answer.text()
    assert "Set-Cookie" not in answer.headers


async def test_a_session_ends_with_its_token_and_with_logging_out(visit: Visit) -> None:
    vera = await visit("vera")
    session = session_of(vera)["console_session"]
    await vera.post("/logout", {})
    assert (await vera.get("/")).status == 303
    ended = datetime.now(UTC) - timedelta(seconds=1)
    for token in (
        ConsoleToken(name="vera", token_sha256=sha256("another"), roles=frozenset({"viewer"})),
        ConsoleToken(name="vera", token_sha256=sha256("vera"), roles=frozenset({"viewer"}), expires_at=ended),
    ):
        later = await visit(console_tokens=[token])
        assert (await later.get("/", cookies={"console_session": session})).status == 303
    assert (await (await visit()).get("/", cookies={"console_session": session})).status == 200


def session_of(visitor: Visitor) -> dict[str, str]:
    """A copy of the cookie."""
    jar = visitor.client.session.cookie_jar.filter_cookies(visitor.client.make_url("/"))
    return {"console_session": jar["console_session"].value}


async def test_a_copy_of_a_session_ends_with_logging_out_at_every_console(
    visit: Visit, databases: dict[str, str]
) -> None:
    here, elsewhere = await visit("vera", databases=named(databases)), await visit(databases=named(databases))
    other = session_of(await visit("vera", databases=named(databases)))
    copy = session_of(here)
    assert (await elsewhere.get("/log", cookies=copy)).status == 403, "somebody is logged in"
    await here.post("/logout", {})
    assert (await here.get("/log", cookies=copy)).status == 303, "at once, where it was"

    async def ended() -> bool:
        return (await elsewhere.get("/log", cookies=copy)).status == 303

    await eventually("the other console has heard of it", ended, seconds=20)
    for console in (here, elsewhere):
        assert (await console.get("/log", cookies=other)).status == 403, "another session goes on"
    started_later = await visit(databases=named(databases))
    assert (await started_later.get("/log", cookies=copy)).status == 303


async def test_what_was_logged_out_of_is_forgotten_when_it_would_have_ended(
    visit: Visit, databases: dict[str, str]
) -> None:
    operations = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    await operations.execute("DELETE FROM ended_session")
    await operations.execute("INSERT INTO ended_session VALUES ('long ago', now() - interval '1 second')")
    vera = await visit("vera", databases=named(databases), console_session_hours=1)
    for _ in range(2):
        await vera.post("/logout", {})
    rows = await operations.fetch("SELECT session, ends_at - now() < interval '2 hours' AS soon FROM ended_session")
    await operations.close()
    assert [row["soon"] for row in rows] == [True]
    assert rows[0]["session"] != "long ago"


async def test_who_logs_out_while_the_database_is_away_has_ended_here_and_everywhere_when_it_is_back(
    visit: Visit, databases: dict[str, str]
) -> None:
    url = databases["OPERATIONS_DATABASE_URL"]
    passwords = ["wrong"]
    away = Databases({"operations": Address(url, lambda: passwords[-1])})
    here, elsewhere = await visit("vera", databases=away), await visit(databases=named(databases))
    copy = session_of(here)
    await here.post("/logout", {})
    assert (await here.get("/log", cookies=copy)).status == 303
    assert (await elsewhere.get("/log", cookies=copy)).status == 403, "nobody could tell it"
    passwords.append(urlsplit(url).password or "")

    async def ended() -> bool:
        return (await elsewhere.get("/log", cookies=copy)).status == 303

    await eventually("it was written", ended, seconds=40)


def not_let_in(logs: Sequence[MutableMapping[str, Any]]) -> list[tuple[str, str]]:
    return [(line["reason"], line["name"]) for line in logs if line["event"] == "somebody was not let in"]


async def test_who_is_not_let_in_is_logged_without_a_secret_and_counted(visit: Visit) -> None:
    ended = ConsoleToken(
        name="vera", token_sha256=sha256("vera"), roles=frozenset({"viewer"}), expires_at=datetime.now(UTC)
    )
    by_token, by_proxy = await visit(console_tokens=[ended]), await visit(**PROXY)
    counted = [value(reason) for reason in get_args(Reason)]
    with capture_logs() as logs:
        for token in ("guessed", "x" * 5000, "vera"):
            assert (
                await by_token.post("/login", {"token": token}, headers={"X-Forwarded-For": "192.0.2.7"})
            ).status == 403
        await by_proxy.get("/", headers={**BY_PROXY, "X-Console-Secret": "guessed"})
    assert not_let_in(logs) == [
        *(("no token of ours", ""), ("no token of ours", ""), ("token has ended", "vera")),
        ("not by the proxy", "otto@example.com"),
    ]
    assert next(line["forwarded_for"] for line in logs if line["event"] == "somebody was not let in") == "192.0.2.7"
    assert not [line for line in logs if "guessed" in str(line) or "xxx" in str(line)]
    assert [value(reason) for reason in get_args(Reason)] == [counted[0] + 2, counted[1] + 1, counted[2] + 1]
    with capture_logs() as logs:
        await (await visit("vera")).get("/")
        await (await visit()).get("/")
    assert not_let_in(logs) == [], "who logs in, and who has not yet, is nothing amiss"


def value(reason: str) -> float:
    return REGISTRY.get_sample_value("booking_console_logins_refused_total", {"reason": reason}) or 0


async def test_who_has_not_the_role_is_told_which(visit: Visit) -> None:
    vera = await visit("vera")
    assert "vera has not the role operator" in await vera.shown(RETRY, status=403)
    nobody = await visit("nobody")
    assert "nobody has not the role viewer" in await nobody.shown("/", status=403)
    for above in ("otto", "mona"):
        assert (await (await visit(above)).get(RETRY)).status != 403


async def test_a_form_of_another_page_is_refused(visit: Visit) -> None:
    otto, vera = await visit("otto"), await visit("vera")
    form = {"reason": "because", "booking_id": str(uuid4())}
    answer = await otto.post("/acts/saga-retry", form)
    assert answer.status == 403
    assert "load it again" in await answer.text()
    signer = Signer(lambda: [SECRET])
    for of_another in (signer.signed("csrf", "mona's session", 1), signer.signed("console_session", "otto", 1), "x"):
        assert (await otto.post("/acts/saga-retry", {**form, "csrf": of_another})).status == 403
    assert (await vera.post("/acts/saga-retry", form)).status == 403
    for path in ("/acts/saga-retry", "/logout", "/login"):
        elsewhere = await otto.post(path, form, headers={"Sec-Fetch-Site": "cross-site"})
        assert (elsewhere.status, "another site" in await elsewhere.text()) == (403, True)


async def test_a_read_only_console_does_nothing_and_draws_nothing_that_could(visit: Visit) -> None:
    otto = await visit("otto", console_read_only=True)
    assert "Read-only" in await otto.shown("/")
    for answer in (await otto.get(RETRY), await otto.post("/acts/saga-retry", {"reason": "because"})):
        assert answer.status == 403
        assert "The console is read-only" in await answer.text()


async def test_a_proxy_says_who_somebody_is_and_shows_that_it_is_the_proxy(visit: Visit) -> None:
    one = await visit(**PROXY)
    assert (await one.get("/")).status == 401
    assert (await one.get("/", headers={**BY_PROXY, "X-Console-Secret": "guessed"})).status == 401
    assert (await one.get("/", headers={"X-Forwarded-Email": "otto@example.com"})).status == 401
    assert (await one.get("/", headers=BY_PROXY)).status == 403
    page = await one.shown("/", headers={**BY_PROXY, "X-Forwarded-Groups": "viewer, cooks"})
    assert "otto@example.com" in page
    assert "Log out" not in page
    assert (await one.post("/login", {"token": "vera"})).status == 404


@pytest.mark.requirement("secrets")
async def test_tokens_that_come_into_their_file_later_open_the_login(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokens"
    file.write_text("[]")
    monkeypatch.setenv("CONSOLE_TOKENS_FILE", str(file))
    one = await visit(**PROXY)
    assert (await one.get("/")).status == 401
    file.write_text(json.dumps([{"name": "vera", "token_sha256": sha256("vera"), "roles": ["viewer"]}]))
    assert (await one.get("/")).status == 303
    assert "vera" in await (await one.log_in("vera")).shown("/")


async def test_groups_of_a_proxy_are_given_rights(visit: Visit) -> None:
    one = await visit(**PROXY, console_proxy_roles={"on-call": "operator"})
    assert (await one.get("/", headers={**BY_PROXY, "X-Forwarded-Groups": "operator"})).status == 403
    assert (await one.get("/", headers={**BY_PROXY, "X-Forwarded-Groups": "cooks on-call"})).status == 200


async def test_everything_works_under_a_prefix(visit: Visit) -> None:
    vera = await visit(None, console_prefix="/console")
    answer = await vera.get("/")
    assert answer.headers["Location"].startswith("/console/login?next=%2Fconsole%2F")
    answer = await vera.post("/login", {"token": "vera"})
    assert "Path=/console" in answer.headers["Set-Cookie"]
    page = await vera.shown("/")
    inside = [at.partition('"')[0] for name in ("href", "src", "action") for at in page.split(f'{name}="')[1:]]
    assert [at for at in inside if not at.startswith(("/console/", "#"))] == []
    assert (await vera.client.get("/")).status == 404
    assert (await vera.client.get("/health/live")).status == 200


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"console_tokens": ()}, "nobody gets in"),
        ({"console_session_secrets": ["short"]}, "32 characters"),
        ({"console_session_secrets": []}, "at least 1 item"),
        ({**PROXY, "console_proxy_secret": None}, "CONSOLE_PROXY_SECRET"),
        ({"console_prefix": "/console/"}, "pattern"),
    ],
)
def test_settings_that_open_the_door_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**given)
