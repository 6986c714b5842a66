"""A Kubernetes of two nodes on this machine, in namespaces of its own: nothing of it is seen or left outside.

`make cluster` starts the one in FOLDER, tests start one of their own (tests/cluster/conftest.py). What runs in it is
installation.py's: PostgreSQL, Kafka, Stripe's simulator and a mailbox in the namespace `deps`, the chart in `bookings`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.cluster import build, nodes, programs, running
from deploy.cluster.bounded import printed
from deploy.cluster.problems import Failed, NoCluster
from deploy.images import docker
from deploy.local.concurrently import concurrently
from deploy.local.layout import REPOSITORY

FOLDER = REPOSITORY / ".local" / "cluster"
NODES = tuple(node.name for node in nodes.NODES)
READY_SECONDS = 240.0
SECONDS = 240.0
"""Whatever runs inside has ended by then: kubectl waits for 180 s at most (DEPS_TIMEOUT)."""
HELM_SECONDS = 720.0
"""Helm waits for the chart for 10 minutes (CHART_TIMEOUT)."""
POLL_SECONDS = 0.2
KEPT = ("logs",)
"""What stays in the folder when a cluster has ended."""


class Cluster:
    """One cluster; `folder` holds everything it writes: data, logs, kubeconfig. It ends with one process."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder.resolve()

    def start(self, tied: bool = False) -> float:
        """Start it, empty, and wait until both nodes are Ready; returns the seconds it took.

        What an earlier cluster in this folder left is removed first. `tied`: it also ends when this process does,
        however that ends. Raises NoCluster where none can run here or one runs already, and Failed where it does not
        come up: with the end of the log of what ended.
        """
        programs.install()
        program = build.build()
        began = time.monotonic()
        if self.running():
            raise NoCluster(f"a cluster runs in {self.folder} already: make cluster-down")
        running.clear(self.folder, kept=())
        running.write(self.folder)
        try:
            running.start(self.folder, program, tied)
            self._wait_until_ready(began + READY_SECONDS)
        except BaseException:
            self.stop()
            raise
        return time.monotonic() - began

    def stop(self) -> None:
        """End it and everything that runs in it, and remove its data; its logs stay. May be called twice."""
        running.end(self.folder)
        running.clear(self.folder, KEPT)

    def running(self) -> bool:
        """Whether it runs, whoever started it: a process of it is there."""
        return running.running(self.folder)

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """What kubectl prints; `input` is its standard input, for `apply -f -`. Raises Failed.

        Without `-n` it looks at the namespace `bookings`.
        """
        return self.run_inside("kubectl", *arguments, input=input)

    def helm(self, *arguments: str) -> str:
        """What Helm 4 prints; without `--namespace` it is in `bookings`. Raises Failed."""
        return self.run_inside("helm", *arguments, seconds=HELM_SECONDS)

    def load_images(self, *names: str) -> None:
        """Bring images of the Docker engine into both nodes, under the same names.

        Raises Failed, docker.NoDocker, and subprocess.CalledProcessError where the engine lacks one.
        """
        archive = self.folder / "images.tar"
        docker.run("save", "--output", str(archive), *dict.fromkeys(names))
        try:
            concurrently(lambda node: self._import(node, archive), nodes.NODES)
        finally:
            archive.unlink()

    def run_inside(
        self,
        *command: str,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> str:
        """What a program of this machine prints when it runs where the cluster's network is. Raises Failed, also when
        it has not ended after `seconds`.

        It reaches addresses of pods and Services, and their names as pods of `bookings` do (`kafka.deps:9092`,
        `bookings-booking-system-booking:8080`); files are those of this machine. `env` is laid over the environment,
        which has KUBECONFIG, and kubectl and helm on the path.
        """
        return printed(self._inside(command), env=self._environment(env), input=input, seconds=seconds)

    def started_inside(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> subprocess.Popen[str]:
        """The same for a program that goes on: load, a watch. It is this process's child and gets its signals itself;
        its standard output and standard error go to `log`, or can be read from the Popen. Whoever starts it ends it.
        """
        output = subprocess.PIPE if log is None else log.open("w")
        try:
            return subprocess.Popen(
                self._inside(command),
                env=self._environment(env),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                text=True,
            )
        finally:
            if not isinstance(output, int):
                output.close()

    def replace_by(self, *command: str) -> None:
        """Become a program inside, with this process's terminal."""
        inside = self._inside(command)
        os.execvpe(inside[0], inside, self._environment(None))

    @property
    def kubeconfig(self) -> Path:
        """Of its administrator; the address in it is only known inside."""
        return self.folder / "kubeconfig"

    @property
    def logs(self) -> Path:
        """A file for each component."""
        return self.folder / "logs"

    @property
    def data(self) -> Path:
        """What pods keep on the nodes: both see this folder of the machine."""
        return self.folder / "data"

    def _wait_until_ready(self, deadline: float) -> None:
        """Raises Failed with what a log says."""
        waiting = [f"node/{name}" for name in NODES]
        while True:
            with contextlib.suppress(Failed):
                self.kubectl("wait", "--for=condition=Ready", *waiting, "--timeout=2s")
                return
            if not self.running() or time.monotonic() > deadline:
                raise Failed(running.why(self.folder))
            time.sleep(POLL_SECONDS)

    def _import(self, node: nodes.Node, archive: Path) -> None:
        self.run_inside("ctr", "--address", node.socket, "--namespace", "k8s.io", "images", "import", str(archive))

    def _inside(self, command: Sequence[str]) -> list[str]:
        """Raises Failed where it does not run."""
        if not self.running():
            raise Failed(f"no cluster runs in {self.folder}: make cluster")
        first = str(running.process(self.folder))
        return ["nsenter", "--target", first, "--net", "--mount", f"--wd={Path.cwd()}", *command]

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**running.environment(self.folder), **(more or {})}
