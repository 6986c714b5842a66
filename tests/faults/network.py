"""The links between services and what they need, through a proxy (proxy.py), and a stack that goes through them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from booking_contracts.rights import SERVICES

from deploy.local.layout import REPOSITORY, Layout
from deploy.local.ports import free_ports

LINKS = (
    *(f"{service} to {what}" for service in SERVICES for what in ("postgres", "kafka")),
    *("payments to stripe", "notifications to mail"),
)


class Network:
    """The proxy's process; `kafka_listeners` and `environment` are what a stack needs so that it goes through it."""

    def __init__(self, layout: Layout) -> None:
        """Chooses the layout's ports, so that links can lead to them before anything runs."""
        layout.choose_ports(keep=False)
        layout.save()
        fresh = free_ports(len(LINKS) + len(SERVICES), taken=set(layout.ports.values()))
        self._ports = dict(zip(LINKS, fresh, strict=False))
        behind = dict(zip(SERVICES, fresh[len(LINKS) :], strict=True))
        self.kafka_listeners = {
            service.upper(): (behind[service], self._ports[f"{service} to kafka"]) for service in SERVICES
        }
        targets = {"postgres": layout.ports["postgres"], "stripe": layout.ports["stripe-simulator"]}
        targets["mail"] = layout.ports["mailbox-smtp"]
        self._links = {
            name: (port, behind[name.split()[0]] if name.endswith("kafka") else targets[name.split()[-1]])
            for name, port in self._ports.items()
        }
        self.environment = {service: self._environment(layout, service) for service in SERVICES}
        self._one_at_a_time = threading.Lock()

    def _environment(self, layout: Layout, service: str) -> dict[str, str]:
        database = layout.database_url(service, service)
        direct, proxied = f":{layout.ports['postgres']}/", f":{self._ports[f'{service} to postgres']}/"
        env = {
            "DATABASE_URL": database.replace(direct, proxied),
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self._ports[f'{service} to kafka']}",
        }
        if service == "payments":
            env["STRIPE_API_BASE"] = f"http://127.0.0.1:{self._ports['payments to stripe']}"
        if service == "notifications":
            env["SMTP_PORT"] = str(self._ports["notifications to mail"])
        return env

    @contextmanager
    def up(self, log: Path) -> Iterator[None]:
        """Links that work, until the end."""
        command = [sys.executable, "-m", "tests.faults.proxy", json.dumps(self._links)]
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as process,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            self._in, self._out = process.stdin, process.stdout
            assert self._out.readline() == "ready\n", log.read_text()
            yield
            process.stdin.close()

    def do(self, link: str, what: str, seconds: float = 0.0) -> None:
        """See proxy.py."""
        with self._one_at_a_time:
            self._in.write(json.dumps({"link": link, "do": what, "seconds": seconds}) + "\n")
            self._in.flush()
            assert self._out.readline() == "done\n"

    def spoil(self, link: str, what: str, lasts: float, seconds: float = 0.0) -> None:
        """Do it for so long, then let everything pass again."""
        self.do(link, what, seconds)
        time.sleep(lasts)
        self.do(link, "pass")
