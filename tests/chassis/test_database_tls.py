"""PostgreSQL over TLS: services and migrations go by the URL's sslmode and sslrootcert, and by a password in a file."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from booking_contracts.testkit.waiting import eventually

from deploy.local.certificates import make_authority, openssl_is_there, signed
from deploy.local.layout import write_private
from services.chassis.database import UNAVAILABLE, Address, Pool, connect, open_pool
from services.chassis.migration import migrate
from tests.postgres_by_tls import by_tls

pytestmark = [
    pytest.mark.skipif(not openssl_is_there(), reason="this machine has no openssl to make certificates with"),
    pytest.mark.requirement("secrets"),
]


@pytest.fixture
def shown() -> ssl.SSLContext:
    """What the server shows; to who connects after another certificate was loaded, that one."""
    return ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)


@pytest.fixture
async def address(databases: dict[str, str], shown: ssl.SSLContext, tmp_path: Path) -> AsyncIterator[str]:
    """Where the database answers with TLS, as its owner; without a password, and without sslrootcert."""
    make_authority(tmp_path, "ca")
    make_authority(tmp_path, "another")
    certificate = signed(tmp_path, "postgres")
    shown.load_cert_chain(certificate, certificate.with_suffix(".key"))
    url = urlsplit(databases["BOOKING_MIGRATION_URL"])
    (tmp_path / "password").write_text(f"{url.password}\n")
    async with by_tls(databases["BOOKING_MIGRATION_URL"], shown) as port:
        yield f"postgresql://{url.username}@127.0.0.1:{port}{url.path}?sslmode=verify-full"


async def test_a_service_and_a_migration_speak_tls(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKING_MIGRATION_URL", f"{address}&sslrootcert={tmp_path / 'ca.pem'}")
    monkeypatch.setenv("BOOKING_MIGRATION_PASSWORD_FILE", str(tmp_path / "password"))
    found = Address.named("BOOKING_MIGRATION")
    assert found is not None
    connection = await connect(found, "tls")
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    async with await open_pool(found, "tls", size=1) as pool:
        assert await pool.fetchval("SELECT 2") == 2
    await asyncio.to_thread(migrate, "booking", found)


async def test_another_authority_signs_under_traffic(address: str, shown: ssl.SSLContext, tmp_path: Path) -> None:
    """First both are trusted, then the server shows the new certificate and wants one of the new authority, then the
    old authority is nobody's."""
    password, trusted = (tmp_path / "password").read_text().strip(), tmp_path / "trusted.pem"
    old, new = ((tmp_path / f"{name}.pem").read_text() for name in ("ca", "another"))
    ours = f"sslcert={tmp_path / 'ours.pem'}&sslkey={tmp_path / 'ours.key'}"
    found, over, asked = Address(f"{address}&sslrootcert={trusted}&{ours}", lambda: password), asyncio.Event(), 0
    write_private(trusted, old)
    fresh, before = signed(tmp_path, "next", "another"), signed(tmp_path, "before", "ca")
    shown.load_verify_locations(cadata=new)

    def show(certificate: Path) -> None:
        for ending in (".key", ".pem"):
            write_private(tmp_path / f"ours{ending}", certificate.with_suffix(ending).read_text())

    async def ask(pool: Pool) -> None:
        nonlocal asked
        while not over.is_set():
            assert await pool.fetchval("SELECT 1") == 1
            asked += 1

    async def answers() -> int:
        return asked

    async def more(pool: Pool) -> None:
        await pool.expire_connections()
        before = asked
        await eventually("answers over new connections", answers, lambda now: now > before + 5)

    show(before)
    async with await open_pool(found, "tls", size=2) as pool, asyncio.TaskGroup() as asking:
        for _ in range(2):
            asking.create_task(ask(pool))
        write_private(trusted, old + new)
        await more(pool)
        show(fresh)
        shown.load_cert_chain(fresh, fresh.with_suffix(".key"))
        shown.verify_mode = ssl.CERT_REQUIRED
        await more(pool)
        write_private(trusted, new)
        await more(pool)
        over.set()
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(Address(f"{address}&sslrootcert={tmp_path / 'ca.pem'}", lambda: password), "tls")
    show(before)
    with pytest.raises(UNAVAILABLE):
        await connect(found, "tls")


async def test_who_is_signed_by_another_is_not_spoken_to(address: str, tmp_path: Path) -> None:
    password = (tmp_path / "password").read_text().strip()
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(Address(f"{address}&sslrootcert={tmp_path / 'another.pem'}", lambda: password), "tls")
