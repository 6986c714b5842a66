"""When certificates and tokens end; against what the standard library reads (requirement observability)."""

from __future__ import annotations

import hashlib
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from prometheus_client import REGISTRY

from services.chassis import expiry
from services.chassis.settings import ApiToken, Settings

pytestmark = pytest.mark.requirement("observability")
BUNDLE = Path(certifi.where())


def test_every_authority_of_the_world_ends_when_the_standard_library_says() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(BUNDLE)
    expected = sorted(ssl.cert_time_to_seconds(str(one["notAfter"])) for one in context.get_ca_certs())
    pems = re.findall(expiry.PEM, BUNDLE.read_text(), re.DOTALL)
    found = sorted(expiry.not_after(ssl.PEM_cert_to_DER_cert(pem)).timestamp() for pem in pems)
    assert len(found) > 100
    assert found == expected
    assert expiry.first_end(BUNDLE) == expected[0]


@pytest.mark.parametrize(
    "text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_a_certificate_counts_as_ended(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ca.pem"
    assert expiry.first_end(file) == 0
    file.write_text(text)
    assert expiry.first_end(file) == 0


def test_a_new_certificate_shows_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    expiry.watch([str(file)], tuple)

    def shown() -> float | None:
        return REGISTRY.get_sample_value("booking_certificate_expiry_timestamp_seconds", {"file": str(file)})

    assert shown() == 0
    file.write_bytes(BUNDLE.read_bytes())
    assert shown() == expiry.first_end(BUNDLE)


def test_the_files_that_a_service_connects_with_are_watched() -> None:
    url = "postgresql://a:b@db/booking?sslmode=verify-full&sslrootcert=%2Fpki%2Fdb-ca.pem&sslcert=/pki/own.pem"
    settings = Settings(database_url=url, kafka_bootstrap_servers="k:9", kafka_ssl_cafile="/pki/kafka-ca.pem")
    assert settings.certificate_files() == ["/pki/kafka-ca.pem", "/pki/db-ca.pem", "/pki/own.pem"]
    assert Settings(database_url="postgresql://db/booking", kafka_bootstrap_servers="k:9").certificate_files() == []


def test_a_token_opens_nothing_after_its_end_and_shows_it_before() -> None:
    now = datetime.now(UTC)

    def token(expires_at: datetime | None) -> ApiToken:
        sha256 = hashlib.sha256(b"open").hexdigest()
        return ApiToken(name="team", token_sha256=sha256, scopes=frozenset({"read:bookings"}), expires_at=expires_at)

    assert token(None).matches("open")
    assert token(now + timedelta(minutes=1)).matches("open")
    assert not token(now + timedelta(minutes=1)).matches("other")
    assert not token(now - timedelta(seconds=1)).matches("open")

    valid = [token(now)]
    expiry.watch([], lambda: valid)

    def shown() -> float | None:
        return REGISTRY.get_sample_value("booking_token_expiry_timestamp_seconds", {"name": "team"})

    assert shown() == now.timestamp()
    valid.append(token(now + timedelta(days=90)))
    assert shown() == (now + timedelta(days=90)).timestamp()
