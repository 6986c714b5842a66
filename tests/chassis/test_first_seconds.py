"""`faststream run`, before database and Kafka are there: it says why it waits, goes on, and stops when asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

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


@pytest.fixture
def started() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The service as production starts it, where nothing answers; with its port."""
    (port,) = free_ports(1)
    environment = {**os.environ, **ENVIRONMENT, "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port)}
    command = [sys.executable, "-m", "faststream", "run", "services.payments.app:application", "--factory"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process, port
        process.kill()


@pytest.mark.requirement("health")
def test_it_answers_before_what_it_needs_does_and_a_wait_does_not_end_it(
    started: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = started
    deadline = time.monotonic() + SECONDS
    while asked(port, "startup")[0] == 0 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    status, reason = asked(port, "startup")
    assert status == 503
    assert reason.startswith("the database does not answer")
    assert asked(port, "ready") == (503, "the consumer group has not been joined")
    assert asked(port, "live")[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0
