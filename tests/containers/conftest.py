"""Our images, built once, and the system of deploy/compose.yaml on them; only where `make compose-test` asks for it."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from booking_contracts.rights import SERVICES

from deploy.images import __main__ as images_of_ours
from deploy.images import docker
from tests.containers.composed import FILES, Composed

START_SECONDS = 120.0


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """Every image by its variable in deploy/compose.yaml."""
    if not os.environ.get("CONTAINERS"):
        pytest.skip("containers are tested by `make compose-test`, which needs a Docker engine")
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # what we start we stop, and it would be pulled
    try:
        docker.compose_client()
        return images_of_ours.build()
    except docker.NoDocker as problem:
        pytest.skip(f"containers are not tested: {problem}")


@contextmanager
def up(images: dict[str, str], *files: Path) -> Iterator[Composed]:
    """The system, ready; its containers and volumes are removed at the end."""
    composed = Composed.on_free_ports(f"booking-{uuid.uuid4().hex[:8]}", files, images)
    try:
        composed.compose("up", "-d")
        for service in SERVICES:
            composed.ready(service, START_SECONDS)
        yield composed
    except subprocess.CalledProcessError:
        print(composed.compose("logs", "--no-color", "--tail=40"))
        raise
    finally:
        composed.compose("down", "-v", "--timeout", "25")


@pytest.fixture(scope="session")
def system(images: dict[str, str]) -> Iterator[Composed]:
    """As production runs it: the real clock."""
    with up(images, FILES[0]) as composed:
        yield composed


@pytest.fixture
def moved(images: dict[str, str]) -> Iterator[Composed]:
    """On the clock that tests move."""
    with up(images, *FILES) as composed:
        yield composed
