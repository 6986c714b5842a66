"""Background processes of a stack: each in its own session, with a log file and a pid file.

A pid file is believed only when the environment of that process carries this stack's mark, so a stale file
never leads to a signal for somebody else's program. Linux only: it reads /proc.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MARK = "BOOKING_STACK_PROCESS"
POLL_SECONDS = 0.02
STOP_SECONDS = 20.0
TAIL_LINES = 25


Progress = Callable[[str], None]


class ProcessFailed(Exception):
    """A process did not start, or ended while it was awaited. The message names its log."""


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Process:
    """How to start, recognise and stop one program."""

    name: str
    command: tuple[str, ...]
    answers: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    uid: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    before_start: Callable[[], None] = _nothing
    once_ready: Callable[[], None] = _nothing
    ready_seconds: float = 60.0


@dataclass(frozen=True)
class ProcessStatus:
    """One line of `status`. `state` is ready, not ready or stopped."""

    name: str
    pid: int | None
    state: str


class ProcessTable:
    """The processes of one stack, found through its pid files."""

    def __init__(self, pids: Path, logs: Path) -> None:
        self._pids = pids
        self._logs = logs
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def names(self) -> list[str]:
        """Processes that have a pid file, running or not."""
        return sorted(file.name for file in self._pids.iterdir()) if self._pids.is_dir() else []

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int | None:
        """The process id, or None when the process does not run (or the pid is now another program's)."""
        try:
            pid = int((self._pids / name).read_text())
        except (OSError, ValueError):
            return None
        child = self._children.get(pid)
        if child is not None:  # /proc shows no environment yet while a new child executes its program
            return pid if child.poll() is None else None
        return pid if self._is_ours(pid, name) else None

    def start(self, process: Process) -> int:
        """Start in a session of its own, output appended to the log; returns the process id."""
        with self.log(process.name).open("ab") as log:
            started = subprocess.Popen(
                process.command,
                env={**process.environment, MARK: self._mark(process.name)},
                cwd=process.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=process.uid,
                group=process.uid,
                extra_groups=None if process.uid is None else [],
            )
        self._children[started.pid] = started
        (self._pids / process.name).write_text(f"{started.pid}\n")
        return started.pid

    def wait_until_ready(self, process: Process, progress: Progress) -> float:
        """Wait until it answers; returns the seconds it took.

        Raises ProcessFailed with the end of its log when it ends or stays silent.
        """
        began = time.monotonic()
        next_report = 5.0
        while not process.answers():
            waited = time.monotonic() - began
            if self.pid(process.name) is None:
                raise ProcessFailed(self._report(process.name, f"{process.name} ended while starting"))
            if waited > process.ready_seconds:
                problem = f"{process.name} gave no answer in {process.ready_seconds:.0f} s"
                raise ProcessFailed(self._report(process.name, problem))
            if waited > next_report:
                progress(f"  {process.name}: still starting ({waited:.0f} s, log {self.log(process.name)})")
                next_report += 5.0
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def send(self, name: str, number: signal.Signals) -> bool:
        """Send a signal; False when the process does not run."""
        pid = self.pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> bool:
        """Signal, wait up to 20 s, then kill. False when there was nothing to stop."""
        pid = self.pid(name)
        if pid is not None:
            self.send(name, number)
            self.send(name, signal.SIGCONT)  # a suspended process acts on no signal but SIGKILL
            if not self._wait_until_gone(name, STOP_SECONDS):
                self.send(name, signal.SIGKILL)
                self._wait_until_gone(name, STOP_SECONDS)
        (self._pids / name).unlink(missing_ok=True)
        return pid is not None

    def tail(self, name: str) -> str:
        """The last lines of the log."""
        try:
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-TAIL_LINES:])
        except OSError:
            return ""

    def _wait_until_gone(self, name: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid(name) is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _report(self, name: str, problem: str) -> str:
        return f"{problem}. The end of {self.log(name)}:\n{self.tail(name)}"

    def _mark(self, name: str) -> str:
        return str(self._pids / name)

    def _is_ours(self, pid: int, name: str) -> bool:
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return f"{MARK}={self._mark(name)}".encode() in environment
