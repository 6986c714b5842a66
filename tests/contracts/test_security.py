"""TLS whose files are read for each connection: a certificate, ours or the broker's, is replaced without a restart."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from booking_contracts.client.security import KafkaSecurity, context_of_files

from deploy.local.certificates import make_authority, openssl_is_there, signed

pytestmark = pytest.mark.skipif(not openssl_is_there(), reason="this machine has no openssl to make certificates with")


@asynccontextmanager
async def listening(directory: Path, authority: str) -> AsyncIterator[int]:
    """A server whose certificate `authority` has signed, and who asks for one of the same; yields its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(directory / f"{authority}.pem"))
    certificate = signed(directory, f"server-of-{authority}", authority)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    context.verify_mode = ssl.CERT_REQUIRED

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        subject = dict(pair for ((pair),) in writer.get_extra_info("peercert")["subject"])
        writer.write(subject["commonName"].encode() + b"\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def greeted(port: int, context: ssl.SSLContext) -> str:
    """As whom the server knows us."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        return (await reader.readline()).decode().strip()
    finally:
        writer.close()


@pytest.mark.requirement("secrets")
async def test_certificates_are_replaced_without_a_restart(tmp_path: Path) -> None:
    for authority, ours in (("first", "alice"), ("second", "bob")):
        make_authority(tmp_path, authority)
        signed(tmp_path, ours, authority)
    used = [tmp_path / name for name in ("used-ca.pem", "used.pem", "used.key")]

    def use(authority: str, ours: str) -> None:
        for wanted, file in zip((f"{authority}.pem", f"{ours}.pem", f"{ours}.key"), used, strict=True):
            shutil.copyfile(tmp_path / wanted, file)

    use("first", "alice")
    context = context_of_files(*map(str, used))
    async with listening(tmp_path, "first") as first, listening(tmp_path, "second") as second:
        assert await greeted(first, context) == "alice"
        with pytest.raises(ssl.SSLCertVerificationError):
            await greeted(second, context)
        use("second", "bob")
        assert await greeted(second, context) == "bob"
        with pytest.raises(ssl.SSLCertVerificationError):
            await greeted(first, context)  # what is trusted no more is not trusted from memory either


@pytest.mark.requirement("secrets")
def test_a_file_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        context_of_files(str(tmp_path / "none.pem"))


@pytest.mark.requirement("least-rights")
def test_a_password_is_not_handed_to_whoever_answers() -> None:
    with pytest.raises(ValueError, match="PLAIN is not used here"):
        KafkaSecurity("SASL_SSL", None, "PLAIN", "booking", "shown")  # type: ignore[arg-type]
