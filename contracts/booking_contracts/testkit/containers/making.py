"""A container of testcontainers for each part of a system."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from booking_contracts.testkit.containers.composition import SCRIPTS, Part
from booking_contracts.testkit.containers.kafka import ApacheKafkaContainer
from booking_contracts.testkit.containers.postgres import PostgreSQLContainer

PASSWORD = "POSTGRES_PASSWORD"
FOR_FEW = {"offsets.topic.num.partitions": "4", "group.coordinator.append.linger.ms": "0"}
"""Settings of a broker that three consumers ask, one after the other."""
NOT_DURABLE = ("-c", "fsync=off", "-c", "full_page_writes=off")
"""Settings of a database that nobody needs after its tests."""


def volumes_of(parts: Iterable[Part], network: Network) -> set[str]:
    """What the parts share or keep, by names that no other system has."""
    return {_named(volume, network) for part in parts for volume, _, _ in part.volumes}


def container_of(part: Part, network: Network, told: Path) -> DockerContainer:
    """Of a part, not started yet; `told` is what the image for tests says (composition.copied_out)."""
    container: DockerContainer
    if part.name == "kafka":
        container = ApacheKafkaContainer(part.image, network=network, settings=FOR_FEW)
    elif part.name == "postgres":
        container = _postgres(part, network, told / SCRIPTS)
    else:
        container = DockerContainer(part.image, network=network, network_aliases=[part.name], **part.rights)
        container.with_command(list(part.command)).with_envs(**part.environment)
        container.with_exposed_ports(*part.ports)
    for volume, mounted, mode in part.volumes:
        container.with_volume_mapping(_named(volume, network), mounted, mode)
    return container


def _postgres(part: Part, network: Network, scripts: Path) -> DockerContainer:
    password = part.environment[PASSWORD]
    others = {name: value for name, value in part.environment.items() if name != PASSWORD}
    container = PostgreSQLContainer(part.image, network=network, password=password, scripts=scripts, environment=others)
    return container.with_command([*part.command, *NOT_DURABLE])


def _named(volume: str, network: Network) -> str:
    return f"{network.name}-{volume}"
