"""Kubernetes, etcd and CoreDNS as one program: built by Go from deploy/cluster/kubernetes, once, and kept.

It takes eleven CPU minutes. Go keeps each package that is built, so a build that was stopped goes on where it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.cluster.problems import NoCluster
from deploy.local.concurrently import one_at_a_time

MODULE = Path(__file__).parent / "kubernetes"
SOURCES = ("go.mod", "go.sum", "main.go")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "booking-system" / "cluster"
STOP_SECONDS = 10.0


def version() -> str:
    """Kubernetes' version as go.mod names it, without its v."""
    found = re.search(r"^\tk8s\.io/kubernetes v(\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found, "go.mod requires k8s.io/kubernetes"
    return found[1]


def program() -> Path:
    """Where the program of these sources is, or will be: its name has the version, and a hash of sources and flags."""
    hashed = hashlib.sha256(" ".join(_flags()).encode())
    for name in SOURCES:
        hashed.update((MODULE / name).read_bytes())
    return CACHE / f"kubernetes-v{version()}-{hashed.hexdigest()[:12]}"


def build() -> Path:
    """The program, built if need be; a second caller waits for the first. The rest of the machine goes first.

    Raises NoCluster where there is no Go or the build fails; what Go says is shown.
    """
    built = program()
    if built.exists():
        return built
    if shutil.which("go") is None:
        raise NoCluster("there is no Go, which builds Kubernetes (https://go.dev/doc/install)")
    with one_at_a_time(CACHE):
        if not built.exists():
            draft = built.with_name(f"{built.name}.new")
            if _run(["nice", "-n", "19", "go", "build", *_flags(), "-o", str(draft), "."]):
                raise NoCluster("Go could not build deploy/cluster/kubernetes: see above")
            draft.replace(built)
    return built


def _flags() -> list[str]:
    """Linked without symbols, and with the version: clients read it from the API server, and a build has none."""
    major, minor, _ = version().split(".")
    facts = {"gitVersion": f"v{version()}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    stamps = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in facts.items())
    return ["-trimpath", "-ldflags", f"-s -w {stamps}"]


def _run(command: list[str]) -> int:
    """The exit code. Whatever ends this process before it, ends Go and its compilers, too."""
    tied = ["setpriv", "--pdeathsig", "TERM", *command]
    with subprocess.Popen(tied, cwd=MODULE, env={**os.environ, "CGO_ENABLED": "0"}, start_new_session=True) as building:
        try:
            return building.wait()
        finally:
            for number in (signal.SIGINT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    if building.poll() is None:
                        os.killpg(building.pid, number)
                        building.wait(STOP_SECONDS)
