"""Programs that print and end: within a time, or it is said that they did not."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from deploy.cluster.problems import Failed


def printed(
    command: Sequence[str], *, seconds: float, input: str | None = None, env: Mapping[str, str] | None = None
) -> str:
    """What a program prints. Raises Failed with all that it said where it fails, or is not at its end in time; then it
    is killed."""
    try:
        done = subprocess.run(command, env=env, input=input, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as late:
        said = b"".join(output for output in (late.stdout, late.stderr) if output).decode(errors="replace")
        raise Failed(f"{' '.join(command)} took more than {seconds:g} s:\n{said}") from late
    if done.returncode:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
