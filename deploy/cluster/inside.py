"""`python -m deploy.cluster.inside FOLDER PROGRAM LOCK`: the first process of a cluster, in namespaces of its own.

It makes the network, starts the components, and ends when one of them does; the kernel ends everything else with it.
LOCK is an open file that every process of the cluster has: it is locked as long as one of them is there.
"""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy.cluster.components import API, control_plane, rest
from deploy.cluster.nodes import HOST_SETTINGS, NODES

POLL_SECONDS = 0.1
ANSWER_SECONDS = 120.0
SCRATCH = ("/var/lib/cni", "/var/lib/kubelet", "/var/log/containers")
"""Where components write whatever they are told."""


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def make_mounts(folder: Path) -> None:
    """What is written below /run and SCRATCH ends with the cluster; names are asked of its own name server."""
    names = Path("/etc/resolv.conf").resolve()
    run("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run")
    for scratch in SCRATCH:
        Path(scratch).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "none", scratch)
    if not names.exists():  # it was below /run
        names.parent.mkdir(parents=True, exist_ok=True)
        names.touch()
    run("mount", "--bind", str(folder / "resolv.conf"), str(names))
    for name, value in HOST_SETTINGS.items():
        setting = Path("/run/settings", name)
        setting.parent.mkdir(parents=True, exist_ok=True)
        setting.write_text(f"{value}\n")
        run("mount", "--bind", str(setting), f"/proc/sys/{name}")


def make_network() -> None:
    """The nodes' addresses; and a default route, which leads nowhere, because components look for one."""
    run("ip", "link", "set", "lo", "up")
    for node in NODES:
        run("ip", "address", "add", f"{node.address}/32", "dev", "lo")
    run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "nowhere")
    run("ip", "address", "add", "10.98.0.1/24", "dev", "outside")
    for end in ("outside", "nowhere"):
        run("ip", "link", "set", end, "up")
    run("ip", "route", "add", "default", "dev", "outside")
    run("sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1")


def start(commands: Mapping[str, list[str]], folder: Path, lock: int) -> dict[int, str]:
    """Their names by process id; each has a log of its own."""
    started = {}
    for name, command in commands.items():
        with (folder / "logs" / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, pass_fds=(lock,)
            )
        started[process.pid] = name
    return started


def gone(components: Mapping[int, str], options: int) -> str | None:
    """Which component has ended, if one has. Processes that lost their parent come to the first one, and are passed."""
    while True:
        process, _ = os.waitpid(-1, options)
        if process == 0:
            return None
        if process in components:
            return components[process]


def answers(url: str) -> bool:
    """Whether the API server says that it is ready, which it says to everybody."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=ssl._create_unverified_context()) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main(folder: Path, program: Path, lock: int) -> str:
    """Returns which component ended."""
    make_mounts(folder)
    make_network()
    components = start(control_plane(folder, program), folder, lock)
    deadline = time.monotonic() + ANSWER_SECONDS
    while not answers(f"{API}/readyz"):
        if ended := gone(components, os.WNOHANG):
            return ended
        if time.monotonic() > deadline:
            return "kube-apiserver"
        time.sleep(POLL_SECONDS)
    components |= start(rest(folder, program), folder, lock)
    ended = gone(components, 0)
    assert ended, "waiting without an end ends with a process"
    return ended


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    root = Path(sys.argv[1])
    (root / "ended").write_text(main(root, Path(sys.argv[2]), int(sys.argv[3])))
    sys.exit(1)
