"""The mailbox shows what was sent, and fails when told to."""

import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiohttp
import pytest

from deploy.local.stack import Stack


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of an empty mailbox without faults."""
    async with aiohttp.ClientSession(stack.env["MAILBOX_URL"]) as session:
        await session.delete("/messages")
        await session.put("/faults", json=[])
        yield session


def booked(subject: str = "Gebucht: Übung") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Booking <no-reply@booking.test>"
    message["To"] = "Ann Müller <ann@example.com>"
    message["Subject"] = subject
    message["List-Unsubscribe"] = "<mailto:stop@booking.test>"
    message.set_content("Grüße\nAnn")
    message.add_alternative("<p>Grüße</p>", subtype="html")
    message.add_attachment("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", subtype="calendar", filename="session.ics")
    message.add_attachment(b"\x00\xff", maintype="application", subtype="octet-stream", filename="raw.bin")
    return message


def send(stack: Stack, message: EmailMessage) -> None:
    with smtplib.SMTP(stack.env["SMTP_HOST"], int(stack.env["SMTP_PORT"]), timeout=10) as client:
        client.send_message(message)


async def test_a_message_is_shown_in_all_its_parts(stack: Stack, http: aiohttp.ClientSession) -> None:
    send(stack, booked())

    (message,) = await (await http.get("/messages")).json()

    assert message["from"] == "no-reply@booking.test"
    assert message["to"] == "ann@example.com"
    assert message["subject"] == "Gebucht: Übung"
    assert message["text"] == "Grüße\nAnn\n"
    assert message["html"] == "<p>Grüße</p>\n"
    assert message["headers"]["List-Unsubscribe"] == "<mailto:stop@booking.test>"
    calendar, raw = message["attachments"]
    assert (calendar["filename"], calendar["content_type"]) == ("session.ics", "text/calendar")
    assert calendar["content"].startswith("BEGIN:VCALENDAR")
    assert (raw["filename"], raw["encoding"], raw["content"]) == ("raw.bin", "base64", "AP8=")


async def test_long_headers_and_names_with_commas_are_read_as_meant(stack: Stack, http: aiohttp.ClientSession) -> None:
    message = booked(subject := "Bestätigt: " + "Übung für Fortgeschrittene " * 6 + "mit allem, was dazugehört")
    del message["To"]
    message["To"] = '"Müller, Ann" <ann@example.com>, "Doe, Jo" <jo@example.com>'
    message["X-Long"] = "word " * 40 + "end"
    send(stack, message)

    (shown,) = await (await http.get("/messages")).json()

    assert shown["to"] == "ann@example.com, jo@example.com"
    assert shown["subject"] == subject
    assert shown["headers"]["X-Long"] == "word " * 40 + "end"


async def test_messages_come_in_order_and_can_be_deleted(stack: Stack, http: aiohttp.ClientSession) -> None:
    for subject in ("one", "two", "three"):
        send(stack, booked(subject))

    shown = await (await http.get("/messages")).json()
    assert [message["subject"] for message in shown] == ["one", "two", "three"]
    assert (await http.delete("/messages")).status == 204
    assert await (await http.get("/messages")).json() == []


async def test_faults_happen_in_order_as_often_as_asked(stack: Stack, http: aiohttp.ClientSession) -> None:
    asked = [
        {"kind": "temporary", "count": 2},
        {"kind": "permanent", "count": 1},
        {"kind": "disconnect", "count": 1},
        {"kind": "disconnect_after", "count": 1},
    ]
    assert (await http.put("/faults", json=asked)).status == 200

    for code in (451, 451, 550):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(stack, booked())
        assert refused.value.smtp_code == code
    for subject in ("lost", "kept"):
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(stack, booked(subject))
    send(stack, booked("last"))

    shown = await (await http.get("/messages")).json()
    assert [message["subject"] for message in shown] == ["kept", "last"]
    assert await (await http.get("/faults")).json() == []


@pytest.mark.parametrize("faults", ["", "{}", '[{"kind": "odd", "count": 1}]', '[{"kind": "permanent", "count": 0}]'])
async def test_unknown_faults_are_refused(http: aiohttp.ClientSession, faults: str) -> None:
    before = await (await http.get("/faults")).json()
    assert (await http.put("/faults", data=faults)).status == 400
    assert await (await http.get("/faults")).json() == before


async def test_commands_may_come_together(stack: Stack, http: aiohttp.ClientSession) -> None:
    """RFC 2920: so that the letters of the local stack go as they do to most servers in the world."""
    with smtplib.SMTP(stack.env["SMTP_HOST"], int(stack.env["SMTP_PORT"]), timeout=10) as client:
        client.ehlo()
        assert client.has_extn("pipelining")
        client.send("MAIL FROM:<a@booking.test>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n")
        assert [client.getreply()[0] for _ in range(3)] == [250, 250, 354]
        client.send("Subject: together\r\n\r\n.\r\nNOOP\r\n")
        assert [client.getreply()[0] for _ in range(2)] == [250, 250]
    assert [message["subject"] for message in await (await http.get("/messages")).json()] == ["together"]


async def test_it_goes_back_to_a_snapshot(stack: Stack, http: aiohttp.ClientSession) -> None:
    """As often as one likes, and without the faults of meanwhile."""
    send(stack, booked("kept"))
    assert (await http.post("/snapshot")).status == 204
    for _ in range(2):
        send(stack, booked("undone"))
        await http.put("/faults", json=[{"kind": "permanent", "count": 1}])

        assert (await http.post("/restore")).status == 204

        assert [message["subject"] for message in await (await http.get("/messages")).json()] == ["kept"]
        assert await (await http.get("/faults")).json() == []
