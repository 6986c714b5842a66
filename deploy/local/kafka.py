"""Apache Kafka as a single KRaft node on this machine."""

import asyncio
import contextlib
import os
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import secured
from deploy.local.kafka_jars import java, kafka_jars
from deploy.local.layout import Layout
from deploy.local.ports import answers_tcp
from deploy.local.processes import Process

# The first compiler tier alone: the broker answers in half the time and costs less for a million records,
# which is how a development stack lives. KAFKA_JVM_OPTIONS is appended, so that a benchmark can choose.
JVM_OPTIONS = ("-Xms512m", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
LOG_OPTIONS = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server=info",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info",
)
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.coordinator.append.linger.ms": "0",
    "auto.create.topics.enable": "false",
    # A killed broker may return once its old session has ended: 9 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "num.partitions": "12",
}


def kafka(layout: Layout) -> Process:
    """The broker, which is also its own controller."""
    home = layout.root / "kafka"
    port = layout.ports["kafka"]
    jars = kafka_jars()
    options = (*JVM_OPTIONS, *os.environ.get("KAFKA_JVM_OPTIONS", "").split(), *LOG_OPTIONS)
    properties = home / "server.properties"
    return Process(
        name="kafka",
        command=(java(), *options, "-cp", f"{jars}/*", "kafka.Kafka", str(properties)),
        answers=lambda: answers(port),
        environment={"PATH": os.environ.get("PATH", os.defpath)},
        directory=layout.root,
        before_start=lambda: _prepare(layout, home, jars),
        once_ready=lambda: secured.make_kafka_users(layout) if layout.secure else None,
    )


def answers(port: int) -> bool:
    """Whether a broker answers on the port, whoever runs it, and topics can be created."""
    return answers_tcp(port) and asyncio.run(_serves_metadata(port))


def _prepare(layout: Layout, home: Path, jars: Path) -> None:
    """Write the configuration; format the storage the first time."""
    home.mkdir(exist_ok=True)
    broker, controller = layout.ports["kafka"], layout.ports["kafka-controller"]
    bound = {name: port for name, (port, _) in layout.kafka_listeners.items()}
    told = {name: port for name, (_, port) in layout.kafka_listeners.items()}
    protocols = dict.fromkeys(("CONTROLLER", "PLAINTEXT", *bound), "PLAINTEXT")
    more: dict[str, str] = {}
    if layout.secure:
        shut = {name: layout.ports[f"kafka-{name.lower()}"] for name in secured.LISTENERS}
        bound, told, protocols = bound | shut, told | shut, protocols | secured.LISTENERS
        more = secured.kafka_settings(layout)
    properties = SETTINGS | {
        "listeners": _addresses({"PLAINTEXT": broker, "CONTROLLER": controller, **bound}),
        "advertised.listeners": _addresses({"PLAINTEXT": broker, **told}),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": str(home / "data"),
        **more,
    }
    file = home / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    if not (home / "data" / "meta.properties").exists():
        _format(layout, file, jars)


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _format(layout: Layout, properties: Path, jars: Path) -> None:
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    command = [java(), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    command += ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", f"--config={properties}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (layout.logs / "kafka-format.log").write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        raise RuntimeError(f"formatting Kafka's storage failed: {done.stdout}{done.stderr}")


async def _serves_metadata(port: int) -> bool:
    """Whether the broker lists itself as alive, which is when topics can be created."""
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=2_000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
        return bool(cluster["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()
