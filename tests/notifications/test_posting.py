"""One try at receivers that refuse, hang, break off, redirect, rebind, and answer nonsense."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import IPv4Network
from typing import Any

import pytest

from deploy.local.ports import free_ports
from services.notifications.model.targets import Targets
from services.notifications.subscriptions import connecting, posting
from services.notifications.subscriptions.posting import Failed, Outcome, Poster, Taken
from tests.notifications.receivers import HERE, Receiver, receiving, saying, speaking

pytestmark = pytest.mark.requirement("notify-systems")
HEADERS = {"webhook-id": "1", "content-type": "application/json", "accept-encoding": "identity"}


@pytest.fixture
async def poster(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Poster]:
    monkeypatch.setattr(posting, "WHOLE_SECONDS", 0.8)
    monkeypatch.setattr(posting, "BODY_SECONDS", 0.2)
    poster = Poster(HERE)
    yield poster
    await poster.close()


async def answer_to(poster: Poster, *parts: bytes, pause: float = 0.0) -> Outcome:
    """What a server of these bytes comes to."""
    async with speaking(saying(*parts, pause=pause)) as url:
        return await poster.post(url, HEADERS, "{}")


async def test_what_is_taken_is_taken(poster: Poster) -> None:
    async with receiving() as receiver:
        outcome = await poster.post(receiver.url, HEADERS, '{"a": "ü"}')

    assert outcome == Taken(200, "thanks")
    assert receiver.got[0].body == '{"a": "ü"}'
    assert receiver.got[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 451, 500, 502, 503])
async def test_any_other_status_is_a_failure_that_is_named(poster: Poster, status: int) -> None:
    async with receiving(Receiver(status=status, text="no")) as receiver:
        outcome = await poster.post(receiver.url, HEADERS, "{}")

    assert outcome == Failed(f"it answered {status}", status, "no")


async def test_a_redirect_is_not_followed(poster: Poster) -> None:
    async with receiving() as other, receiving(Receiver(status=307, headers={"Location": other.url})) as receiver:
        outcome = await poster.post(receiver.url, HEADERS, "{}")

    assert isinstance(outcome, Failed)
    assert (outcome.status, other.got) == (307, [])


async def test_who_is_not_there_fails(poster: Poster) -> None:
    (port,) = free_ports(1)
    outcome = await poster.post(f"http://127.0.0.1:{port}/", HEADERS, "{}")

    assert isinstance(outcome, Failed)
    assert "Connect" in outcome.reason


async def test_who_never_answers_is_left_after_a_time(poster: Poster) -> None:
    began = time.monotonic()
    async with receiving(Receiver(hangs=True)) as receiver:
        outcome = await poster.post(receiver.url, HEADERS, "{}")
        receiver.gone.set()

    assert outcome == Failed("no answer within 0.8 s")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "parts",
    [
        (b"",),
        (b"HTTP/1.1 200",),
        (b"SSH-2.0-OpenSSH_9.2\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000 + b"\r\n\r\n",),
        (b"HTTP/1.1 999999 OK\r\n\r\n",),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",),
    ],
    ids=["nothing", "half a line", "no HTTP", "a header without end", "no status", "another protocol"],
)
async def test_nonsense_is_a_failure(poster: Poster, parts: tuple[bytes, ...]) -> None:
    assert isinstance(await answer_to(poster, *parts), Failed)


async def test_headers_that_drip_are_left_after_a_time(poster: Poster) -> None:
    outcome = await answer_to(poster, b"HTTP/1.1 200 OK\r\n", *[b"X: 1\r\n"] * 50, pause=0.1)

    assert outcome == Failed("no answer within 0.8 s")


async def test_a_status_that_came_counts_whatever_becomes_of_the_body(poster: Poster) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    began = time.monotonic()

    assert await answer_to(poster, head + b"half") == Taken(200, "half")
    dripped = await answer_to(poster, head, *[b"x"] * 100, pause=0.05)
    assert isinstance(dripped, Taken)
    assert 0 < len(dripped.answer) < 10
    assert time.monotonic() - began < 2, "a body that drips is not waited for"


async def test_of_a_body_without_end_only_the_beginning_is_read(poster: Poster) -> None:
    written = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"y" * 0x10000 + b"\r\n")
            await writer.drain()
            written += 0x10000

    async with speaking(endless) as url:
        outcome = await poster.post(url, HEADERS, "{}")

    assert isinstance(outcome, Failed)
    assert outcome.answer == "y" * posting.KEPT_BYTES
    assert written < 50_000_000


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]
)
async def test_interim_responses_without_end_are_not_read_to_none(poster: Poster, interim: bytes) -> None:
    """Each is parsed on the loop that all share: some receivers that write nothing else stopped all the others."""

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(interim * 1_000)
            await writer.drain()

    async with speaking(endless) as url:
        outcome = await poster.post(url, HEADERS, "{}")

    assert outcome == Failed("TooLong: it answered more than 16384 bytes")


async def test_what_one_answer_took_is_not_missing_to_the_next(poster: Poster) -> None:
    """On a connection that is kept."""
    async with receiving(Receiver(text="x" * 900)) as receiver:
        for _ in range(2 * connecting.ANSWER_BYTES // 900):
            assert await poster.post(receiver.url, HEADERS, "{}") == Taken(200, "x" * 900)


async def test_what_is_packed_is_not_unpacked(poster: Poster) -> None:
    bomb = gzip.compress(b"z" * 10_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    outcome = await answer_to(poster, head + bomb)

    assert isinstance(outcome, Taken)
    assert "zzz" not in outcome.answer


@pytest.mark.parametrize(
    ("given", "asked"),
    [("7", 7), ("0", 0), ("99999999999", 10**7), ("soon", None), ("-1", None), ("1.5", None), ("", None)],
)
async def test_retry_after_is_read(poster: Poster, given: str, asked: int | None) -> None:
    async with receiving(Receiver(status=503, headers={"Retry-After": given})) as receiver:
        outcome = await poster.post(receiver.url, HEADERS, "{}")

    assert isinstance(outcome, Failed)
    assert outcome.asked == (None if asked is None else timedelta(seconds=asked))


async def test_retry_after_may_be_an_instant(poster: Poster) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    async with receiving(Receiver(status=429, headers={"Retry-After": at})) as receiver:
        outcome = await poster.post(receiver.url, HEADERS, "{}")

    assert isinstance(outcome, Failed)
    assert outcome.asked is not None
    assert timedelta(minutes=59) < outcome.asked <= timedelta(hours=1)


async def test_an_idle_connection_that_was_closed_costs_no_try(poster: Poster) -> None:
    """The receiver closes it just as the next event is sent on it."""
    taken = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        await reader.readexactly(2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read(1)  # the next request begins

    async with speaking(once) as url:
        assert [await poster.post(url, HEADERS, "{}") for _ in range(2)] == [Taken(200, "")] * 2
    assert taken == 2


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names mean the next of these addresses each time they are looked up; returns what was looked up."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
async def test_a_name_that_means_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    poster = Poster(Targets(ports=(), plain_http=True))
    resolving(monkeypatch, address)
    async with receiving() as receiver:
        outcome = await poster.post(receiver.url.replace("127.0.0.1", "hook.example"), HEADERS, "{}")
    await poster.close()

    assert isinstance(outcome, Failed)
    assert "webhooks may not go to" in outcome.reason
    assert receiver.got == []


async def test_a_name_that_changes_its_address_is_looked_at_where_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rebinding: public when it is asked for first, then private. Each connection's own address counts."""
    poster = Poster(Targets(networks=(IPv4Network("127.0.0.2/32"),), ports=(), plain_http=True))
    asked = resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hook.example")
        first, second = [await poster.post(url, HEADERS, "{}") for _ in range(2)]
    await poster.close()

    assert len(asked) == 2, "each connection asks once, and connects to what it was told"
    assert "may not go to" not in getattr(first, "reason", ""), "nothing listens there, but it was allowed"
    assert isinstance(second, Failed)
    assert "127.0.0.1 is an address that webhooks may not go to" in second.reason
    assert receiver.got == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost"])
async def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    poster = Poster(Targets(ports=(), plain_http=True))
    async with receiving() as receiver:
        outcome = await poster.post(receiver.url.replace("127.0.0.1", host), HEADERS, "{}")
    await poster.close()

    assert isinstance(outcome, Failed)
    assert receiver.got == []


async def test_a_url_that_is_not_allowed_any_more_is_not_used() -> None:
    async with receiving() as receiver:
        poster = Poster(Targets())
        outcome = await poster.post(receiver.url, HEADERS, "{}")
        await poster.close()

    assert outcome == Failed("its URL must begin with https://")
    assert receiver.got == []


async def test_a_name_that_nobody_answers_for_holds_one_look_up_and_no_other_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "WHOLE_SECONDS", 0.5)
    asked, goes_on = list[str](), threading.Event()

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        if host == "dead.example":
            goes_on.wait(10)
            raise socket.gaierror("no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    poster = Poster(HERE)
    async with receiving() as receiver:
        dead, alive = (receiver.url.replace("127.0.0.1", name) for name in ("dead.example", "alive.example"))
        waiting = [asyncio.create_task(poster.post(dead, HEADERS, "{}")) for _ in range(connecting.LOOKUPS + 10)]
        await asyncio.sleep(0.1)
        assert await poster.post(alive, HEADERS, "{}") == Taken(200, "thanks")
        assert {*await asyncio.gather(*waiting)} == {Failed("no answer within 0.5 s")}
    goes_on.set()
    await poster.close()

    assert asked.count("dead.example") == 1


async def test_threads_that_look_up_names_end_with_their_poster() -> None:
    before = {one for one in threading.enumerate() if one.name.startswith("names")}
    poster = Poster(HERE)
    async with receiving() as receiver:
        await poster.post(receiver.url.replace("127.0.0.1", "localhost"), HEADERS, "{}")
    (ours,) = {one for one in threading.enumerate() if one.name.startswith("names")} - before
    await poster.close()
    await asyncio.to_thread(ours.join, 5)

    assert not ours.is_alive()
