"""What is posted: an event in CloudEvents' JSON format, signed as Standard Webhooks says.

Sources: CloudEvents JSON event format 1.0, section 3; Standard Webhooks, "Webhook headers" and "Signature scheme".
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks.webhooks import Webhook

from services.chassis.messages import Headers

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
USER_AGENT = "booking-webhooks/1"
SECRET_BYTES = 32
PREFIX = "whsec_"


def new_secret() -> bytes:
    """A secret to sign with."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secret).decode()


def content_of(headers: Headers, key: str, body: bytes) -> str:
    """A message of Kafka in CloudEvents' JSON format: the attributes of its headers, and its body as `data`.

    The body's bytes stay as they are.
    """
    attributes = {"specversion": "1.0", **dict(_attributes(headers))}
    attributes.setdefault("source", "unknown")
    attributes.setdefault("subject", key)
    attributes["datacontenttype"] = "application/json"
    return f'{json.dumps(attributes, ensure_ascii=False)[:-1]}, "data": {body.decode()}}}'


def _attributes(headers: Headers) -> list[tuple[str, str]]:
    """Kafka's header bytes are kept as latin-1 text (chassis/intake.py)."""
    named = [(name.lower(), value.encode("latin-1").decode("utf-8", "replace")) for name, value in headers]
    return [
        (name.removeprefix("ce_"), value) for name, value in named if name.startswith("ce_") or name == "traceparent"
    ]


def signed(event_id: UUID, content: str, secret_keys: Sequence[bytes], now_seconds: float) -> Mapping[str, str]:
    """The headers of one try; a signature for each valid secret. `now_seconds`: since 1970, real time."""
    at = datetime.fromtimestamp(int(now_seconds), UTC)
    signatures = (Webhook(secret).sign(str(event_id), at, content) for secret in secret_keys)
    return {
        "content-type": CONTENT_TYPE,
        "user-agent": USER_AGENT,
        "accept-encoding": "identity",
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(now_seconds)),
        "webhook-signature": " ".join(signatures),
    }
