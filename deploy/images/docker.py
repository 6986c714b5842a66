"""The Docker client, as far as images are built with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

OLDEST_WITHOUT_BUILDX = 23
"""From this version on a client needs the plugin buildx for BuildKit; older ones have it inside."""
ANSWER_SECONDS = 10.0
PULL_SECONDS = 600.0


class NoDocker(Exception):
    """There is no engine, or no client that can build with BuildKit; the message says which."""


@cache
def docker() -> str:
    """The first client on the path that an engine answers and that has BuildKit. Raises NoDocker."""
    said = "no Docker client is installed"
    for directory in (*os.get_exec_path(), "/usr/bin"):
        client = shutil.which("docker", path=directory)
        if client is None:
            continue
        if not _said(client, "version", "--format", "{{.Server.Version}}"):
            said = "no Docker engine answers"
        elif _has_buildkit(client):
            return client
        else:
            said = "the Docker client has no BuildKit: install its plugin buildx"
    raise NoDocker(said)


def compose_client() -> tuple[str, ...]:
    """`docker compose` where there is the plugin, else docker-compose. Raises NoDocker."""
    known = subprocess.run([docker(), "compose", "version"], capture_output=True)
    if known.returncode == 0:
        return (docker(), "compose")
    if alone := shutil.which("docker-compose"):
        return (alone,)
    raise NoDocker("neither the plugin compose nor docker-compose is installed")


def run(*arguments: str) -> str:
    """What the client prints. Raises NoDocker, and subprocess.CalledProcessError with what it says."""
    return subprocess.run([docker(), *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def is_there(image: str) -> bool:
    """Whether the engine has the image, or its registry gives it."""
    if _said(docker(), "image", "inspect", "--format", "{{.Id}}", image):
        return True
    try:
        pulled = subprocess.run([docker(), "pull", "--quiet", image], capture_output=True, timeout=PULL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return pulled.returncode == 0


def build(
    context: Path,
    dockerfile: Path,
    target: str,
    arguments: Mapping[str, str],
    secrets: Mapping[str, Path],
    result: Sequence[str],
) -> None:
    """Build a stage; `result` is what becomes of it: `--tag` with a name, or `--output`. What it does is shown.

    On the host's network: that of the build's own knows no proxy. Raises subprocess.CalledProcessError.
    """
    command = [docker(), "build", "--network", "host", "--file", str(dockerfile), "--target", target, *result]
    command += [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
    command += [part for name, file in secrets.items() for part in ("--secret", f"id={name},src={file}")]
    subprocess.run([*command, str(context)], env={**os.environ, "DOCKER_BUILDKIT": "1"}, check=True)


def _has_buildkit(client: str) -> bool:
    version = _said(client, "version", "--format", "{{.Client.Version}}")
    return int(version.partition(".")[0]) < OLDEST_WITHOUT_BUILDX or bool(_said(client, "buildx", "version"))


def _said(*command: str) -> str:
    """What it prints; nothing where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
