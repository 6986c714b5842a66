"""What is posted to a link that ends reminders and is no form: its sender's fault, and none of ours."""

from __future__ import annotations

from typing import cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.http import Pools, new_app
from services.notifications import http
from services.notifications.model.targets import Targets
from tests.described import Described
from tests.doors import HEALTHY
from tests.notifications.test_unsubscribing import LINKS, token_of

POOL = cast(Pool, None)
"""Nothing of these tests comes as far as the database."""
PATH = "/unsubscribe/" + token_of(LINKS.to_end_reminders("anna@example.org"))
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@pytest.mark.requirement("notify-safely")
@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("application/json", b'{"List-Unsubscribe": "One-Click"}', 400),
        (URLENCODED, b"\xff=1", 400),
        (f"{URLENCODED}; charset=none", b"List-Unsubscribe=One-Click", 400),
        (MULTIPART, b"List-Unsubscribe=One-Click", 400),
        (f"{MULTIPART}; boundary=x", b"List-Unsubscribe=One-Click", 400),
        (f"{MULTIPART}; boundary=x", b"--x\r\nList-Unsubscribe\r\n", 400),
        (f"{MULTIPART}; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nOne-Click\r\n--x--\r\n", 400),
        (URLENCODED, b"List-Unsubscribe=" + b"x" * (1 << 20), 413),
    ],
)
async def test_what_is_no_form_is_refused(media_type: str, body: bytes, status: int) -> None:
    app = new_app(lambda: (), Pools(POOL, POOL), HEALTHY)
    http.add_routes(app, SystemClock(), Targets(), LINKS)
    async with (
        TestClient(TestServer(app)) as client,
        client.post(PATH, data=body, headers={"Content-Type": media_type}) as answer,
    ):
        Described("notifications").check("POST", PATH, answer.status, answer.content_type, await answer.json())
        assert answer.status == status
