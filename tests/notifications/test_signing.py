"""What is posted, and that receivers' libraries find it signed: the standard's own for Python and for JavaScript."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.notifications.subscriptions.signing import content_of, new_secret, shown, signed

pytestmark = pytest.mark.requirement("notify-systems")
EVENT = UUID("01890000-0000-7000-8000-00000000000a")
HEADERS = [
    ("ce_specversion", "1.0"),
    ("ce_id", str(EVENT)),
    ("ce_type", "booking.BookingConfirmed.v1"),
    ("ce_source", "/booking"),
    ("ce_subject", "b-1"),
    ("ce_time", "2030-01-01T12:00:00Z"),
    ("content-type", "application/json"),
    ("ce_correlationid", "c-1"),
    ("ce_sequence", "000000000003"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
]
BODY = '{"booking_id":"b-1","price":{"amount":4500, "currency":"EUR"},"name":"Zoë \\u2603 ü"}'.encode()
CONTENT = content_of(HEADERS, "b-1", BODY)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "webhooks"


def test_the_event_is_as_on_kafka_with_its_attributes() -> None:
    assert CONTENT.endswith(f'"data": {BODY.decode()}}}'), "not a byte of the body is another one"
    assert json.loads(CONTENT) == {
        "specversion": "1.0",
        "id": str(EVENT),
        "type": "booking.BookingConfirmed.v1",
        "source": "/booking",
        "subject": "b-1",
        "time": "2030-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "correlationid": "c-1",
        "sequence": "000000000003",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": json.loads(BODY),
    }


def test_a_receiver_with_the_secret_finds_it_signed() -> None:
    secret = new_secret()
    headers = signed(EVENT, CONTENT, [secret], time.time())

    assert Webhook(shown(secret)).verify(CONTENT, dict(headers))["data"]["price"]["amount"] == 4500
    assert headers["webhook-id"] == str(EVENT)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(new_secret())).verify(CONTENT, dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(secret)).verify(CONTENT.replace("4500", "1"), dict(headers))
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(shown(secret)).verify(CONTENT, dict(signed(EVENT, CONTENT, [secret], time.time() - 600)))


def test_while_a_secret_is_changed_both_are_good() -> None:
    old, new = new_secret(), new_secret()
    headers = dict(signed(EVENT, CONTENT, [new, old], time.time()))

    for secret in (old, new):
        Webhook(shown(secret)).verify(CONTENT, headers)


@pytest.mark.skipif(
    shutil.which("node") is None or not (EXAMPLE / "node_modules").exists(),
    reason="`make example-webhooks` installs npm's standardwebhooks, where Node is, and runs this",
)
def test_the_standards_own_library_for_javascript_finds_it_signed() -> None:
    secret = new_secret()
    said = {"content": CONTENT, "headers": dict(signed(EVENT, CONTENT, [new_secret(), secret], time.time()))}

    def verified(key: bytes) -> subprocess.CompletedProcess[str]:
        given = json.dumps({**said, "secret": shown(key)})
        command = ["node", str(EXAMPLE / "verify.mjs")]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)

    good, bad = verified(secret), verified(new_secret())
    assert (good.returncode, good.stdout.strip()) == (0, str(EVENT)), good.stderr
    assert bad.returncode == 1
