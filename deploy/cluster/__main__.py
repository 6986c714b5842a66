"""`python -m deploy.cluster up|down|status|build|built`; in a cluster that runs `kubectl …`, `helm …`, `inside …`.

build: Kubernetes alone. built: says where it is, or why it is not there, and ends with 1.
up: builds Kubernetes and our images or takes those that are there, starts a cluster, and installs the chart on it.
Where none can run, its last line says SKIPPED and why, and it ends with 0.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from deploy.cluster import build, installation, programs
from deploy.cluster.cluster import FOLDER, Cluster
from deploy.cluster.problems import Failed, NoCluster
from deploy.helm import tools
from deploy.images import __main__ as images_of_ours
from deploy.images import docker

RUN = ".venv/bin/python -m deploy.cluster"
NEXT = """
  {run} kubectl get pods --all-namespaces --output wide
  {run} helm test bookings
  {run} kubectl logs deployment/bookings-booking-system-booking
  {run} inside curl -s http://bookings-booking-system-booking:8080/health/ready
KUBECONFIG is {kubeconfig}; its address can only be reached inside. Logs of the components are in {logs}.
`make cluster-down` stops it."""


def up(cluster: Cluster) -> None:
    """One that runs gets our images and the chart as they are now; one that is started here and fails is stopped.

    Raises NoCluster, Failed, NoDocker, and subprocess.CalledProcessError.
    """
    programs.install()
    with _timed("Kubernetes is built (once, for eleven CPU minutes)"):
        build.build()
    tools.install()
    with _timed("images are built"):
        images = images_of_ours.build()
    if cluster.running():
        _fill(cluster, images)
        return
    _say(f"nodes are Ready: {cluster.start():.0f} s")
    try:
        _fill(cluster, images)
    except BaseException:
        cluster.stop()
        raise


def _fill(cluster: Cluster, images: Mapping[str, str]) -> None:
    """Pods are replaced when there is another image under the same name."""
    with _timed("images are in both nodes"):
        installation.load(cluster, images)
    with _timed("PostgreSQL, Kafka, Stripe's simulator and the mailbox are available"):
        installation.prepare(cluster, images)
    image = docker.run("image", "inspect", "--format", "{{.Id}}", images["SERVICES_IMAGE"])
    with _timed("the chart is installed"):
        said = installation.install(cluster, "--set-string", f"pods.revision={image}")
    print(said)
    print("Here:", NEXT.format(run=RUN, kubeconfig=cluster.kubeconfig, logs=cluster.logs))


def main(arguments: list[str]) -> int:
    """The exit code."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    cluster = Cluster(FOLDER)
    if command == "built":
        there = build.program().exists()
        print(build.program() if there else f"Kubernetes is not built: there is no {build.program()}")
        return 0 if there else 1
    commands: dict[str, Callable[[], object]] = {
        "up": lambda: up(cluster),
        "down": cluster.stop,
        "build": lambda: print(build.build()),
        "status": lambda: print("a cluster runs" if cluster.running() else "no cluster runs"),
        "kubectl": lambda: cluster.replace_by("kubectl", *rest),
        "helm": lambda: cluster.replace_by("helm", *rest),
        "inside": lambda: cluster.replace_by(*rest),
    }
    if command not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        commands[command]()
    except (NoCluster, docker.NoDocker) as problem:
        print(f"\nSKIPPED: no cluster: {problem}.", file=sys.stderr)
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    _say(f"{what}: {time.monotonic() - began:.0f} s")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    raise SystemExit(main(sys.argv[1:]))
