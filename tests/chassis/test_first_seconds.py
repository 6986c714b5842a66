"""`faststream run`, before database and Kafka are there: it says why it waits, goes on, and stops when asked."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from deploy.local.ports import free_ports
from tests.chassis.test_application import ENVIRONMENT

SECONDS = 60.0
"""For a machine that does much else; an idle one needs two."""
URL = "http://127.0.0.1:{port}/health/{question}"


def asked(port: int, question: str) -> tuple[int, str]:
    """Status, and the reason where it is not well; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(URL.format(port=port, question=question), timeout=5) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)["detail"]
    except OSError:
        return 0, ""


@contextmanager
def starting(**settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The service as production starts it, where nothing answers that is not in `settings`; with its port."""
    (port,) = free_ports(1)
    environment = {**os.environ, **ENVIRONMENT, "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port), **settings}
    command = [sys.executable, "-m", "faststream", "run", "services.payments.app:application", "--factory"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process, port
        process.kill()


def called(port: int, path: str, headers: dict[str, str], body: bytes | None = None) -> int:
    """The status of an answer that is no fault."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return int(answer.status)


def answers(process: subprocess.Popen[bytes], port: int, question: str, status: int) -> str:
    """Wait until it answers so; returns the reason."""
    deadline = time.monotonic() + SECONDS
    while asked(port, question)[0] != status and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    found, reason = asked(port, question)
    assert found == status, reason
    return reason


@pytest.mark.requirement("health")
def test_it_answers_before_what_it_needs_does_and_a_wait_does_not_end_it() -> None:
    with starting() as (process, port):
        assert answers(process, port, "startup", 503).startswith("the database does not answer")
        assert asked(port, "serving")[1].startswith("the database does not answer")
        assert asked(port, "ready") == (503, "the consumer group has not been joined")
        assert asked(port, "live")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


@pytest.mark.requirement("health")
def test_without_kafka_webhooks_and_reads_are_served(databases: dict[str, str]) -> None:
    tokens = json.dumps([{"name": "n", "token_sha256": hashlib.sha256(b"fake").hexdigest(), "scopes": ["read:money"]}])
    with starting(DATABASE_URL=databases["PAYMENTS_DATABASE_URL"], API_TOKENS=tokens) as (process, port):
        answers(process, port, "serving", 200)
        assert asked(port, "ready") == (503, "the consumer group has not been joined")
        assert called(port, "/v1/wallets/nobody", {"Authorization": "Bearer fake"}) == 200
        body = json.dumps({"id": f"evt_{uuid4().hex}", "type": "customer.created", "data": {"object": {}}}).encode()
        mac = hmac.digest(b"whsec_fake", b"%d." % (now := int(time.time())) + body, "sha256").hex()
        assert called(port, "/webhooks/stripe", {"Stripe-Signature": f"t={now},v1={mac}"}, body) == 200
