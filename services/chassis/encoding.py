"""How what is read is written as JSON: instants as RFC 3339, ids as strings."""

from __future__ import annotations

import json
from datetime import datetime

from booking_contracts.envelope import rfc3339


def encoded(body: object) -> bytes:
    """The JSON of an answer."""
    return json.dumps(body, default=_plain).encode()


def _plain(value: object) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)
