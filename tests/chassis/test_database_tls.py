"""PostgreSQL over TLS: services and migrations go by the URL's sslmode and sslrootcert, and by a password in a file.

The embedded server is built without TLS, so that something before it speaks it, as the protocol has it (SSLRequest).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.certificates import make_authority, openssl_is_there, signed
from services.chassis.database import Address, connect, open_pool
from services.chassis.migration import migrate

pytestmark = [
    pytest.mark.skipif(not openssl_is_there(), reason="this machine has no openssl to make certificates with"),
    pytest.mark.requirement("secrets"),
]
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def address(databases: dict[str, str], tmp_path: Path) -> AsyncIterator[str]:
    """Where the database answers with TLS, as its owner; without a password, and without sslrootcert."""
    make_authority(tmp_path, "ca")
    make_authority(tmp_path, "another")
    certificate = signed(tmp_path, "postgres")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    url = urlsplit(databases["BOOKING_MIGRATION_URL"])
    (tmp_path / "password").write_text(f"{url.password}\n")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST, "nobody speaks in the clear"
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except OSError:
            return
        behind, before = await asyncio.open_connection(url.hostname, url.port)
        await asyncio.gather(pipe(reader, before), pipe(behind, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"postgresql://{url.username}@127.0.0.1:{port}{url.path}?sslmode=verify-full"
    server.close()


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


async def test_who_is_signed_by_another_is_not_spoken_to(address: str, tmp_path: Path) -> None:
    password = (tmp_path / "password").read_text().strip()
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(Address(f"{address}&sslrootcert={tmp_path / 'another.pem'}", lambda: password), "tls")
