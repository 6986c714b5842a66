"""What runs in the cluster: what the services need, in the namespace `deps`, and the chart, in `bookings`."""

from __future__ import annotations

import hashlib
import json
import shutil
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from booking_contracts.rights import SERVICES

from deploy.cluster.cluster import Cluster
from deploy.cluster.nodes import PAUSE
from deploy.helm.package import assemble
from deploy.helm.tools import CHART
from deploy.images import docker
from deploy.images.local.catalogue import KAFKA_UID, POSTGRES_UID
from deploy.images.local.host import HostImage
from deploy.local.environment import CONSOLE_ROLES, SCOPES
from deploy.local.layout import REPOSITORY, ROLES

HERE = Path(__file__).parent
DEPS, NAMESPACE, RELEASE = "deps", "bookings", "bookings"
FULL_NAME = f"{RELEASE}-booking-system"
"""What the names of the chart's objects begin with: Deployment, Service and budget `<FULL_NAME>-booking`, …"""
TOKEN = "local-token"
"""What HTTP paths and console are asked with; none of what is secret here is one."""
SESSIONS = json.dumps(["sessions-of-a-console-in-a-cluster-of-tests"])
ADDRESSES = {
    "kafka": "kafka.deps:9092",
    "postgres": "postgres.deps:5432",
    "stripe": "http://stripe-simulator.deps:12111",
    "stripe-control": "http://stripe-simulator.deps:12112",
    "mailbox": "http://mailbox.deps:8025",
    **{name: f"http://{FULL_NAME}-{name}.{NAMESPACE}:8080" for name in (*SERVICES, "console")},
}
"""As Cluster.run_inside and pods reach them."""
USED = ("SERVICES_IMAGE", "SIMULATOR_IMAGE", "TESTING_IMAGE", "POSTGRES_IMAGE", "KAFKA_IMAGE")
"""Images by their variables in deploy/compose.yaml."""
VALUES = (CHART / "ci" / "base.yaml", HERE / "values.yaml")
DEPS_TIMEOUT, CHART_TIMEOUT = "180s", "10m"


def password(role: str) -> str:
    """Of a role in PostgreSQL: its name."""
    return role.replace("_", "-")


def api_tokens(*tokens: str) -> str:
    """API_TOKENS that these open, each with every scope."""
    hashed = (hashlib.sha256(token.encode()).hexdigest() for token in tokens)
    return json.dumps([{"name": f"n{n}", "token_sha256": it, "scopes": SCOPES} for n, it in enumerate(hashed)])


def console_tokens(*tokens: str) -> str:
    """CONSOLE_TOKENS that these open, each with every role."""
    hashed = (hashlib.sha256(token.encode()).hexdigest() for token in tokens)
    return json.dumps([{"name": "local", "token_sha256": it, "roles": CONSOLE_ROLES} for it in hashed])


def database_url(role: str, database: str, changed: str | None = None) -> str:
    """A PostgreSQL URL, as run_inside reaches it: `postgres`, `auditor`, a database's name, or that and `_owner`; with
    another password where the role's was changed."""
    return f"postgresql://{role}:{changed or password(role)}@{ADDRESSES['postgres']}/{database}"


def load(cluster: Cluster, images: Mapping[str, str]) -> None:
    """Bring what `deploy.images.__main__.build` returned, and what holds a pod's namespaces, into the nodes."""
    pause = HostImage(PAUSE, {"libc6", "coreutils"}, ['CMD ["/bin/sleep", "infinity"]'])
    pause.make([docker.docker()], "registry.k8s.io/pause")
    cluster.load_images(PAUSE, *(images[name] for name in USED))


def prepare(cluster: Cluster, images: Mapping[str, str]) -> None:
    """Namespaces, `bookings` with enforced restricted Pod Security; Secrets; PostgreSQL, Kafka, Stripe's simulator and
    the mailbox as Deployments in `deps`, available. What PostgreSQL and Kafka have is in the cluster's folder: they may
    be restarted, or be scaled to 0 and back. Raises Failed.
    """
    for name, user in {"postgres": POSTGRES_UID, "kafka": KAFKA_UID}.items():
        directory = cluster.data / name
        directory.mkdir(exist_ok=True)
        shutil.chown(directory, user, user)
    filled_in = {**images, "DATA": str(cluster.data), "POSTGRES_UID": str(POSTGRES_UID), "KAFKA_UID": str(KAFKA_UID)}
    _apply(cluster, (HERE / "namespaces.yaml").read_text())
    _apply(cluster, json.dumps({"apiVersion": "v1", "kind": "List", "items": [*secrets(), _databases()]}))
    _apply(cluster, string.Template((HERE / "deps.yaml").read_text()).substitute(filled_in))
    cluster.kubectl("-n", DEPS, "wait", "--for=condition=Available", "deployment", "--all", f"--timeout={DEPS_TIMEOUT}")


def secrets() -> list[dict[str, Any]]:
    """Those that deploy/chart/ci/base.yaml names, and PostgreSQL's own."""
    passwords = {f"{role.upper()}_PASSWORD": password(role) for role in ROLES}
    roles = {f"{role.replace('_owner', '')}-database{'-owner' if '_owner' in role else ''}": role for role in ROLES}
    return [
        _object("Secret", DEPS, "passwords", stringData=passwords),
        *(_object("Secret", NAMESPACE, name, stringData={"password": password(role)}) for name, role in roles.items()),
        _object(
            "Secret", NAMESPACE, "stripe", stringData={"api-key": "sk_test_local", "webhook-secrets": '["whsec_local"]'}
        ),
        _object("Secret", NAMESPACE, "api-tokens", stringData={"tokens": api_tokens(TOKEN)}),
        _object(
            "Secret", NAMESPACE, "console", stringData={"tokens": console_tokens(TOKEN), "session-secrets": SESSIONS}
        ),
    ]


def chart(cluster: Cluster) -> Path:
    """The chart with alerts and dashboards in it, in the cluster's folder."""
    folder = cluster.folder / "chart"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return assemble(folder)


def install(cluster: Cluster, *more: str) -> str:
    """`helm upgrade --install --wait` of the chart with VALUES, and more arguments (`--set`, `logLevel=DEBUG`); returns
    what Helm prints. Raises Failed.
    """
    files = [part for file in VALUES for part in ("--values", str(file))]
    wait = ["--wait", "--timeout", CHART_TIMEOUT]
    return cluster.helm("upgrade", "--install", RELEASE, str(chart(cluster)), *files, *wait, *more)


def _apply(cluster: Cluster, manifest: str) -> None:
    cluster.kubectl("apply", "--server-side", "--filename", "-", input=manifest)


def _databases() -> dict[str, Any]:
    """What makes roles and databases, once, on a new PostgreSQL."""
    scripts = (REPOSITORY / "deploy" / "postgres").iterdir()
    return _object("ConfigMap", DEPS, "databases", data={file.name: file.read_text() for file in scripts})


def _object(kind: str, namespace: str, name: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **content}
