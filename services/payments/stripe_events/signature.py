"""The Stripe-Signature header (docs.stripe.com: Verify webhook signatures manually).

The SDK's own check accepts timestamps from the future and reads the machine's clock; this one does neither.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime

TOLERANCE_SECONDS = 300


class BadSignature(ValueError):
    """The webhook does not come from Stripe, or not now; the text says what is wrong."""


def verify(payload: bytes, header: str, secrets: Sequence[str], now: datetime) -> None:
    """Check the raw bytes against any of the secrets (two are valid while one is rotated). Raises BadSignature."""
    pairs = [item.strip().partition("=") for item in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1" and value.isascii()]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        raise BadSignature("The Stripe-Signature header has no timestamp.")
    signed = times[0].encode() + b"." + payload
    expected = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise BadSignature("The signature does not match the body.")
    if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        raise BadSignature(f"The signature is more than {TOLERANCE_SECONDS} s away from now.")
