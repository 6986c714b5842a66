"""Apache's own Kafka image under testcontainers, whose KafkaContainer knows Confluent's alone.

A broker tells its clients where they find it, and on which port of the host that is, the engine says only when the
container runs. So the container starts as a shell that waits for a script, and the script comes with the address:
testcontainers' modules for Java and Go do the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Self

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

IMAGE = "apache/kafka:4.3.1"
IMAGE_VARIABLE = "KAFKA_IMAGE"
ALIAS = "kafka"
INSIDE_PORT, HOST_PORT, CONTROLLER_PORT = 9092, 29092, 9093
SCRIPT = "/tmp/start-with-address.sh"
STARTED = "Kafka Server started"
START_SECONDS = 120
POLL_SECONDS = 0.1
SETTINGS: Mapping[str, str] = {
    "node.id": "1",
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": f"1@localhost:{CONTROLLER_PORT}",
    "inter.broker.listener.name": "PLAINTEXT",
    "listeners": f"PLAINTEXT://:{INSIDE_PORT},HOST://:{HOST_PORT},CONTROLLER://:{CONTROLLER_PORT}",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}
"""One broker that is its own controller: nothing can have a second replica. Topics are created, never guessed."""


class ApacheKafkaContainer(DockerContainer):
    """A broker that answers once `start` returns, for a `with` statement; its data go with it.

    `image` is that of KAFKA_IMAGE, or IMAGE, when left out. `settings` are laid over SETTINGS, by their names in
    server.properties. `port` is the host's, one that is free when left out. On a `network` it is called `alias`.
    Starting raises TimeoutError after START_SECONDS, and RuntimeError when the broker ends before.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        network: Network | None = None,
        alias: str = ALIAS,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        # It is its own client, by the address that it tells others: on any network it must know its name.
        super().__init__(
            image or os.environ.get(IMAGE_VARIABLE) or IMAGE,
            network=network,
            network_aliases=[alias],
            hostname=alias,
            entrypoint=["sh", "-c"],
        )
        self.alias = alias
        self.with_command([f"until [ -s {SCRIPT} ]; do sleep 0.05; done; exec sh {SCRIPT}"])
        self.with_bind_ports(HOST_PORT, port)
        for name, value in {**SETTINGS, **(settings or {})}.items():
            self.with_env(variable(name), value)

    @property
    def bootstrap_servers(self) -> str:
        """For clients on the host."""
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(HOST_PORT)}"

    @property
    def bootstrap_servers_inside(self) -> str:
        """For containers on the same network."""
        return f"{self.alias}:{INSIDE_PORT}"

    def start(self) -> Self:
        """Start it, tell it its addresses, and wait until it answers."""
        super().start()
        told = f"PLAINTEXT://{self.bootstrap_servers_inside},HOST://{self.bootstrap_servers}"
        script = f"export {variable('advertised.listeners')}={told}\nexec /etc/kafka/docker/run\n"
        self.copy_into_container(script.encode(), SCRIPT)
        started = LogMessageWaitStrategy(STARTED).with_startup_timeout(START_SECONDS).with_poll_interval(POLL_SECONDS)
        started.wait_until_ready(self)
        return self


def variable(setting: str) -> str:
    """The variable by which the image takes a setting: `a.b_c-d` is KAFKA_A_B__C___D (Kafka's Docker image, Usage)."""
    return "KAFKA_" + setting.replace("_", "__").replace("-", "___").replace(".", "_").upper()
