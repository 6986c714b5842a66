"""The README's way into containers works as it stands, in this clone: `make compose-test`."""

from __future__ import annotations

import os
import uuid

import pytest
from booking_contracts.rights import SERVICES

from deploy.images import docker
from deploy.local.layout import REPOSITORY
from tests.containers.composed import FILES, Composed
from tests.packages.doors import doors, needs_engine
from tests.packages.elsewhere import ran

TYPED = [
    command
    for block in doors((REPOSITORY / "README.md").read_text())["Run it"]
    for command in block.commands
    if needs_engine(command)
]


def test_it_begins_and_ends() -> None:
    up, down = TYPED
    assert " up -d" in up
    assert " down -v" in down


@pytest.mark.timeout(900)
def test_it_is_typed_as_it_stands(images: dict[str, str]) -> None:
    """On free ports, by variables. Where the plugin is not installed, docker-compose takes the same words."""
    composed = Composed.on_free_ports(f"readme-{uuid.uuid4().hex[:8]}", FILES[:1], images)
    chosen = {"COMPOSE_PROJECT_NAME": composed.project} | {name: str(port) for name, port in composed.ports.items()}
    client = " ".join(docker.compose_client())
    up, down = (command.replace("docker compose", client) for command in TYPED)
    try:
        ran(["bash", "-ec", up], REPOSITORY, {**os.environ, **chosen})
        for service in SERVICES:
            composed.ready(service, 120)
    finally:
        ran(["bash", "-ec", down], REPOSITORY, {**os.environ, **chosen})
