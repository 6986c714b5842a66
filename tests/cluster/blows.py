"""What is done to the cluster by an operator or by chance; each blocks until everything is as it should be again."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
from booking_contracts.rights import SERVICES

from deploy.cluster.installation import FULL_NAME, RELEASE
from deploy.cluster.nodes import NODES
from tests.cluster.kube import evict, helm, kubectl, start, stop
from tests.cluster.pods import REPLICATED, Pods

REPLICAS = 2
FIRST, SECOND = (node.name for node in NODES)
RELEASE_SECONDS = 240
READY_SECONDS = 120.0
DRAIN_SECONDS = 120
KAFKA_AWAY_SECONDS = 120.0
HOLD_SECONDS = 3.0
"""So long a number of pods is kept, under load, before the next one."""


class Blows:
    """`notes` is what each has to say, by the name of its scenario."""

    def __init__(self, env: Mapping[str, str], pods: Pods, chart: Path, next_tag: str) -> None:
        self.env, self.pods, self.chart, self.next_tag = env, pods, chart, next_tag
        self.notes: dict[str, Any] = {}

    def upgrade(self) -> None:
        """To the next build: its migration is a hook, and its pods follow when that has succeeded."""
        self.notes["revisions before"] = revisions(self.env)
        wait = ("--wait", f"--timeout={RELEASE_SECONDS}s")
        tag = ("--reuse-values", "--set", f"image.tag={self.next_tag}")
        helm("upgrade", RELEASE, str(self.chart), *tag, *wait, seconds=RELEASE_SECONDS + 30)
        self.pods.until_ready(REPLICAS, READY_SECONDS)
        self.notes["revisions after"] = revisions(self.env)

    def rollback(self) -> None:
        """To the build before, on the newer schema."""
        helm("rollback", RELEASE, "--wait", f"--timeout={RELEASE_SECONDS}s", seconds=RELEASE_SECONDS + 30)
        self.pods.until_ready(REPLICAS, READY_SECONDS)
        self.notes["revisions"] = revisions(self.env)

    def drain(self) -> None:
        """A node is emptied while the other one takes no pod, so that one pod of each is left; who then asks for its
        eviction is refused. Then the other takes pods again."""
        spread = {name: len(self.pods.now(name, SECOND)) for name in REPLICATED}
        assert set(spread.values()) == {1}, f"not one pod of each on {SECOND}: {spread}"
        ours = f"--pod-selector=app.kubernetes.io/instance={RELEASE}"
        kubectl("cordon", FIRST)
        try:
            self._timed("drained after", "drain", SECOND, ours, f"--timeout={DRAIN_SECONDS}s")
            left = {name: self.pods.now(name, FIRST) for name in REPLICATED}
            self.notes["left"] = {name: len(pods) for name, pods in left.items()}
            self.notes["refused"] = {name: evict(pods[0].name) for name, pods in left.items()}
        finally:
            kubectl("uncordon", FIRST)
        self.notes["whole after"] = self.pods.until_ready(REPLICAS, READY_SECONDS)
        kubectl("uncordon", SECOND)

    def scale(self) -> None:
        """One, three, one, and as many as before; those spread over the nodes again."""
        for number in (1, 3, 1, REPLICAS):
            names = [f"deployment/{FULL_NAME}-{name}" for name in REPLICATED]
            kubectl("scale", *names, f"--replicas={number}")
            self.notes.setdefault("ready after", []).append(self.pods.until_ready(number, READY_SECONDS))
            time.sleep(HOLD_SECONDS)

    def kill(self) -> None:
        """The containers of services' and console's pods on a node, by SIGKILL; their kubelet starts them again."""
        (socket,) = (node.socket for node in NODES if node.name == SECOND)
        victims = [pod for name in REPLICATED for pod in self.pods.now(name, SECOND)]
        assert victims, f"{SECOND} has pods of ours"
        for pod in victims:
            ctr = ["ctr", "--address", socket, "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL", "--all"]
            subprocess.run([*ctr, pod.container], check=True, capture_output=True, timeout=30)
        before = {pod.name: pod.restarts for pod in victims}

        def again() -> bool:
            now = {pod.name: pod for pod in self.pods.now(node=SECOND)}
            return all(now[name].restarts > times and now[name].ready for name, times in before.items())

        self.notes["killed"] = sorted(before)
        self.notes["whole after"] = self.pods.until("killed pods are ready again", again, READY_SECONDS)

    def kafka(self) -> None:
        """Away for two minutes."""
        began = time.monotonic()
        stop("kafka")
        time.sleep(max(0.0, KAFKA_AWAY_SECONDS - (time.monotonic() - began)))
        start("kafka")
        self.notes["away"] = time.monotonic() - began

    def postgres(self) -> None:
        """Stopped, and started again."""
        began = time.monotonic()
        stop("postgres")
        start("postgres")
        self.notes["away"] = time.monotonic() - began
        self.pods.until_ready(REPLICAS, READY_SECONDS)

    def _timed(self, note: str, *arguments: str) -> None:
        began = time.monotonic()
        kubectl(*arguments, seconds=RELEASE_SECONDS)
        self.notes[note] = time.monotonic() - began


def revisions(env: Mapping[str, str]) -> dict[str, str]:
    """What each database's schema has reached."""

    async def ask() -> dict[str, str]:
        found = {}
        for service in SERVICES:
            connection = await asyncpg.connect(env[f"AUDITOR_{service.upper()}_DATABASE_URL"])
            found[service] = await connection.fetchval("SELECT version_num FROM alembic_version")
            await connection.close()
        return found

    return asyncio.run(ask())
