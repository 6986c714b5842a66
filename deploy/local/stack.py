"""The whole system on one machine, without Docker: `python -m deploy.local up`, or `Stack` in tests."""

import itertools
import signal
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from deploy.local.catalog import INFRASTRUCTURE, OPERATORS, PARTS, SETUP_STEPS, SYSTEM, process_named, run_setup_step
from deploy.local.concurrently import concurrently, one_at_a_time
from deploy.local.environment import stack_env
from deploy.local.kafka_jars import KAFKA_VERSION, jars_are_cached
from deploy.local.layout import REPOSITORY, Layout, replica_names, write_private
from deploy.local.processes import Process, ProcessStatus, ProcessTable, Progress
from deploy.local.secured import make_certificates

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
DEFAULT_ROOT = REPOSITORY / ".local"


class Stack:
    """One stack in its own directory. Two stacks with different roots share nothing but Kafka's jars.

    `root` is the directory it writes to (`.local/` for `make up`), `parts` the subset of PARTS to run (SYSTEM unless
    said: `make up` runs all);
    `extra_env` is added to the environment of processes, by name (`booking-1`) or service (`booking`);
    `kafka_listeners` are more ways to Kafka, for clients behind a proxy (see Layout);
    `contained` are the parts that run in containers (deploy/local/contained), which last from `up` to `down`, and
    their data no longer; a `secure` stack has TLS, users with rights, and secrets in files (secured.py).
    Methods block. They raise ProcessFailed or RuntimeError when something does not come up; what already runs
    stays up, for a look at it, until `down`.
    """

    def __init__(
        self,
        root: Path = DEFAULT_ROOT,
        replicas: int = 1,
        parts: Collection[str] = SYSTEM,
        extra_env: Mapping[str, Mapping[str, str]] | None = None,
        fast: bool = False,
        kafka_listeners: Mapping[str, tuple[int, int]] | None = None,
        contained: Collection[str] = (),
        secure: bool = False,
    ) -> None:
        unknown = set(parts) - set(PARTS)
        if unknown:
            raise ValueError(f"unknown parts {sorted(unknown)}; there are {PARTS}")
        if "kafka" in contained and (secure or kafka_listeners):
            raise ValueError("Kafka in a container is one open listener: say contained=() for a stack that needs more")
        self._layout = Layout.load(root)
        self._layout.kafka_listeners = kafka_listeners or {}
        self._layout.secure = secure
        self._table = ProcessTable(self._layout.pids, self._layout.logs)
        self._replicas = replicas
        self._parts = parts
        self._extra_env = extra_env or {}
        self._fast = fast
        self._contained = contained
        self._changing_replicas = threading.Lock()

    @property
    def env(self) -> dict[str, str]:
        """What `stack.env` says. Empty before the first `up`."""
        return stack_env(self._layout) if self._layout.ports else {}

    @property
    def names(self) -> list[str]:
        """The processes this stack should have, in the order they are started."""
        return [*(part for part in INFRASTRUCTURE if part in self._parts), *self._users()]

    def up(self, progress: Progress = print) -> None:
        """Start whatever does not run yet and wait until everything answers."""
        began = time.monotonic()
        with one_at_a_time(self._layout.root):
            running = self._running()
            extra = sorted(running - {*INFRASTRUCTURE, *OPERATORS, *replica_names(self._replicas)})
            self._layout.replicas = [*replica_names(self._replicas), *extra]
            if set(self.names) <= running:
                progress(f"The stack is already up: {self._layout.env_file}")
                return
            self._layout.choose_ports(keep=bool(running))
            self._remember()
            if self._layout.secure:
                make_certificates(self._layout)
            self._start_missing(running, progress)
        progress(f"The stack is up after {time.monotonic() - began:.1f} s: {self._layout.env_file}")

    def down(self, progress: Progress = print) -> None:
        """Stop every process of this stack, services first. Data stays."""
        running = self._running()
        if self._layout.root.is_dir():
            with one_at_a_time(self._layout.root):
                names = self._table.names()
                concurrently(self._stop, [name for name in names if name not in INFRASTRUCTURE])
                concurrently(self._stop, [name for name in names if name in INFRASTRUCTURE])
                self._layout.env_file.unlink(missing_ok=True)
        progress(f"The stack is down: {len(running)} processes stopped." if running else "The stack was not up.")

    def status(self) -> list[ProcessStatus]:
        """Every process of the stack, asked now."""
        return concurrently(self._status, self.names)

    def pid(self, name: str) -> int | None:
        """The process id, None when the process does not run."""
        return self._table.pid(name)

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self._table.log(name)

    def start_process(self, name: str, progress: Progress = lambda _line: None) -> None:
        """Start one process if it does not run, and wait until it answers."""
        process = self._process(name)
        if self._table.pid(name) is None:
            process.before_start()
            self._table.start(process)
        seconds = self._table.wait_until_ready(process, progress)
        try:
            process.once_ready()
        except RuntimeError:
            self._stop(name)
            raise
        progress(f"  {name}: ready ({seconds:.1f} s)")

    def stop_process(self, name: str, number: signal.Signals | None = None) -> None:
        """Send a signal (by default the one that asks politely) and wait for the end of the process.

        Signals that do not end a process (SIGSTOP, SIGCONT, SIGHUP …) are sent without waiting. Raises RuntimeError for
        a part in a container: the signal would not reach it, and its data would not outlive it.
        """
        if name in self._contained:
            raise RuntimeError(f"{name} is in a container, which lasts as long as the stack: run it as a process")
        chosen = number or self._process(name).stop_signal
        if chosen in ENDING_SIGNALS:
            self._table.stop(name, chosen)
        else:
            self._table.send(name, chosen)

    def restart(self, name: str, number: signal.Signals | None = None) -> None:
        """Stop with that signal, start again, wait until it answers."""
        self.stop_process(name, number)
        self.start_process(name)

    def add_replica(self, service: str) -> str:
        """Start one more replica of a service; returns its process name."""
        names = (f"{service}-{number}" for number in itertools.count(1))
        with self._changing_replicas:
            name = next(name for name in names if name not in self._layout.replicas)
            self._layout.replicas.append(name)
            self._layout.choose_ports(keep=True)
            self._remember()
        self.start_process(name)
        return name

    def remove_replica(self, name: str, number: signal.Signals | None = None) -> None:
        """Stop a replica for good. A process that is to come back is stopped with `stop_process`."""
        self.stop_process(name, number)
        with self._changing_replicas:
            self._layout.replicas.remove(name)
            self._remember()

    def _start_missing(self, running: set[str], progress: Progress) -> None:
        """PostgreSQL and migrations, Kafka and topics, the rest, all side by side; then who uses them."""
        users = [name for name in self._users() if name not in running]

        def start(part: str) -> None:
            if part == "kafka" and not jars_are_cached():
                progress(f"  kafka: fetching Kafka {KAFKA_VERSION} with Maven, once per machine")
            if part not in running:
                self.start_process(part, progress)
            if users and part in SETUP_STEPS:
                progress(f"  {run_setup_step(self._layout, part)}: done")

        concurrently(start, [part for part in INFRASTRUCTURE if part in self._parts])
        concurrently(lambda name: self.start_process(name, progress), users)

    def _users(self) -> list[str]:
        """Who needs migrated databases and topics."""
        replicas = self._layout.replicas or replica_names(self._replicas)
        return [*(replicas if "services" in self._parts else ()), *(name for name in OPERATORS if name in self._parts)]

    def _process(self, name: str) -> Process:
        service = name.rpartition("-")[0]
        extra = {**self._extra_env.get(service, {}), **self._extra_env.get(name, {})}
        return process_named(self._layout, name, extra, self._fast, name in self._contained)

    def _running(self) -> set[str]:
        return {name for name in self._table.names() if self._table.pid(name) is not None}

    def _stop(self, name: str) -> None:
        self._table.stop(name, signal.SIGINT if name == "postgres" else signal.SIGTERM)

    def _status(self, name: str) -> ProcessStatus:
        pid = self._table.pid(name)
        if pid is None:
            return ProcessStatus(name, None, "stopped")
        return ProcessStatus(name, pid, "ready" if self._process(name).answers() else "not ready")

    def _remember(self) -> None:
        self._layout.save()
        lines = [f"{name}={value}\n" for name, value in self.env.items()]
        write_private(self._layout.env_file, "".join(lines))
