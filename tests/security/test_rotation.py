"""Each secret is changed while bookings are made: nothing is restarted, none of them is lost, and the old secret is
worth nothing."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import ssl
import time
from contextlib import suppress
from functools import partial

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from aiosmtplib import SMTP, SMTPAuthenticationError
from booking_contracts.rights import CONSOLE, SERVICES
from booking_contracts.testkit.system import Studio, System
from booking_contracts.testkit.waiting import eventually

from deploy.local.environment import SCOPES
from deploy.local.kafka_users import give_passwords, unsigned_token
from deploy.local.secured import BY_CERTIFICATE, BY_TOKEN, SESSION_MS, TOKEN_SECONDS
from deploy.local.stack import Stack
from services.notifications.sender import IDLE_SECONDS
from services.operations.databases import DATABASES
from tests.console.conftest import Visitor
from tests.security.meanwhile import bookings_meanwhile, tells
from tests.security.operators import cancels, looked, unseen
from tests.security.users import Users

pytestmark = pytest.mark.requirement("secrets")


def reads(studio: Studio) -> list[tuple[str, str, dict[str, str]]]:
    """One of each pool and process that connects to a database."""
    start, end = (at.isoformat().replace("+00:00", "Z") for at in (studio.start(0), studio.start(1)))
    return [
        ("booking", "/v1/bookings", {"customer_id": "nobody"}),
        ("booking", "/v1/availability", {"offering_id": str(studio.offering_id), "from": start, "to": end}),
        ("payments", "/v1/wallets/nobody", {}),
        ("notifications", "/v1/deliveries", {"booking_id": str(studio.offering_id)}),
    ]


async def test_passwords_of_databases(system: System, stack: Stack, users: Users, desk: Visitor) -> None:
    """Of every role that a process connects with. Auditor and console connect with some that services have, too."""
    admin = await asyncpg.connect(stack.env["POSTGRES_ADMIN_URL"])
    async with bookings_meanwhile(system, stack) as studio:
        for role, url in {**{name: name for name in DATABASES}, "auditor": "auditor_booking"}.items():
            fresh = secrets.token_hex(16)
            users.rotate(role, "DATABASE_PASSWORD", fresh)
            await admin.execute(f"ALTER ROLE {role} PASSWORD '{fresh}'")
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(stack.env[f"{url.upper()}_DATABASE_URL"])
        rotated = time.time()
        for service, path, query in reads(studio):
            look = partial(system.try_get, service, path, **query)
            await eventually(f"GET {path}", look, lambda found: found[0] == 200)
        await eventually("the console sees and keeps", partial(unseen, desk), lambda found: not found)
        look_after = partial(looked, system.http, users.url("auditor"))
        await eventually("the auditor looks and keeps", look_after, lambda at: at > rotated, seconds=40)
    await admin.close()


async def test_passwords_of_kafka(system: System, stack: Stack, users: Users, desk: Visitor) -> None:
    names = {*SERVICES, CONSOLE} - BY_CERTIFICATE - BY_TOKEN
    async with bookings_meanwhile(system, stack) as studio:
        old = {name: users.secret(name, "KAFKA_SASL_PASSWORD").read_text() for name in names}
        fresh = {name: secrets.token_hex(16) for name in names}
        await give_passwords(stack.env["KAFKA_BOOTSTRAP_SERVERS"], fresh)
        for name in names:
            users.rotate(name, "KAFKA_SASL_PASSWORD", fresh[name])
            with pytest.raises(KafkaConnectionError):
                await AIOKafkaProducer(**users.client(name, old[name])).start()
        await asyncio.sleep(2 * SESSION_MS / 1000)  # every login of before is over
        await cancels(desk, system, studio)


async def test_tokens_of_kafka(system: System, stack: Stack, users: Users) -> None:
    """Payments has one that ends: Kafka refuses it from then on, and payments waits until there is another."""
    async with bookings_meanwhile(system, stack):
        ends = unsigned_token("payments", SESSION_MS / 1000)
        users.rotate("payments", "KAFKA_SASL_TOKEN", ends)
        await asyncio.sleep(2 * SESSION_MS / 1000)  # every login of before is over
        with pytest.raises(KafkaConnectionError):
            await AIOKafkaProducer(**users.client_by_token(ends)).start()
        ready = partial(system.try_get, "payments", "/health/ready")
        assert (await ready())[0] == 503
        users.rotate("payments", "KAFKA_SASL_TOKEN", unsigned_token("payments", TOKEN_SECONDS))
        await eventually("payments is back", ready, lambda found: found[0] == 200, seconds=40)


async def test_certificates_of_kafka(system: System, stack: Stack, users: Users, desk: Visitor) -> None:
    """Its own, and those of services that show theirs, by another authority: brokers restart for that, and they do not.

    Booking and payments check what Kafka shows, notifications shows its own besides.
    """
    shown = users.by_certificate("notifications")
    async with bookings_meanwhile(system, stack) as studio:
        of_before = users.new_authority()
        await asyncio.to_thread(stack.restart, "kafka")
        users.old_is_gone()
        await tells(system, studio, "karla")
        await cancels(desk, system, studio)
        with pytest.raises(KafkaConnectionError):
            await AIOKafkaProducer(**{**users.client("booking"), "ssl_context": of_before}).start()
    certificate = ssl.create_default_context(cafile=shown["KAFKA_SSL_CAFILE"])
    certificate.load_cert_chain(shown["KAFKA_SSL_CERTFILE"], shown["KAFKA_SSL_KEYFILE"])
    client = {"bootstrap_servers": shown["KAFKA_BOOTSTRAP_SERVERS"], "security_protocol": "SSL"}
    with pytest.raises(KafkaConnectionError):
        await AIOKafkaProducer(**client, ssl_context=certificate).start()


async def test_the_key_of_stripe(system: System, stack: Stack, users: Users) -> None:
    old, fresh = users.secret("payments", "STRIPE_API_KEY").read_text(), f"sk_test_{secrets.token_hex(16)}"

    async def is_rolled(good: str | None) -> None:
        async with system.http.put(f"{stack.env['STRIPE_CONTROL_URL']}/secrets", json={"api_key": good}):
            pass

    async def status(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        async with system.http.get(f"{stack.env['STRIPE_API_BASE']}/v1/events?limit=1", headers=headers) as answer:
            return answer.status

    async with bookings_meanwhile(system, stack):
        assert (await status(old), await status(fresh)) == (200, 200)
        users.rotate("payments", "STRIPE_API_KEY", fresh)
        await is_rolled(fresh)
        assert (await status(old), await status(fresh)) == (401, 200)
    await is_rolled(None)


async def test_the_password_of_the_mail_server(system: System, stack: Stack, users: Users) -> None:
    async def logs_in(password: str) -> bool:
        server = SMTP(hostname=stack.env["SMTP_HOST"], port=int(stack.env["SMTP_PORT"]))
        async with server:
            with suppress(SMTPAuthenticationError):
                await server.login("bookings", password)
                return True
        return False

    old, fresh = users.secret("notifications", "SMTP_PASSWORD").read_text(), secrets.token_hex(16)
    async with bookings_meanwhile(system, stack) as studio:
        await tells(system, studio, "mona")
        users.rotate("mailbox", "SMTP_PASSWORD", fresh)
        users.rotate("notifications", "SMTP_PASSWORD", fresh)
        assert (await logs_in(old), await logs_in(fresh)) == (False, True)
    await asyncio.sleep(2 * IDLE_SECONDS)  # every session of before is over
    await tells(system, studio, "nora")


async def test_tokens_of_http(system: System, stack: Stack, users: Users) -> None:
    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        async with system.http.get(f"{stack.env['BOOKING_URL']}/v1/bookings?customer_id=x", headers=headers) as answer:
            return answer.status

    old, fresh = stack.env["SERVICE_TOKEN"], secrets.token_hex(16)
    kept = users.secret("booking", "API_TOKENS").read_text()
    digest = hashlib.sha256(fresh.encode()).hexdigest()
    async with bookings_meanwhile(system, stack):
        assert (await status(old), await status(fresh)) == (200, 401)
        users.rotate("booking", "API_TOKENS", json.dumps([{"name": "n", "token_sha256": digest, "scopes": SCOPES}]))
        assert (await status(old), await status(fresh)) == (401, 200)
        users.rotate("booking", "API_TOKENS", "no JSON")
        assert await status(fresh) == 200
        users.rotate("booking", "API_TOKENS", kept)
        assert (await status(old), await status(fresh)) == (200, 401)


async def test_secrets_of_webhooks(system: System, stack: Stack, users: Users) -> None:
    async def status(secret: str) -> int:
        body = json.dumps({"id": f"evt_{secrets.token_hex(8)}", "type": "customer.created", "data": {"object": {}}})
        seconds = int((await system.clock.now()).timestamp())
        mac = hmac.digest(secret.encode(), f"{seconds}.{body}".encode(), "sha256").hex()
        headers = {"Stripe-Signature": f"t={seconds},v1={mac}"}
        url = f"{stack.env['PAYMENTS_URL']}/webhooks/stripe"
        async with system.http.post(url, data=body, headers=headers) as answer:
            return answer.status

    old, fresh = stack.env["STRIPE_WEBHOOK_SECRET"], f"whsec_{secrets.token_hex(16)}"
    async with bookings_meanwhile(system, stack):
        assert (await status(old), await status(fresh)) == (200, 400)
        users.rotate("payments", "STRIPE_WEBHOOK_SECRETS", json.dumps([old, fresh]))
        assert (await status(old), await status(fresh)) == (200, 200)
        users.rotate("payments", "STRIPE_WEBHOOK_SECRETS", json.dumps([old]))
        assert (await status(old), await status(fresh)) == (200, 400)
