"""When certificates and tokens that this process uses end, as metrics: nobody looks at them before they have."""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from re import DOTALL, findall
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from services.chassis import metrics
from services.chassis.database import Where

PEM = r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----"
UTC_TIME, VERSION = 0x17, 0xA0


class Token(Protocol):
    """Who holds it, and when it opens nothing any more; None: never."""

    @property
    def name(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...


def watch(certificate_files: Iterable[str], tokens: Callable[[], Iterable[Token]]) -> None:
    """Export when each of them ends. Both are read when somebody asks, so that a new one shows at once; a token of a
    new name shows after the next start."""
    for file in certificate_files:
        metrics.certificate_expiry.labels(file).set_function(lambda file=file: first_end(Path(file)))  # type: ignore[misc]
    for name in sorted({token.name for token in tokens() if token.expires_at is not None}):
        metrics.token_expiry.labels(name).set_function(lambda name=name: end_of(name, tokens()))  # type: ignore[misc]


def files_of(*databases: Where | None) -> list[str]:
    """Files of certificates that connections to them are made with. None: no database."""
    urls = [one if isinstance(one, str) else one.url for one in databases if one is not None]
    queries = [parse_qs(urlsplit(url).query) for url in urls]
    return [file for query in queries for name in ("sslrootcert", "sslcert") for file in query.get(name, ())]


def end_of(name: str, tokens: Iterable[Token]) -> float:
    """When the last token of a name ends, Unix time: two are valid during a rotation. Never, where one has no end."""
    ends = [token.expires_at for token in tokens if token.name == name]
    return max((math.inf if end is None else end.timestamp() for end in ends), default=math.inf)


def first_end(file: Path) -> float:
    """When the first of a file's certificates ends, Unix time; 0 where it has none that can be read."""
    try:
        ends = [not_after(ssl.PEM_cert_to_DER_cert(pem)) for pem in findall(PEM, file.read_text(), DOTALL)]
    except (OSError, ValueError, IndexError):
        return 0.0
    return min((end.timestamp() for end in ends), default=0.0)


def not_after(certificate: bytes) -> datetime:
    """The end of a certificate's validity (DER; RFC 5280, section 4.1). The standard library tells it of CAs alone."""
    (_, whole), *_ = _parts(certificate)
    (_, signed), *_ = _parts(whole)
    fields = [value for tag, value in _parts(signed) if tag != VERSION]
    _serial, _algorithm, _issuer, validity = fields[:4]
    tag, value = list(_parts(validity))[1]
    text = value.decode("ascii")
    if tag == UTC_TIME:  # two digits of the year: 1950 to 2049
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element (X.690: a length of 128 and more says how many bytes it has)."""
    place = 0
    while place < len(der):
        tag, length, place = der[place], der[place + 1], place + 2
        if length >= 0x80:
            size = length & 0x7F
            length, place = int.from_bytes(der[place : place + size]), place + size
        yield tag, der[place : place + length]
        place += length
