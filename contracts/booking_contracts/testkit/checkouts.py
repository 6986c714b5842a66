"""A booking system out of a clone of its repository, without Docker: the clone's own local stack, as a process.

Nothing of the clone is imported. The process brings the system up, writes the path of its stack.env, and takes all of
it down when its standard input ends: when we close it, and also when we were killed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from booking_contracts.testkit.running import NotStarted, Running

TAIL_LINES = 25


@contextmanager
def running(checkout: Path) -> Iterator[Running]:
    """The system of a clone, with data, logs and ports of its own. Raises NotStarted."""
    checkout = checkout.resolve()
    python = checkout / ".venv" / "bin" / "python"
    if not python.exists():
        raise NotStarted(f"{python} is missing: run `make setup` in {checkout}.")
    with TemporaryDirectory(prefix="booking-system-") as folder:
        root, said = Path(folder) / "stack", Path(folder) / "starting.log"
        command: list[str | Path] = [
            python,
            "-m",
            "deploy.local",
            "hold",
            "--fast",
            "--root",
            root,
            *_share(os.environ),
        ]
        with (
            said.open("wb") as complaints,
            subprocess.Popen(
                command,
                cwd=checkout,
                env={**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{checkout / 'contracts'}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,  # Ctrl-C is for the tests: they end it in order
            ) as holder,
        ):
            assert holder.stdin is not None, "its end is how the holder is told to stop"
            assert holder.stdout is not None, "the holder tells there that all is up"
            try:
                told = holder.stdout.readline().decode().strip()
                if not told:
                    end = "\n".join(said.read_text(errors="replace").splitlines()[-TAIL_LINES:])
                    raise NotStarted(f"The booking system of {checkout} did not start:\n{end}")
                yield Running(
                    _read(Path(told)),
                    lambda: _logs(root / "logs"),
                    stop_services=lambda: _ask(holder, "stop"),
                    start_services=lambda: _ask(holder, "start"),
                )
            finally:
                holder.stdin.close()
                holder.wait()


def _ask(holder: subprocess.Popen[bytes], what: str) -> None:
    assert holder.stdin is not None, "the holder is told there"
    assert holder.stdout is not None, "it says there when it is done"
    holder.stdin.write(f"{what}\n".encode())
    holder.stdin.flush()
    if holder.stdout.readline().decode().strip() != what:
        raise NotStarted(f"The services of the booking system did not {what}.")


def _read(env_file: Path) -> dict[str, str]:
    lines = env_file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def _logs(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text(errors="replace") for file in sorted(folder.glob("*.log"))}


def _share(environment: Mapping[str, str]) -> list[str]:
    """Workers of pytest-xdist start their systems at once, and must not choose the same ports."""
    worker, count = environment.get("PYTEST_XDIST_WORKER"), environment.get("PYTEST_XDIST_WORKER_COUNT")
    return [f"--share={worker.removeprefix('gw')}/{count}"] if worker and count else []
