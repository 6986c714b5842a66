"""The system of deploy/compose.yaml, started with the images of deploy/images and on free ports."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.images import docker
from deploy.local.layout import REPOSITORY
from deploy.local.ports import free_ports

FILES = (REPOSITORY / "deploy" / "compose.yaml", REPOSITORY / "deploy" / "compose.clock.yaml")
PORTS = (
    *("POSTGRES_PORT", "KAFKA_PORT", "BOOKING_PORT", "PAYMENTS_PORT", "NOTIFICATIONS_PORT"),
    *("STRIPE_PORT", "STRIPE_CONTROL_PORT", "MAILBOX_PORT", "CLOCK_PORT", "CONSOLE_PORT"),
)
TOKEN = "local-token"
"""Of deploy/compose.yaml, which has its hash."""


@dataclass
class Composed:
    """One project of compose. `files` are laid over each other; `images`, by the variables of deploy/compose.yaml, may
    also choose other things than images."""

    project: str
    files: Sequence[Path]
    images: Mapping[str, str]
    ports: Mapping[str, int]

    @classmethod
    def on_free_ports(cls, project: str, files: Sequence[Path], images: Mapping[str, str]) -> Composed:
        return cls(project, files, images, dict(zip(PORTS, free_ports(len(PORTS)), strict=True)))

    def compose(self, *arguments: str) -> str:
        """Run compose; returns what it prints. Raises subprocess.CalledProcessError."""
        files = [part for file in self.files for part in ("-f", str(file))]
        command = [*docker.compose_client(), "-p", self.project, *files, *arguments]
        numbers = {name: str(port) for name, port in self.ports.items()}
        environment = {**os.environ, **self.images, **numbers}
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout

    def container(self, service: str) -> str:
        """The id of its container, running or not."""
        return self.compose("ps", "-q", service).strip() or self._ended(service)

    def _ended(self, service: str) -> str:
        labels = (f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}")
        return docker.run("ps", "-aq", *(part for label in labels for part in ("--filter", f"label={label}")))

    def inside(self, service: str, code: str) -> str:
        """What this Python prints in the container."""
        return docker.run("exec", self.container(service), "python", "-c", code)

    def state(self, service: str) -> Any:
        """What the engine says of its container."""
        (seen,) = json.loads(docker.run("inspect", self.container(service)))
        return seen

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    def get(self, port: str, path: str) -> tuple[int, Any]:
        """Status and body of a read with the token; 0 and the error where nobody answers."""
        request = urllib.request.Request(self.url(port) + path, headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)
        except OSError as error:
            return 0, repr(error)

    def mails(self, to: str, seconds: float) -> list[Any]:
        """The mails that reached an address, once there is one; none when none came."""
        deadline = time.monotonic() + seconds
        while True:
            found = [mail for mail in self.get("MAILBOX_PORT", "/messages")[1] if to in mail["to"]]
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.05)

    def ready(self, service: str, seconds: float) -> float:
        """Wait until the service is ready; returns the seconds it took. Raises AssertionError with its last answer."""
        began = time.monotonic()
        while True:
            status, body = self.get(f"{service.upper()}_PORT", "/health/ready")
            waited = time.monotonic() - began
            if status == 200:
                return waited
            assert waited < seconds, f"{service} was not ready in {seconds:.0f} s: {body}\n{self._log(service)}"
            time.sleep(0.05)

    def healthy(self, service: str, seconds: float) -> None:
        """Wait until the engine has found it so. Raises AssertionError with its log."""
        deadline = time.monotonic() + seconds
        while self.state(service)["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < deadline, f"{service} did not get healthy:\n{self._log(service)}"
            time.sleep(0.2)

    def logs(self, service: str) -> list[Any]:
        """Its lines of JSON so far, oldest first."""
        said = subprocess.run([docker.docker(), "logs", self.container(service)], stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in said.stdout.splitlines() if line.startswith(b"{")]

    def logged(self, service: str, event: str, seconds: float) -> Any:
        """Wait for the last line about that. Raises AssertionError with its log."""
        deadline = time.monotonic() + seconds
        while not (found := [line for line in self.logs(service) if line["event"] == event]):
            assert time.monotonic() < deadline, f"{service} did not log “{event}”:\n{self._log(service)}"
            time.sleep(0.2)
        return found[-1]

    def sql(self, database: str, statement: str) -> str:
        """What psql prints, as the cluster's own user."""
        psql = ("psql", "-U", "postgres", "-d", database, "-Atc", statement)
        return docker.run("exec", self.container("postgres"), *psql)

    def _log(self, service: str) -> str:
        return self.compose("logs", "--no-color", "--tail=40", service)
