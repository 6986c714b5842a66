"""What a booking system is made of, as the image for tests says: it holds the compose files and SQL of its own version.

So nothing of that is said twice, and services get the settings that they know. Of the format as much is understood as
those files use: deploy/compose.yaml, and deploy/compose.clock.yaml, which is laid over it.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import yaml
from testcontainers.core.labels import create_labels

from booking_contracts.testkit.running import NotStarted

FOLDER = "/testing/deploy"
FILES = ("compose.yaml", "compose.clock.yaml")
SCRIPTS = "postgres"
"""The folder of FOLDER with the SQL of a new cluster."""
RIGHTS = ("read_only", "cap_drop", "security_opt", "pids_limit")
FINISHED = "service_completed_successfully"


@dataclass(frozen=True)
class Part:
    """One container; `ports` are its own, of which the host's are chosen when it starts.

    `volumes` are name, path and mode; `rights` are called as docker-py calls them. Before it there must be other parts:
    some that have done their work and ended, some that answer.
    """

    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ports: Sequence[int]
    volumes: Sequence[tuple[str, str, str]]
    rights: Mapping[str, Any]
    ends: Sequence[str]
    answers: Sequence[str]

    @property
    def needs(self) -> set[str]:
        """All of those."""
        return {*self.ends, *self.answers}


def copied_out(client: docker.DockerClient, image: str, into: Path) -> Path:
    """What the image for tests says, as a folder in `into`. Raises NotStarted where it says nothing."""
    container = client.containers.create(image, labels=create_labels(image, None))
    try:
        chunks, _ = container.get_archive(FOLDER)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # not before Python 3.11.4
            archive.extractall(into)
    except docker.errors.NotFound:
        pass
    finally:
        container.remove()
    folder = into / Path(FOLDER).name
    if not all((folder / name).exists() for name in (*FILES, SCRIPTS)):
        raise NotStarted(f"The image {image} does not say what a system is made of: it is older than this testkit.")
    return folder


def parts(folder: Path, chosen: Mapping[str, str]) -> dict[str, Part]:
    """Every container of a system, by name. `chosen` are values of the files' variables; others have their defaults.

    Nothing is taken from the environment: a key of Stripe's may stand there.
    """
    found: dict[str, dict[str, Any]] = {}
    for file in FILES:
        text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda one: chosen.get(one[1], one[2]), (folder / file).read_text())
        for name, service in yaml.safe_load(text)["services"].items():
            below = found.get(name, {})
            needs = {**below.get("depends_on", {}), **service.get("depends_on", {})}
            found[name] = {**below, **service, "depends_on": needs}
    return {name: _part(name, service) for name, service in found.items() if "profiles" not in service}


def _part(name: str, service: Mapping[str, Any]) -> Part:
    needs = {other: how["condition"] for other, how in service["depends_on"].items()}
    named = [one.split(":") for one in service.get("volumes", ()) if not one.startswith(".")]
    return Part(
        name=name,
        image=service["image"],
        command=service.get("command", ()),
        environment={key: str(value) for key, value in service.get("environment", {}).items()},
        ports=[int(one.rpartition(":")[2]) for one in service.get("ports", ())],
        volumes=[(volume, mounted, *(mode or ["rw"])) for volume, mounted, *mode in named],
        rights={right: service[right] for right in RIGHTS if right in service},
        ends=[other for other, condition in needs.items() if condition == FINISHED],
        answers=[other for other, condition in needs.items() if condition != FINISHED],
    )
