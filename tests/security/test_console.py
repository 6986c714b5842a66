"""The console on the secure stack: Kafka by TLS with its own user's rights, databases by TLS that is verified."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from booking_contracts.booking import BookingCancelled, BookingConfirmed
from booking_contracts.rights import rights_of_console
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from deploy.local.certificates import signed
from deploy.local.environment import console_env
from deploy.local.kafka_users import give_passwords, give_rights
from deploy.local.layout import Layout
from deploy.local.stack import Stack
from services.operations.console.app import application
from services.operations.console.databases import Databases
from services.operations.console.settings import ConsoleSettings
from services.operations.databases import DATABASES
from tests.console.conftest import Visitor
from tests.postgres_by_tls import by_tls
from tests.security.users import PASSWORD, Users

pytestmark = pytest.mark.requirement("console", "least-rights", "secrets")
USER = "on-call"
"""By password; the stack's own console comes by whatever the stack has for it."""


@asynccontextmanager
async def secure_console(stack: Stack, users: Users, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Visitor]:
    """Somebody who is logged in to a console that reaches Kafka by SASL_SSL, with the console's rights, and the
    databases by verify-full."""
    await give_passwords(stack.env["KAFKA_BOOTSTRAP_SERVERS"], {USER: PASSWORD})
    await give_rights(stack.env["KAFKA_BOOTSTRAP_SERVERS"], {USER: rights_of_console()})
    certificate = signed(users.tls, "postgres-of-a-console")
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.load_cert_chain(certificate, certificate.with_suffix(".key"))
    env = console_env(Layout.load(users.root))
    for name in [name for name in env if name.startswith("KAFKA_")]:
        env.pop(name)
    async with by_tls(stack.env["BOOKING_DATABASE_URL"], shown) as port:
        for name in DATABASES:
            url = urlsplit(stack.env[f"{name.upper()}_DATABASE_URL"])
            place = f"{url.username}:{url.password}@127.0.0.1:{port}{url.path}"
            verified = f"sslmode=verify-full&sslrootcert={users.tls / 'ca.pem'}"
            env[f"{name.upper()}_DATABASE_URL"] = f"postgresql://{place}?{verified}"
        for name, value in (env | users.env(USER)).items():
            monkeypatch.setenv(name, value)
        client: TestClient[Any, Any]
        async with TestClient(TestServer(application(ConsoleSettings(), Databases.named()))) as client:
            yield await Visitor(client, "").log_in(stack.env["CONSOLE_TOKEN"])


async def test_the_console_sees_everything_and_cancels_with_its_rights(
    stack: Stack, users: Users, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = system.place(await system.studio(), "carol")
    await system.client.ask(command)
    await system.client.outcome(command.booking_id, BookingConfirmed)
    async with secure_console(stack, users, monkeypatch) as visitor:

        async def now() -> str:
            return await visitor.shown("/")

        page = await eventually("Kafka is seen", now, lambda page: "Kafka has not been asked" not in page)
        kafka = re.search(r"<h2>Kafka .*?</li>", page, re.DOTALL)
        assert kafka is not None
        assert "it answers" in kafka[0]
        assert "the database of" not in page
        assert "CONFIRMED" in await visitor.shown(f"/bookings/{command.booking_id}")
        dialog = f"/acts/booking-cancel?booking_id={command.booking_id}"
        said = await visitor.sent(dialog, "/acts/booking-cancel", reason="of a test", told="closed today")
        assert "booking accepted it: CANCELLED_BY_ADMIN" in said
    await system.client.outcome(command.booking_id, BookingCancelled)
