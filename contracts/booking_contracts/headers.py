"""What may stand in the key and the headers of a record, and what is refused by name."""

from __future__ import annotations

import re
from uuid import UUID

MOST_HEADERS = 64
MOST_HEADER_BYTES = 16 * 1024
"""All names and values of a record together."""
MOST_KEY = 256
MOST_TEXT = 512
_MOST = {"ce_replyto": 64, "ce_sequence": 18}
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What breaks lines, terminals, PostgreSQL (NUL) or UTF-8: no header, key or name that we show holds it."""
_NUMBER = re.compile(r"[0-9]+")


class BadEnvelope(ValueError):
    """A header is missing or unreadable. `field` names it; `id` is the message id where it can be read."""

    def __init__(self, field: str, problem: str, message_id: UUID | None) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem, self.id = field, problem, message_id


def safe_text(found: str | bytes | None, most: int = MOST_KEY) -> str:
    """Whatever a sender wrote, as a text that may stand in a message, a table or a log: what is good stays as it is.

    For what is shown or echoed although it was refused: keys, names of fields and headers. At most `most` characters.
    """
    shown = found[: 4 * most].decode("utf-8", "replace") if isinstance(found, bytes) else found or ""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", shown[:most])


def check_all(headers: list[tuple[str, bytes | None]]) -> None:
    """Their number, their size, their names. Raises BadEnvelope that names `headers`."""
    if len(headers) > MOST_HEADERS:
        raise BadEnvelope("headers", f"are {len(headers)}, more than {MOST_HEADERS}", None)
    for name, _ in headers:
        if not (name and name.isascii() and name.isprintable()) or " " in name:
            raise BadEnvelope("headers", f"have a name that is not printable ASCII: {safe_text(name, 64)!r}", None)
    if sum([len(name) + len(raw or b"") for name, raw in headers]) > MOST_HEADER_BYTES:
        raise BadEnvelope("headers", f"are larger than {MOST_HEADER_BYTES} bytes", None)


def text(found: dict[str, bytes], name: str) -> str | None:
    """A header's value within its bounds, or None where it is not there. Raises BadEnvelope that names it."""
    raw = found.get(name)
    return None if raw is None else checked(name, raw, _MOST.get(name, MOST_TEXT))


def checked(field: str, raw: bytes, most: int) -> str:
    """A text of at most `most` characters and without control characters. Raises BadEnvelope that names `field`."""
    if len(raw) > 4 * most:  # no character of UTF-8 has more bytes
        raise BadEnvelope(field, f"is longer than {most} characters", None)
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        raise BadEnvelope(field, "is not UTF-8", None) from None
    if len(decoded) > most:
        raise BadEnvelope(field, f"is longer than {most} characters", None)
    if not decoded.isprintable() and _UNSAFE.search(decoded):
        raise BadEnvelope(field, "holds control characters", None)
    return decoded


def read_id(found: str | None) -> UUID:
    """Raises BadEnvelope that names `ce_id`: nobody can be answered."""
    if not found:
        raise BadEnvelope("ce_id", "is missing", None)
    try:
        return UUID(found)
    except ValueError:
        raise BadEnvelope("ce_id", "is not a UUID", None) from None


def read_sequence(found: str | None) -> int | None:
    """A number that fits a bigint. Raises BadEnvelope that names `ce_sequence`."""
    if found is not None and not _NUMBER.fullmatch(found):
        raise BadEnvelope("ce_sequence", "is not a number", None)
    return None if found is None else int(found)
