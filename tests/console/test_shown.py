"""Values as they are shown, charts as they are drawn, texts as they are signed (requirement console)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.operations.amounts import money
from services.operations.console import formats, signing
from services.operations.console.charts import chart, shown
from services.operations.console.signing import Signer

pytestmark = pytest.mark.requirement("console")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (money(123450, "EUR"), "1,234.50 EUR"),
        (money(500, "JPY"), "500 JPY"),
        (money(-1234, "KWD"), "-1.234 KWD"),
        (money(10**17 + 1, "USD"), "1,000,000,000,000,000.01 USD"),
        (money(None, "EUR"), "–"),
        (formats.span(0.0351), "35 ms"),
        (formats.span(1.44), "1.4 s"),
        (formats.span(75), "75 s"),
        (formats.span(timedelta(minutes=3)), "3 min"),
        (formats.span(3 * 3600), "3 h"),
        (formats.span(-40), "-40 s"),
        (formats.span(10 * 86400), "10 d"),
        (formats.count(12345), "12,345"),
        (formats.count(1000, 1000), "1,000+"),
        (formats.count(999, 1000), "999"),
        (formats.short("0199d0c0-0000-7000-8000-000000abcdef"), "…00abcdef"),
        (formats.pretty(b'{"a": 1}'), '{\n  "a": 1\n}'),
        (formats.pretty(b"\xff no JSON"), "� no JSON"),
        (shown(0.123), "0.12"),
        (shown(12.7), "13"),
        (shown(None), "–"),
    ],
)
def test_a_value_is_written_so(said: str, expected: str) -> None:
    assert said == expected


def test_an_instant_is_utc_until_the_browser_says_otherwise() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert formats.time(at) == '<time datetime="2026-03-29T01:30:00Z">2026-03-29 01:30:00</time>'
    assert formats.time(None) == "–"


def test_a_chart_has_a_gap_where_nothing_is_known() -> None:
    (line,) = chart("Seconds", {"half": [1.0, 2.0, None, 4.0, None]}, " s").lines
    assert line.parts == ("0.0,48.0 75.0,36.0", "225.0,12.0 225.0,12.0")
    assert (line.last, line.most) == (4.0, 4.0), "of the minute before the one that goes on"
    of = chart("Bookings", {"placed": [3.0], "failed": [0.0]}, bad=1)
    assert ([one.kind for one in of.lines], of.top) == (["one", "three"], 5.0)
    assert "placed at most 3, last 3; failed at most 0, last 0" in of.in_words


def signer(*secrets: str) -> Signer:
    return Signer(lambda: secrets)


def test_what_we_signed_is_known_again_with_each_secret_that_is_still_there() -> None:
    signed = signer("old").signed("csrf", "pia: ü", 1)
    assert signer("new", "old").read("csrf", signed) == "pia: ü"
    assert signer("new").read("csrf", signed) is None


def test_what_was_signed_for_something_else_or_changed_is_nothing() -> None:
    of = signer("secret")
    signed = of.signed("csrf", "pia", 1)
    text, end, signature = signed.split(".")
    later = str(int(end) + 3600)
    for forged in (
        ".".join((of.signed("csrf", "otto", 1).split(".")[0], end, signature)),
        ".".join((text, later, signature)),
        ".".join((text, end, "")),
        ".".join((text, end)),
        "",
        "é.1.2",
        "a.1.2",
        f"{text}.none.{signature}",
    ):
        assert of.read("csrf", forged) is None, forged
    assert of.read("console_session", signed) is None


def test_what_has_ended_is_nothing_and_a_page_signed_twice_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    of, now = signer("secret"), [3600.0 * 100 + 60]
    clock: Any = lambda: now[0]  # noqa: E731
    monkeypatch.setattr(signing, "real_seconds", clock)
    signed = of.signed("csrf", "pia", 1)
    now[0] += 60
    assert of.signed("csrf", "pia", 1) == signed
    now[0] += 3600
    assert of.read("csrf", signed) == "pia"
    now[0] += 3600
    assert of.read("csrf", signed) is None
