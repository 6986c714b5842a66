"""The chart's pods as the API server tells of them while something is done: a watch, kept, with times.

What is asked of it afterwards are pure functions over what was seen, which tests plant (test_judging.py).
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from booking_contracts.rights import SERVICES

from deploy.cluster.installation import NAMESPACE

COMPONENT = "app.kubernetes.io/component"
REPLICATED = (*SERVICES, "console")
"""Components of which there are as many pods as REPLICAS says: what is done to services is done to the console, too."""


@dataclass(frozen=True)
class Pod:
    """A pod at one moment."""

    name: str
    component: str
    image: str
    node: str
    address: str
    phase: str
    ready: bool
    leaving: bool
    restarts: int
    container: str
    """The runtime's id of its container."""


@dataclass(frozen=True)
class Seen:
    """A change that the API server told, at `at` seconds of the epoch; with `gone` the pod's last state."""

    at: float
    pod: Pod
    gone: bool = False


def pod_of(item: dict[str, Any]) -> Pod:
    """From the API's JSON."""
    metadata, status = item["metadata"], item.get("status", {})
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    containers = status.get("containerStatuses") or [{}]
    return Pod(
        name=metadata["name"],
        component=metadata.get("labels", {}).get(COMPONENT, ""),
        image=item["spec"]["containers"][0]["image"],
        node=item["spec"].get("nodeName", ""),
        address=status.get("podIP", ""),
        phase=status.get("phase", ""),
        ready=conditions.get("Ready") == "True",
        leaving="deletionTimestamp" in metadata,
        restarts=sum(container.get("restartCount", 0) for container in containers),
        container=containers[0].get("containerID", "").rpartition("/")[2],
    )


class Pods:
    """Follows the pods of the chart's namespace from `start` to `stop`."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._now: dict[str, Pod] = {}
        self._changed = threading.Condition()
        self._watch: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Watch, in a thread; what is there counts as a change."""
        command = ["kubectl", "-n", NAMESPACE, "get", "pods", "--watch", "--output-watch-events", "-o", "json"]
        self._watch = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        """End the watch. Raises AssertionError where it has ended by itself: then changes are missing."""
        assert self._watch is not None, "it was started"
        assert self._watch.poll() is None, "the watch of pods has ended before its time"
        self._watch.terminate()
        self._watch.wait(10)

    def now(self, component: str = "", node: str = "") -> list[Pod]:
        """Those that are there, of a component and on a node if they are named; leaving ones are not counted."""
        with self._changed:
            found = list(self._now.values())
        return [pod for pod in found if not pod.leaving and component in ("", pod.component) and node in ("", pod.node)]

    def until(self, what: str, done: Callable[[], bool], seconds: float) -> float:
        """Wait until `done` says so, asked with every change; returns the seconds. Raises AssertionError."""
        began = time.monotonic()
        with self._changed:
            if self._changed.wait_for(done, seconds):
                return time.monotonic() - began
        raise AssertionError(f"not within {seconds:.0f} s: {what}; there are {sorted(map(str, self.now()))}")

    def until_ready(self, number: int, seconds: float = 120.0) -> float:
        """Wait until services and console have so many pods each, all of them ready, and none that leaves."""

        def done() -> bool:
            for name in REPLICATED:
                mine = [pod for pod in self._now.values() if pod.component == name]
                if len(mine) != number or not all(pod.ready and not pod.leaving for pod in mine):
                    return False
            return True

        return self.until(f"{number} ready pods of each", done, seconds)

    def _follow(self) -> None:
        assert self._watch is not None, "it was started"
        assert self._watch.stdout is not None, "its output is a pipe"
        for line in self._watch.stdout:  # an object each
            self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        pod, gone = pod_of(event["object"]), event["type"] == "DELETED"
        with self._changed:
            self.seen.append(Seen(time.time(), pod, gone))
            if gone:
                self._now.pop(pod.name, None)
            else:
                self._now[pod.name] = pod
            self._changed.notify_all()


def fewest_ready(seen: Iterable[Seen], since: float, until: float) -> dict[str, int]:
    """By service, how many of its pods were ready when they were fewest, between two moments. One that leaves counts
    as long as it is ready: it goes on as before while others learn that it ends."""
    ready: dict[str, set[str]] = {service: set() for service in SERVICES}
    fewest: dict[str, int] = {}
    for change in sorted(seen, key=lambda change: change.at):
        if change.at > until:
            break
        if change.at > since:
            _count(ready, fewest)
        mine = ready.get(change.pod.component, set())
        if change.pod.ready and not change.gone:
            mine.add(change.pod.name)
        else:
            mine.discard(change.pod.name)
    _count(ready, fewest)
    return fewest


def _count(ready: dict[str, set[str]], fewest: dict[str, int]) -> None:
    for service, names in ready.items():
        fewest[service] = min(fewest.get(service, len(names)), len(names))


def restarts(seen: Iterable[Seen]) -> dict[str, int]:
    """Pods whose container was started again, with how often, also of those that are gone by now."""
    most: dict[str, int] = {}
    for change in seen:
        most[change.pod.name] = max(most.get(change.pod.name, 0), change.pod.restarts)
    return {name: number for name, number in most.items() if number}


def made(seen: Iterable[Seen], since: float, until: float) -> list[str]:
    """Services' pods that were seen for the first time between two moments."""
    first: dict[str, float] = {}
    for change in seen:
        if change.pod.component in SERVICES:
            first[change.pod.name] = min(first.get(change.pod.name, change.at), change.at)
    return sorted(name for name, at in first.items() if since <= at <= until)


def restarted_by_probe(events: Iterable[dict[str, Any]]) -> list[str]:
    """What the kubelet says of containers that it ended because a probe failed."""
    return [
        f"{event['involvedObject']['name']}: {event['message']}"
        for event in events
        if event["reason"] == "Killing" and "probe" in event["message"]
    ]
