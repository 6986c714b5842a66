"""A Kubernetes of two nodes on this machine, in namespaces of its own: nothing of it is seen or left outside.

`make cluster` starts the one in FOLDER, tests start one of their own (tests/cluster/conftest.py). What runs in it is
installation.py's: PostgreSQL, Kafka, Stripe's simulator and a mailbox in the namespace `deps`, the chart in `bookings`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.layout import REPOSITORY

FOLDER = REPOSITORY / ".local" / "cluster"
NODES = ("node1", "node2")


class NoCluster(Exception):
    """None can run on this machine; the message says why, and what would be needed."""


class Failed(Exception):
    """A command in the cluster ended with something else than 0; the message is what it said."""


class Cluster:
    """One cluster; `folder` holds everything it writes: data, logs, kubeconfig. It ends with one process."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    def start(self) -> float:
        """Start it, empty, and wait until both nodes are Ready; returns the seconds it took.

        What an earlier cluster in this folder left is removed first. Raises NoCluster where none can run here, and
        Failed where it does not come up: with the end of the log of what ended.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """End it and everything that runs in it, and remove its data; its logs stay. May be called twice."""
        raise NotImplementedError

    def running(self) -> bool:
        """Whether it runs, whoever started it."""
        raise NotImplementedError

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """What kubectl prints; `input` is its standard input, for `apply -f -`. Raises Failed.

        Without `-n` it looks at the namespace `bookings`.
        """
        raise NotImplementedError

    def helm(self, *arguments: str) -> str:
        """What Helm 4 prints; without `--namespace` it is in `bookings`. Raises Failed."""
        raise NotImplementedError

    def load_images(self, *names: str) -> None:
        """Bring images of the Docker engine into both nodes, under the same names. Raises Failed."""
        raise NotImplementedError

    def run_inside(self, *command: str, input: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """What a program of this machine prints when it runs where the cluster's network is. Raises Failed.

        It reaches addresses of pods and Services, and their names as pods of `bookings` do (`kafka.deps:9092`,
        `bookings-booking-system-booking:8080`); files are those of this machine. `env` is laid over the environment,
        which has KUBECONFIG, and kubectl and helm on the path.
        """
        raise NotImplementedError

    def started_inside(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> subprocess.Popen[str]:
        """The same for a program that goes on: load, a watch. It is this process's child and gets its signals itself;
        its standard output and standard error go to `log`, or can be read from the Popen. Whoever starts it ends it.
        """
        raise NotImplementedError

    @property
    def kubeconfig(self) -> Path:
        """Of its administrator; the address in it is only known inside."""
        return self.folder / "kubeconfig"
