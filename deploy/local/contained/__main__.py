"""Holds a container of a stack: `python -m deploy.local.contained postgres <root of the stack> [--fast]`.

What the container writes is written to standard output. SIGTERM removes it; it ends when the container does.
"""

import argparse
import signal
import sys
from pathlib import Path
from typing import NoReturn

from booking_contracts.testkit.containers.kafka import ApacheKafkaContainer
from booking_contracts.testkit.containers.postgres import PostgreSQLContainer
from testcontainers.core.container import DockerContainer

from deploy.local import kafka, postgres
from deploy.local.contained import ANSWERS, container_name
from deploy.local.databases import NOT_LOGGED, SCRIPT, passwords
from deploy.local.layout import Layout


def main() -> None:
    """Run it; ends with 1 when the container ended by itself."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.contained", description=__doc__)
    parser.add_argument("part", choices=sorted(ANSWERS))
    parser.add_argument("root", type=Path)
    parser.add_argument("--fast", action="store_true", help="PostgreSQL without fsync")
    chosen = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    layout = Layout.load(chosen.root)
    with container(layout, chosen.part, chosen.fast).with_name(container_name(layout, chosen.part)) as held:
        for said in held.get_wrapped_container().logs(stream=True, follow=True):
            sys.stdout.buffer.write(said)
            sys.stdout.buffer.flush()
    sys.exit(f"The container of {chosen.part} has ended.")


def container(layout: Layout, part: str, fast: bool) -> DockerContainer:
    """The part as the local process has it: the same port, settings, databases, roles and passwords."""
    port = layout.ports[part]
    if part == "kafka":
        return ApacheKafkaContainer(settings=kafka.SETTINGS, port=port)
    return PostgreSQLContainer(
        password=layout.secrets["postgres"],
        settings=postgres.SETTINGS | (postgres.NOT_DURABLE if fast else {}),
        scripts=SCRIPT.parent,
        environment=passwords(layout) | {"PGOPTIONS": NOT_LOGGED},
        port=port,
    )


def _end(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
