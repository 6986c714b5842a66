"""`python -m deploy.images`: builds our images, and writes down which images compose.yaml is to use.

BUILD_IMAGE, RUNTIME_IMAGE, POSTGRES_IMAGE and KAFKA_IMAGE choose others than the ordinary. Where an ordinary one can
neither be found nor pulled, one is made of what this Debian host has installed (deploy/images/local).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from deploy.images import docker
from deploy.images.local.catalogue import substitutes
from deploy.local.kafka_jars import KAFKA_VERSION
from deploy.local.layout import REPOSITORY

HERE = Path(__file__).parent
SERVICES, TESTING = HERE / "Dockerfile", HERE / "testing.Dockerfile"
ORDINARY = {
    "BUILD_IMAGE": "python:3.12-slim",
    "RUNTIME_IMAGE": "python:3.12-slim",
    "POSTGRES_IMAGE": "postgres:18-alpine",
    "KAFKA_IMAGE": f"apache/kafka:{KAFKA_VERSION}",
}
OURS = {
    "SERVICES_IMAGE": (SERVICES, "runtime", "booking-services:dev"),
    "SIMULATOR_IMAGE": (TESTING, "simulator", "booking-stripe-simulator:dev"),
    "TESTING_IMAGE": (TESTING, "testing", "booking-testing:dev"),
}
"""Dockerfile, stage and name by the variable of compose.yaml; TESTING_IMAGE is laid on SERVICES_IMAGE."""
SECRETS = {"ca": "SSL_CERT_FILE", "pip_conf": "PIP_CONFIG_FILE", "uv_toml": "UV_CONFIG_FILE"}
"""Files that a build behind a proxy or on a mirror needs, by the variables that name them outside of containers."""
BILL_OF_MATERIALS = REPOSITORY / "dist"
CHOSEN = REPOSITORY / ".local" / "images.env"


def others(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The images that are not ours, by variable: what the environment says, else the ordinary, else a local one."""
    found = {name: environment[name] for name in ORDINARY if environment.get(name)}
    wanted = {image for name, image in ORDINARY.items() if name not in found}
    to_be_had = {image for image in wanted if docker.is_there(image)}
    for name, local in substitutes():
        if name in found:
            continue
        found[name] = ORDINARY[name]
        if found[name] not in to_be_had:
            local().make([docker.docker()], ORDINARY[name])
            found[name] = local().name
            print(f"{ORDINARY[name]} is not to be had: {found[name]} is made of what this host has installed")
    return found


def build() -> dict[str, str]:
    """Build all; returns every image by its variable, and keeps that for compose in CHOSEN.

    Raises docker.NoDocker, and subprocess.CalledProcessError where a build fails.
    """
    chosen = others()
    arguments = {
        **{name: chosen[name] for name in ("BUILD_IMAGE", "RUNTIME_IMAGE")},
        "VERSION": tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"],
        "REVISION": _revision(),
    }
    secrets = {name: Path(os.environ[variable]) for name, variable in SECRETS.items() if os.environ.get(variable)}
    for variable, (dockerfile, stage, image) in OURS.items():
        given = {name: value for name, value in arguments.items() if f"ARG {name}" in dockerfile.read_text()}
        docker.build(REPOSITORY, dockerfile, stage, given, secrets, ("--tag", image))
        chosen[variable] = image
    output = ("--output", f"type=local,dest={BILL_OF_MATERIALS}")
    docker.build(REPOSITORY, SERVICES, "sbom", {"BUILD_IMAGE": chosen["BUILD_IMAGE"]}, secrets, output)
    CHOSEN.parent.mkdir(exist_ok=True)
    CHOSEN.write_text("".join(f"{name}={image}\n" for name, image in chosen.items()))
    return chosen


def main() -> int:
    """Say what was built, and how large it is in MB (1,000,000 bytes)."""
    try:
        chosen = build()
    except docker.NoDocker as problem:
        print(f"Images need Docker: {problem}.", file=sys.stderr)
        return 1
    for variable in OURS:
        size = int(docker.run("image", "inspect", "--format", "{{.Size}}", chosen[variable]))
        print(f"{chosen[variable]:<32} {size / 1e6:5.0f} MB")
    print(f"docker-compose --env-file {CHOSEN.relative_to(REPOSITORY)} -f deploy/compose.yaml up -d")
    return 0


def _revision() -> str:
    """The commit, with a plus where something is not committed."""
    said = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty=+"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return said.stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
