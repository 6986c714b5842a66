"""kubectl and helm, for a program that runs inside of the cluster (Cluster.run_inside), where both are on the path."""

from __future__ import annotations

import json
from typing import Any

from deploy.cluster.bounded import printed
from deploy.cluster.installation import DEPS, NAMESPACE
from deploy.cluster.problems import Failed

SECONDS = 60.0
"""Anything that does not say how long it waits answers sooner."""
GONE_SECONDS = 90.0

Json = dict[str, Any]


def kubectl(*arguments: str, input: str | None = None, seconds: float = SECONDS) -> str:
    """What it prints, in the chart's namespace unless `-n` says another. Raises Failed with what it says."""
    return printed(("kubectl", "-n", NAMESPACE, *arguments), input=input, seconds=seconds)


def helm(*arguments: str, seconds: float) -> str:
    """The same of Helm."""
    return printed(("helm", *arguments), seconds=seconds)


def items(*arguments: str) -> list[Json]:
    """The objects that `kubectl get` finds."""
    found: list[Json] = json.loads(kubectl("get", *arguments, "-o", "json"))["items"]
    return found


def evict(pod: str) -> str | None:
    """Ask for a pod's eviction as a drain does; what the API server says against it, None where it does not."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    try:
        kubectl("create", "--raw", path, "-f", "-", input=json.dumps(body))
    except Failed as refused:
        return str(refused)
    return None


def stop(name: str) -> None:
    """Take away what is in `deps`; returns when its last pod is gone."""
    kubectl("-n", DEPS, "scale", f"deployment/{name}", "--replicas=0")
    wait = f"--timeout={GONE_SECONDS:.0f}s"
    kubectl("-n", DEPS, "wait", "--for=delete", "pod", "-l", f"app={name}", wait, seconds=GONE_SECONDS + 10)


def start(name: str) -> None:
    """Have it back; returns when it is available."""
    kubectl("-n", DEPS, "scale", f"deployment/{name}", "--replicas=1")
    wait = f"--timeout={GONE_SECONDS:.0f}s"
    kubectl("-n", DEPS, "rollout", "status", f"deployment/{name}", wait, seconds=GONE_SECONDS + 10)
