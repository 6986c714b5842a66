"""What makes a stack a secure one (`Stack(secure=True)`): Kafka with TLS and users with rights, secrets in files.

Kafka knows notifications by its certificate, payments by a token, everybody else by passwords; its open listener stays
beside it, on this machine, for the broker itself and for tests that look at everything. The mailbox asks for a
password. The embedded PostgreSQL is built without TLS.
"""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from booking_contracts.rights import (
    CONSOLE,
    SERVICES,
    TOPICS_JOB,
    Right,
    rights_of_console,
    rights_of_service,
    rights_of_topics_job,
)

from deploy.local.certificates import make_authority, signed
from deploy.local.kafka_users import give_passwords, give_rights, unsigned_token
from deploy.local.layout import Layout, write_private

SECRETS = (
    *("API_TOKENS", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS", "UNSUBSCRIBE_SECRETS"),
    *("CONSOLE_TOKENS", "CONSOLE_SESSION_SECRETS"),
)
BY_CERTIFICATE = frozenset({"notifications"})
BY_TOKEN = frozenset({"payments"})
TOKEN_SECONDS = 10 * 365 * 86_400
"""Nobody renews it but tests."""
SESSION_MS = 3_000
"""How long a login to Kafka lasts; aiokafka then connects and logs in anew."""
KAFKA = {
    "sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
    "listener.name.secure.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule"
    " required;",
    # Tokens that nobody has signed: Kafka's own, for tests.
    "listener.name.secure.oauthbearer.sasl.jaas.config": "org.apache.kafka.common.security.oauthbearer"
    '.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
    "connections.max.reauth.ms": str(SESSION_MS),
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "listener.name.mtls.ssl.client.auth": "required",
    "ssl.principal.mapping.rules": "RULE:^CN=([^,]+)$/$1/,DEFAULT",
    "ssl.keystore.type": "PEM",
    "ssl.truststore.type": "PEM",
}
KEYSTORE, TRUSTSTORE = "kafka-keystore.pem", "kafka-truststore.pem"
PROXY = {"CONSOLE_PROXY_USER_HEADER": "X-Forwarded-Email", "CONSOLE_PROXY_ROLES_HEADER": "X-Forwarded-Groups"}
"""Who comes to the console by a proxy, beside those who have a token."""
LISTENERS = {"SECURE": "SASL_SSL", "MTLS": "SSL"}
"""Beside the open one; their ports are `kafka-secure` and `kafka-mtls`."""


def make_certificates(layout: Layout) -> None:
    """The stack's authority, and what services and Kafka show; those that are there stay. Raises RuntimeError."""
    authority = make_authority(tls(layout))
    for service in BY_CERTIFICATE:
        signed(tls(layout), service)
    give_kafka(tls(layout), signed(tls(layout), "kafka"), authority)


def give_kafka(directory: Path, certificate: Path, authority: Path) -> None:
    """What it shows, and whom it trusts, from its next start on."""
    (directory / KEYSTORE).write_text(certificate.with_suffix(".key").read_text() + certificate.read_text())
    (directory / TRUSTSTORE).write_text(authority.read_text())


def kafka_settings(layout: Layout) -> dict[str, str]:
    """Kafka's settings beside those of an open stack."""
    keystore, truststore = tls(layout) / KEYSTORE, tls(layout) / TRUSTSTORE
    return KAFKA | {"ssl.keystore.location": str(keystore), "ssl.truststore.location": str(truststore)}


def make_kafka_users(layout: Layout) -> None:
    """Services, the job that makes topics and the console, each with the rights that contracts give it."""
    rights: dict[str, tuple[Right, ...]] = {service: rights_of_service(service) for service in SERVICES}
    rights |= {TOPICS_JOB: rights_of_topics_job(), CONSOLE: rights_of_console()}
    by_password = rights.keys() - BY_CERTIFICATE - BY_TOKEN
    passwords = {user: secret_file(layout, user, "KAFKA_SASL_PASSWORD").read_text() for user in by_password}
    servers = f"127.0.0.1:{layout.ports['kafka']}"
    asyncio.run(give_passwords(servers, passwords))
    asyncio.run(give_rights(servers, rights))


def kafka_env(layout: Layout, user: str) -> dict[str, str]:
    """How a user reaches Kafka."""
    if user in BY_CERTIFICATE:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{layout.ports['kafka-mtls']}",
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CAFILE": str(tls(layout) / "ca.pem"),
            "KAFKA_SSL_CERTFILE": str(tls(layout) / f"{user}.pem"),
            "KAFKA_SSL_KEYFILE": str(tls(layout) / f"{user}.key"),
        }
    login = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{layout.ports['kafka-secure']}",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SSL_CAFILE": str(tls(layout) / "ca.pem"),
    }
    if user in BY_TOKEN:
        token = secret_file(layout, user, "KAFKA_SASL_TOKEN", unsigned_token(user, TOKEN_SECONDS))
        return login | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_TOKEN_FILE": str(token)}
    password = secret_file(layout, user, "KAFKA_SASL_PASSWORD")
    return login | {"KAFKA_SASL_USERNAME": user, "KAFKA_SASL_PASSWORD_FILE": str(password)}


def secured(layout: Layout, user: str, values: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service, of the auditor or the console with its secrets in files, and with its user of
    Kafka where it reaches Kafka. A role's password is one file for all who connect as that role."""
    given = {name: value for name, value in values.items() if name in SECRETS}
    plain = {name: value for name, value in values.items() if name not in SECRETS}
    files: dict[str, Path] = {}
    for name in [name for name in plain if name.endswith("DATABASE_URL")]:
        url = urlsplit(plain[name])
        plain[name] = f"postgresql://{url.username}@{url.hostname}:{url.port}{url.path}"
        password = f"{name.removesuffix('URL')}PASSWORD"
        files[password] = secret_file(layout, str(url.username), "DATABASE_PASSWORD", str(url.password))
    if user == "notifications":
        plain["SMTP_USERNAME"] = "bookings"
        given["SMTP_PASSWORD"] = secret_file(layout, "mailbox", "SMTP_PASSWORD").read_text()
    if user == CONSOLE:
        plain |= PROXY
        files["CONSOLE_PROXY_SECRET"] = secret_file(layout, user, "CONSOLE_PROXY_SECRET")
    files |= {name: secret_file(layout, user, name, value) for name, value in given.items()}
    kafka = kafka_env(layout, user) if "KAFKA_BOOTSTRAP_SERVERS" in values else {}
    return {**plain, **{f"{name}_FILE": str(file) for name, file in files.items()}, **kafka}


def secret_file(layout: Layout, user: str, name: str, value: str | None = None) -> Path:
    """Where a secret lies; written the first time, with `value` or with something that nobody knows. Tests rotate it
    there, so what is in it stays."""
    file = layout.root / "secrets" / user / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, secrets.token_hex(16) if value is None else value)
    return file


def tls(layout: Layout) -> Path:
    """Where certificates lie."""
    return layout.root / "tls"
