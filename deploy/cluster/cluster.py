"""A Kubernetes of two nodes on this machine, in namespaces of its own: nothing of it is seen or left outside.

`make cluster` starts the one in FOLDER, tests start one of their own (tests/cluster/conftest.py). What runs in it is
installation.py's: PostgreSQL, Kafka, Stripe's simulator and a mailbox in the namespace `deps`, the chart in `bookings`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.cluster import build, components, programs
from deploy.cluster.problems import Failed, NoCluster
from deploy.helm.tools import NoTools, tool
from deploy.images import docker
from deploy.local.concurrently import concurrently
from deploy.local.layout import REPOSITORY, write_private

FOLDER = REPOSITORY / ".local" / "cluster"
NODES = tuple(node.name for node in components.NODES)
READY_SECONDS = 240.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.2
TAIL_LINES = 12
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
        began = time.monotonic()
        programs.install()
        program = build.build()
        if self.running():
            raise NoCluster(f"a cluster runs in {self.folder} already: make cluster-down")
        self._clear(())
        self._write_files()
        try:
            self._start(program, tied)
            self._wait_until_ready(began + READY_SECONDS)
        except BaseException:
            self.stop()
            raise
        return time.monotonic() - began

    def stop(self) -> None:
        """End it and everything that runs in it, and remove its data; its logs stay. May be called twice."""
        if self.running():
            os.kill(self._process(), signal.SIGKILL)
        deadline = time.monotonic() + STOP_SECONDS
        while self.running() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._clear(KEPT)

    def running(self) -> bool:
        """Whether it runs, whoever started it: a process of it is there."""
        try:
            with (self.folder / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """What kubectl prints; `input` is its standard input, for `apply -f -`. Raises Failed.

        Without `-n` it looks at the namespace `bookings`.
        """
        return self.run_inside("kubectl", *arguments, input=input)

    def helm(self, *arguments: str) -> str:
        """What Helm 4 prints; without `--namespace` it is in `bookings`. Raises Failed."""
        return self.run_inside("helm", *arguments)

    def load_images(self, *names: str) -> None:
        """Bring images of the Docker engine into both nodes, under the same names.

        Raises Failed, docker.NoDocker, and subprocess.CalledProcessError where the engine lacks one.
        """
        archive = self.folder / "images.tar"
        docker.run("save", "--output", str(archive), *dict.fromkeys(names))
        try:
            concurrently(lambda node: self._import(node, archive), NODES)
        finally:
            archive.unlink()

    def run_inside(self, *command: str, input: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """What a program of this machine prints when it runs where the cluster's network is. Raises Failed.

        It reaches addresses of pods and Services, and their names as pods of `bookings` do (`kafka.deps:9092`,
        `bookings-booking-system-booking:8080`); files are those of this machine. `env` is laid over the environment,
        which has KUBECONFIG, and kubectl and helm on the path.
        """
        done = subprocess.run(
            self._inside(command), env=self._environment(env), input=input, capture_output=True, text=True
        )
        if done.returncode:
            raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

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

    def _write_files(self) -> None:
        try:
            tools = {"kubectl": tool("kubectl"), "helm": tool("helm4")}
        except NoTools as problem:
            raise NoCluster(str(problem)) from problem
        for directory in (self.folder, self.logs, self.data, self.folder / "bin"):
            directory.mkdir(parents=True, exist_ok=True)
        for name, program in tools.items():
            (self.folder / "bin" / name).symlink_to(program)
        for path, content in components.files(self.folder, secrets.token_hex(16)).items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_private(self.folder / path, content)
        (self.folder / "resolv.conf").chmod(0o644)
        key = self.folder / "service-accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, stderr=subprocess.DEVNULL)

    def _start(self, program: Path, tied: bool) -> None:
        """Not as nice as this process: pods would be, too. No proxy: nobody outside is asked."""
        ends_with_us = ["setpriv", "--pdeathsig", "KILL"] if tied else []
        with _locked(self.folder / "lock") as lock, (self.logs / "cluster.log").open("wb") as log:
            first = [sys.executable, "-m", "deploy.cluster.inside", str(self.folder), str(program), str(lock)]
            started = subprocess.Popen(
                ["nice", "-n", str(-os.nice(0)), *ends_with_us, *programs.NAMESPACES, *first],
                cwd=REPOSITORY,
                env=self._environment(None),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lock,),
            )
        (self.folder / "pid").write_text(f"{started.pid}\n")

    def _wait_until_ready(self, deadline: float) -> None:
        """Raises Failed with what a log says."""
        waiting = [f"node/{name}" for name in NODES]
        while True:
            with contextlib.suppress(Failed):
                self.kubectl("wait", "--for=condition=Ready", *waiting, "--timeout=2s")
                self.kubectl("-n", "default", "get", "serviceaccount", "default")
                return
            if not self.running() or time.monotonic() > deadline:
                raise Failed(self._why())
            time.sleep(POLL_SECONDS)

    def _why(self) -> str:
        ended = self.folder / "ended"
        name = ended.read_text() if ended.exists() else "cluster"
        lines = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"The cluster did not come up; the end of {self.logs}/{name}.log:", *lines])

    def _import(self, node: str, archive: Path) -> None:
        socket = next(each.socket for each in components.NODES if each.name == node)
        self.run_inside("ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", str(archive))

    def _inside(self, command: Sequence[str]) -> list[str]:
        """Raises Failed where it does not run."""
        if not self.running():
            raise Failed(f"no cluster runs in {self.folder}: make cluster")
        return ["nsenter", "--target", str(self._process()), "--net", "--mount", f"--wd={Path.cwd()}", *command]

    def _process(self) -> int:
        return int((self.folder / "pid").read_text())

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        own = {
            name: str(self.folder / name.lower()) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "KUBECACHEDIR")
        }
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return {**outside, **own, "HELM_DATA_HOME": own["HELM_CONFIG_HOME"], "PATH": path} | {
            "KUBECONFIG": str(self.kubeconfig),
            "HELM_NAMESPACE": "bookings",
            **(more or {}),
        }

    def _clear(self, kept: Sequence[str]) -> None:
        """Its files, and its control groups, which the kernel leaves when their last process has gone."""
        if not self.folder.exists():
            return
        name = components.cgroup(self.folder).removeprefix("/")
        for root in [*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")]:
            for group, _, _ in os.walk(root, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(group)
        for path in self.folder.iterdir():
            if path.name not in kept:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[int]:
    """An open file, locked for whoever inherits it; closing it here leaves the lock to them."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
